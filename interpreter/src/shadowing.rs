//! Plugins that another one stands in front of.

use caraway_loaders_core::discover::Catalog;
use caraway_loaders_core::{Code, Error, Location};
use std::path::PathBuf;

/// An error for each plugin that is not used because one of the same name and version was found before.
pub(crate) fn shadowed(catalog: &Catalog) -> Vec<Error> {
    let describe = |shadowed: &caraway_loaders_core::discover::Shadowed| {
        let manifest = &shadowed.plugin.manifest;
        let place: PathBuf = match manifest.file() {
            file if file.as_os_str().is_empty() => shadowed.plugin.root.clone(),
            file => file.to_owned(),
        };
        Error::new(
            Code::Unavailable,
            format!("{} is shadowed by the one in {}", shadowed.plugin.id(), shadowed.by.root.display()),
        )
        .at(Location::file(place))
        .hint("remove one of them, or give them different versions")
    };
    catalog.shadowed.iter().map(describe).collect()
}
