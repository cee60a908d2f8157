//! The socket between a host and a worker.

use super::arena::{Incoming, LARGE, Outgoing};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recv, recvmsg, send, sendmsg,
};
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// The largest message, in bytes.
const MAX_MESSAGE: usize = 1 << 30;

/// Says, in a message's length, that the message is in memory; where follows.
const IN_MEMORY: u32 = 1 << 31;

/// How long to ask again and again for a message before waiting for it in the system, which takes longer to wake up than
/// most calls last.
const SPIN: Duration = Duration::from_micros(20);

/// How much is read at once.
const CHUNK: usize = 64 << 10;

/// A message that is sent together with its length, in bytes.
const SHORT: usize = 252;

/// How often the limits are looked at while nothing comes.
const LOOK: Duration = Duration::from_millis(10);

/// Why no message came or went.
#[derive(Debug)]
pub(crate) enum Closed<E> {
    /// The other side is gone.
    Gone,
    /// There were too many bytes, of this number, or they are not where they are said to be.
    TooLarge(usize),
    /// The look at the limits said so.
    Stopped(E),
}

/// Both directions of a host's end of the socket. The worker is handed memory for what is large.
///
/// # Errors
///
/// What the system says.
pub(crate) fn host_channel(socket: UnixStream) -> io::Result<Halves> {
    let (to, from) = match (memory(), memory()) {
        (Some(to), Some(from)) => (Some(to), Some(from)),
        _ => (None, None),
    };
    let files: Vec<BorrowedFd<'_>> = to.iter().chain(&from).map(AsFd::as_fd).collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !files.is_empty() {
        control.push(SendAncillaryMessage::ScmRights(&files));
    }
    sendmsg(&socket, &[io::IoSlice::new(&[FIRST])], &mut control, quietly())?;
    halves(socket, to, from)
}

/// Both directions of a worker's end of the socket.
///
/// # Errors
///
/// What the system says; a host that does not begin as one.
pub(crate) fn worker_channel(socket: UnixStream) -> io::Result<Halves> {
    let mut first = [0];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    // A worker starts nothing before it has confined itself, and then only what closes these.
    #[cfg(target_os = "linux")]
    let flags = RecvFlags::CMSG_CLOEXEC;
    #[cfg(not(target_os = "linux"))]
    let flags = RecvFlags::empty();
    recvmsg(&socket, &mut [io::IoSliceMut::new(&mut first)], &mut control, flags)?;
    if first != [FIRST] {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut files = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(fds) = message {
            files.extend(fds.map(File::from));
        }
    }
    // The host's first one is what it writes to.
    let (to, from) = (files.pop(), files.pop());
    halves(socket, to, from)
}

/// A socket whose other end is gone is an error and no signal, where the system asks; Rust's runtime ignores the signal.
fn quietly() -> SendFlags {
    #[cfg(target_os = "linux")]
    return SendFlags::NOSIGNAL;
    #[cfg(not(target_os = "linux"))]
    SendFlags::empty()
}

/// The first byte of a conversation, with which the memory goes over.
const FIRST: u8 = b'c';

/// Both directions.
pub(crate) type Halves = (Sender, Receiver);

fn halves(socket: UnixStream, to: Option<File>, from: Option<File>) -> io::Result<Halves> {
    // Whoever waits in the system for its call to come back needs one call of the system, where `poll` takes three.
    socket.set_read_timeout(Some(LOOK))?;
    let other = socket.try_clone()?;
    Ok((
        Sender { socket, outgoing: Outgoing::new(to) },
        Receiver {
            socket: other,
            incoming: Incoming::new(from),
            received: Vec::new(),
            taken: 0,
            spin: Spin::new(),
        },
    ))
}

/// A file in memory that both sides have; `None` where there is no such thing.
#[cfg(target_os = "linux")]
fn memory() -> Option<File> {
    let flags = rustix::fs::MemfdFlags::CLOEXEC;
    rustix::fs::memfd_create("caraway-worker", flags).ok().map(File::from)
}

#[cfg(not(target_os = "linux"))]
fn memory() -> Option<File> {
    None
}

/// Sends messages, each with its length in front, as a `u32` whose highest bit says that the message is in memory that
/// both sides have.
#[derive(Debug)]
pub(crate) struct Sender {
    socket: UnixStream,
    outgoing: Outgoing,
}

impl Sender {
    /// The memory for what is large.
    pub(crate) fn outgoing(&self) -> &Outgoing {
        &self.outgoing
    }

