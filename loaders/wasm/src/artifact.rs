//! What wasmtime compiles, and how it is kept.

#[cfg(feature = "compiler")]
use crate::compile::Compiler;
#[cfg(feature = "compiler")]
use crate::machine::Machine;
use std::path::Path;
use wasmtime::component::Component;
use wasmtime::{Engine, Module, Result};

/// A component or a module, compiled.
pub(crate) trait Artifact: Clone + Send + Sized + 'static {
    /// What it is, for messages.
    #[cfg(feature = "compiler")]
    const WHAT: &'static str;

    /// Where a machine compiles it.
    #[cfg(feature = "compiler")]
    fn compiler(machine: &Machine) -> &Compiler<Self>;

    /// Compiles WebAssembly.
    #[cfg(feature = "compiler")]
    fn compile(engine: &Engine, bytes: &[u8]) -> Result<Self>;

    /// What [`from_file`](Self::from_file) and [`from_bytes`](Self::from_bytes) take back.
    #[cfg(feature = "compiler")]
    fn serialize(&self) -> Result<Vec<u8>>;

    /// Takes back what another engine may have compiled; an engine that differs is an error.
    ///
    /// # Safety
    ///
    /// The file is what `serialize` gave, and does not change as long as the artifact lives.
    unsafe fn from_file(engine: &Engine, path: &Path) -> Result<Self>;

    /// The same, from a copy of `bytes`.
    ///
    /// # Safety
    ///
    /// The bytes are what `serialize` gave.
    unsafe fn from_bytes(engine: &Engine, bytes: &[u8]) -> Result<Self>;
}

macro_rules! artifact {
    ($type:ident, $what:literal, $compiler:ident, $compile:path) => {
        impl Artifact for $type {
            #[cfg(feature = "compiler")]
            const WHAT: &'static str = $what;

            #[cfg(feature = "compiler")]
            fn compiler(machine: &Machine) -> &Compiler<Self> {
                &machine.$compiler
            }

            #[cfg(feature = "compiler")]
            fn compile(engine: &Engine, bytes: &[u8]) -> Result<Self> {
                $compile(engine, bytes)
            }

            #[cfg(feature = "compiler")]
            fn serialize(&self) -> Result<Vec<u8>> {
                $type::serialize(self)
            }

            unsafe fn from_file(engine: &Engine, path: &Path) -> Result<Self> {
                // SAFETY: the caller's promise is the one that wasmtime asks for.
                unsafe { $type::deserialize_file(engine, path) }
            }

            unsafe fn from_bytes(engine: &Engine, bytes: &[u8]) -> Result<Self> {
                // SAFETY: as above.
                unsafe { $type::deserialize(engine, bytes) }
            }
        }
    };
}

artifact!(Component, "component", components, crate::shim::compile);
artifact!(Module, "module", modules, Module::from_binary);
