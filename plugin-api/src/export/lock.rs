//! A lock that would rather refuse than wait for ever.
//!
//! A handle is locked during each call that uses it. A call may come back to its own handle through a callback,
//! and two calls may want each other's: both are told so.

use super::host;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A lock, held by at most one thread.
pub(super) struct Lock {
    /// The thread that holds it, or 0.
    owner: AtomicUsize,
}

/// Why a lock cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Busy {
    /// This thread holds it already.
    Here,
    /// The thread that holds it waits, perhaps through others, for one that this thread holds.
    Waiting,
    /// The call has reached a limit while it was waiting.
    Interrupted,
}

/// A thread that waits for a lock.
struct Waiter {
    thread: usize,
    lock: *const Lock,
}

// SAFETY: the pointer is followed only while the waiter stands in `WAITERS`, and it leaves before it stops
// borrowing the lock.
unsafe impl Send for Waiter {}

static WAITERS: Mutex<Vec<Waiter>> = Mutex::new(Vec::new());
static FREED: Condvar = Condvar::new();
/// How many there are in `WAITERS`, for those who free a lock and have nobody to tell.
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// How often a waiting call looks whether it should give up.
const LOOK: Duration = Duration::from_millis(20);

/// This thread: a number that no other living one has.
fn here() -> usize {
    thread_local! {
        static HERE: u8 = const { 0 };
    }
    HERE.with(|here| std::ptr::from_ref(here).addr())
}

impl Lock {
    pub(super) const fn new() -> Self {
        Self { owner: AtomicUsize::new(0) }
    }

    /// Locks it, when others have freed it.
    pub(super) fn lock(&self) -> Result<(), Busy> {
        let thread = here();
        if self.try_lock(thread) { Ok(()) } else { self.wait(thread) }
    }

    /// Frees it. Only for the thread that holds it.
    pub(super) fn unlock(&self) {
        // Either this store is before a waiter's look at the owner, or its count is before the load.
        self.owner.store(0, Ordering::SeqCst);
        if WAITING.load(Ordering::SeqCst) > 0 {
            drop(waiters());
            FREED.notify_all();
        }
    }

    fn try_lock(&self, thread: usize) -> bool {
        self.owner.compare_exchange(0, thread, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    #[cold]
    fn wait(&self, thread: usize) -> Result<(), Busy> {
        if self.owner.load(Ordering::SeqCst) == thread {
            return Err(Busy::Here);
        }
        let mut waiters = waiters();
        waiters.push(Waiter { thread, lock: self });
        WAITING.store(waiters.len(), Ordering::SeqCst);
        let result = loop {
            if self.try_lock(thread) {
                break Ok(());
            }
            if self.leads_to(thread, &waiters) {
                break Err(Busy::Waiting);
            }
            if host::interrupted() {
                break Err(Busy::Interrupted);
            }
            waiters = FREED.wait_timeout(waiters, LOOK).unwrap_or_else(PoisonError::into_inner).0;
        };
        waiters.retain(|waiter| waiter.thread != thread);
        WAITING.store(waiters.len(), Ordering::SeqCst);
        result
    }

    /// Whether the holder of this lock waits for one whose holder waits ... for `thread`.
    fn leads_to(&self, thread: usize, waiters: &[Waiter]) -> bool {
        let mut owner = self.owner.load(Ordering::SeqCst);
        for _ in waiters {
            let Some(waiter) = waiters.iter().find(|waiter| waiter.thread == owner) else { return false };
            // SAFETY: who stands in the list borrows its lock.
            owner = unsafe { (*waiter.lock).owner.load(Ordering::SeqCst) };
            if owner == thread {
                return true;
            }
        }
        false
    }
}

fn waiters() -> MutexGuard<'static, Vec<Waiter>> {
    WAITERS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;

    #[test]
    fn a_thread_is_told_that_it_holds_the_lock() {
        let lock = Lock::new();
        assert_eq!((lock.lock(), lock.lock()), (Ok(()), Err(Busy::Here)));
        lock.unlock();
        assert_eq!(lock.lock(), Ok(()));
    }

    #[test]
    fn threads_take_turns() {
        const TURNS: usize = if cfg!(miri) { 50 } else { 2_000 };
        let (lock, count) = (Lock::new(), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..TURNS {
                        lock.lock().unwrap();
                        // Not in one step, so that a second holder would be seen.
                        count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
                        lock.unlock();
                    }
                });
            }
        });
        assert_eq!(count.into_inner(), 8 * TURNS);
        assert!(waiters().iter().all(|waiter| !std::ptr::eq(waiter.lock, &raw const lock)));
    }

    #[test]
    fn of_threads_that_wait_for_each_other_one_is_told() {
        let (locks, both) = ([const { Lock::new() }; 3], Barrier::new(3));
        let refused: Vec<bool> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..3)
                .map(|at| {
                    let (locks, both) = (&locks, &both);
                    scope.spawn(move || {
                        locks[at].lock().unwrap();
                        both.wait();
                        let next = locks[(at + 1) % 3].lock();
                        if next.is_ok() {
                            locks[(at + 1) % 3].unlock();
                        }
                        locks[at].unlock();
                        next == Err(Busy::Waiting)
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(refused.iter().filter(|refused| **refused).count(), 1);
    }
}
