//! Frames for threads that work for another one.

use super::allocator::allocated;
use super::{CEILING, FRAMES, Open, look, memory_left};
use std::marker::PhantomData;
use std::time::Instant;

/// The frames of one thread, for others that do its work.
///
/// Limits belong to a thread: its open frames, its memory, its CPU time. A thread that works for another one, as
/// a callback does that a plugin calls from a thread of its own, has none unless it is lent some.
#[derive(Debug)]
pub struct Lent {
    frames: Vec<Open>,
    memory_left: Option<u64>,
}

impl Lent {
    /// The frames that are open on this thread. Starts their clocks.
    pub fn new() -> Self {
        let now = Instant::now();
        let frames = FRAMES.with_borrow_mut(|frames| {
            frames.iter_mut().for_each(|open| {
                open.deadline(now);
            });
            frames.to_vec()
        });
        Self { frames, memory_left: memory_left() }
    }

    /// Opens them on this thread, which must have none, until the guard is dropped. What the lender has used of
    /// its time is used up here, too; of memory there is what was left, and CPU time is counted anew.
    pub fn enter(&self) -> Borrowed {
        let ceiling = self
            .memory_left
            .map_or(i64::MAX, |left| allocated().saturating_add(i64::try_from(left).unwrap_or(i64::MAX)));
        FRAMES.with_borrow_mut(|frames| {
            if !frames.is_empty() {
                return Borrowed { opened: false, not_send: PhantomData };
            }
            let lent = self.frames.iter().map(|open| Open {
                cpu_end: None,
                memory_ceiling: if open.memory_ceiling == i64::MAX { i64::MAX } else { ceiling },
                lowest_ceiling: ceiling,
                ..open.clone()
            });
            look::begin();
            frames.frames = lent.collect();
            frames.open = frames.frames.len();
            CEILING.set(ceiling);
            Borrowed { opened: true, not_send: PhantomData }
        })
    }
}

impl Default for Lent {
    fn default() -> Self {
        Self::new()
    }
}

/// Frames of another thread on this one; they close when this is dropped.
#[derive(Debug)]
#[must_use]
pub struct Borrowed {
    opened: bool,
    /// Frames belong to their thread.
    not_send: PhantomData<*const ()>,
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        if self.opened {
            FRAMES.with_borrow_mut(|frames| frames.close(0));
        }
    }
}
