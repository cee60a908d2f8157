//! Libraries of contract 1.0, whose table abi_stable wraps.

use crate::opening::Opening;
use abi_stable::library::{LibraryError, RootModule, RootModuleError, lib_header_from_path};
use caraway_abi::Plugin;
use caraway_abi::envelope::RootRef;
use caraway_loaders_core::Error;
use std::path::Path;

/// The table of the library that was opened by this path, if abi_stable vouches for its layout.
pub(crate) fn table(opening: &Opening<'_>, path: &Path) -> Result<*const Plugin, Error> {
    let header = lib_header_from_path(path).map_err(|error| match error {
        LibraryError::InvalidAbiHeader(found) => opening.incompatible(&format!(
            "was built with abi_stable {}.{}, which this host does not speak",
            found.abi_major, found.abi_minor
        )),
        LibraryError::GetSymbolError { .. } => opening.no_plugin(),
        _ => opening.refused("exports a header that abi_stable does not accept").hint("build it again"),
    })?;
    // Before the layouts are compared: what that says fills pages.
    let (ours, theirs) = (RootRef::VERSION_STRINGS, header.version_strings());
    match (ours.parsed(), theirs.parsed()) {
        (Ok(ours), Ok(theirs)) if ours.major == theirs.major => {}
        (_, Ok(theirs)) => return Err(opening.contract(&theirs.to_string())),
        (_, Err(_)) => return Err(opening.refused("names a version of the plugin contract that is none")),
    }
    match header.init_root_module::<RootRef>() {
        // The envelope's table is one of 1.0 or later.
        Ok(root) => Ok(std::ptr::from_ref(root.plugin()).cast()),
        Err(LibraryError::RootModule { err: RootModuleError::Unwound, .. }) => {
            Err(opening.refused("panicked while it listed its functions"))
        }
        Err(_) => Err(opening
            .refused("is not laid out as its own version of the plugin contract says")
            .hint("build it again, from clean sources")),
    }
}
