//! What a runtime says of itself.

use caraway_loaders_core::output::{Output, Stream};
use std::time::{Duration, Instant};

/// What a runtime says of itself on standard error, beside what programs and plugins print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
#[non_exhaustive]
pub enum Notes {
    /// Nothing.
    None,
    /// That it builds a plugin. The default.
    #[default]
    Builds,
    /// Also that a component has been compiling for a second. For terminals.
    Progress,
    /// Also what it finds, plans and loads, and how long that takes.
    Debug,
}

impl Notes {
    /// Does something; at [`Notes::Debug`] tells what `describe` says of the outcome, and how long it took.
    pub(crate) fn timed<T>(
        self,
        output: &Output,
        work: impl FnOnce() -> T,
        describe: impl FnOnce(&T) -> String,
    ) -> T {
        if self < Notes::Debug {
            return work();
        }
        let start = Instant::now();
        let outcome = work();
        let took = start.elapsed();
        output.line(Stream::Stderr, &format!("caraway: {} in {}", describe(&outcome), shown(took)));
        outcome
    }
}

fn shown(duration: Duration) -> String {
    format!("{:.2} ms", duration.as_secs_f64() * 1000.0)
}
