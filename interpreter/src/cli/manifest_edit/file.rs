//! A manifest's file, read and replaced.

use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::{Code, Error, Location};
use std::io::Write;
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

/// Puts a text in the place of a plugin's manifest: whoever reads it sees the old one or the new one. A link
/// stays one.
///
/// # Errors
///
/// [`Code::Io`] if the file must not be written, is a link out of the plugin's folder, or the disk is full.
pub(super) fn replace(plugin: &Plugin, text: &str) -> Result<(), Error> {
    let unwritable = |error: &std::io::Error| Error::io(plugin.manifest.file(), "write", error);
    let file = real(plugin)?;
    // A file that is read-only could be replaced all the same.
    let old = std::fs::OpenOptions::new().write(true).open(&file).map_err(|error| unwritable(&error))?;
    let permissions = old.metadata().map_err(|error| unwritable(&error))?.permissions();
    let folder = file.parent().unwrap_or(&plugin.root);
    let write = || {
        let mut new = tempfile::Builder::new().prefix(".plugin").tempfile_in(folder)?;
        new.write_all(text.as_bytes())?;
        new.as_file().set_permissions(permissions)?;
        new.as_file().sync_all()?;
        new.persist(&file)?;
        Ok(())
    };
    write().map_err(|error| unwritable(&error))
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
