//! `wasi:sockets/ip-name-lookup`.

use super::wit::wasi::sockets::ip_name_lookup::{Host, HostResolveAddressStream};
use crate::wasi::Guest;
use caraway_loaders_core::network::Pending;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::net::IpAddr;
use std::task::Poll;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, IpAddress};
use wasmtime_wasi::p2::{DynPollable, Network, Pollable, SocketResult, subscribe};
use wasmtime_wasi_io::async_trait;

/// Addresses, as they are found.
#[allow(unreachable_pub, reason = "named by generated code")]
pub struct Lookup {
    name: String,
    state: State,
}

enum State {
    Pending(Pending),
    Found(VecDeque<IpAddr>),
    Failed(ErrorCode),
}

impl Host for &mut Guest {
    fn resolve_addresses(
        &mut self,
        network: Resource<Network>,
        name: String,
    ) -> SocketResult<Resource<Lookup>> {
        self.table.get(&network)?;
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(&name);
        let state = if let Ok(address) = bare.parse::<IpAddr>() {
            // Nobody is asked; whether it may be connected to is another question.
            State::Found(VecDeque::from([address]))
        } else {
            if !is_name(&name) {
                return Err(ErrorCode::InvalidArgument.into());
            }
            let gate = &self.network.gate;
            gate.look_up(&name).map_err(|_| ErrorCode::AccessDenied)?;
            let pending = Pending::start(gate.resolver(), &name);
            State::Pending(pending.map_err(|_| ErrorCode::TemporaryResolverFailure)?)
        };
        Ok(self.table.push(Lookup { name, state })?)
    }
}

impl HostResolveAddressStream for &mut Guest {
    fn resolve_next_address(&mut self, stream: Resource<Lookup>) -> SocketResult<Option<IpAddress>> {
        let lookup = self.table.get_mut(&stream)?;
        if let State::Pending(pending) = &lookup.state {
            let Some(found) = pending.take() else { return Err(ErrorCode::WouldBlock.into()) };
            lookup.state = match found {
                Ok(addresses) => {
                    addresses.iter().for_each(|&address| self.network.remember(&lookup.name, address));
                    State::Found(addresses.into())
                }
                Err(error) if error.kind() == std::io::ErrorKind::ResourceBusy => {
                    State::Failed(ErrorCode::TemporaryResolverFailure)
                }
                Err(_) => State::Failed(ErrorCode::NameUnresolvable),
            };
        }
        match &mut lookup.state {
            State::Found(addresses) => Ok(addresses.pop_front().map(IpAddress::from)),
            State::Failed(code) => Err((*code).into()),
            State::Pending(_) => Err(ErrorCode::WouldBlock.into()),
        }
    }

    fn subscribe(&mut self, stream: Resource<Lookup>) -> wasmtime::Result<Resource<DynPollable>> {
        subscribe(&mut self.table, stream)
    }

    fn drop(&mut self, stream: Resource<Lookup>) -> wasmtime::Result<()> {
        self.table.delete(stream)?;
        Ok(())
    }
}

#[async_trait]
impl Pollable for Lookup {
    async fn ready(&mut self) {
        poll_fn(|_| match &self.state {
            State::Pending(pending) if !pending.is_ready() => Poll::Pending,
            _ => Poll::Ready(()),
        })
        .await;
    }
}

/// Whether it could be a host's name: what no grant can name is not asked for.
fn is_name(text: &str) -> bool {
    let letters = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
    !text.is_empty() && text.len() <= 253 && letters
}
