//! The socket between a host and a worker.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use std::io;
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// The largest message, in bytes.
const MAX_MESSAGE: usize = 1 << 30;

/// How much is read at once.
const CHUNK: usize = 64 << 10;

/// A message that is sent together with its length, in bytes.
const SHORT: usize = 252;

/// How often the limits are looked at while nothing comes.
const LOOK: Duration = Duration::from_millis(10);

/// Why no message came or went.
#[derive(Debug)]
pub(crate) enum Closed<E> {
    /// The other side is gone, or does not keep to the frames.
    Gone,
    /// There were too many bytes, of this number.
    TooLarge(usize),
    /// The look at the limits said so.
    Stopped(E),
}

/// Both directions of one end of the socket.
///
/// # Errors
///
/// What the system says.
pub(crate) fn channel(socket: UnixStream) -> io::Result<(Sender, Receiver)> {
    // Whoever waits in the system for its call to come back needs one call of the system, where `poll` takes three.
    socket.set_read_timeout(Some(LOOK))?;
    let other = socket.try_clone()?;
    Ok((Sender(socket), Receiver { socket: other, received: Vec::new(), taken: 0 }))
}

/// Sends messages, each with its length in front, as a `u32`.
#[derive(Debug)]
pub(crate) struct Sender(UnixStream);

impl Sender {
    /// Sends a message. `look` is asked now and then while the other side does not read.
    pub(crate) fn send<E>(
        &mut self,
        message: &[u8],
        look: &mut dyn FnMut() -> Result<(), E>,
    ) -> Result<(), Closed<E>> {
        if message.len() > MAX_MESSAGE {
            return Err(Closed::TooLarge(message.len()));
        }
        let length = u32::try_from(message.len()).unwrap_or(u32::MAX).to_le_bytes();
        let mut together = [0; 4 + SHORT];
        if let Some(short) = together.get_mut(4..4 + message.len()) {
            short.copy_from_slice(message);
            together[..4].copy_from_slice(&length);
            return self.send_all(&together[..4 + message.len()], look);
        }
        self.send_all(&length, look)?;
        self.send_all(message, look)
    }

    fn send_all<E>(
        &mut self,
        mut bytes: &[u8],
        look: &mut dyn FnMut() -> Result<(), E>,
    ) -> Result<(), Closed<E>> {
        while !bytes.is_empty() {
            match send(&self.0, bytes, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
                Ok(sent) => bytes = bytes.get(sent..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => self.wait(look)?,
                Err(_) => return Err(Closed::Gone),
            }
        }
        Ok(())
    }

    /// Waits until there is room.
    fn wait<E>(&self, look: &mut dyn FnMut() -> Result<(), E>) -> Result<(), Closed<E>> {
        let mut fds = [PollFd::new(&self.0, PollFlags::OUT)];
        let timeout = Timespec { tv_sec: 0, tv_nsec: LOOK.subsec_nanos().into() };
        match poll(&mut fds, Some(&timeout)) {
            Ok(0) => look().map_err(Closed::Stopped),
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(_) => Err(Closed::Gone),
        }
    }
}

/// Receives messages.
#[derive(Debug)]
pub(crate) struct Receiver {
    socket: UnixStream,
    received: Vec<u8>,
    /// How much of `received` has been given out.
    taken: usize,
}

impl Receiver {
    /// The next message. `look` is asked now and then until it has come.
    pub(crate) fn receive<E>(
        &mut self,
        look: &mut dyn FnMut() -> Result<(), E>,
    ) -> Result<Vec<u8>, Closed<E>> {
        let header = self.fill(4, look)?;
        let length = header.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes) as usize);
        if length > MAX_MESSAGE {
            return Err(Closed::Gone);
        }
        self.taken += 4;
        let message = self.fill(length, look)?[..length].to_vec();
        self.taken += length;
        Ok(message)
    }

    /// At least `count` bytes that have come and were not taken.
    fn fill<E>(
        &mut self,
        count: usize,
        look: &mut dyn FnMut() -> Result<(), E>,
    ) -> Result<&[u8], Closed<E>> {
        while self.received.len() - self.taken < count {
            if self.taken > 0 {
                self.received.drain(..self.taken);
                self.taken = 0;
            }
            let start = self.received.len();
            // A large message comes into its place at once, as far as it is there.
            self.received.resize(start + CHUNK.max(count.saturating_sub(start).min(1 << 20)), 0);
            let got = recv(&self.socket, &mut self.received[start..], RecvFlags::empty()).map(|(_, got)| got);
            self.received.truncate(start + got.unwrap_or(0));
            match got {
                Ok(0) => return Err(Closed::Gone),
                Ok(_) | Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => look().map_err(Closed::Stopped)?,
                Err(_) => return Err(Closed::Gone),
            }
        }
        Ok(&self.received[self.taken..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn never() -> Result<(), ()> {
        Ok(())
    }

    #[test]
    fn messages_of_any_size_arrive_in_order() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let sizes = [0, 1, 255, 256, 257, 70_000, 3 << 20, 5];
        let sender = std::thread::spawn(move || {
            let (mut sender, _receiver) = channel(ours).unwrap();
            for size in sizes {
                sender.send(&vec![7; size], &mut never).unwrap();
            }
        });
        let (_sender, mut receiver) = channel(theirs).unwrap();
        for size in sizes {
            assert_eq!(receiver.receive(&mut never).unwrap(), vec![7; size]);
        }
        sender.join().unwrap();
        assert!(matches!(receiver.receive(&mut never), Err(Closed::Gone)));
    }

    #[test]
    fn whoever_waits_is_asked() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (mut sender, mut receiver) = channel(ours).unwrap();
        let mut looks = 0;
        let mut look = || {
            looks += 1;
            if looks < 3 { Ok(()) } else { Err("enough") }
        };
        assert!(matches!(receiver.receive(&mut look), Err(Closed::Stopped("enough"))));
        let much = vec![0; 8 << 20];
        assert!(matches!(sender.send(&much, &mut || Err("full")), Err(Closed::Stopped("full"))));
        drop(theirs);
    }
}
