//! `wasi:sockets/tcp`: sockets that connect. None of them listens.

use super::socket::{Socket, code};
use super::stream::{Connection, Reader, Writer};
use super::wit::wasi::sockets::tcp::{Duration, Host, HostTcpSocket, ShutdownType};
use super::wit::wasi::sockets::tcp_create_socket;
use crate::wasi::Guest;
use caraway_loaders_core::network::Readiness;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::io::Errno;
use rustix::net::{Shutdown, getpeername, getsockname, sockopt};
use std::future::poll_fn;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::task::Poll;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, IpAddressFamily, IpSocketAddress};
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, DynPollable, Network, Pollable, SocketResult, subscribe,
};
use wasmtime_wasi_io::async_trait;

/// A guest's socket.
#[allow(unreachable_pub, reason = "named by generated code")]
pub struct TcpSocket {
    family: IpAddressFamily,
    state: State,
}

enum State {
    New(Socket),
    Connecting(Socket),
    Connected(Arc<Connection>),
    Failed(ErrorCode),
}

impl TcpSocket {
    fn fd(&self) -> SocketResult<BorrowedFd<'_>> {
        match &self.state {
            State::New(socket) | State::Connecting(socket) => Ok(socket.as_fd()),
            State::Connected(connection) => Ok(connection.socket.as_fd()),
            State::Failed(code) => Err((*code).into()),
        }
    }
}

/// What wasmtime's is, too: addresses of one host that fit the socket's family, and are not those of version 4 in
/// the clothes of version 6.
fn is_remote(family: IpAddressFamily, address: SocketAddr) -> bool {
    let one_host = !address.ip().is_unspecified() && !address.ip().is_multicast() && address.port() != 0;
    one_host
        && match (family, address.ip()) {
            (IpAddressFamily::Ipv4, IpAddr::V4(address)) => !address.is_broadcast(),
            (IpAddressFamily::Ipv6, IpAddr::V6(address)) => {
                address.to_ipv4().is_none() || address == Ipv6Addr::LOCALHOST
            }
            _ => false,
        }
}

impl tcp_create_socket::Host for &mut Guest {
    fn create_tcp_socket(&mut self, family: IpAddressFamily) -> SocketResult<Resource<TcpSocket>> {
        let right = self.network.sockets.one_more().ok_or(ErrorCode::NewSocketLimit)?;
        let socket = Socket::new(family, right).map_err(code)?;
        Ok(self.table.push(TcpSocket { family, state: State::New(socket) })?)
    }
}

impl Host for &mut Guest {}

