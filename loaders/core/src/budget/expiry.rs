//! That a frame is at its end, on its way through Rhai.

use crate::error::Error;
use rhai::{Dynamic, EvalAltResult, Position};

/// A frame that has used up what it may.
#[derive(Debug, Clone)]
pub struct Expiry {
    pub(super) frame: usize,
    pub(super) error: Error,
}

impl Expiry {
    /// The expiry that `error` carries.
    pub fn of(error: &EvalAltResult) -> Option<Expiry> {
        match error.unwrap_inner() {
            EvalAltResult::ErrorTerminated(token, _) => token.read_lock::<Expiry>().map(|e| e.clone()),
            _ => None,
        }
    }

    /// What happened.
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// The error for Rhai, which no script can catch.
    pub fn terminate(self, position: Position) -> Box<EvalAltResult> {
        Box::new(EvalAltResult::ErrorTerminated(Dynamic::from(self), position))
    }
}
