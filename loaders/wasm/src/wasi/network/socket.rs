//! A guest's sockets.

use super::Right;
use caraway_loaders_core::network;
use rustix::io::Errno;
use std::ops::Deref;
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, IpAddressFamily};

/// A socket that counts as long as it is open.
pub(super) struct Socket {
    socket: network::Socket,
    _right: Right,
}

impl Socket {
    pub(super) fn new(family: IpAddressFamily, right: Right) -> Result<Self, Errno> {
        let socket = match family {
            IpAddressFamily::Ipv4 => network::Socket::v4(),
            IpAddressFamily::Ipv6 => network::Socket::v6(),
        };
        Ok(Self { socket: socket?, _right: right })
    }
}

impl Deref for Socket {
    type Target = network::Socket;

    fn deref(&self) -> &network::Socket {
        &self.socket
    }
}

/// What a guest is told of an error of the system.
pub(super) fn code(error: Errno) -> ErrorCode {
    std::io::Error::from(error).into()
}
