//! Memory that a plugin gives: of the host's own allocator, or the plugin's own.

use crate::shape::Malformed;
use caraway_abi::OUT_WORDS;
use std::alloc::Layout;
use std::ops::Deref;
use std::ptr::NonNull;

/// The words of a result.
pub(crate) type Out = [u64; OUT_WORDS];

type Release = unsafe extern "C" fn(ptr: *mut u8, size: usize, align: usize);

/// Whose the memory of results and messages is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Memory {
    /// It comes from the host's `alloc`, and becomes the host's.
    Host,
    /// It is the plugin's, to which it goes back.
    Plugin(Release),
}

/// Numbers or bytes that a plugin gave. Its memory goes back where it came from when this is dropped.
pub(crate) struct Given<T: Copy> {
    start: NonNull<T>,
    len: usize,
    capacity: usize,
    memory: Memory,
}

// SAFETY: nobody else has the memory, and a plugin takes it back from any thread.
unsafe impl<T: Copy + Send> Send for Given<T> {}
// SAFETY: as above; it is only read.
unsafe impl<T: Copy + Sync> Sync for Given<T> {}

impl<T: Copy> Given<T> {
    /// Takes over what the words of a result describe.
    ///
    /// # Safety
    ///
    /// If they describe `T`s at all, these are initialised, in memory of this kind, and nobody else frees it.
    pub(crate) unsafe fn take(memory: Memory, out: &Out) -> Result<Self, Malformed> {
        let start = NonNull::new(out[0] as usize as *mut T);
        let (len, capacity) = (usize::try_from(out[1]), usize::try_from(out[2]));
        let (Ok(len), Ok(capacity)) = (len, capacity) else { return Err(Malformed::Size) };
        if len == 0 && capacity == 0 {
            return Ok(Self { start: NonNull::dangling(), len, capacity, memory });
        }
        match (start, Layout::array::<T>(capacity)) {
            (Some(start), Ok(_)) if len <= capacity && start.is_aligned() => {
                Ok(Self { start, len, capacity, memory })
            }
            _ => Err(Malformed::Size),
        }
    }

    /// The items as a vector: the same memory if it is the host's, else a copy.
    pub(crate) fn into_vec(self) -> Vec<T> {
        match self.memory {
            Memory::Host => {
                let Self { start, len, capacity, .. } = *std::mem::ManuallyDrop::new(self);
                // SAFETY: `alloc` uses the allocator of `Vec`, and the layout is the same; a capacity of 0 is
                // not memory. Nothing is dropped here.
                unsafe { Vec::from_raw_parts(start.as_ptr(), len, capacity) }
            }
            Memory::Plugin(_) => self.to_vec(),
        }
    }

    /// Whether the memory is the host's own.
    pub(crate) fn is_hosts(&self) -> bool {
        matches!(self.memory, Memory::Host)
    }

    /// Where the items are, which stay there as long as this lives.
    pub(crate) fn start(&self) -> NonNull<T> {
        self.start
    }
}

impl<T: Copy> Deref for Given<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: `take` has seen to it that this can be a slice, and was promised that it is one.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl<T: Copy> Drop for Given<T> {
    fn drop(&mut self) {
        let Ok(layout) = Layout::array::<T>(self.capacity) else { return };
        if layout.size() == 0 {
            return;
        }
        let start = self.start.as_ptr().cast::<u8>();
        match self.memory {
            // SAFETY: `alloc` gave it for this layout.
            Memory::Host => unsafe { std::alloc::dealloc(start, layout) },
            // SAFETY: the plugin's memory goes back to it, once, with its size and alignment.
            Memory::Plugin(release) => unsafe { release(start, layout.size(), layout.align()) },
        }
    }
}
