//! The one seat in a plugin's store: who has it may run the guest.

use crate::clock::Busy;
use parking_lot::{Condvar, Mutex};
use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// A value that one thread at a time may use, and that knows which.
///
/// A mutex, but for two things: a thread can ask whether it has it already, and others can see from a distance
/// whether anybody has ([`Taken`]), without counters of their own. Both come out of the one word that it is taken by.
pub(crate) struct Seat<T> {
    taken: Arc<Taken>,
    inside: UnsafeCell<T>,
}

// SAFETY: the value is reached through a `Guard` alone, and `Taken` lets one thread at a time have one. So sharing
// the seat moves the value between threads, and never shares it.
unsafe impl<T: Send> Sync for Seat<T> {}

/// Whether a seat is taken, and who waits for it.
#[derive(Default)]
pub(crate) struct Taken {
    /// The thread that has it, as [`thread_mark`] tells it; 0 for none.
    by: AtomicUsize,
    waiting: AtomicUsize,
    line: Mutex<()>,
    left: Condvar,
}

impl Taken {
    fn take(&self) -> bool {
        self.by.compare_exchange(0, thread_mark(), Ordering::SeqCst, Ordering::Relaxed).is_ok()
    }

    fn leave(&self) {
        // Whoever waits has said so before it looked at `by` for the last time: one of the two sees the other.
        self.by.store(0, Ordering::SeqCst);
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.wake();
        }
    }

    #[cold]
    fn wake(&self) {
        drop(self.line.lock());
        self.left.notify_one();
    }

    #[cold]
    fn wait(&self, at_most: Duration) -> bool {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let end = Instant::now() + at_most;
        let mut line = self.line.lock();
        // Whoever comes by may take the seat before the one that was woken.
        let taken = loop {
            if self.take() {
                break true;
            }
            if self.left.wait_until(&mut line, end).timed_out() {
                break self.take();
            }
        };
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        taken
    }
}

impl Busy for Taken {
    /// Whether some thread has the seat.
    fn is_busy(&self) -> bool {
        self.by.load(Ordering::SeqCst) != 0
    }
}

impl<T> Seat<T> {
    /// A seat that nobody has.
    pub(crate) fn new(inside: T) -> Self {
        Self { taken: Arc::default(), inside: UnsafeCell::new(inside) }
    }

    /// Whether it is taken, for others to see.
    pub(crate) fn taken(&self) -> &Arc<Taken> {
        &self.taken
    }

    /// Whether the calling thread has it.
    pub(crate) fn is_mine(&self) -> bool {
        self.taken.by.load(Ordering::Relaxed) == thread_mark()
    }

    /// Takes it if it is free.
    pub(crate) fn try_take(&self) -> Option<Guard<'_, T>> {
        self.taken.take().then(|| Guard { seat: self, not_sync: PhantomData })
    }

    /// Takes it, and waits so long if it is not free.
    pub(crate) fn take_within(&self, at_most: Duration) -> Option<Guard<'_, T>> {
        (self.taken.take() || self.taken.wait(at_most)).then(|| Guard { seat: self, not_sync: PhantomData })
    }
}

/// The seat, until this is dropped.
pub(crate) struct Guard<'a, T> {
    seat: &'a Seat<T>,
    /// It belongs to its thread, and to share it would share the value.
    not_sync: PhantomData<*const ()>,
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: a guard is made where its thread has taken the seat, and until it is dropped no other one is.
        unsafe { &*self.seat.inside.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and this guard is borrowed mutably.
        unsafe { &mut *self.seat.inside.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        self.seat.taken.leave();
    }
}

/// A number that no two threads have at the same time, and that is never 0.
fn thread_mark() -> usize {
    thread_local! {
        static MARK: u8 = const { 0 };
    }
    MARK.with(|mark| std::ptr::from_ref(mark).addr())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(600);

    #[test]
    fn one_thread_at_a_time() {
        let seat = Seat::new(0_u64);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        *seat.take_within(LONG).unwrap() += 1;
                    }
                });
            }
        });
        assert_eq!(*seat.take_within(LONG).unwrap(), 8000);
        assert!(!seat.taken().is_busy());
    }

    #[test]
    fn it_knows_who_has_it() {
        let seat = Seat::new(());
        let guard = seat.try_take().unwrap();
        assert!(seat.is_mine() && seat.taken().is_busy());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                assert!(!seat.is_mine());
                assert!(seat.try_take().is_none());
                assert!(seat.take_within(Duration::from_millis(1)).is_none());
            });
        });
        drop(guard);
        assert!(!seat.is_mine() && seat.try_take().is_some());
    }
}
