//! Work that is not waited for longer than it may take.

use caraway_loaders_core::{Code, Error};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// How long after its end a limit is taken to have had no effect.
const GRACE: Duration = Duration::from_secs(3);

/// What came of it.
pub(super) enum Watched<T> {
    Done(T),
    /// It did not stop. Its thread is left to itself.
    Stuck,
}

/// Does `work` on a thread of its own, and leaves it there if it goes on past its `limit`, which it keeps itself as a rule.
///
/// # Errors
///
/// [`Code::Internal`] if there is no thread to be had, or if `work` panics.
pub(super) fn watched<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<Watched<T>, Error> {
    let (sender, receiver) = channel();
    let thread = std::thread::Builder::new().name("caraway test".to_owned());
    let started = thread.spawn(move || {
        // Nobody listens any more if it took too long.
        let _ = sender.send(work());
    });
    started.map_err(|error| Error::new(Code::Internal, format!("no thread could be started: {error}")))?;
    match receiver.recv_timeout(limit.saturating_add(GRACE)) {
        Ok(done) => Ok(Watched::Done(done)),
        Err(RecvTimeoutError::Timeout) => Ok(Watched::Stuck),
        Err(RecvTimeoutError::Disconnected) => {
            Err(Error::new(Code::Internal, "the interpreter panicked")
                .hint("this is a bug; please report it"))
        }
    }
}
