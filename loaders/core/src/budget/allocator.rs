//! What a thread allocates.

use super::look;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// An allocation of this many bytes takes its time.
const LARGE: i64 = 256 << 10;

thread_local! {
    static ALLOCATED: Cell<i64> = const { Cell::new(0) };
}

/// How many bytes this thread has allocated and not freed.
#[inline]
pub(super) fn allocated() -> i64 {
    ALLOCATED.get()
}

/// The system's allocator, which counts for each thread what it allocates and frees.
///
/// ```
/// use caraway_loaders_core::budget::{self, CountingAllocator};
///
/// #[global_allocator]
/// static ALLOCATOR: CountingAllocator = CountingAllocator;
///
/// assert!(budget::memory_is_counted());
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct CountingAllocator;

fn count(bytes: i64) {
    // A thread that is being torn down has lost its counter and needs none.
    let _ = ALLOCATED.try_with(|allocated| allocated.set(allocated.get().wrapping_add(bytes)));
}

/// Counts what was allocated, if it was.
fn counted(pointer: *mut u8, bytes: i64) -> *mut u8 {
    if !pointer.is_null() {
        count(bytes);
        if bytes >= LARGE {
            look::soon();
        }
    }
    pointer
}

// SAFETY: every request is passed unchanged to `System`, which upholds the contract; counting touches only a
// thread-local cell, which never allocates.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise about `layout` is the one that `System` asks for.
        counted(unsafe { System.alloc(layout) }, layout.size() as i64)
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        counted(unsafe { System.alloc_zeroed(layout) }, layout.size() as i64)
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as i64));
        // SAFETY: `pointer` came from this allocator, that is from `System`, with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: `pointer` came from `System` with this layout, and `size` is the caller's promise.
        counted(unsafe { System.realloc(pointer, layout, size) }, size as i64 - layout.size() as i64)
    }
}

/// Whether [`CountingAllocator`] is the process's allocator.
pub fn memory_is_counted() -> bool {
    let before = ALLOCATED.get();
    let probe = std::hint::black_box(Box::new([0_u8; 64]));
    let counted = ALLOCATED.get() != before;
    drop(probe);
    counted
}

/// Does what is not to be counted as memory of the frames that are open: what the host keeps for itself.
pub(crate) fn uncounted<T>(work: impl FnOnce() -> T) -> T {
    let before = ALLOCATED.get();
    let result = work();
    ALLOCATED.set(before);
    result
}
