//! Streams of files. Regular files are always ready, so nothing here waits, and no thread is needed.

use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use wasmtime_wasi::filesystem::File;
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult};
use wasmtime_wasi_io::async_trait;
use wasmtime_wasi_io::bytes::Bytes;

/// How much is read or written at once.
const CHUNK: usize = 64 << 10;

/// Reads a file from a position on.
pub(super) struct Reader {
    file: Arc<std::fs::File>,
    position: u64,
}

impl Reader {
    pub(super) fn new(file: &File, position: u64) -> Self {
        Self { file: file.file.clone(), position }
    }
}

impl InputStream for Reader {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        if size == 0 {
            return Ok(Bytes::new());
        }
        let mut bytes = vec![0; size.min(CHUNK)];
        let read = again(|| self.file.read_at(&mut bytes, self.position))?;
        if read == 0 {
            return Err(StreamError::Closed);
        }
        bytes.truncate(read);
        self.position = self.position.saturating_add(read as u64);
        Ok(bytes.into())
    }
}

#[async_trait]
impl Pollable for Reader {
    async fn ready(&mut self) {}
}

/// Writes a file from a position on, or at its end.
pub(super) struct Writer {
    file: Arc<std::fs::File>,
    /// None appends.
    position: Option<u64>,
}

impl Writer {
    pub(super) fn new(file: &File, position: Option<u64>) -> Self {
        Self { file: file.file.clone(), position }
    }
}

impl OutputStream for Writer {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let at = match self.position {
                Some(position) => position,
                None => self.file.metadata().map_err(failed)?.len(),
            };
            let written = again(|| self.file.write_at(rest, at))?;
            if written == 0 {
                return Err(failed(io::ErrorKind::WriteZero.into()));
            }
            rest = &rest[written..];
            self.position = self.position.map(|position| position.saturating_add(written as u64));
        }
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(CHUNK)
    }
}

#[async_trait]
impl Pollable for Writer {
    async fn ready(&mut self) {}
}

/// Tries until no signal comes in between.
fn again(mut act: impl FnMut() -> io::Result<usize>) -> StreamResult<usize> {
    loop {
        match act() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result.map_err(failed),
        }
    }
}

fn failed(error: io::Error) -> StreamError {
    StreamError::LastOperationFailed(error.into())
}
