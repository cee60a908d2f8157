//! abi_stable's envelope around the table of contract 1.0.
//!
//! Plugins were found by it before there was [`SYMBOL`](crate::SYMBOL). Nothing here ever changes: abi_stable
//! compares these types, by name and field, with those that a plugin was built with.

use crate::Text;
use abi_stable::StableAbi;
use abi_stable::library::{CheckTypeLayout, RootModule, RootModuleError, RootModuleResult};
use abi_stable::prefix_type::{PrefixRefTrait, PrefixTypeTrait};
use abi_stable::sabi_types::VersionStrings;
use abi_stable::std_types::RResult;

pub use abi_stable::library::LibHeader;

/// The symbol that a plugin's [`LibHeader`] is exported as.
pub const ROOT_SYMBOL: &str = "_1as_0lib_1header_0root_bmodule_bloader";

/// [`HostApi`](crate::HostApi) as contract 1.0 had it.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy)]
#[allow(missing_docs)] // Those of the type that it became.
pub struct HostApi {
    pub size: usize,
    pub alloc: unsafe extern "C" fn(size: usize, align: usize) -> *mut u8,
    pub free: unsafe extern "C" fn(ptr: *mut u8, size: usize, align: usize),
}

/// [`Plugin`](crate::Plugin) as contract 1.0 had it.
#[repr(C)]
#[derive(StableAbi, Debug)]
#[allow(missing_docs)] // As above.
pub struct Plugin {
    pub abi_major: u32,
    pub abi_minor: u32,
    pub size: usize,
    pub name: Text,
    pub version: Text,
    pub unwind: u32,
    pub function_size: u32,
    pub function_count: usize,
    pub functions: *const Function,
    pub attach: unsafe extern "C" fn(host: *const HostApi) -> i32,
}

// SAFETY: the table and what it points at are never changed.
unsafe impl Send for Plugin {}
// SAFETY: as above.
unsafe impl Sync for Plugin {}

/// [`Function`](crate::Function) as contract 1.0 had it.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy)]
#[allow(missing_docs)] // As above.
pub struct Function {
    pub signature: Text,
    pub doc: Text,
    pub call: unsafe extern "C" fn(args: *const u64, out: *mut u64) -> i32,
}

/// abi_stable's root module: no more than a reference to the table.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = RootRef, prefix_fields = RootPrefix)))]
#[sabi(missing_field(panic))]
pub struct Root {
    /// The plugin's table, which may be a later one that begins as this one does.
    #[sabi(last_prefix_field)]
    pub plugin: &'static Plugin,
}

impl RootModule for RootRef {
    abi_stable::declare_root_module_statics! {RootRef}

    const BASE_NAME: &'static str = "caraway_plugin";
    const NAME: &'static str = "caraway_plugin";
    /// The version of the envelope, not of the table in it.
    const VERSION_STRINGS: VersionStrings = VersionStrings::new("1.0.0");
}

/// A plugin's crate, for [`header`].
pub trait Export {
    /// The plugin's table.
    fn plugin() -> &'static crate::Plugin;
}

/// The header to be exported as [`ROOT_SYMBOL`].
///
/// ```
/// use caraway_abi::Plugin;
/// use caraway_abi::envelope::{self, Export, LibHeader};
///
/// struct Crate;
///
/// impl Export for Crate {
///     fn plugin() -> &'static Plugin {
///         unimplemented!()
///     }
/// }
///
/// #[unsafe(export_name = "_1as_0lib_1header_0root_bmodule_bloader")]
/// static HEADER: LibHeader = envelope::header::<Crate>();
/// ```
pub const fn header<E: Export>() -> LibHeader {
    // SAFETY: `root` gives back a `RootRef`.
    unsafe { LibHeader::from_constructor::<RootRef>(root::<E>, CheckTypeLayout::Yes) }
}

extern "C" fn root<E: Export>() -> RootModuleResult {
    let root = std::panic::catch_unwind(|| {
        let table: *const crate::Plugin = E::plugin();
        // SAFETY: a table begins with the one of 1.0, and so does each of its functions; readers of 1.0 step from
        // one to the next by `function_size`.
        let plugin = unsafe { &*table.cast::<Plugin>() };
        Root { plugin }.leak_into_prefix()
    });
    match root {
        // SAFETY: the type is erased only on its way through the header, which restores it.
        Ok(root) => RResult::ROk(unsafe { root.to_prefix_ref().cast() }),
        Err(_) => RResult::RErr(RootModuleError::Unwound),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::offset_of;

    #[test]
    fn the_symbol_is_the_one_of_abi_stable() {
        assert_eq!(ROOT_SYMBOL, abi_stable::library::ROOT_MODULE_LOADER_NAME);
    }

    #[test]
    fn later_tables_begin_as_these_do() {
        assert_eq!(size_of::<Plugin>(), crate::PLUGIN_SIZE_1_0);
        assert_eq!(size_of::<Function>(), crate::FUNCTION_SIZE_1_0);
        assert_eq!(size_of::<HostApi>(), offset_of!(crate::HostApi, context));
        for (frozen, current) in [
            (offset_of!(Plugin, name), offset_of!(crate::Plugin, name)),
            (offset_of!(Plugin, version), offset_of!(crate::Plugin, version)),
            (offset_of!(Plugin, unwind), offset_of!(crate::Plugin, unwind)),
            (offset_of!(Plugin, function_count), offset_of!(crate::Plugin, function_count)),
            (offset_of!(Plugin, attach), offset_of!(crate::Plugin, attach)),
            (offset_of!(Function, call), offset_of!(crate::Function, call)),
            (offset_of!(HostApi, free), offset_of!(crate::HostApi, free)),
        ] {
            assert_eq!(frozen, current);
        }
    }
}
