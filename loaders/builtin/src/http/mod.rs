//! `std/http`: requests to the hosts that are granted.
//!
//! `ureq` speaks HTTP; what it connects through is ours. Each request and each redirect is checked by its name and
//! port, and each connection by the very address that is connected to, see [`Gate`]. All waiting ends with the limits
//! of whoever called.

mod address;
mod client;
mod connect;
mod failure;
mod line;
mod options;
mod response;
#[cfg(test)]
mod tests;
mod wire;

use crate::module::{Function, Host, StdModule, text as string};
use address::Address;
use caraway_loaders_core::bind::CallResult;
#[cfg(doc)]
use caraway_loaders_core::network::Gate;
use caraway_loaders_core::{Code, Error};
pub(crate) use client::Client;
use options::{Method, Options};
use rhai::{Dynamic, Map, NativeCallContext};

pub(crate) const MODULE: StdModule = StdModule {
    name: "std/http",
    description: "HTTP requests, to hosts that are granted",
    functions: &[
        Function {
            signature: "get(url: string) -> map<any>",
            doc: "What the server answers to a GET: `status`, `ok`, `url`, `headers` and `body`. No status is an error.",
            body: get,
        },
        Function {
            signature: "request(method: string, url: string, options: map<any>) -> map<any>",
            doc: "The same for any method; options are `headers`, `body`, `timeout` (30 seconds), `max_bytes` (16 MiB), \
                  `redirects` (10) and `require_ok` (false).",
            body: request,
        },
        Function {
            signature: "text(response: map<any>) -> string",
            doc: "A response's body as text, which must be UTF-8; a byte order mark is left out.",
            body: text,
        },
    ],
};

fn get(host: &Host, context: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    let address = Address::parse(&string(args, 0))?;
    host.http().send(Method::Get, address, Options::default(), context.engine())
}

fn request(host: &Host, context: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    let method = Method::parse(&string(args, 0))?;
    let address = Address::parse(&string(args, 1))?;
    let options = match args[2].read_lock::<Map>() {
        Some(given) => Options::read(&given, method).map_err(|error| error.about_argument(2))?,
        None => Options::default(),
    };
    host.http().send(method, address, options, context.engine())
}

fn text(_: &Host, _: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    let response = args[0].read_lock::<Map>();
    match response.as_ref().and_then(|response| response.get("body")) {
        Some(body) => response::text(body),
        None => Err(Error::new(Code::ArgumentType, "has no `body`: it is no response of this module")
            .about_argument(0)
            .into()),
    }
}
