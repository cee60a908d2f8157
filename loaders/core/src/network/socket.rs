//! Nonblocking sockets of the system.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, RecvFlags, SendFlags, Shutdown, SocketType, ipproto, sockopt};
use std::net::SocketAddr;
use std::time::Duration;

/// A TCP socket that never waits, closed when it is dropped.
#[derive(Debug)]
pub struct Socket(OwnedFd);

/// What a socket is to be ready for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// There is something to read, be it the end or an error.
    Read,
    /// Writing would do something, be it to fail; and it is known whether it could be connected.
    Write,
}

impl Socket {
    /// A socket for addresses of version 4.
    ///
    /// # Errors
    ///
    /// Those of the system, which has no more of them.
    pub fn v4() -> Result<Self, Errno> {
        open(AddressFamily::INET).map(Self)
    }

    /// A socket for addresses of version 6 alone.
    ///
    /// # Errors
    ///
    /// As [`v4`](Self::v4), and that this machine has no version 6.
    pub fn v6() -> Result<Self, Errno> {
        let fd = open(AddressFamily::INET6)?;
        sockopt::set_ipv6_v6only(&fd, true)?;
        Ok(Self(fd))
    }

    /// Begins to connect.
    ///
    /// # Errors
    ///
    /// Those of the system that are known at once.
    pub fn connect(&self, address: SocketAddr) -> Result<(), Errno> {
        match net::connect(&self.0, &address) {
            Err(Errno::INPROGRESS | Errno::INTR) => Ok(()),
            result => result,
        }
    }

    /// Whether it is connected; `None` while it is not known yet. To ask for the result takes it.
    pub fn connected(&self) -> Option<Result<(), Errno>> {
        let known = self.is_ready(Readiness::Write);
        known.then(|| sockopt::socket_error(&self.0).and_then(|result| result))
    }

    /// Whether it is ready now.
    pub fn is_ready(&self, readiness: Readiness) -> bool {
        self.wait(readiness, Duration::ZERO)
    }

    /// Waits until it is ready, but no longer than this; a signal may end it earlier. Whether it is.
    pub fn wait(&self, readiness: Readiness, most: Duration) -> bool {
        let flags = match readiness {
            Readiness::Read => PollFlags::IN,
            Readiness::Write => PollFlags::OUT,
        };
        // A wait that the system cannot be told is one without end.
        let most = Timespec::try_from(most).ok();
        // What cannot be polled is left to the operation to complain about.
        poll(&mut [PollFd::new(&self.0, flags)], most.as_ref()).is_ok_and(|ready| ready > 0)
    }

    /// Reads what is there; `None` if nothing is, 0 at the end.
    ///
    /// # Errors
    ///
    /// Those of the connection.
    pub fn receive(&self, buffer: &mut [u8]) -> Result<Option<usize>, Errno> {
        now(|| net::recv(&self.0, &mut *buffer, RecvFlags::empty()).map(|(_, read)| read))
    }

    /// Writes what there is room for; `None` if there is none.
    ///
    /// # Errors
    ///
    /// Those of the connection.
    pub fn send(&self, bytes: &[u8]) -> Result<Option<usize>, Errno> {
        #[cfg(target_vendor = "apple")]
        let flags = SendFlags::empty();
        #[cfg(not(target_vendor = "apple"))]
        let flags = SendFlags::NOSIGNAL;
        now(|| net::send(&self.0, bytes, flags))
    }

    /// Says to the other side, or to ourselves, that no more comes.
    pub fn shutdown(&self, how: Shutdown) {
        // It fails where the other side was faster.
        let _ = net::shutdown(&self.0, how);
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(not(target_vendor = "apple"))]
fn open(domain: AddressFamily) -> Result<OwnedFd, Errno> {
    let flags = net::SocketFlags::CLOEXEC | net::SocketFlags::NONBLOCK;
    net::socket_with(domain, SocketType::STREAM, flags, Some(ipproto::TCP))
}

#[cfg(target_vendor = "apple")]
fn open(domain: AddressFamily) -> Result<OwnedFd, Errno> {
    let fd = net::socket(domain, SocketType::STREAM, Some(ipproto::TCP))?;
    rustix::io::fcntl_setfd(&fd, rustix::io::FdFlags::CLOEXEC)?;
    rustix::io::ioctl_fionbio(&fd, true)?;
    sockopt::set_socket_nosigpipe(&fd, true)?;
    Ok(fd)
}

/// Does it until no signal comes in between; `None` if it would have to wait.
fn now(mut act: impl FnMut() -> Result<usize, Errno>) -> Result<Option<usize>, Errno> {
    loop {
        match act() {
            Err(Errno::INTR) => {}
            // On some systems the two are one.
            Err(error) if error == Errno::AGAIN || error == Errno::WOULDBLOCK => return Ok(None),
            result => return result.map(Some),
        }
    }
}
