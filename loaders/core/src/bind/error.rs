//! How calls fail.

use super::conform::mismatch;
use super::shown::Shown;
use crate::budget::{Expiry, Frame};
use crate::error::{Error, Location};
use crate::secret::Secrets;
use caraway_plugin::Signature;
use rhai::{Dynamic, EvalAltResult, NativeCallContext, Position};

/// What a call gives back to Rhai.
pub type CallResult = Result<Dynamic, CallError>;

/// Why a call failed.
#[derive(Debug)]
pub enum CallError {
    /// An error of the plugin or of the boundary; its caller can catch it.
    Error(Error),
    /// A limit of the program or of a caller further out, which nobody can catch.
    Expired(Expiry),
    /// An error of Rhai to be passed on as it is: of a callback, or one with a frame already.
    Rhai(Box<EvalAltResult>),
}

impl From<Error> for CallError {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<Expiry> for CallError {
    fn from(expiry: Expiry) -> Self {
        Self::Expired(expiry)
    }
}

impl CallError {
    /// What a limit that was used up is to the caller at the boundary of `frame`: an error if it is that frame's own.
    pub fn at_boundary(expiry: Expiry, frame: &Frame) -> Self {
        match frame.settle(expiry.clone().terminate(Position::NONE)) {
            Ok(error) => error.into(),
            Err(_) => expiry.into(),
        }
    }

    /// The same without these in its words.
    #[cold]
    pub(super) fn hiding(self, secrets: &Secrets) -> Self {
        match self {
            CallError::Error(error) => CallError::Error(secrets.hide_in(error)),
            other => other,
        }
    }

    /// What the failed call is to its caller.
    #[cold]
    pub(super) fn raise(self, function: &Shown, context: &NativeCallContext) -> Box<EvalAltResult> {
        let position = context.call_position();
        match self {
            CallError::Error(error) => {
                let here = Location::of_position(context.call_source(), position);
                let error = if error.location().is_some() {
                    error.through(function.name(), here)
                } else if let Some(index) = error.argument() {
                    wrong_inside(function, index, &error).at(here)
                } else {
                    error.at(here)
                };
                error.raise(position)
            }
            CallError::Expired(expiry) => expiry.terminate(position),
            CallError::Rhai(error) => error,
        }
    }
}

/// The error for an argument of a wrong type.
#[cold]
pub(super) fn wrong_argument(shown: &Shown, index: usize, found: &str) -> Error {
    wrong_inside(shown, index, &mismatch(&shown.signature.params[index].ty.to_string(), found, ""))
}

/// The error for an argument that is known to be of a wrong type before the call is made, in the words that the call
/// would use; `path` says where in it, `[3].name`, or is empty.
pub fn wrong_type(
    plugin: &str,
    signature: &Signature,
    index: usize,
    expected: &str,
    found: &str,
    path: &str,
) -> Error {
    let path = if path.is_empty() { String::new() } else { format!(" at `{path}`") };
    let shown = Shown::new(plugin.into(), signature.clone().into());
    wrong_inside(&shown, index, &mismatch(expected, found, &path))
}

/// The error for an argument that [`conform`](super::conform::conform) refused, with the function and the
/// parameter.
#[cold]
pub(super) fn wrong_inside(shown: &Shown, index: usize, error: &Error) -> Error {
    let name = shown.signature.params.get(index).map_or("?", |p| p.name.as_str());
    let message = format!("argument {} of `{}`: `{name}` {}", index + 1, shown.name(), error.message());
    let hint = error.hint_text().map_or_else(|| format!("the signature is `{shown}`"), str::to_owned);
    Error::new(error.code(), message).hint(hint)
}
