/// How the words of a result are to be understood.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// The first is the result.
    Word,
    /// They are a pointer, a length and a capacity, both in elements of this size, to which they are aligned.
    Buffer {
        /// In bytes.
        element: usize,
    },
}

impl Shape {
    /// An encoded value, a string, bytes.
    pub(super) const ENCODED: Self = Self::Buffer { element: 1 };

    /// Numbers.
    pub(super) const NUMBERS: Self = Self::Buffer { element: 8 };

    /// How many words an argument of this shape is.
    pub(super) const fn argument_words(self) -> usize {
        match self {
            Self::Word => 1,
            Self::Buffer { .. } => 2,
        }
    }

    /// The memory of a result with these words, if there is any: where, how many bytes, and their alignment.
    pub(super) fn memory(self, words: &[u64]) -> Option<(*mut u8, usize, usize)> {
        match (self, words) {
            (Self::Buffer { element }, [pointer, _, capacity, ..]) if *capacity > 0 => {
                let pointer = std::ptr::with_exposed_provenance_mut(*pointer as usize);
                Some((pointer, (*capacity as usize).saturating_mul(element), element))
            }
            _ => None,
        }
    }
}
