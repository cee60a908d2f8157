//! A plugin by its folder.

use crate::runtime::Runtime;
#[cfg(feature = "cli")]
use caraway_loaders_core::Location;
#[cfg(feature = "cli")]
use caraway_loaders_core::discover::is_manifest;
use caraway_loaders_core::discover::{Origin, Plugin, SearchPath, discover, has_manifest};
use caraway_loaders_core::loader::Loader;
use caraway_loaders_core::{Code, Error};
#[cfg(feature = "cli")]
use std::ffi::OsStr;
use std::path::Path;
#[cfg(feature = "cli")]
use std::path::{MAIN_SEPARATOR, PathBuf};
use std::sync::Arc;

/// The plugin that a folder is.
///
/// # Errors
///
/// Its manifest is missing or wrong.
pub(crate) fn plugin_of(folder: &Path, loaders: &[Arc<dyn Loader>]) -> Result<Arc<Plugin>, Error> {
    let catalog = discover(&[SearchPath::explicit(folder, "DIR")], loaders);
    let found = catalog.plugins.iter().filter(|plugin| plugin.origin != Origin::BuiltIn);
    let mut own = found.clone().filter(|plugin| plugin.root == folder);
    if let (Some(plugin), None) = (own.next(), own.next()) {
        return Ok(plugin.clone());
    }
    let inside: Vec<String> = found.map(|plugin| plugin.root.display().to_string()).collect();
    if (inside.is_empty() || has_manifest(folder))
        && let Some(error) = Error::from_many(catalog.errors)
    {
        return Err(error);
    }
    let message = format!("{} is no plugin: it has no manifest", folder.display());
    Err(Error::new(Code::EntryPoint, message).hint(match inside.as_slice() {
        [] => {
            "write a plugin.toml with `name`, `version` and `type`; `caraway new` begins a plugin".to_owned()
        }
        inside => format!("there are plugins in it: {}", inside.join(", ")),
    }))
}

/// The runtime with the plugin of a folder, and those beside it, in its search paths; and the plugin.
///
/// # Errors
///
/// As [`plugin_of`].
pub(crate) fn at_home(runtime: &Runtime, folder: &Path) -> Result<(Runtime, Arc<Plugin>), Error> {
    let plugin = plugin_of(folder, runtime.loaders())?;
    Ok((with_neighbours(runtime, folder), plugin))
}

/// The runtime with what is in a folder, and beside it, in its search paths: what a plugin was written with.
pub(crate) fn with_neighbours(runtime: &Runtime, folder: &Path) -> Runtime {
    let beside = std::path::absolute(folder).ok().and_then(|path| path.parent().map(Path::to_owned));
    runtime.with(|settings| {
        settings.search.given.insert(0, folder.to_owned());
        settings.search.given.extend(beside);
    })
}

/// An import of this version of a plugin and no other.
pub(crate) fn exactly(plugin: &Plugin) -> String {
    format!("{}@={}", plugin.manifest.name, plugin.manifest.version)
}

/// The folder that a path means: itself, or the one that it is the manifest of.
///
/// # Errors
///
/// [`Code::Io`] for a path that cannot be read, [`Code::EntryPoint`] for a file that is no manifest.
#[cfg(feature = "cli")]
pub(crate) fn folder_of(path: &Path) -> Result<PathBuf, Error> {
    let metadata = path.metadata().map_err(|error| Error::io(path, "read", &error))?;
    if metadata.is_dir() {
        return Ok(path.to_owned());
    }
    let manifest = path.file_name().and_then(OsStr::to_str).is_some_and(is_manifest);
    match path.parent() {
        Some(parent) if manifest && parent.as_os_str().is_empty() => Ok(PathBuf::from(".")),
        Some(parent) if manifest => Ok(parent.to_owned()),
        _ => Err(Error::new(Code::EntryPoint, "this is no manifest")
            .at(Location::file(path))
            .hint("name a plugin.json, a plugin.toml, or the folder that it is in")),
    }
}

/// The folder that a text means, where it could be a plugin's name: one that looks like a path or has a manifest, or
/// that of a manifest.
#[cfg(feature = "cli")]
pub(crate) fn meant_folder(text: &str) -> Option<PathBuf> {
    let path = Path::new(text);
    let looks = text.contains(MAIN_SEPARATOR) || text.starts_with('.');
    folder_of(path).ok().filter(|folder| looks || has_manifest(folder))
}

/// The import of the plugin that a text means, by its folder, its manifest or its name, and a runtime that finds it.
///
/// # Errors
///
/// As [`plugin_of`], for a folder.
#[cfg(feature = "cli")]
pub(crate) fn meant(runtime: &Runtime, text: &str) -> Result<(Runtime, String), Error> {
    Ok(match meant_folder(text) {
        Some(folder) => {
            let (runtime, plugin) = at_home(runtime, &folder)?;
            (runtime, exactly(&plugin))
        }
        None => (runtime.clone(), text.to_owned()),
    })
}
