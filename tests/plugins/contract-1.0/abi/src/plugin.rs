use crate::{HostApi, Text};
use abi_stable::StableAbi;

/// What a native plugin is: one table, valid as long as the library is loaded.
#[repr(C)]
#[derive(StableAbi, Debug)]
pub struct Plugin {
    /// [`ABI_MAJOR`](crate::ABI_MAJOR) of the contract that it was built for.
    pub abi_major: u32,
    /// [`ABI_MINOR`](crate::ABI_MINOR) of the contract that it was built for.
    pub abi_minor: u32,
    /// How many bytes of this table, or of a later one that begins with it, are there.
    pub size: usize,
    /// The plugin's name, as in its manifest.
    pub name: Text,
    /// The plugin's semantic version, as in its manifest.
    pub version: Text,
    /// 1 if a panic unwinds, or if the language has no such thing; 0 if it ends the process.
    pub unwind: u32,
    /// The distance in bytes from one function to the next: the size of [`Function`], or of a later struct
    /// that begins with it.
    pub function_size: u32,
    /// How many functions there are.
    pub function_count: usize,
    /// The functions.
    pub functions: *const Function,
    /// Called once, before any function: gives the plugin what the host offers, valid for good. Gives back a
    /// [`Status`](crate::Status); everything but 0 refuses to be loaded.
    pub attach: unsafe extern "C" fn(host: *const HostApi) -> i32,
}

// SAFETY: the table and what it points at are never changed.
unsafe impl Send for Plugin {}
// SAFETY: as above.
unsafe impl Sync for Plugin {}

/// A function of a plugin.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy)]
pub struct Function {
    /// Its name, parameters and result: `mean(xs: array<float>) -> float`; in a submodule `api::mid(...)`.
    pub signature: Text,
    /// What it does, for people; may be empty.
    pub doc: Text,
    /// Calls it. `args` are the words of all arguments in order, `out` has room for
    /// [`OUT_WORDS`](crate::OUT_WORDS) words. Gives back a [`Status`](crate::Status). May be called from any
    /// thread, and from several at once.
    pub call: unsafe extern "C" fn(args: *const u64, out: *mut u64) -> i32,
}
