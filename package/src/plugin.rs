//! The plugin of a folder.

use caraway_loaders_core::discover::{Origin, Plugin, SearchPath, discover};
use caraway_loaders_core::loader::Loader;
use caraway_loaders_core::{Code, Error, Location};
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// The plugin whose folder this is, with its manifest checked; no code is opened.
///
/// A folder without a manifest is a plugin if it has one file and nothing else, and a loader adopts that: as a folder
/// of a search path it would be found just so.
///
/// # Errors
///
/// Whatever is wrong with the manifest; [`Code::ManifestSyntax`] if the folder is no plugin's;
/// [`Code::Io`] if it cannot be read.
pub fn plugin_in(folder: &Path, loaders: &[Arc<dyn Loader>]) -> Result<Arc<Plugin>, Error> {
    let catalog = discover(&[SearchPath::explicit(folder, "the plugin's folder")], loaders);
    let found =
        catalog.plugins.into_iter().find(|plugin| plugin.origin != Origin::BuiltIn && plugin.root == folder);
    if let Some(plugin) = found {
        if !plugin.manifest.file().as_os_str().is_empty() || shown_names(folder)? == 1 {
            return Ok(plugin);
        }
    } else if let Some(error) = Error::from_many(catalog.errors) {
        return Err(error);
    }
    Err(Error::new(Code::ManifestSyntax, format!("{} is no plugin's folder", folder.display()))
        .at(Location::file(folder))
        .hint("a plugin's folder has a plugin.json or a plugin.toml, or is a single component"))
}

/// How many names of a folder are not hidden.
fn shown_names(folder: &Path) -> Result<usize, Error> {
    let unreadable = |error| Error::io(folder, "read", &error);
    let mut count = 0;
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        if !entry.map_err(unreadable)?.file_name().as_encoded_bytes().starts_with(b".") {
            count += 1;
        }
    }
    Ok(count)
}
