//! A function as messages name it.

use caraway_plugin::Signature;
use std::fmt;
use std::sync::Arc;

/// A signature behind the name of its plugin: `stats::mean(xs: array<float>) -> float`.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    owner: Arc<str>,
    pub(super) signature: Arc<Signature>,
}

impl Shown {
    pub(super) fn new(owner: Arc<str>, signature: Arc<Signature>) -> Self {
        Self { owner, signature }
    }

    /// The plugin's name.
    pub(super) fn owner(&self) -> &str {
        &self.owner
    }

    /// `stats::mean`.
    pub(super) fn name(&self) -> String {
        [&self.owner, "::", &self.signature.name].concat()
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.owner, self.signature)
    }
}
