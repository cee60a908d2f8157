//! Loads native plugins: shared libraries that run in the host's process.
//!
//! Nothing holds native code back in this process, so it is the operator's grant that decides, and what a manifest would
//! have enforced (`sandbox`, time, memory) is refused; `loaders/worker` has this loader in processes that are held. What the loader does see to is that a file which is no
//! plugin, or not of this host's contract, is an error before any of its code runs, and that what was checked
//! is what is loaded:
//!
//! 1. [`target`] finds the library for this target in the manifest.
//! 2. The file is read once: `image` puts the bytes where nobody can change them, and `elf` looks there at headers and
//!    symbols, which `pieces` reads.
//! 3. `opening` opens that copy, for good, and finds the table in it; `table` copies and checks what is there.
//!    Plugins of contract 1.0 wrap theirs in an `envelope` of abi_stable, which needs the feature of that name.
//! 4. [`library`] makes sense of it: signatures, and the types and classes that they name.
//! 5. [`agree`] compares both with the manifest.
//! 6. [`instance`] attaches the plugin to the `host` and starts it with its settings; its `life` ends when nothing
//!    of it is in use any more.
//! 7. [`function`] makes one closure for each function, for just its signature: on the way of a call nothing is
//!    looked up, and for scalars nothing is allocated.

pub mod agree;
mod argument;
mod calls;
#[cfg_attr(
    any(not(unix), target_vendor = "apple"),
    allow(dead_code, reason = "libraries of these systems are not looked at before they are opened")
)]
mod elf;
#[cfg(feature = "abi_stable")]
mod envelope;
mod fault;
pub mod function;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod handle;
mod host;
mod image;
pub mod instance;
pub mod library;
mod life;
mod loader;
mod memory;
mod opening;
mod outcome;
#[cfg_attr(
    any(not(unix), target_vendor = "apple"),
    allow(dead_code, reason = "libraries of these systems are not looked at before they are opened")
)]
mod pieces;
mod shape;
mod table;
pub mod target;
#[cfg(any(test, fuzzing))]
mod testing;
mod typed;
mod types;

pub use function::Function;
pub use instance::Instance;
pub use library::Library;
pub use loader::NativeLoader;
