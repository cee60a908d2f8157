//! wasmtime's engine, and where what it takes from the cache lies.
//!
//! On Linux on x86-64 that is the memory that an artifact was read into, mapped by [`mapping`]; elsewhere a copy
//! that wasmtime makes of it, see [`copy`].

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
mod copy;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod mapping;

use crate::artifact::Artifact;
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
pub(crate) use copy::{Image, Images};
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub(crate) use mapping::{Image, Images};
use std::ops::Deref;
use std::sync::Arc;
use wasmtime::{Config, Result};

/// An engine of wasmtime's that takes artifacts from a [`Cache`](crate::Cache).
#[derive(Clone)]
pub struct Engine {
    engine: wasmtime::Engine,
    images: Arc<Images>,
}

impl Engine {
    /// An engine with this configuration. Its code has no information for native unwinding: nothing unwinds
    /// through it but wasmtime, which goes by frame pointers.
    ///
    /// # Errors
    ///
    /// What wasmtime says of the configuration.
    pub fn new(mut config: Config) -> Result<Self> {
        config.native_unwind_info(false);
        let images = Arc::<Images>::default();
        images.serve(&mut config);
        Ok(Self { engine: wasmtime::Engine::new(&config)?, images })
    }

    /// Takes back what another engine may have compiled; an engine that differs is an error.
    ///
    /// # Safety
    ///
    /// The image is what `serialize` gave, of an artifact of an engine made by [`Engine::new`].
    pub(crate) unsafe fn load<A: Artifact>(&self, image: Image) -> Result<A> {
        // SAFETY: the caller's promise; and `images` serve this engine.
        unsafe { self.images.load(&self.engine, image) }
    }

    /// How many artifacts lie in memory of the host's.
    #[cfg(all(test, target_os = "linux", target_arch = "x86_64"))]
    pub(crate) fn images(&self) -> usize {
        self.images.count()
    }
}

impl Deref for Engine {
    type Target = wasmtime::Engine;

    fn deref(&self) -> &wasmtime::Engine {
        &self.engine
    }
}
