//! Compiling, on threads of its own.
//!
//! A large component takes seconds, in which the compiler cannot be stopped. So it runs on another thread, and
//! whoever waits for it can be stopped: by an interrupt, by a deadline. The compiler then goes on to its end, and
//! who asks for the same component again gets what it made.

use blake3::Hash;
use caraway_loaders_core::budget;
use caraway_loaders_core::{Code, Error};
use parking_lot::{Condvar, Mutex};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long to wait for the compiler before looking at the budget again.
const LOOK: Duration = Duration::from_millis(20);

/// After how much time a compilation is a long one.
const LONG: Duration = Duration::from_millis(if cfg!(test) { 50 } else { 1000 });

/// The stack of a compiler, in bytes: that of a process's first thread, which wasmtime's command line uses.
const STACK: usize = 8 << 20;

/// What is being compiled, by the hash of what it is compiled from.
pub(crate) struct Compiler<A> {
    jobs: Mutex<HashMap<Hash, Arc<Job<A>>>>,
}

struct Job<A> {
    outcome: Mutex<Option<Result<A, Error>>>,
    done: Condvar,
}

impl<A> Default for Compiler<A> {
    fn default() -> Self {
        Self { jobs: Mutex::default() }
    }
}

impl<A: Clone + Send + 'static> Compiler<A> {
    /// Runs `compile` on a thread, unless one does already for the same hash, and waits for it. Calls `long`
    /// once if that takes more than a second.
    ///
    /// # Errors
    ///
    /// What `compile` gives, a limit of the calling thread that is used up, and [`Code::LoadFailed`] for a
    /// compiler that panicked.
    pub(crate) fn compile(
        &self,
        hash: Hash,
        compile: impl FnOnce() -> Result<A, Error> + Send + 'static,
        long: impl FnOnce(),
    ) -> Result<A, Error> {
        let job = self.job(hash, compile)?;
        let start = Instant::now();
        let mut long = Some(long);
        let mut outcome = job.outcome.lock();
        loop {
            if let Some(outcome) = outcome.clone() {
                let mut jobs = self.jobs.lock();
                if jobs.get(&hash).is_some_and(|other| Arc::ptr_eq(other, &job)) {
                    jobs.remove(&hash);
                }
                return outcome;
            }
            job.done.wait_for(&mut outcome, LOOK);
            budget::check().map_err(|expiry| expiry.error().clone())?;
            if start.elapsed() > LONG
                && let Some(long) = long.take()
            {
                long();
            }
        }
    }

    fn job(
        &self,
        hash: Hash,
        compile: impl FnOnce() -> Result<A, Error> + Send + 'static,
    ) -> Result<Arc<Job<A>>, Error> {
        let mut jobs = self.jobs.lock();
        if let Some(job) = jobs.get(&hash) {
            return Ok(job.clone());
        }
        let job = Arc::new(Job { outcome: Mutex::new(None), done: Condvar::new() });
        let theirs = job.clone();
        let work = move || {
            *theirs.outcome.lock() = Some(contained(compile));
            theirs.done.notify_all();
        };
        std::thread::Builder::new()
            .name("caraway-wasm-compiler".to_owned())
            .stack_size(STACK)
            .spawn(work)
            .map_err(|error| Error::new(Code::Internal, format!("cannot start a thread: {error}")))?;
        jobs.insert(hash, job.clone());
        Ok(job)
    }
}

/// What `compile` gives; a panic of the compiler's is an error.
pub(crate) fn contained<A>(compile: impl FnOnce() -> Result<A, Error>) -> Result<A, Error> {
    catch_unwind(AssertUnwindSafe(compile)).unwrap_or_else(|_| {
        Err(Error::new(Code::LoadFailed, "the compiler panicked")
            .hint("this is a bug, of the compiler's; please report it with the component"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use caraway_loaders_core::budget::{Cancel, Meter};
    use caraway_loaders_core::limits::Limits;
    use std::sync::mpsc;

    fn never() -> Result<i32, Error> {
        unreachable!("it was compiled already")
    }

    #[test]
    fn who_is_interrupted_does_not_wait_and_the_next_one_gets_what_was_made() {
        let compiler = Compiler::default();
        let hash = blake3::hash(b"large");
        let (finish, finished) = mpsc::channel();
        let slow = move || {
            finished.recv().unwrap();
            Ok(7)
        };
        let cancel = Cancel::default();
        cancel.cancel();
        let meter = Meter::program(&Limits::PROGRAM, cancel);
        let frame = meter.enter().unwrap();
        let error = compiler.compile(hash, slow, || ()).unwrap_err();
        assert_eq!(error.code(), Code::Interrupted);
        drop(frame);
        finish.send(()).unwrap();
        assert_eq!(compiler.compile(hash, never, || ()).unwrap(), 7);
        assert_eq!(compiler.compile(hash, || Ok(8), || ()).unwrap(), 8, "nothing is kept that was taken");
    }

    #[test]
    fn a_panic_is_an_error() {
        let compiler = Compiler::<()>::default();
        let error = compiler.compile(blake3::hash(b""), || panic!("on purpose"), || ()).unwrap_err();
        assert_eq!(error.code(), Code::LoadFailed);
    }

    #[test]
    fn only_what_takes_long_is_told() {
        let compiler = Compiler::default();
        let quick = compiler.compile(blake3::hash(b"quick"), || Ok(true), || unreachable!("it was quick"));
        assert!(quick.unwrap());
        let (tell, told) = mpsc::channel();
        let slow = move || Ok(told.recv_timeout(100 * LONG).is_ok());
        let slow = compiler.compile(blake3::hash(b"slow"), slow, move || tell.send(()).unwrap());
        assert!(slow.unwrap(), "nobody told");
    }
}
