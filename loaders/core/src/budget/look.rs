//! When to look at the clock.
//!
//! A look costs as much as a few operations of a script, so it is not taken at each. Most operations are short; one
//! that sorts, searches or copies a large value takes as long as a million of them. So the gap between two looks
//! follows how long the last one took and how much memory there is to work on, and whoever allocates much at once asks
//! for a look at the next operation.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// The most operations between two looks.
const WIDEST: u32 = 128;

/// The most where much memory is in use.
const WIDEST_WITH_MUCH: u32 = 8;

/// What an operation may work on before the gap becomes smaller, in bytes: what takes about a millisecond.
const MUCH: i64 = 1 << 20;

/// The gap is halved when the operations since the last look took longer than this.
const LONG: Duration = Duration::from_millis(1);

thread_local! {
    /// How many operations are left until the next look.
    static LEFT: Cell<u32> = const { Cell::new(WIDEST) };
    static GAP: Cell<u32> = const { Cell::new(WIDEST) };
    /// The last look, if it was taken for the frames that are open.
    static LAST: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Counts an operation; whether it is time to look.
#[inline]
pub(super) fn due() -> bool {
    let left = LEFT.get().saturating_sub(1);
    LEFT.set(left);
    left == 0
}

/// Tells that the outermost frame is opened: what comes next does not last since the last look.
#[inline]
pub(super) fn begin() {
    LAST.set(None);
}

/// Makes the next operation look. Called by the allocator, so it allocates nothing.
#[cold]
pub(super) fn soon() {
    // A thread that is being torn down has lost its counter and needs none.
    let _ = LEFT.try_with(|left| left.set(1));
    let _ = GAP.try_with(|gap| gap.set(1));
}

/// Notes a look by a thread with this much memory, and chooses when the next one is due.
#[cold]
pub(super) fn taken(memory: i64) {
    let now = Instant::now();
    let took = LAST.replace(Some(now)).map_or(Duration::ZERO, |last| now.saturating_duration_since(last));
    let milliseconds = u32::try_from(took.as_millis()).unwrap_or(u32::MAX);
    let gap = if took < LONG { GAP.get() * 2 } else { GAP.get() / milliseconds.saturating_add(1).max(2) };
    let widest = u32::try_from(MUCH * i64::from(WIDEST) / memory.max(1)).unwrap_or(WIDEST);
    let gap = gap.clamp(1, widest.clamp(WIDEST_WITH_MUCH, WIDEST));
    GAP.set(gap);
    LEFT.set(gap);
}

#[cfg(test)]
mod tests {
    use super::super::{Cancel, Meter};
    use super::*;
    use crate::limits::Limits;

    /// How many operations until a look is due.
    fn operations() -> u32 {
        (1..).find(|_| due()).unwrap()
    }

    #[test]
    fn the_gap_follows_how_long_operations_take() {
        assert_eq!(operations(), WIDEST);
        taken(0);
        assert_eq!(operations(), WIDEST);
        LAST.set(Instant::now().checked_sub(Duration::from_millis(200)));
        taken(0);
        assert_eq!(operations(), 1);
        for wanted in [2, 4, 8] {
            // A machine that stops for a millisecond here keeps it narrow.
            LAST.set(None);
            taken(i64::MAX);
            assert_eq!(operations(), wanted);
        }
        LAST.set(None);
        taken(i64::MAX);
        assert_eq!(operations(), WIDEST_WITH_MUCH);
        soon();
        assert_eq!(operations(), 1);
    }

    #[test]
    fn what_was_before_the_frames_does_not_count() {
        let long_ago = Instant::now().checked_sub(Duration::from_millis(u32::MAX.into())).unwrap();
        LAST.set(Some(long_ago));
        let outer = Meter::program(&Limits::PROGRAM, Cancel::default()).enter().unwrap();
        taken(0);
        assert_eq!(operations(), WIDEST);
        LAST.set(Some(long_ago));
        let inner = Meter::plugin("p", &Limits::PLUGIN).enter().unwrap();
        taken(0);
        assert_eq!(operations(), 1);
        drop((inner, outer));
    }
}
