use crate::{Class, Function, HostApi, Text, TypeList};

/// [`Plugin::flags`]: the strings that the plugin gives back are UTF-8 for certain, and the host need not look.
/// A language whose strings can be nothing else sets it.
pub const UTF8: u32 = 1;

/// What a native plugin is: one table, valid as long as the library is loaded.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Plugin {
    /// [`ABI_MAJOR`](crate::ABI_MAJOR) of the contract that it was built for.
    pub abi_major: u32,
    /// [`ABI_MINOR`](crate::ABI_MINOR) of the contract that it was built for.
    pub abi_minor: u32,
    /// How many bytes of this table are there: later contracts add fields at its end.
    pub size: usize,
    /// The plugin's name, as in its manifest.
    pub name: Text,
    /// The plugin's semantic version, as in its manifest.
    pub version: Text,
    /// 1 if a panic unwinds, or if the language has no such thing; 0 if it ends the process.
    pub unwind: u32,
    /// The distance in bytes from one function to the next: the size of [`Function`], or of a later one.
    pub function_size: u32,
    /// How many functions there are.
    pub function_count: usize,
    /// The functions.
    pub functions: *const Function,
    /// Called once, before any function: gives the plugin what the host offers, valid for good. Gives back a
    /// [`Status`](crate::Status); everything but 0 refuses to be loaded.
    pub attach: unsafe extern "C" fn(host: *const HostApi) -> i32,

    /// Since 1.1: [`UTF8`] or 0.
    pub flags: u32,
    /// Since 1.1: the distance in bytes from one class to the next: the size of [`Class`], or of a later one.
    pub class_size: u32,
    /// Since 1.1: how many classes there are.
    pub class_count: usize,
    /// Since 1.1: the classes of handles that signatures name.
    pub classes: *const Class,
    /// Since 1.1: how many lists of types there are.
    pub type_list_count: usize,
    /// Since 1.1: lists of the structs and enums that signatures name. A type may be in several.
    pub type_lists: *const TypeList,
    /// Since 1.1: called once, after `attach`, with the plugin's settings: an encoded map, valid during the
    /// call. Gives back a [`Status`](crate::Status), and a message in `out` as a function does; everything but 0
    /// refuses to be loaded.
    pub init: Option<unsafe extern "C" fn(config: *const u8, len: usize, out: *mut u64) -> i32>,
    /// Since 1.1: called once, when nothing of the plugin is in use any more. Status and message are those of
    /// `init`.
    pub shutdown: Option<unsafe extern "C" fn(out: *mut u64) -> i32>,
    /// Since 1.1: if it is there, what results and messages point at is the plugin's own memory: the host copies
    /// it, or keeps it for as long as it needs it, and then calls this once, from any thread, with the pointer,
    /// the capacity in bytes and the alignment of its type. Not called for a capacity of 0. Without it that
    /// memory comes from [`HostApi::alloc`].
    pub release: Option<unsafe extern "C" fn(ptr: *mut u8, size: usize, align: usize)>,
}

// SAFETY: the table and what it points at are never changed.
unsafe impl Send for Plugin {}
// SAFETY: as above.
unsafe impl Sync for Plugin {}

/// The size of [`Plugin`] in contract 1.0: the least that a table has.
pub const PLUGIN_SIZE_1_0: usize = std::mem::offset_of!(Plugin, flags);
