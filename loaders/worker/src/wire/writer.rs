//! Bytes of a message, being written.

use super::LARGE;

/// A message under way. Integers are little-endian; texts and blobs have their length in front.
#[derive(Debug, Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    /// A message of one kind.
    pub(crate) fn new(tag: u8) -> Self {
        Self(vec![tag])
    }

    pub(crate) fn u8(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub(crate) fn bool(&mut self, yes: bool) {
        self.u8(yes.into());
    }

    pub(crate) fn u32(&mut self, number: u32) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub(crate) fn u64(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    /// A number of things. A message has no room for more than a `u32` counts.
    pub(crate) fn count(&mut self, count: usize) {
        self.u32(u32::try_from(count).unwrap_or(u32::MAX));
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        if bytes.len() > LARGE {
            // Twice as much is much here.
            self.0.reserve_exact(bytes.len());
        }
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Something that may not be there.
    pub(crate) fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.bool(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }

    /// Things, with their number in front.
    pub(crate) fn list<T>(
        &mut self,
        items: impl ExactSizeIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T),
    ) {
        self.count(items.len());
        items.for_each(|item| write(self, item));
    }

    /// Numbers, whose count is in front already.
    pub(crate) fn words(&mut self, words: impl IntoIterator<Item = [u8; 8]>) {
        words.into_iter().for_each(|word| self.0.extend_from_slice(&word));
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}
