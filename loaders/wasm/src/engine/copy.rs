//! Artifacts that wasmtime copies.

use crate::artifact::Artifact;
use std::io::Read;
use std::ops::Deref;
use wasmtime::{Config, Engine, Result};

/// An artifact, read once.
pub(crate) struct Image(Vec<u8>);

impl Image {
    /// Reads `size` bytes of a file; `None` if it has fewer.
    pub(crate) fn read(file: impl Read, size: usize) -> Option<Self> {
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(size).ok()?;
        let read = file.take(size as u64).read_to_end(&mut bytes).ok()?;
        (read == size).then_some(Self(bytes))
    }
}

impl Deref for Image {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

/// The images of an engine, of which none is kept.
#[derive(Default)]
pub(crate) struct Images;

impl Images {
    /// Does nothing: wasmtime's own memory is all that it needs.
    pub(super) fn serve(&self, _config: &mut Config) {}

    /// Loads an artifact from an image.
    ///
    /// # Safety
    ///
    /// The image is what `serialize` gave.
    pub(super) unsafe fn load<A: Artifact>(&self, engine: &Engine, image: Image) -> Result<A> {
        // SAFETY: the caller's promise.
        unsafe { A::from_bytes(engine, &image) }
    }
}
