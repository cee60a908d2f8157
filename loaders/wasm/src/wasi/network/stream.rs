//! The two streams of a connection.

use super::socket::Socket;
use caraway_loaders_core::network::Readiness;
use parking_lot::Mutex;
use rustix::io::Errno;
use rustix::net::Shutdown;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult};
use wasmtime_wasi_io::async_trait;
use wasmtime_wasi_io::bytes::Bytes;

/// How much is read or taken over at once.
const CHUNK: usize = 64 << 10;

/// A connected socket. Its reader and its writer share it.
pub(super) struct Connection {
    pub(super) socket: Socket,
    outgoing: Mutex<Outgoing>,
    reading_ended: AtomicBool,
}

/// What a guest has written.
#[derive(Default)]
struct Outgoing {
    /// What the system has not taken yet.
    waiting: Bytes,
    /// No more comes.
    ended: bool,
    failed: Option<Errno>,
}

impl Connection {
    pub(super) fn new(socket: Socket) -> Self {
        Self { socket, outgoing: Mutex::default(), reading_ended: AtomicBool::new(false) }
    }

    /// Hands over to the system what it takes. Everyone who looks at the connection does this: nobody else would.
    fn push(&self) -> StreamResult<bool> {
        let mut outgoing = self.outgoing.lock();
        let outgoing = &mut *outgoing;
        while outgoing.failed.is_none() && !outgoing.waiting.is_empty() {
            match self.socket.send(&outgoing.waiting) {
                Ok(None) => return Ok(false),
                Ok(Some(sent)) => drop(outgoing.waiting.split_to(sent)),
                Err(error) => {
                    outgoing.waiting.clear();
                    outgoing.failed = Some(error);
                    return Err(failed(error));
                }
            }
        }
        if outgoing.ended {
            self.socket.shutdown(Shutdown::Write);
        }
        match outgoing.ended || outgoing.failed.is_some() {
            true => Err(StreamError::Closed),
            false => Ok(true),
        }
    }

    /// Ends one direction or both; what was written is still sent.
    pub(super) fn shutdown(&self, how: Shutdown) {
        if how != Shutdown::Write {
            self.reading_ended.store(true, Ordering::Relaxed);
            self.socket.shutdown(Shutdown::Read);
        }
        if how != Shutdown::Read {
            self.outgoing.lock().ended = true;
            let _ = self.push();
        }
    }
}

fn failed(error: Errno) -> StreamError {
    match error {
        Errno::PIPE => StreamError::Closed,
        error => StreamError::LastOperationFailed(std::io::Error::from(error).into()),
    }
}

/// What comes in.
pub(super) struct Reader(pub(super) Arc<Connection>);

impl InputStream for Reader {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let _ = self.0.push();
        if self.0.reading_ended.load(Ordering::Relaxed) {
            return Err(StreamError::Closed);
        }
        if size == 0 {
            return Ok(Bytes::new());
        }
        let mut bytes = vec![0; size.min(CHUNK)];
        let read = match self.0.socket.receive(&mut bytes) {
            Ok(None) => 0,
            Ok(Some(0)) => {
                self.0.reading_ended.store(true, Ordering::Relaxed);
                return Err(StreamError::Closed);
            }
            Ok(Some(read)) => read,
            Err(error) => {
                self.0.reading_ended.store(true, Ordering::Relaxed);
                return Err(failed(error));
            }
        };
        bytes.truncate(read);
        Ok(bytes.into())
    }
}

#[async_trait]
impl Pollable for Reader {
    async fn ready(&mut self) {
        poll_fn(|_| {
            let _ = self.0.push();
            match self.0.reading_ended.load(Ordering::Relaxed) || self.0.socket.is_ready(Readiness::Read) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.0.shutdown(Shutdown::Read);
    }
}

/// What goes out.
pub(super) struct Writer {
    connection: Arc<Connection>,
    /// How much the guest was told that it may write.
    permitted: usize,
}

impl Writer {
    pub(super) fn new(connection: Arc<Connection>) -> Self {
        Self { connection, permitted: 0 }
    }
}

#[async_trait]
impl OutputStream for Writer {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if bytes.len() > self.permitted {
            return Err(StreamError::Trap(wasmtime::Error::msg("it wrote more than it may at once")));
        }
        self.permitted = 0;
        {
            let mut outgoing = self.connection.outgoing.lock();
            if outgoing.ended || outgoing.failed.is_some() {
                return Err(StreamError::Closed);
            }
            outgoing.waiting = bytes;
        }
        self.connection.push().map(|_| ())
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.connection.push().map(|_| ())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        let idle = self.connection.push()? && self.connection.socket.is_ready(Readiness::Write);
        self.permitted = if idle { CHUNK } else { 0 };
        Ok(self.permitted)
    }

    /// Before it is dropped: what was written is sent.
    async fn cancel(&mut self) {
        poll_fn(|_| match self.connection.push() {
            Ok(false) => Poll::Pending,
            _ => Poll::Ready(()),
        })
        .await;
    }
}

#[async_trait]
impl Pollable for Writer {
    async fn ready(&mut self) {
        poll_fn(|_| match self.connection.push() {
            Ok(false) => Poll::Pending,
            Ok(true) if !self.connection.socket.is_ready(Readiness::Write) => Poll::Pending,
            _ => Poll::Ready(()),
        })
        .await;
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.connection.shutdown(Shutdown::Write);
    }
}
