//! Waiting that obeys deadlines.

use caraway_loaders_core::budget::{self, Expiry};
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// The shortest and the longest nap between two looks at a future.
const NAPS: (Duration, Duration) = (Duration::from_micros(50), Duration::from_millis(5));

/// The error that stops a guest when a limit of the calling thread is used up.
#[derive(Debug)]
pub(crate) struct Stopped(pub(crate) Expiry);

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.error())
    }
}

impl std::error::Error for Stopped {}

/// Drives a future to its end, in naps: nobody wakes us, as there is no runtime.
///
/// # Errors
///
/// [`Stopped`] when an open frame of the calling thread has used up its time, or was cancelled.
pub(crate) fn wait<F: Future>(future: F) -> Result<F::Output, Stopped> {
    // A task of tokio's that the host is in has only so many polls until it must give way, which it cannot here.
    #[cfg(feature = "http")]
    let future = tokio::task::unconstrained(future);
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    let mut nap = NAPS.0;
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Ok(output);
        }
        budget::sleep(nap).map_err(Stopped)?;
        nap = (nap * 2).min(NAPS.1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use caraway_loaders_core::Code;
    use caraway_loaders_core::budget::{Cancel, Meter};
    use caraway_loaders_core::limits::Limits;

    #[test]
    fn what_is_ready_is_not_waited_for() {
        assert_eq!(wait(std::future::ready(7)).unwrap(), 7);
    }

    #[test]
    fn waiting_ends_with_the_budget() {
        let cancel = Cancel::default();
        cancel.cancel();
        let meter = Meter::program(&Limits::PROGRAM, cancel);
        let _frame = meter.enter().unwrap();
        let stopped = wait(std::future::pending::<()>()).unwrap_err();
        assert_eq!(stopped.0.error().code(), Code::Interrupted);
    }
}
