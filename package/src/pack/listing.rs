//! What of a plugin's folder ships.

use super::walk::walk;
use crate::archive::Limits;
use crate::archive::names::{Names, Shape};
use crate::plugin::plugin_in;
use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::loader::Loader;
use caraway_loaders_core::{Code, Error, Location};
use rustix::fs::OFlags;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file that ships.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedFile {
    /// Its path in the plugin's folder, with `/` between its names.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// Whether its owner may execute it.
    pub executable: bool,
}

/// The files of a plugin's folder that ship, sorted by their paths.
///
/// All but hidden files, those that the folder's own `.gitignore` files name, `target`, `node_modules` and
/// `__pycache__` folders, and archives of the plugin beside its manifest. The manifest and what the plugin is loaded from
/// ([`Loader::files`]) ship in any case; of several binaries, those that exist.
///
/// # Errors
///
/// [`Code::EntryPoint`] if the entry point is missing, or for a link or special file among what ships;
/// [`Code::ArchiveRefused`] for names that are refused when an archive is read, or for too many files; what
/// [`plugin_in`] says of the manifest; [`Code::Io`].
pub fn listing(folder: &Path, loaders: &[Arc<dyn Loader>]) -> Result<Vec<PackedFile>, Error> {
    let plugin = plugin_in(folder, loaders)?;
    files_of(&plugin, loaders)
}

/// As [`listing`], of a plugin that was found.
pub(crate) fn files_of(plugin: &Plugin, loaders: &[Arc<dyn Loader>]) -> Result<Vec<PackedFile>, Error> {
    let root = &plugin.root;
    let Limits { entries, unpacked_bytes, .. } = Limits::default();
    let mut paths = walk(plugin)?;
    paths.extend(always(plugin, loaders)?);
    let mut names = Names::default();
    let mut files = Vec::with_capacity(paths.len());
    let mut bytes: u64 = 0;
    for path in paths {
        let shown = root.join(&path);
        let text = path.to_str().ok_or_else(|| bad_name(&shown, "has a name that is not UTF-8"))?;
        names.add(text, Shape::File).map_err(|refusal| bad_name(&shown, &refusal.to_string()))?;
        if names.len() > entries {
            return Err(too_much(plugin, &format!("more than {entries} files and folders")));
        }
        no_links(root, &path)?;
        let metadata = fs::symlink_metadata(&shown).map_err(|error| Error::io(&shown, "read", &error))?;
        bytes = bytes.saturating_add(metadata.len());
        if bytes > unpacked_bytes {
            return Err(too_much(plugin, &format!("more than {unpacked_bytes} bytes")));
        }
        files.push(PackedFile {
            path: text.to_owned(),
            size: metadata.len(),
            executable: metadata.mode() & 0o100 != 0,
        });
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn bad_name(path: &Path, why: &str) -> Error {
    Error::new(Code::ArchiveRefused, format!("{} {why}, and no archive may hold it", path.display()))
        .at(Location::file(path))
        .hint("rename it, or list it in the plugin's .gitignore")
}

/// The error for a folder with more than an archive may hold.
pub(super) fn too_much(plugin: &Plugin, what: &str) -> Error {
    Error::new(Code::ArchiveRefused, format!("`{}` has {what}, and no archive may", plugin.manifest.name))
        .at(Location::file(&plugin.root))
        .hint("list what does not belong to the plugin in its .gitignore")
}

/// What ships in any case: the manifest, and what the plugin is loaded from. Of binaries for several targets some may
/// be missing.
fn always(plugin: &Plugin, loaders: &[Arc<dyn Loader>]) -> Result<Vec<PathBuf>, Error> {
    let manifest = &plugin.manifest;
    let root = &plugin.root;
    let mut always = Vec::new();
    always.extend(
        manifest.file().strip_prefix(root).ok().map(Path::to_owned).filter(|p| !p.as_os_str().is_empty()),
    );
    let exists = |path: &Path| root.join(path).symlink_metadata().is_ok();
    let hinted = |error: Error| match error.hint_text() {
        None => error.hint(format!("build it first: `caraway build {}`", root.display())),
        Some(_) => error,
    };
    let files = match loaders.iter().find(|loader| loader.kind() == manifest.kind) {
        Some(loader) => loader.files(plugin).map_err(hinted)?,
        None => Vec::new(),
    };
    let some_binary = files.iter().any(|file| file.target.is_some() && exists(&file.path));
    for file in files {
        if file.target.is_some() && some_binary && !exists(&file.path) {
            continue;
        }
        plugin.file(&file.path).map_err(hinted)?;
        always.push(file.path);
    }
    Ok(always)
}

/// Refuses a path that is no regular file or goes through a link.
fn no_links(root: &Path, path: &Path) -> Result<(), Error> {
    let mut shown = root.to_owned();
    let refuse = |shown: &Path, what: &str| {
        Err(Error::new(Code::EntryPoint, format!("{} is {what}, which cannot be shipped", shown.display()))
            .at(Location::file(shown))
            .hint("put the file itself there, or list it in the plugin's .gitignore"))
    };
    let mut names = path.iter().peekable();
    while let Some(name) = names.next() {
        shown.push(name);
        let kind =
            fs::symlink_metadata(&shown).map_err(|error| Error::io(&shown, "read", &error))?.file_type();
        if kind.is_symlink() {
            return refuse(&shown, "a symbolic link");
        }
        if names.peek().is_none() && !kind.is_file() {
            return refuse(&shown, if kind.is_dir() { "a folder" } else { "no regular file" });
        }
    }
    Ok(())
}

/// Opens a file that ships, which must be as it was listed.
pub(crate) fn open(root: &Path, file: &PackedFile) -> Result<File, Error> {
    let path = root.join(&file.path);
    let unreadable = |error| Error::io(&path, "read", &error);
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    let flags = i32::try_from(flags).unwrap_or(0);
    let opened = OpenOptions::new().read(true).custom_flags(flags).open(&path).map_err(unreadable)?;
    let metadata = opened.metadata().map_err(unreadable)?;
    if !metadata.is_file() || metadata.len() != file.size {
        return Err(changed(&path));
    }
    Ok(opened)
}

/// The error for a file that is another one than it was a moment ago.
pub(crate) fn changed(path: &Path) -> Error {
    Error::new(Code::Io, format!("{} changed while it was read", path.display()))
        .at(Location::file(path))
        .hint("wait until whatever writes to the plugin's folder is done, and try again")
}
