//! `wasi:http`: requests to what both keys open.
//!
//! wasmtime's, but for the connection: the host is checked for each request, and the very address that is connected
//! to. Nothing follows redirects: whoever does, in the guest, makes a new request.
//!
//! hyper needs a runtime. It has one of its own, of one thread, that ends with its [`Wire`]: neither a global one,
//! nor that of a host which is in one.

mod body;
#[cfg(test)]
mod tests;
mod tls;

use super::gate::Gate;
use super::{Network, Right, Sockets};
use crate::wasi::Guest;
use body::Patient;
use http_body_util::BodyExt;
use hyper::client::conn::http1;
use parking_lot::Mutex;
use std::future::{Future, poll_fn};
use std::io;
use std::iter;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tls::Trust;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Handle, Runtime};
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi_http::io::TokioIo;
use wasmtime_wasi_http::p2::bindings::http::outgoing_handler::Host;
use wasmtime_wasi_http::p2::bindings::http::types::{self, ErrorCode};
use wasmtime_wasi_http::p2::types::{HostFutureIncomingResponse, HostOutgoingRequest};
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttp, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

/// The interface whose one function sends requests.
const HANDLER: &str = "wasi:http/outgoing-handler@0.2.12";

/// What all requests of a loader's plugins share.
#[derive(Default)]
pub(crate) struct Wire {
    /// Made with the first request.
    runtime: Mutex<Option<Runtime>>,
    trust: Arc<Trust>,
}

impl Wire {
    fn runtime(&self) -> io::Result<Handle> {
        let mut runtime = self.runtime.lock();
        if let Some(runtime) = &*runtime {
            return Ok(runtime.handle().clone());
        }
        let made = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("caraway-wasm-http")
            .enable_io()
            .enable_time()
            .build()?;
        Ok(runtime.insert(made).handle().clone())
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.get_mut().take() {
            // A lookup could take long, and a runtime of the host's would not be waited in.
            runtime.shutdown_background();
        }
    }
}

/// One store's part of it.
pub(in crate::wasi) struct Client {
    wire: Arc<Wire>,
    context: WasiHttpCtx,
    sender: Sender,
}

impl Client {
    /// A client that shares `network`'s sockets.
    pub(in crate::wasi) fn new(network: &Network, wire: &Arc<Wire>) -> Self {
        let sockets = network.sockets.clone();
        let sender = Sender { gate: network.gate.clone(), sockets, trust: wire.trust.clone() };
        Self { wire: wire.clone(), context: WasiHttpCtx::new(), sender }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        let Client { context, sender, .. } = &mut self.client;
        WasiHttpCtxView { hooks: sender, table: &mut self.table, ctx: context }
    }
}

type Answer = Result<Resource<HostFutureIncomingResponse>, ErrorCode>;

/// Lets components import it.
pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let options = types::LinkOptions::default();
    types::add_to_linker::<Guest, WasiHttp>(linker, &options, Guest::http)?;
    // wasmtime begins a task, on whichever runtime it is in.
    linker.instance(HANDLER)?.func_wrap(
        "handle",
        |mut store: StoreContextMut<'_, Guest>,
         (request, options): (Resource<HostOutgoingRequest>, Option<Resource<RequestOptions>>)|
         -> wasmtime::Result<(Answer,)> {
            let guest = store.data_mut();
            let Ok(runtime) = guest.client.wire.runtime() else {
                return Ok((Err(ErrorCode::InternalError(None)),));
            };
            let _entered = runtime.enter();
            let mut view = guest.http();
            let answer = match Host::handle(&mut view, request, options) {
                Ok(response) => Ok(response),
                Err(error) => Err(types::Host::convert_error_code(&mut view, error)?),
            };
            Ok((answer,))
        },
    )
}

/// Sends requests as far as the gate lets them.
struct Sender {
    gate: Arc<Gate>,
    sockets: Sockets,
    trust: Arc<Trust>,
}

type Sent = (http::Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>);

impl WasiHttpHooks for Sender {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Sent, Error>> + Send> {
        let (gate, trust, right) = (self.gate.clone(), self.trust.clone(), self.sockets.one_more());
        Box::new(async move {
            let right = right.ok_or(Error::ConnectionLimitReached)?;
            send(gate, trust, right, request, options.unwrap_or_default()).await
        })
    }

    fn p2_error_from_hyper(&mut self, error: &hyper::Error) -> ErrorCode {
        match error {
            error if error.is_incomplete_message() => ErrorCode::HttpResponseIncomplete,
            error if error.is_timeout() => ErrorCode::HttpResponseTimeout,
            _ => ErrorCode::HttpProtocolError,
        }
    }
}

/// Where a request goes.
struct Target {
    host: String,
    port: u16,
    tls: bool,
}

