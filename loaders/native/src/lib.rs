//! Loads native plugins: shared libraries that run in the host's process.
//!
//! Nothing holds native code back, so it is the operator's grant that decides, and what a manifest would have
//! enforced (`sandbox`, time, memory) is refused. What the loader does see to is that a file which is no
//! plugin, or not of this host's contract, is an error before any of its code runs, and that what was checked
//! is what is loaded:
//!
//! 1. [`target`] finds the library for this target in the manifest.
//! 2. The file is read once; `elf` looks at its headers and symbols; `image` puts the bytes where nobody can
//!    change them.
//! 3. [`library`] opens that copy, for good, and checks the plugin's contract and table.
//! 4. [`agree`] compares the functions with those of the manifest.
//! 5. [`function`] makes one closure for each, for just its signature: on the way of a call nothing is looked
//!    up, and for scalars nothing is allocated.

pub mod agree;
mod argument;
mod elf;
pub mod function;
mod host;
mod image;
pub mod library;
mod loader;
mod outcome;
pub mod target;

pub use function::Function;
pub use library::Library;
pub use loader::NativeLoader;
