//! Nonblocking sockets of the system.

use super::Right;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, RecvFlags, SendFlags, Shutdown, SocketType, ipproto, sockopt};
use std::net::SocketAddr;
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, IpAddressFamily};

/// A TCP socket, closed when it is dropped.
pub(super) struct Socket {
    pub(super) fd: OwnedFd,
    _right: Right,
}

impl Socket {
    pub(super) fn new(family: IpAddressFamily, right: Right) -> Result<Self, Errno> {
        let domain = match family {
            IpAddressFamily::Ipv4 => AddressFamily::INET,
            IpAddressFamily::Ipv6 => AddressFamily::INET6,
        };
        let fd = open(domain)?;
        if matches!(family, IpAddressFamily::Ipv6) {
            sockopt::set_ipv6_v6only(&fd, true)?;
        }
        Ok(Self { fd, _right: right })
    }

    /// Begins to connect.
    pub(super) fn connect(&self, address: SocketAddr) -> Result<(), Errno> {
        match net::connect(&self.fd, &address) {
            Err(Errno::INPROGRESS | Errno::INTR) => Ok(()),
            result => result,
        }
    }

    /// Whether it is known if it could be connected. To ask for the result takes it.
    pub(super) fn has_connected(&self) -> bool {
        self.is_ready(PollFlags::OUT)
    }

    /// Whether it is connected; `None` while it is not known yet.
    pub(super) fn connected(&self) -> Option<Result<(), Errno>> {
        self.has_connected().then(|| sockopt::socket_error(&self.fd).and_then(|result| result))
    }

    /// Whether there is something to read, be it the end or an error.
    pub(super) fn is_readable(&self) -> bool {
        self.is_ready(PollFlags::IN)
    }

    /// Whether writing would do something, be it to fail.
    pub(super) fn is_writable(&self) -> bool {
        self.is_ready(PollFlags::OUT)
    }

    fn is_ready(&self, flags: PollFlags) -> bool {
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        // What cannot be polled is left to the operation to complain about.
        poll(&mut [PollFd::new(&self.fd, flags)], Some(&at_once)).is_ok_and(|ready| ready > 0)
    }

    /// Reads what is there; `None` if nothing is, 0 at the end.
    pub(super) fn receive(&self, buffer: &mut [u8]) -> Result<Option<usize>, Errno> {
        now(|| net::recv(&self.fd, &mut *buffer, RecvFlags::empty()).map(|(_, read)| read))
    }

    /// Writes what there is room for; `None` if there is none.
    pub(super) fn send(&self, bytes: &[u8]) -> Result<Option<usize>, Errno> {
        #[cfg(target_vendor = "apple")]
        let flags = SendFlags::empty();
        #[cfg(not(target_vendor = "apple"))]
        let flags = SendFlags::NOSIGNAL;
        now(|| net::send(&self.fd, bytes, flags))
    }

    /// Says to the other side, or to ourselves, that no more comes.
    pub(super) fn shutdown(&self, how: Shutdown) {
        // It fails where the other side was faster.
        let _ = net::shutdown(&self.fd, how);
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

/// What a guest is told of an error of the system.
pub(super) fn code(error: Errno) -> ErrorCode {
    std::io::Error::from(error).into()
}