impl Target {
    fn of(uri: &http::Uri) -> Result<Self, Error> {
        let authority = uri.authority().ok_or(Error::HttpRequestUriInvalid)?;
        // A user's name would be sent along in the header `Host`.
        if authority.as_str().contains('@') {
            return Err(Error::HttpRequestUriInvalid);
        }
        let tls = uri.scheme() == Some(&http::uri::Scheme::HTTPS);
        let port = match (authority.port(), authority.as_str().rsplit_once(':')) {
            (Some(port), _) => port.as_u16(),
            // What looks like a port and is none.
            (None, Some((_, rest))) if !rest.ends_with(']') => return Err(Error::HttpRequestUriInvalid),
            (None, _) if tls => 443,
            (None, _) => 80,
        };
        let host = authority.host();
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if host.is_empty() || port == 0 {
            return Err(Error::HttpRequestUriInvalid);
        }
        Ok(Self { host: host.to_owned(), port, tls })
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

async fn send(
    gate: Arc<Gate>,
    trust: Arc<Trust>,
    right: Right,
    mut request: http::Request<WasiBody>,
    options: RequestOptions,
) -> Result<Sent, Error> {
    // A tunnel is to somewhere else.
    if request.method() == http::Method::CONNECT {
        return Err(Error::HttpRequestMethodInvalid);
    }
    let target = Target::of(request.uri())?;
    gate.connect_by_name(&target.host, target.port).map_err(|_| Error::HttpRequestDenied)?;
    let connecting = async {
        let stream = connect(&gate, &target).await?;
        let stream: Box<dyn Stream> = match target.tls {
            true => Box::new(trust.encrypt(&target.host, stream).await?),
            false => Box::new(stream),
        };
        Ok(http1::handshake(TokioIo::new(stream)).await?)
    };
    let (mut sender, connection) =
        within(options.connect_timeout, connecting).await.unwrap_or(Err(Error::ConnectionTimeout))?;
    let mut connection = Box::pin(connection);
    // Where it goes is said by the connection and the header `Host`.
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    *request.uri_mut() = path.parse().map_err(|_| Error::HttpRequestUriInvalid)?;
    // Nobody but us drives the connection.
    let mut ended = false;
    let mut answer = pin!(sender.send_request(request));
    let response = poll_fn(|context| {
        if let Poll::Ready(response) = answer.as_mut().poll(context) {
            return Poll::Ready(response.map_err(Error::from));
        }
        if !ended && let Poll::Ready(result) = connection.as_mut().poll(context) {
            ended = true;
            result?;
            return answer.as_mut().poll(context).map_err(Error::from);
        }
        Poll::Pending
    });
    let response =
        within(options.first_byte_timeout, response).await.unwrap_or(Err(Error::ConnectionReadTimeout))?;
    let response =
        response.map(|incoming| Patient::new(incoming, options.between_bytes_timeout).boxed_unsync());
    let rest = async move {
        // As long as it is open, it counts.
        let _right = right;
        if !ended {
            connection.await?;
        }
        Ok(())
    };
    Ok((response, Box::new(rest)))
}

/// Waits no longer than it may.
async fn within<T>(limit: Option<Duration>, future: impl Future<Output = T>) -> Option<T> {
    match limit {
        Some(limit) => tokio::time::timeout(limit, future).await.ok(),
        None => Some(future.await),
    }
}

/// Connects to the first address of the host that answers, of those that may be connected to.
async fn connect(gate: &Arc<Gate>, target: &Target) -> Result<TcpStream, Error> {
    let Target { host, port, .. } = target;
    let (name, addresses) = match host.parse::<IpAddr>() {
        Ok(address) => (None, vec![address]),
        Err(_) => (Some(host.as_str()), look_up(gate, host).await?),
    };
    let mut failed = Error::DnsError { rcode: None, info_code: None };
    for address in addresses {
        let address = SocketAddr::new(address, *port);
        let allowed = match name {
            Some(name) => gate.connect(iter::once(name), address),
            None => gate.connect(iter::empty(), address),
        };
        failed = match allowed {
            Err(_) => Error::DestinationIpProhibited,
            Ok(()) => match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => unreachable(&error),
            },
        };
    }
    Err(failed)
}

async fn look_up(gate: &Arc<Gate>, name: &str) -> Result<Vec<IpAddr>, Error> {
    let (resolver, name) = (gate.resolver().clone(), name.to_owned());
    let found = tokio::task::spawn_blocking(move || resolver.resolve(&name)).await;
    match found {
        Ok(Ok(addresses)) => Ok(addresses),
        _ => Err(Error::DnsError { rcode: None, info_code: None }),
    }
}

fn unreachable(error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::TimedOut => Error::ConnectionTimeout,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Error::DestinationIpUnroutable,
        _ => Error::ConnectionRefused,
    }
}
