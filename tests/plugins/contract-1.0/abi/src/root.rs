//! The abi_stable envelope.

use crate::Plugin;
use abi_stable::StableAbi;
use abi_stable::library::{CheckTypeLayout, RootModule, RootModuleError, RootModuleResult};
use abi_stable::package_version_strings;
use abi_stable::prefix_type::{PrefixRefTrait, PrefixTypeTrait};
use abi_stable::sabi_types::VersionStrings;
use abi_stable::std_types::RResult;

pub use abi_stable::library::LibHeader;

/// The symbol that a plugin's [`LibHeader`] is exported as.
pub const ROOT_SYMBOL: &str = "_1as_0lib_1header_0root_bmodule_bloader";

/// abi_stable's root module: no more than a reference to the table.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = RootRef, prefix_fields = RootPrefix)))]
#[sabi(missing_field(panic))]
pub struct Root {
    /// The plugin's table.
    #[sabi(last_prefix_field)]
    pub plugin: &'static Plugin,
}

impl RootModule for RootRef {
    abi_stable::declare_root_module_statics! {RootRef}

    const BASE_NAME: &'static str = "caraway_plugin";
    const NAME: &'static str = "caraway_plugin";
    const VERSION_STRINGS: VersionStrings = package_version_strings!();
}

/// A plugin's crate, for [`header`].
pub trait Export {
    /// The plugin's table.
    fn plugin() -> &'static Plugin;
}

/// The header to be exported as [`ROOT_SYMBOL`].
///
/// ```
/// use caraway_abi::{Export, LibHeader, Plugin};
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
/// static HEADER: LibHeader = caraway_abi::header::<Crate>();
/// ```
pub const fn header<E: Export>() -> LibHeader {
    // SAFETY: `root` gives back a `RootRef`.
    unsafe { LibHeader::from_constructor::<RootRef>(root::<E>, CheckTypeLayout::Yes) }
}

extern "C" fn root<E: Export>() -> RootModuleResult {
    match std::panic::catch_unwind(|| Root { plugin: E::plugin() }.leak_into_prefix()) {
        // SAFETY: the type is erased only on its way through the header, which restores it.
        Ok(root) => RResult::ROk(unsafe { root.to_prefix_ref().cast() }),
        Err(_) => RResult::RErr(RootModuleError::Unwound),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_symbol_is_the_one_of_abi_stable() {
        assert_eq!(ROOT_SYMBOL, abi_stable::library::ROOT_MODULE_LOADER_NAME);
    }

    #[test]
    fn the_version_is_the_contract_s() {
        let version = RootRef::VERSION_STRINGS.parsed().unwrap();
        assert_eq!((version.major, version.minor), (crate::ABI_MAJOR, crate::ABI_MINOR));
    }
}
