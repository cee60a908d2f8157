//! What went wrong with a request.

use super::address::Address;
use super::client::MAX_HEADERS;
use super::line::Expired;
use super::wire::INPUT;
use caraway_loaders_core::bind::CallError;
use caraway_loaders_core::{Code, Error, budget};
use std::io;
use std::time::Duration;

/// An error of `ureq`'s, about an address. A limit of a caller is that limit's own.
pub(super) fn failed(error: ureq::Error, address: &Address, timeout: Duration) -> CallError {
    // Libraries may have hidden it.
    if let Err(expiry) = budget::check() {
        return expiry.into();
    }
    let error = match error {
        ureq::Error::Other(cause) => match carried(cause) {
            Ok(carried) => return carried,
            Err(cause) => broken(&cause.to_string()),
        },
        ureq::Error::Timeout(_) => Error::new(Code::Deadline, format!("took longer than {timeout:?}"))
            .hint("raise `timeout` in the options, or try again later"),
        ureq::Error::LargeResponseHeader(..) => large(&format!("{INPUT} bytes of headers")),
        ureq::Error::Protocol(cause) if cause.to_string().contains("too many headers") => {
            large(&format!("{MAX_HEADERS} headers"))
        }
        ureq::Error::Rustls(cause) => untrusted(&cause),
        ureq::Error::Io(cause) => match cause.get_ref().and_then(|inner| inner.downcast_ref()) {
            Some(inner) => untrusted(inner),
            None => unreached(&cause),
        },
        other => broken(&other.to_string()),
    };
    error.said_of(&address.shown()).into()
}

/// The error that our own code put into `ureq`'s.
fn carried(
    cause: Box<dyn std::error::Error + Send + Sync>,
) -> Result<CallError, Box<dyn std::error::Error + Send + Sync>> {
    let cause = match cause.downcast::<Expired>() {
        Ok(expired) => return Ok(expired.0.into()),
        Err(cause) => cause,
    };
    cause.downcast::<Error>().map(|error| (*error).into())
}

fn unreached(cause: &io::Error) -> Error {
    let message = match cause.kind() {
        io::ErrorKind::ConnectionRefused => "cannot be connected to: nobody listens there".to_owned(),
        io::ErrorKind::UnexpectedEof => "ended before all of the answer was there".to_owned(),
        _ => format!("cannot be reached: {cause}"),
    };
    Error::new(Code::Io, message).hint("is the URL right, and the server up?")
}

fn untrusted(cause: &rustls::Error) -> Error {
    let hint = match cause {
        rustls::Error::InvalidCertificate(_) => "the certificates of the system say who is trusted",
        _ => "does the server speak TLS at this port?",
    };
    Error::new(Code::Io, format!("did not prove who it is: {cause}")).hint(hint)
}

fn large(what: &str) -> Error {
    Error::new(Code::Memory, format!("answers with more than {what}"))
}

fn broken(what: &str) -> Error {
    Error::new(Code::Io, format!("does not answer as it should: {what}"))
}
