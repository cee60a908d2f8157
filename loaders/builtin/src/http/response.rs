//! What a server answered.

use super::address::Address;
use super::options::Options;
use caraway_loaders_core::bind::{CallError, CallResult};
use caraway_loaders_core::growth::{Bytes, Full};
use caraway_loaders_core::{Code, Error, budget};
use rhai::{Blob, Dynamic, Engine, Map};
use std::io::Read;
use ureq::Body;
use ureq::http::{HeaderMap, Response, header};

/// How much is read at once, and room is made for first.
const CHUNK: usize = 64 << 10;

/// How many bytes of a body may be read.
pub(super) fn most(options: &Options, engine: &Engine) -> u64 {
    let engine = match engine.max_array_size() {
        0 => u64::MAX,
        size => size as u64,
    };
    options.max_bytes.min(engine).min(budget::memory_left().unwrap_or(u64::MAX))
}

/// Reads a body to its end, if that comes within `most` bytes.
pub(super) fn read(
    body: &mut Body,
    address: &Address,
    most: u64,
    failed: impl Fn(ureq::Error) -> CallError,
) -> Result<Blob, CallError> {
    let too_large = || {
        Error::new(Code::Memory, format!("{} answers with more than {most} bytes", address.shown()))
            .hint("raise `max_bytes` in the options, or the limit of memory")
    };
    if body.content_length().is_some_and(|announced| announced > most) {
        return Err(too_large().into());
    }
    let (mut reader, mut bytes, mut buffer) = (body.as_reader(), Bytes::within(0), vec![0; CHUNK]);
    loop {
        let read = reader.read(&mut buffer).map_err(|error| failed(error.into()))?;
        if read == 0 {
            return bytes.finish().map_err(|full| full.into_error("the body"));
        }
        if (bytes.as_slice().len() + read) as u64 > most {
            return Err(too_large().into());
        }
        bytes.push(&buffer[..read]).map_err(|full| match full {
            Full::Expired(expiry) => CallError::from(expiry),
            Full::Large { .. } | Full::Memory(_) => too_large().into(),
        })?;
    }
}

/// The answer as scripts see it.
pub(super) fn shown(response: &Response<Body>, address: &Address, body: Blob) -> Dynamic {
    let mut map = Map::new();
    map.insert("status".into(), i64::from(response.status().as_u16()).into());
    map.insert("ok".into(), response.status().is_success().into());
    map.insert("url".into(), address.as_str().to_owned().into());
    map.insert("headers".into(), headers(response.headers()).into());
    map.insert("body".into(), Dynamic::from_blob(body));
    map.into()
}

/// One text for each name: the values of one that came more than once are joined with `, `, as HTTP allows, but for
/// `set-cookie`, whose values have commas in them and get a line each.
fn headers(headers: &HeaderMap) -> Map {
    let mut map = Map::new();
    for name in headers.keys() {
        let separator = if name == header::SET_COOKIE { "\n" } else { ", " };
        let values: Vec<_> =
            headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        map.insert(name.as_str().into(), values.join(separator).into());
    }
    map
}

/// A body as text.
pub(super) fn text(body: &Dynamic) -> CallResult {
    let Some(bytes) = body.read_lock::<Blob>() else {
        return Err(Error::new(Code::ArgumentType, "has a `body` that is not bytes")
            .about_argument(0)
            .into());
    };
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text).to_owned().into()),
        Err(error) => {
            let message = format!("the body is not UTF-8, from byte {}", error.valid_up_to());
            Err(Error::new(Code::PluginFailed, message).hint("its bytes are in `body`").into())
        }
    }
}
