//! The result of a call.

use super::call::Failure;
use super::host;
use crate::Value;
use caraway_abi::OUT_WORDS;
use std::alloc::Layout;
use std::mem::ManuallyDrop;

/// Room for the words of one result.
pub struct Out {
    words: *mut u64,
}

impl Out {
    /// # Safety
    ///
    /// `words` has room for [`OUT_WORDS`] words as long as this lives.
    pub(super) unsafe fn new(words: *mut u64) -> Self {
        Self { words }
    }

    #[inline]
    pub(super) fn word(&mut self, word: u64) {
        // SAFETY: `new`'s promise.
        unsafe { *self.words = word }
    }

    /// Gives the items away: the `Vec` itself, which comes back to [`release`].
    pub(super) fn buffer<T: Copy>(&mut self, items: Vec<T>) -> Result<(), Failure> {
        if items.is_empty() {
            self.words([0; OUT_WORDS]);
        } else if host::is_first() {
            return self.copy(&items);
        } else {
            let items = ManuallyDrop::new(items);
            let pointer = items.as_ptr().expose_provenance() as u64;
            self.words([pointer, items.len() as u64, items.capacity() as u64]);
        }
        Ok(())
    }

    /// A copy of the items in memory of the host, which takes no other.
    #[cold]
    fn copy<T: Copy>(&mut self, items: &[T]) -> Result<(), Failure> {
        let pointer = host::alloc(size_of_val(items), align_of::<T>()).cast::<T>();
        if pointer.is_null() {
            return Err(Failure::OutOfMemory);
        }
        // SAFETY: the host gave room for just these items, which overlaps nothing.
        unsafe { std::ptr::copy_nonoverlapping(items.as_ptr(), pointer, items.len()) };
        self.words([pointer.expose_provenance() as u64, items.len() as u64, items.len() as u64]);
        Ok(())
    }

    /// A value that is passed as its encoding.
    pub(super) fn encoded(&mut self, value: Value) -> Result<(), Failure> {
        match value.into_encoded() {
            Ok(bytes) => self.buffer(bytes),
            Err(error) => Err(Failure::text(error)),
        }
    }

    fn words(&mut self, words: [u64; OUT_WORDS]) {
        // SAFETY: `new`'s promise.
        unsafe { self.words.cast::<[u64; OUT_WORDS]>().write(words) }
    }
}

/// Takes back what [`Out::buffer`] gave away. For [`Plugin::release`](caraway_abi::Plugin::release).
///
/// # Safety
///
/// `pointer` comes from there, and `size` and `align` are those of what was given.
pub(super) unsafe extern "C" fn release(pointer: *mut u8, size: usize, align: usize) {
    if let Ok(layout) = Layout::from_size_align(size, align) {
        // SAFETY: the caller's promise; a `Vec`'s memory is of this layout.
        unsafe { std::alloc::dealloc(pointer, layout) };
    }
}
