//! `wasi:sockets`: connections to what both keys open, and nothing else.
//!
//! wasmtime's own sockets need a runtime of tokio's, and take a global one or whichever the host is in. These are
//! nonblocking sockets of the system, looked at by whoever waits for them, so that waiting obeys deadlines without
//! another thread. Names are looked up on threads, as the system knows no other way.
//!
//! A host that is granted by its name is reached by way of its addresses: what a lookup gave back for a name may be
//! connected to, at the ports that are granted for that name. [`Gate`] decides, when the connection is made and on
//! the very address that is connected to.
//!
//! There are no listening sockets and no UDP.

mod gate;
#[cfg(feature = "http")]
mod http;
mod lookup;
mod socket;
mod stream;
mod tcp;
mod udp;

pub(super) use gate::Gate;
#[cfg(feature = "http")]
pub(super) use http::Client;
#[cfg(feature = "http")]
pub(crate) use http::Wire;

use super::Guest;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use wasmtime::component::Linker;

mod wit {
    //! What wasmtime makes of the interfaces.
    #![allow(missing_docs, unreachable_pub, dead_code, reason = "generated")]
    wasmtime::component::bindgen!({
        path: "wasi",
        world: "caraway:network/imports",
        imports: { default: trappable },
        trappable_error_type: {
            "wasi:sockets/network.error-code" => wasmtime_wasi::p2::SocketError,
        },
        with: {
            "wasi:io": wasmtime_wasi::p2::bindings::io,
            "wasi:clocks": wasmtime_wasi::p2::bindings::clocks,
            "wasi:sockets/network": wasmtime_wasi::p2::bindings::sockets::network,
            "wasi:sockets/ip-name-lookup.resolve-address-stream": super::lookup::Lookup,
            "wasi:sockets/tcp.tcp-socket": super::tcp::TcpSocket,
        },
        require_store_data_send: true,
    });
}

/// How many sockets a guest may have open.
const MAX_SOCKETS: usize = 128;

/// How many sockets are open.
#[derive(Clone, Default)]
struct Sockets(Arc<AtomicUsize>);

/// The right to have one open, given back when it is dropped.
struct Right(Sockets);

impl Sockets {
    fn one_more(&self) -> Option<Right> {
        let right = Right(self.clone());
        (self.0.fetch_add(1, Ordering::Relaxed) < MAX_SOCKETS).then_some(right)
    }
}

impl Drop for Right {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Of how many addresses it is remembered which names they are of.
const MAX_ADDRESSES: usize = 1024;

/// The network as one store has it.
pub(super) struct Network {
    gate: Arc<Gate>,
    /// What lookups gave back: the names of an address.
    names: BTreeMap<IpAddr, BTreeSet<String>>,
    sockets: Sockets,
}

impl Network {
    /// A network on which nothing was looked up yet.
    pub(super) fn new(gate: Arc<Gate>) -> Self {
        Self { gate, names: BTreeMap::new(), sockets: Sockets::default() }
    }

    /// Remembers an address of a name.
    fn remember(&mut self, name: &str, address: IpAddr) {
        if self.names.len() >= MAX_ADDRESSES && !self.names.contains_key(&address) {
            self.names.clear();
        }
        self.names.entry(address).or_default().insert(name.to_owned());
    }

    /// The names of which a lookup gave back this address.
    fn names(&self, address: IpAddr) -> impl Iterator<Item = &str> {
        self.names.get(&address).into_iter().flatten().map(String::as_str)
    }
}

/// Lets components import it.
pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    use wasmtime_wasi::p2::bindings::sync::sockets::udp_create_socket;
    wit::wasi::sockets::ip_name_lookup::add_to_linker::<Guest, Guest>(linker, |guest| guest)?;
    wit::wasi::sockets::tcp::add_to_linker::<Guest, Guest>(linker, |guest| guest)?;
    wit::wasi::sockets::tcp_create_socket::add_to_linker::<Guest, Guest>(linker, |guest| guest)?;
    udp_create_socket::add_to_linker::<Guest, Guest>(linker, |guest| guest)?;
    #[cfg(feature = "http")]
    http::add_to_linker(linker)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use caraway_loaders_core::capability::{Access, Asks, Grants};
    use caraway_loaders_core::output::Output;
    use std::path::Path;

    #[test]
    fn an_answer_that_changes_opens_no_more_than_it_may() {
        let folder = Path::new("/here");
        let (mut asks, mut grants) = (Asks::default(), Grants::new(folder));
        asks.add("network", None).unwrap();
        grants.allow("network=a.example:443,c.example:80", folder).unwrap();
        let access = Arc::new(Access::plugin("m", &asks, &grants, folder));
        let gate = Arc::new(Gate::new("m", &access, &Output::new(|_, _| {})));
        let mut network = Network::new(gate.clone());
        let open = |network: &Network, address: &str| {
            let address: std::net::SocketAddr = address.parse().unwrap();
            gate.connect(network.names(address.ip()), address).is_ok()
        };
        assert!(!open(&network, "1.1.1.1:443"), "before the lookup");
        for (name, address) in [("a.example", "1.1.1.1"), ("a.example", "10.0.0.1"), ("c.example", "2.2.2.2")]
        {
            network.remember(name, address.parse().unwrap());
        }
        for (address, expected) in [
            ("1.1.1.1:443", true),
            ("2.2.2.2:80", true),
            ("10.0.0.1:443", false),
            ("1.1.1.1:80", false),
            ("2.2.2.2:443", false),
            ("3.3.3.3:443", false),
        ] {
            assert_eq!(open(&network, address), expected, "{address}");
        }
        let another = Network::new(gate.clone());
        assert!(!open(&another, "1.1.1.1:443"), "in another store");
        for number in 0..10_000_u32 {
            network.remember("a.example", std::net::Ipv4Addr::from_bits(0x0800_0000 + number).into());
        }
        assert!(network.names.len() <= MAX_ADDRESSES);
    }
}
