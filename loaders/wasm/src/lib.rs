//! Loads WebAssembly: components and core modules.
//!
//! A component in any language is a plugin: its own WIT types are its signatures, read when it is loaded. It
//! runs in a store of its own, under limits of memory and time, and reaches what both keys open.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `loader` | the [`Loader`](caraway_loaders_core::loader::Loader): what a manifest may say, loading |
//! | `machine` | what all components of a loader share: wasmtime's engine, the linker |
//! | `clock` | what makes running guests look at their limits |
//! | `compile`, `artifact`, `cache` | from bytes to code, and keeping it |
//! | `engine` | wasmtime's engine, and the memory that it runs code of the cache from |
//! | `reflect` | exports to signatures |
//! | `shape` | WIT types, and what each is in a script |
//! | `abi` | calls by a plan, between a script's values and the guest's memory |
//! | `lower`, `lift` | arguments to WIT values and results back, for what has no plan |
//! | `resource` | resources that scripts hold |
//! | `keeper`, `seat` | one plugin's store, and who is in it |
//! | `instance` | calls into a component |
//! | `shim` | a shorter way into functions of a few scalars |
//! | `module` | core modules, which are no components and know numbers only |
//! | `imports`, `services`, `dependency` | what a component may import: the host's services, other plugins' functions |
//! | `wasi`, `memory`, `fault` | what a guest can reach, how much it can use, how it can fail |
//! | `note` | what a loader says of its work |
//!
//! Without the feature `compiler`, which is on by default, components are only loaded that are in the [`Cache`],
//! put there by a loader with a compiler: the compiler is the larger part of this crate's code. With the feature
//! `http`, which is off by default, components make requests through `wasi:http`.

mod abi;
mod artifact;
mod cache;
mod clock;
#[cfg(feature = "compiler")]
mod compile;
mod dependency;
mod docs;
mod engine;
mod fault;
mod imports;
mod instance;
mod keeper;
mod lift;
mod loader;
mod lower;
mod machine;
mod memory;
mod module;
mod note;
mod reflect;
mod resource;
mod seat;
mod services;
mod shape;
mod shim;
mod wasi;

pub use cache::Cache;
pub use clock::{Busy, Clock};
pub use engine::Engine;
pub use loader::WasmLoader;
#[cfg(feature = "compiler")]
pub use machine::module;
pub use note::Note;
