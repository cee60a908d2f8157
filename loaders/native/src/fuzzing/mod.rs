//! What plugins may say, made of arbitrary bytes: tables, the words of results, and files. For the target `native` of
//! `fuzz/`, and for a test that does the same with fewer inputs.
//!
//! Pointers are real, or such that they must not be followed: null, or at an odd address. Sizes and counts are no
//! larger than what is there, or so large that they must be refused.

mod results;
mod table;

use crate::elf;

/// Checks one input.
///
/// # Panics
///
/// If something that was said is not read as it should be.
pub fn check(bytes: &[u8]) {
    let mut input = Input(bytes);
    match input.byte() % 3 {
        0 => table::check(&mut input),
        1 => results::check(&mut input),
        _ => drop(elf::check(input.0)),
    }
}

/// Bytes to make decisions with; zeros when they are used up.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn bytes(&mut self, len: usize) -> &'a [u8] {
        let (head, tail) = self.0.split_at(len.min(self.0.len()));
        self.0 = tail;
        head
    }

    fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or(0)
    }

    fn word(&mut self) -> u64 {
        self.bytes(8).iter().fold(0, |word, byte| word << 8 | u64::from(*byte))
    }

    fn size(&mut self) -> usize {
        self.word() as usize
    }

    fn choose<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::from(self.byte()) % choices.len()]
    }
}

#[cfg(test)]
#[path = "../../../../fuzz/checks/inputs.rs"]
mod inputs;

#[cfg(test)]
mod tests {
    #[test]
    fn whatever_a_plugin_says_is_read_or_refused() {
        super::inputs::run("native", super::check);
    }
}
