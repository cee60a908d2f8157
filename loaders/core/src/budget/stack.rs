//! How much of a thread's stack scripts may recurse on.
//!
//! Limits on the depth of calls do not count all that recurses: `eval` in what `eval` runs, natives that call back.
//! So a script is stopped where its stack comes to an end. What is kept back is for what cannot be stopped: values
//! are printed, compared and dropped by recursion, too.

use std::cell::Cell;

/// The most that scripts may use, in bytes; memory that the limits do not count.
const MOST: usize = 512 << 20;

/// What is never used, in bytes: for what runs when a stack has come to its end.
const LEAST: usize = 256 << 10;

thread_local! {
    /// The lowest address that is in order; the highest one until it is known.
    static FLOOR: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// Whether a script has recursed as deep as it may.
#[inline]
pub(super) fn is_used_up() -> bool {
    let marker = 0_u8;
    let here = std::ptr::from_ref(&marker).addr();
    here < FLOOR.get() && is_below(here)
}

/// Whether what cannot be stopped may recurse once more, and use what is kept back for it.
pub(super) fn has_room() -> bool {
    stacker::remaining_stack().is_none_or(|left| left > LEAST)
}

/// What of a stack is for the rest: a part of it, and on a small one enough for a guest in WebAssembly.
fn kept_back(stack: usize) -> usize {
    (stack / 4).max((1 << 20).min(stack / 2))
}

#[cold]
fn is_below(here: usize) -> bool {
    if FLOOR.get() == usize::MAX {
        // Where nobody can tell, the host's stack is taken to be large enough.
        let floor = stacker::remaining_stack()
            .map_or(0, |left| here.saturating_sub((left - kept_back(left)).min(MOST)));
        FLOOR.set(floor);
    }
    here < FLOOR.get()
}
