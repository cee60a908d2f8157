//! What wasmtime compiles, and how it is kept.

#[cfg(feature = "compiler")]
use crate::compile::Compiler;
#[cfg(feature = "compiler")]
use crate::machine::Machine;
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

    /// What is taken back.
    #[cfg(feature = "compiler")]
    fn serialize(&self) -> Result<Vec<u8>>;

    /// Takes back what another engine may have compiled, and runs it where it lies; an engine that differs is an
    /// error.
    ///
    /// # Safety
    ///
    /// The bytes are what `serialize` gave. They begin with a page and stay as they are until the engine's
    /// [`CustomCodeMemory`](wasmtime::CustomCodeMemory), which it has to have, is told that the code is no longer needed.
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    unsafe fn from_memory(engine: &Engine, bytes: std::ptr::NonNull<[u8]>) -> Result<Self>;

    /// Takes back a copy of what another engine may have compiled; an engine that differs is an error.
    ///
    /// # Safety
    ///
    /// The bytes are what `serialize` gave.
    #[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
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

            #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
            unsafe fn from_memory(engine: &Engine, bytes: std::ptr::NonNull<[u8]>) -> Result<Self> {
                // SAFETY: the caller's promise is the one that wasmtime asks for.
                unsafe { $type::deserialize_raw(engine, bytes) }
            }

            #[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
            unsafe fn from_bytes(engine: &Engine, bytes: &[u8]) -> Result<Self> {
                // SAFETY: the caller's promise is the one that wasmtime asks for.
                unsafe { $type::deserialize(engine, bytes) }
            }
        }
    };
}

artifact!(Component, "component", components, crate::shim::compile);
artifact!(Module, "module", modules, Module::from_binary);
