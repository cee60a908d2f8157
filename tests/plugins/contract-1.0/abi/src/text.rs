use abi_stable::StableAbi;

/// UTF-8 text that lives as long as the library it is in.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy)]
pub struct Text {
    /// Where it begins; not looked at if `len` is 0.
    pub ptr: *const u8,
    /// Its length in bytes.
    pub len: usize,
}

// SAFETY: a `Text` points at memory that nobody changes.
unsafe impl Send for Text {}
// SAFETY: as above.
unsafe impl Sync for Text {}

impl Text {
    /// The text as the contract has it.
    pub const fn new(text: &'static str) -> Self {
        Self { ptr: text.as_ptr(), len: text.len() }
    }

    /// The text, or `None` if it is not UTF-8.
    ///
    /// # Safety
    ///
    /// If `len` is not 0, `ptr` points at `len` bytes that are never changed or freed.
    pub unsafe fn as_str(self) -> Option<&'static str> {
        if self.len == 0 {
            return Some("");
        }
        if self.ptr.is_null() || isize::try_from(self.len).is_err() {
            return None;
        }
        // SAFETY: the caller's promise; null and absurd lengths are gone.
        std::str::from_utf8(unsafe { std::slice::from_raw_parts(self.ptr, self.len) }).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_checked() {
        let bytes: &'static [u8] = &[0xff, 0xfe];
        for (text, expected) in [
            (Text::new("mean"), Some("mean")),
            (Text { ptr: std::ptr::null(), len: 0 }, Some("")),
            (Text { ptr: std::ptr::null(), len: 1 }, None),
            (Text { ptr: bytes.as_ptr(), len: usize::MAX }, None),
            (Text { ptr: bytes.as_ptr(), len: bytes.len() }, None),
        ] {
            // SAFETY: the texts point at constants, or are refused before they are followed.
            assert_eq!(unsafe { text.as_str() }, expected);
        }
    }
}
