//! The files that a script plugin is made of.

use crate::loader::script_of;
use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::loader::PluginFile;
use caraway_loaders_core::{Code, Error, Location};
use std::path::PathBuf;

/// How deep folders are looked into; files cannot import each other through deeper ones in earnest.
const MAX_DEPTH: usize = 16;

/// How many scripts a plugin can have.
const MAX_FILES: usize = 10_000;

/// What cargo puts into the folder that it builds in (the Cache Directory Tagging Specification).
const CACHE_TAG: &str = "CACHEDIR.TAG";

/// The entry point and all other scripts below the plugin's folder, any of which it may import. Hidden folders,
/// folders of caches (cargo's `target`) and links to folders are passed over.
///
/// # Errors
///
/// [`Code::EntryPoint`] for an entry point that is not there, [`Code::Io`] for a folder that cannot be read,
/// [`Code::Limit`] for more than 10,000 scripts.
pub fn script_files(plugin: &Plugin) -> Result<Vec<PluginFile>, Error> {
    let entrypoint = script_of(&plugin.manifest);
    plugin.file(entrypoint)?;
    let mut files = vec![PluginFile::portable(entrypoint)];
    collect(plugin, PathBuf::new(), 0, &mut files)?;
    files.sort();
    files.dedup();
    Ok(files)
}

fn collect(plugin: &Plugin, folder: PathBuf, depth: usize, files: &mut Vec<PluginFile>) -> Result<(), Error> {
    let path = plugin.root.join(&folder);
    let unreadable = |error: std::io::Error| Error::io(&path, "read", &error);
    for entry in std::fs::read_dir(&path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = PathBuf::from(entry.file_name());
        if name.as_os_str().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let inner = folder.join(&name);
        if entry.file_type().map_err(unreadable)?.is_dir() {
            if depth < MAX_DEPTH && !entry.path().join(CACHE_TAG).exists() {
                collect(plugin, inner, depth + 1, files)?;
            }
        } else if name.extension().is_some_and(|extension| extension == "rhai") && plugin.file(&inner).is_ok()
        {
            files.push(PluginFile::portable(inner));
            if files.len() > MAX_FILES {
                return Err(Error::new(
                    Code::Limit,
                    format!("`{}` has more than {MAX_FILES} scripts", plugin.manifest.name),
                )
                .at(Location::file(&plugin.root)));
            }
        }
    }
    Ok(())
}
