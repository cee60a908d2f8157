//! The result of a call.

use super::call::Failure;
use super::table;

/// Room for the words of one result.
pub struct Out {
    words: *mut u64,
}

impl Out {
    /// # Safety
    ///
    /// `words` has room for `caraway_abi::OUT_WORDS` words as long as this lives.
    pub(super) unsafe fn new(words: *mut u64) -> Self {
        Self { words }
    }

    pub(super) fn word(&mut self, word: u64) {
        // SAFETY: `new`'s promise.
        unsafe { *self.words = word }
    }

    /// Copies `items` into memory of the host.
    pub(super) fn slice<T: Copy>(&mut self, items: &[T]) -> Result<(), Failure> {
        let mut pointer = std::ptr::null_mut();
        if !items.is_empty() {
            pointer = table::alloc(size_of_val(items), align_of::<T>()).cast::<T>();
            if pointer.is_null() {
                return Err(Failure::OutOfMemory);
            }
            // SAFETY: the host gave room for just these items, which overlaps nothing.
            unsafe { std::ptr::copy_nonoverlapping(items.as_ptr(), pointer, items.len()) };
        }
        // SAFETY: `new`'s promise.
        let words = unsafe { std::slice::from_raw_parts_mut(self.words, caraway_abi::OUT_WORDS) };
        words.copy_from_slice(&[pointer as usize as u64, items.len() as u64, items.len() as u64]);
        Ok(())
    }
}