impl Guest {
    fn socket(&self, socket: &Resource<TcpSocket>) -> SocketResult<BorrowedFd<'_>> {
        self.table.get(socket)?.fd()
    }

    fn get<T>(
        &self,
        socket: &Resource<TcpSocket>,
        option: impl FnOnce(BorrowedFd<'_>) -> Result<T, Errno>,
    ) -> SocketResult<T> {
        Ok(option(self.socket(socket)?).map_err(code)?)
    }

    /// Sets an option for which 0 makes no sense.
    fn set<T: Default + PartialEq>(
        &self,
        socket: &Resource<TcpSocket>,
        value: T,
        option: impl FnOnce(BorrowedFd<'_>, T) -> Result<(), Errno>,
    ) -> SocketResult<()> {
        if value == T::default() {
            return Err(ErrorCode::InvalidArgument.into());
        }
        Ok(option(self.socket(socket)?, value).map_err(code)?)
    }
}

impl HostTcpSocket for &mut Guest {
    fn start_bind(
        &mut self,
        _: Resource<TcpSocket>,
        _: Resource<Network>,
        _: IpSocketAddress,
    ) -> SocketResult<()> {
        Err(ErrorCode::AccessDenied.into())
    }

    fn finish_bind(&mut self, _: Resource<TcpSocket>) -> SocketResult<()> {
        Err(ErrorCode::NotInProgress.into())
    }

    fn start_connect(
        &mut self,
        socket: Resource<TcpSocket>,
        network: Resource<Network>,
        address: IpSocketAddress,
    ) -> SocketResult<()> {
        self.table.get(&network)?;
        let address = SocketAddr::from(address);
        let socket = self.table.get_mut(&socket)?;
        match &socket.state {
            State::New(_) => {}
            State::Connecting(_) => return Err(ErrorCode::ConcurrencyConflict.into()),
            State::Connected(_) | State::Failed(_) => return Err(ErrorCode::InvalidState.into()),
        }
        if !is_remote(socket.family, address) {
            return Err(ErrorCode::InvalidArgument.into());
        }
        let names = self.network.names(address.ip());
        self.network.gate.connect(names, address).map_err(|_| ErrorCode::AccessDenied)?;
        socket.state = match std::mem::replace(&mut socket.state, State::Failed(ErrorCode::InvalidState)) {
            State::New(new) => match new.connect(address) {
                Ok(()) => State::Connecting(new),
                Err(error) => {
                    let code = code(error);
                    socket.state = State::Failed(code);
                    return Err(code.into());
                }
            },
            other => other,
        };
        Ok(())
    }

    fn finish_connect(
        &mut self,
        this: Resource<TcpSocket>,
    ) -> SocketResult<(Resource<DynInputStream>, Resource<DynOutputStream>)> {
        let socket = self.table.get_mut(&this)?;
        let State::Connecting(connecting) = &socket.state else {
            return Err(ErrorCode::NotInProgress.into());
        };
        let result = connecting.connected().ok_or(ErrorCode::WouldBlock)?.map_err(code);
        let failed = State::Failed(result.err().unwrap_or(ErrorCode::InvalidState));
        let State::Connecting(connected) = std::mem::replace(&mut socket.state, failed) else {
            return Err(ErrorCode::InvalidState.into());
        };
        result?;
        let connection = Arc::new(Connection::new(connected));
        socket.state = State::Connected(connection.clone());
        let input: DynInputStream = Box::new(Reader(connection.clone()));
        let output: DynOutputStream = Box::new(Writer::new(connection));
        Ok((self.table.push_child(input, &this)?, self.table.push_child(output, &this)?))
    }

    fn start_listen(&mut self, _: Resource<TcpSocket>) -> SocketResult<()> {
        Err(ErrorCode::AccessDenied.into())
    }

    fn finish_listen(&mut self, _: Resource<TcpSocket>) -> SocketResult<()> {
        Err(ErrorCode::NotInProgress.into())
    }

    fn accept(
        &mut self,
        _: Resource<TcpSocket>,
    ) -> SocketResult<(Resource<TcpSocket>, Resource<DynInputStream>, Resource<DynOutputStream>)> {
        Err(ErrorCode::InvalidState.into())
    }

    fn local_address(&mut self, socket: Resource<TcpSocket>) -> SocketResult<IpSocketAddress> {
        if let State::New(_) = self.table.get(&socket)?.state {
            return Err(ErrorCode::InvalidState.into());
        }
        let address = self.get(&socket, |fd| getsockname(fd))?;
        Ok(SocketAddr::try_from(address).map_err(code)?.into())
    }

    fn remote_address(&mut self, socket: Resource<TcpSocket>) -> SocketResult<IpSocketAddress> {
        let State::Connected(_) = self.table.get(&socket)?.state else {
            return Err(ErrorCode::InvalidState.into());
        };
        let address = self.get(&socket, |fd| getpeername(fd))?.ok_or(ErrorCode::InvalidState)?;
        Ok(SocketAddr::try_from(address).map_err(code)?.into())
    }

    fn is_listening(&mut self, _: Resource<TcpSocket>) -> wasmtime::Result<bool> {
        Ok(false)
    }

    fn address_family(&mut self, socket: Resource<TcpSocket>) -> wasmtime::Result<IpAddressFamily> {
        Ok(self.table.get(&socket)?.family)
    }

    fn set_listen_backlog_size(&mut self, _: Resource<TcpSocket>, _: u64) -> SocketResult<()> {
        Err(ErrorCode::NotSupported.into())
    }

    fn keep_alive_enabled(&mut self, socket: Resource<TcpSocket>) -> SocketResult<bool> {
        self.get(&socket, |fd| sockopt::socket_keepalive(fd))
    }

    fn set_keep_alive_enabled(&mut self, socket: Resource<TcpSocket>, value: bool) -> SocketResult<()> {
        self.get(&socket, |fd| sockopt::set_socket_keepalive(fd, value))
    }

    fn keep_alive_idle_time(&mut self, socket: Resource<TcpSocket>) -> SocketResult<Duration> {
        self.get(&socket, |fd| sockopt::tcp_keepidle(fd)).map(nanoseconds)
    }

    fn set_keep_alive_idle_time(&mut self, socket: Resource<TcpSocket>, value: Duration) -> SocketResult<()> {
        self.set(&socket, value, |fd, value| sockopt::set_tcp_keepidle(fd, whole_seconds(value)))
    }

    fn keep_alive_interval(&mut self, socket: Resource<TcpSocket>) -> SocketResult<Duration> {
        self.get(&socket, |fd| sockopt::tcp_keepintvl(fd)).map(nanoseconds)
    }

    fn set_keep_alive_interval(&mut self, socket: Resource<TcpSocket>, value: Duration) -> SocketResult<()> {
        self.set(&socket, value, |fd, value| sockopt::set_tcp_keepintvl(fd, whole_seconds(value)))
    }

    fn keep_alive_count(&mut self, socket: Resource<TcpSocket>) -> SocketResult<u32> {
        self.get(&socket, |fd| sockopt::tcp_keepcnt(fd))
    }

    fn set_keep_alive_count(&mut self, socket: Resource<TcpSocket>, value: u32) -> SocketResult<()> {
        self.set(&socket, value, |fd, value| sockopt::set_tcp_keepcnt(fd, value.min(i8::MAX as u32)))
    }

    fn hop_limit(&mut self, socket: Resource<TcpSocket>) -> SocketResult<u8> {
        let family = self.table.get(&socket)?.family;
        self.get(&socket, |fd| match family {
            IpAddressFamily::Ipv4 => sockopt::ip_ttl(fd).map(|hops| u8::try_from(hops).unwrap_or(u8::MAX)),
            IpAddressFamily::Ipv6 => sockopt::ipv6_unicast_hops(fd),
        })
    }

    fn set_hop_limit(&mut self, socket: Resource<TcpSocket>, value: u8) -> SocketResult<()> {
        let family = self.table.get(&socket)?.family;
        self.set(&socket, value, |fd, value| match family {
            IpAddressFamily::Ipv4 => sockopt::set_ip_ttl(fd, value.into()),
            IpAddressFamily::Ipv6 => sockopt::set_ipv6_unicast_hops(fd, Some(value)),
        })
    }

    fn receive_buffer_size(&mut self, socket: Resource<TcpSocket>) -> SocketResult<u64> {
        Ok(self.get(&socket, |fd| sockopt::socket_recv_buffer_size(fd))? as u64)
    }

    fn set_receive_buffer_size(&mut self, socket: Resource<TcpSocket>, value: u64) -> SocketResult<()> {
        self.set(&socket, value, |fd, value| sockopt::set_socket_recv_buffer_size(fd, buffer(value)))
    }

    fn send_buffer_size(&mut self, socket: Resource<TcpSocket>) -> SocketResult<u64> {
        Ok(self.get(&socket, |fd| sockopt::socket_send_buffer_size(fd))? as u64)
    }

    fn set_send_buffer_size(&mut self, socket: Resource<TcpSocket>, value: u64) -> SocketResult<()> {
        self.set(&socket, value, |fd, value| sockopt::set_socket_send_buffer_size(fd, buffer(value)))
    }

    fn subscribe(&mut self, socket: Resource<TcpSocket>) -> wasmtime::Result<Resource<DynPollable>> {
        subscribe(&mut self.table, socket)
    }

    fn shutdown(&mut self, socket: Resource<TcpSocket>, how: ShutdownType) -> SocketResult<()> {
        let State::Connected(connection) = &self.table.get(&socket)?.state else {
            return Err(ErrorCode::InvalidState.into());
        };
        connection.shutdown(match how {
            ShutdownType::Receive => Shutdown::Read,
            ShutdownType::Send => Shutdown::Write,
            ShutdownType::Both => Shutdown::Both,
        });
        Ok(())
    }

    fn drop(&mut self, socket: Resource<TcpSocket>) -> wasmtime::Result<()> {
        self.table.delete(socket)?;
        Ok(())
    }
}

#[async_trait]
impl Pollable for TcpSocket {
    async fn ready(&mut self) {
        poll_fn(|_| match &self.state {
            State::Connecting(socket) if !socket.is_ready(Readiness::Write) => Poll::Pending,
            _ => Poll::Ready(()),
        })
        .await;
    }
}

fn nanoseconds(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// In whole seconds, and no more than all systems take.
fn whole_seconds(nanoseconds: u64) -> std::time::Duration {
    std::time::Duration::from_secs(nanoseconds.div_ceil(1_000_000_000).min(i16::MAX as u64))
}

fn buffer(size: u64) -> usize {
    usize::try_from(size).unwrap_or(usize::MAX).min(i32::MAX as usize)
}
