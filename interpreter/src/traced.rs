//! What is told to `tracing`: each step at `DEBUG`, each call into a plugin at `TRACE`.

use caraway_loaders_core::observe::{Call, Observer, Watch};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::Level;

/// Does a step, and tells what `describe` says of its outcome and how long it took, if anybody listens.
pub(crate) fn step<T>(work: impl FnOnce() -> T, describe: impl FnOnce(&T) -> String) -> T {
    if !tracing::enabled!(target: "caraway", Level::DEBUG) {
        return work();
    }
    let start = Instant::now();
    let outcome = work();
    let took = Milliseconds(start.elapsed());
    tracing::debug!(target: "caraway", "{} in {took}", describe(&outcome));
    outcome
}

/// Tells of calls too, if anybody listens now.
pub(crate) fn calls(watch: Watch) -> Watch {
    match tracing::enabled!(target: "caraway", Level::TRACE) {
        true => Watch::with(Arc::new(Calls(watch))),
        false => watch,
    }
}

/// Tells of each call, and then whoever else watches.
struct Calls(Watch);

impl Observer for Calls {
    fn called(&self, call: &Call<'_>) {
        let Call { plugin, function, total, failed, .. } = *call;
        let verb = if failed { "failed to call" } else { "called" };
        tracing::trace!(target: "caraway", "{verb} {plugin}::{function} in {}", Milliseconds(total));
        if let Some(next) = self.0.observer() {
            next.called(call);
        }
    }
}

/// As people read it: `0.05 ms`.
struct Milliseconds(Duration);

impl fmt::Display for Milliseconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} ms", self.0.as_secs_f64() * 1000.0)
    }
}
