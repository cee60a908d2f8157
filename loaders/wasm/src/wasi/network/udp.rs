//! `wasi:sockets/udp-create-socket`: refused. With no socket to call them on, the functions of `udp` are wasmtime's.
//!
//! wasmtime's own asks a runtime before it refuses, and panics where the host is in one already.

use crate::wasi::Guest;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, Host as Network, HostNetwork};
use wasmtime_wasi::p2::bindings::sync::sockets::udp::IpAddressFamily;
use wasmtime_wasi::p2::bindings::sync::sockets::udp_create_socket::Host;
use wasmtime_wasi::p2::{Network as Handle, SocketError, SocketResult, UdpSocket};

impl Host for &mut Guest {
    fn create_udp_socket(&mut self, _: IpAddressFamily) -> SocketResult<Resource<UdpSocket>> {
        Err(ErrorCode::AccessDenied.into())
    }
}

impl Network for &mut Guest {
    fn convert_error_code(&mut self, error: SocketError) -> wasmtime::Result<ErrorCode> {
        error.downcast()
    }

    fn network_error_code(&mut self, _: Resource<wasmtime::Error>) -> wasmtime::Result<Option<ErrorCode>> {
        Ok(None)
    }
}

impl HostNetwork for &mut Guest {
    fn drop(&mut self, network: Resource<Handle>) -> wasmtime::Result<()> {
        self.table.delete(network)?;
        Ok(())
    }
}