    /// Sends a message. `look` is asked now and then while the other side does not read.
    pub(crate) fn send<E>(
        &mut self,
        message: &[u8],
        look: &mut dyn FnMut() -> Result<(), E>,
    ) -> Result<(), Closed<E>> {
        if message.len() > MAX_MESSAGE {
            return Err(Closed::TooLarge(message.len()));
        }
        let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
        if message.len() >= LARGE
            && let Some(place) = self.outgoing.store(message)
        {
            let mut header = [0; 12];
            header[..4].copy_from_slice(&(length | IN_MEMORY).to_le_bytes());
            header[4..].copy_from_slice(&place.to_le_bytes());
            return self.send_all(&header, look);
        }
        let length = length.to_le_bytes();
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
            match send(&self.socket, bytes, quietly() | SendFlags::DONTWAIT) {
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
        let mut fds = [PollFd::new(&self.socket, PollFlags::OUT)];
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
    incoming: Incoming,
    received: Vec<u8>,
    /// How much of `received` has been given out.
    taken: usize,
    spin: Spin,
}

impl Receiver {
    /// The memory for what is large.
    pub(crate) fn incoming(&self) -> &Incoming {
        &self.incoming
    }

    /// The next message. `look` is asked now and then until it has come.
    pub(crate) fn receive<E>(
        &mut self,
        look: &mut dyn FnMut() -> Result<(), E>,
    ) -> Result<Vec<u8>, Closed<E>> {
        let header = self.fill(4, look)?;
        let header = header.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        let length = (header & !IN_MEMORY) as usize;
        if length > MAX_MESSAGE {
            return Err(Closed::TooLarge(length));
        }
        self.taken += 4;
        if header & IN_MEMORY != 0 {
            let place = self.fill(8, look)?.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
            self.taken += 8;
            return self.incoming.fetch(place, length).ok_or(Closed::TooLarge(length));
        }
        let message = self.fill(length, look)?[..length].to_vec();
        self.taken += length;
        Ok(message)
    }

    /// At least `count` bytes that have come and were not taken.
    fn fill<E>(&mut self, count: usize, look: &mut dyn FnMut() -> Result<(), E>) -> Result<&[u8], Closed<E>> {
        while self.received.len() - self.taken < count {
            if self.taken > 0 {
                self.received.drain(..self.taken);
                self.taken = 0;
            }
            let start = self.received.len();
            // A large message comes into its place at once, as far as it is there.
            self.received.resize(start + CHUNK.max(count.saturating_sub(start).min(1 << 20)), 0);
            let got = self.wait(start);
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

    /// Waits for bytes, behind the first `start`, no longer than until it is time to look.
    fn wait(&mut self, start: usize) -> Result<usize, Errno> {
        let mut recv = |flags| recv(&self.socket, &mut self.received[start..], flags).map(|(_, got)| got);
        if self.spin.is_worth_it() {
            let end = Instant::now() + SPIN;
            loop {
                let got = recv(RecvFlags::DONTWAIT);
                if got != Err(Errno::AGAIN) {
                    self.spin.helped();
                    return got;
                }
                if Instant::now() >= end {
                    break;
                }
                std::hint::spin_loop();
            }
            self.spin.failed();
        }
        recv(RecvFlags::empty())
    }
}

/// Whether to ask again and again before waiting: as long as that helps. Where calls last long, or processors are few or
/// busy, it only takes time from whoever is to answer.
#[derive(Debug)]
struct Spin {
    /// How often it may fail.
    credit: u32,
    /// How often not to try.
    pause: u32,
    next_pause: u32,
}

impl Spin {
    const CREDIT: u32 = 8;
    const PAUSE: u32 = 64;
    const LONGEST_PAUSE: u32 = 4096;

    fn new() -> Self {
        // Where there is one processor it never helps.
        let alone = std::thread::available_parallelism().is_ok_and(|count| count.get() == 1);
        Self { credit: Self::CREDIT, pause: if alone { u32::MAX } else { 0 }, next_pause: Self::PAUSE }
    }

    fn is_worth_it(&mut self) -> bool {
        if self.pause == 0 {
            return true;
        }
        if self.pause < u32::MAX {
            self.pause -= 1;
        }
        false
    }

    fn helped(&mut self) {
        self.credit = (self.credit + 1).min(Self::CREDIT);
        self.next_pause = Self::PAUSE;
    }

    fn failed(&mut self) {
        self.credit = self.credit.saturating_sub(4);
        if self.credit == 0 {
            self.pause = self.next_pause;
            self.next_pause = (self.next_pause * 2).min(Self::LONGEST_PAUSE);
            self.credit = 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn never() -> Result<(), ()> {
        Ok(())
    }

    type Ends = (Halves, Halves);

    fn pair() -> Ends {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let host = host_channel(ours).unwrap();
        (host, worker_channel(theirs).unwrap())
    }

    fn without_memory() -> Ends {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (halves(ours, None, None).unwrap(), halves(theirs, None, None).unwrap())
    }

    #[test]
    fn messages_of_any_size_arrive_in_order() {
        let sizes = [0, 1, 252, 253, 70_000, 3 << 20, 5, 17 << 20, LARGE, LARGE - 1];
        for make in [pair, without_memory] {
            let ((mut to, mut answered), (mut back, mut from)) = make();
            let echo = std::thread::spawn(move || {
                while let Ok(message) = from.receive(&mut never) {
                    back.outgoing().reset();
                    back.send(&message, &mut never).unwrap();
                }
            });
            for size in sizes {
                let message: Vec<u8> = (0..size).map(|index| index as u8).collect();
                to.outgoing().reset();
                to.send(&message, &mut never).unwrap();
                assert!(answered.receive(&mut never).unwrap() == message, "{size}");
            }
            drop(to);
            drop(answered);
            echo.join().unwrap();
        }
    }

    #[test]
    fn whoever_waits_is_asked() {
        let ((mut sender, mut receiver), _theirs) = without_memory();
        let mut looks = 0;
        let mut look = || {
            looks += 1;
            if looks < 3 { Ok(()) } else { Err("enough") }
        };
        assert!(matches!(receiver.receive(&mut look), Err(Closed::Stopped("enough"))));
        let much = vec![0; 8 << 20];
        assert!(matches!(sender.send(&much, &mut || Err("full")), Err(Closed::Stopped("full"))));
    }

    #[test]
    fn memory_that_is_not_there_ends_the_conversation() {
        let ((mut to, _), (_, mut from)) = pair();
        let header = [&(IN_MEMORY | 4096).to_le_bytes()[..], &[0; 8]].concat();
        to.send_all(&header, &mut never).unwrap();
        assert!(matches!(from.receive(&mut never), Err(Closed::TooLarge(_))));
        let ((mut to, _), (_, mut from)) = without_memory();
        to.send_all(&header, &mut never).unwrap();
        assert!(matches!(from.receive(&mut never), Err(Closed::TooLarge(_))));
    }
}
