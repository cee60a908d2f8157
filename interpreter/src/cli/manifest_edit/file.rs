//! A manifest's file, read and replaced.

use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::{Code, Error, Location};
use std::path::PathBuf;

/// The text of a plugin's manifest.
///
/// # Errors
///
/// [`Code::Io`] if it cannot be read, or is a link out of the plugin's folder.
pub(super) fn read(plugin: &Plugin) -> Result<String, Error> {
    let file = real(plugin)?;
    std::fs::read_to_string(&file).map_err(|error| Error::io(plugin.manifest.file(), "read", &error))
}

/// Puts a text in the place of a plugin's manifest: whoever reads it sees the old one or the new one.
///
/// # Errors
///
/// [`Code::Io`] if the file must not be written, is a link out of the plugin's folder, or the disk is full.
pub(super) fn replace(plugin: &Plugin, text: &str) -> Result<(), Error> {
    crate::replace::replace(&real(plugin)?, text.as_bytes())
}

/// The file itself, behind links that stay in the plugin's folder.
fn real(plugin: &Plugin) -> Result<PathBuf, Error> {
    let manifest = plugin.manifest.file();
    let unreadable = |error: std::io::Error| Error::io(manifest, "read", &error);
    let file = manifest.canonicalize().map_err(unreadable)?;
    if !file.starts_with(plugin.root.canonicalize().map_err(unreadable)?) {
        let message = "the manifest is a link that leads out of the plugin's folder";
        return Err(Error::new(Code::Io, message)
            .at(Location::file(manifest))
            .hint("put the file itself into the folder"));
    }
    Ok(file)
}
