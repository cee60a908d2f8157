//! One importer's requests.

use super::address::Address;
use super::connect::{Addresses, Names};
use super::failure::failed;
use super::options::{Method, Options};
use super::response;
use super::wire::INPUT;
use crate::options::Data;
use caraway_loaders_core::bind::{CallError, CallResult};
use caraway_loaders_core::capability::Access;
use caraway_loaders_core::network::Gate;
use caraway_loaders_core::{Code, Error};
use rhai::Engine;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use ureq::http::{Request, Response, header};
use ureq::{Agent, Body};

/// The most headers of an answer, which is `ureq`'s own limit.
pub(super) const MAX_HEADERS: usize = 128;

/// Longer than this no request is meant to take; what adds up to more is as good as no limit.
const FOREVER: Duration = Duration::from_secs(1 << 32);

/// Makes requests for one importer, whose connections nobody else uses.
pub(crate) struct Client {
    gate: Arc<Gate>,
    /// Made with the first request.
    agent: OnceLock<Agent>,
}

impl Client {
    pub(crate) fn new(access: &Arc<Access>) -> Self {
        Self::with_gate(Gate::new(access))
    }

    pub(super) fn with_gate(gate: Gate) -> Self {
        Self { gate: Arc::new(gate), agent: OnceLock::new() }
    }

    fn agent(&self) -> &Agent {
        self.agent.get_or_init(|| {
            let config = Agent::config_builder()
                .http_status_as_error(false)
                .max_redirects(0)
                .max_redirects_will_error(false)
                .proxy(None)
                .user_agent(concat!("caraway/", env!("CARGO_PKG_VERSION")))
                .accept("*/*")
                // Nothing unpacks what is packed: a little could become much.
                .accept_encoding("identity")
                .max_response_header_size(INPUT)
                .build();
            Agent::with_parts(config, Addresses::new(self.gate.clone()), Names(self.gate.clone()))
        })
    }

    /// Sends a request and follows redirects.
    pub(super) fn send(
        &self,
        mut method: Method,
        mut address: Address,
        mut options: Options,
        engine: &Engine,
    ) -> CallResult {
        let timeout = options.timeout.min(FOREVER);
        let end = Instant::now() + timeout;
        let mut redirects = 0;
        loop {
            let failed = |error, address: &Address| failed(error, address, timeout);
            let mut response =
                self.once(method, &address, &options, end).map_err(|error| failed(error, &address))?;
            if let Some(location) = location(&response).filter(|_| options.redirects > 0) {
                if redirects == options.redirects {
                    return Err(too_many(&address, options.redirects).into());
                }
                redirects += 1;
                let to = address.redirected(&location)?;
                let next = method.redirected(response.status().as_u16());
                options.redirect(method, next, !to.is_neighbour(&address));
                (method, address) = (next, to);
                continue;
            }
            if options.require_ok && !response.status().is_success() {
                return Err(not_ok(&response, &address));
            }
            let most = response::most(&options, engine);
            let body = response::read(response.body_mut(), &address, most, |error| failed(error, &address))?;
            return Ok(response::shown(&response, &address, body));
        }
    }

    /// Sends one request.
    fn once(
        &self,
        method: Method,
        address: &Address,
        options: &Options,
        end: Instant,
    ) -> Result<Response<Body>, ureq::Error> {
        let mut request = Request::builder().method(method.as_http()).uri(address.as_str());
        if let Some(headers) = request.headers_mut() {
            headers.clone_from(&options.headers);
        }
        let left = end.saturating_duration_since(Instant::now());
        let agent = self.agent();
        match options.body.as_ref().map(Data::as_bytes) {
            Some(body) => {
                let request = agent.configure_request(request.body(body)?).timeout_global(Some(left)).build();
                agent.run(request)
            }
            None => {
                let request = agent.configure_request(request.body(())?).timeout_global(Some(left)).build();
                agent.run(request)
            }
        }
    }
}

/// Where an answer redirects to.
fn location(response: &Response<Body>) -> Option<String> {
    let redirects = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = response.headers().get(header::LOCATION).filter(|_| redirects)?;
    Some(String::from_utf8_lossy(location.as_bytes()).into_owned())
}

fn too_many(address: &Address, most: u32) -> Error {
    let message = format!("{} redirects once more, after {most} redirects", address.shown());
    Error::new(Code::Io, message)
        .hint("request the address that it is about, or raise `redirects` in the options")
}

fn not_ok(response: &Response<Body>, address: &Address) -> CallError {
    let status = response.status();
    let reason = status.canonical_reason().map(|reason| format!(" ({reason})")).unwrap_or_default();
    let message = format!("{} answers with the status {}{reason}", address.shown(), status.as_u16());
    Error::new(Code::PluginFailed, message)
        .hint("without `require_ok` the answer is given back whatever its status is")
        .into()
}
