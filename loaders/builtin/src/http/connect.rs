//! From URLs to connections, by way of the gate.

use super::address::bare;
use super::line::{LOOK, Line, Until};
use super::wire::Wire;
use caraway_loaders_core::network::{Gate, Pending, Refused, trust};
use caraway_loaders_core::{Code, Error};
use std::fmt;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{ConnectionDetails, Connector, NextTimeout};

/// Lets a request through by its host's name and port, whether or not there is a connection for it already. It looks
/// nothing up: whoever connects does.
pub(super) struct Names(pub(super) Arc<Gate>);

impl Resolver for Names {
    fn resolve(&self, uri: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let (host, port) = target(uri)?;
        self.0.connect_by_name(host, port).map_err(refused)?;
        let mut nowhere = self.empty();
        nowhere.push(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port));
        Ok(nowhere)
    }
}

/// Connects to the addresses of a host that the gate lets through.
pub(super) struct Addresses {
    gate: Arc<Gate>,
    /// Made with the first https request: to read the system's certificates takes a while.
    tls: OnceLock<Arc<rustls::ClientConfig>>,
}

impl Addresses {
    pub(super) fn new(gate: Arc<Gate>) -> Self {
        Self { gate, tls: OnceLock::new() }
    }

    fn tls(&self) -> Result<Arc<rustls::ClientConfig>, ureq::Error> {
        if let Some(config) = self.tls.get() {
            return Ok(config.clone());
        }
        let config = Arc::new(trust::client(trust::roots()).map_err(ureq::Error::Rustls)?);
        Ok(self.tls.get_or_init(|| config).clone())
    }

    /// Connects to the first address that answers, of those that may be connected to. Each but the last has half of the
    /// time that is left.
    fn line(&self, host: &str, port: u16, until: Until) -> Result<Line, ureq::Error> {
        let literal = host.parse::<IpAddr>().ok();
        let addresses = match literal {
            Some(address) => vec![address],
            None => look_up(&self.gate, host, until)?,
        };
        let (mut failed, last) = (None, addresses.len().saturating_sub(1));
        for (index, address) in addresses.into_iter().enumerate() {
            let address = SocketAddr::new(address, port);
            let names = literal.is_none().then_some(host);
            if let Err(refusal) = self.gate.connect(names.into_iter(), address) {
                failed = Some(refused(refusal));
                continue;
            }
            let until_now = if index == last { until } else { until.half() };
            match Line::connect(address, until_now) {
                Ok(line) => return Ok(line),
                Err(error @ ureq::Error::Other(_)) => return Err(error),
                Err(error) => failed = Some(error),
            }
        }
        Err(failed.unwrap_or(ureq::Error::HostNotFound))
    }
}

impl Connector for Addresses {
    type Out = Wire;

    fn connect(&self, details: &ConnectionDetails, _: Option<()>) -> Result<Option<Wire>, ureq::Error> {
        let (host, port) = target(details.uri)?;
        let line = self.line(host, port, Until::new(details.timeout))?;
        Ok(Some(match details.needs_tls() {
            true => Wire::secure(line, host, self.tls()?)?,
            false => Wire::plain(line),
        }))
    }
}

/// The host, without brackets, and the port of the URL that `ureq` is about to use.
pub(super) fn target(uri: &Uri) -> Result<(&str, u16), ureq::Error> {
    let port = uri.port_u16().or_else(|| match uri.scheme_str() {
        Some("http") => Some(80),
        Some("https") => Some(443),
        _ => None,
    });
    match (uri.host().map(bare), port) {
        (Some(host), Some(port)) if !host.is_empty() => Ok((host, port)),
        _ => Err(ureq::Error::BadUri("no host".to_owned())),
    }
}

fn look_up(gate: &Gate, name: &str, until: Until) -> Result<Vec<IpAddr>, ureq::Error> {
    let unknown = |error: std::io::Error| {
        let error = Error::new(Code::Io, format!("no address of `{name}` is known: {error}"))
            .hint("is there a network, and is the name right?");
        ureq::Error::Other(Box::new(error))
    };
    loop {
        until.look()?;
        let pending = Pending::start(gate.resolver(), name).map_err(unknown)?;
        let found = loop {
            if let Some(found) = pending.wait(until.look()?) {
                break found;
            }
        };
        match found {
            Ok(addresses) if addresses.is_empty() => return Err(unknown(ErrorKind::NotFound.into())),
            Ok(addresses) => return Ok(addresses),
            // Other threads are about to look up so many that this one has to wait.
            Err(error) if error.kind() == ErrorKind::ResourceBusy => {
                std::thread::sleep(until.look()?.min(LOOK))
            }
            Err(error) => return Err(unknown(error)),
        }
    }
}

fn refused(refusal: Refused) -> ureq::Error {
    ureq::Error::Other(Box::new(refusal.error))
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Names")
    }
}

impl fmt::Debug for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Addresses")
    }
}
