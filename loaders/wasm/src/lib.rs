//! Loads WebAssembly components.
//!
//! A component in any language is a plugin: its own WIT types are its signatures, read when it is loaded. It
//! runs in a store of its own, under limits of memory and time, with WASI that grants nothing.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `loader` | the [`Loader`](caraway_loaders_core::loader::Loader): what a manifest may say, loading |
//! | `machine` | what all components of a loader share: wasmtime's engine, the linker, the clock |
//! | `reflect` | exports to signatures |
//! | `shape` | WIT types, and what each is in a script |
//! | `abi` | calls by a plan, between a script's values and the guest's memory |
//! | `lower`, `lift` | arguments to WIT values and results back, for what has no plan |
//! | `resource` | resources that scripts hold |
//! | `instance` | one plugin's store, and calls into it |
//! | `wasi`, `memory`, `fault` | what a guest can reach, how much it can use, how it can fail |

mod abi;
mod fault;
mod instance;
mod lift;
mod loader;
mod lower;
mod machine;
mod memory;
mod reflect;
mod resource;
mod shape;
mod wasi;

pub use loader::WasmLoader;
