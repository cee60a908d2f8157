//! The digest of what is copied.

use caraway_loaders_core::checksum::Digest;
use sha2::{Digest as _, Sha256};
use std::io::{self, Read};

/// Bytes on their way, of which a digest is taken.
pub(crate) struct Hashing<R> {
    from: R,
    hash: Sha256,
}

impl<R> Hashing<R> {
    pub(crate) fn new(from: R) -> Self {
        Self { from, hash: Sha256::new() }
    }

    /// The digest of all that was read.
    pub(crate) fn digest(self) -> Digest {
        Digest::from(<[u8; 32]>::from(self.hash.finalize()))
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.from.read(buffer)?;
        self.hash.update(&buffer[..bytes]);
        Ok(bytes)
    }
}
