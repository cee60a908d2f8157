//! Loads WebAssembly components.
//!
//! A component in any language is a plugin: its own WIT types are its signatures, read when it is loaded. It
//! runs in a store of its own, under limits of memory and time, and reaches what both keys open.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `loader` | the [`Loader`](caraway_loaders_core::loader::Loader): what a manifest may say, loading |
//! | `machine` | what all components of a loader share: wasmtime's engine, the linker, the clock |
//! | `reflect` | exports to signatures |
//! | `shape` | WIT types, and what each is in a script |
//! | `lower`, `lift` | arguments to WIT values, results back |
//! | `direct` | the same without a detour, for common signatures |
//! | `instance` | one plugin's store, and calls into it |
//! | `imports`, `services`, `dependency` | what a component may import: the host's services, other plugins' functions |
//! | `wasi`, `memory`, `fault` | what a guest can reach, how much it can use, how it can fail |

mod dependency;
mod direct;
mod fault;
mod imports;
mod instance;
mod lift;
mod loader;
mod lower;
mod machine;
mod memory;
mod reflect;
mod services;
mod shape;
mod wasi;

pub use loader::WasmLoader;
