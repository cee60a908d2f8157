//! What a plugin's folder has but what is ignored.

use super::format::PackFormat;
use super::listing::too_much;
use crate::archive::Limits;
use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::{Code, Error, Location};
use ignore::{DirEntry, WalkBuilder};
use semver::Version;
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Folders of what tools make, wherever they are.
const MADE: &[&str] = &["target", "node_modules", "__pycache__"];

/// The file that says what is ignored.
const IGNORE: &str = ".gitignore";

/// Largest such file, in bytes.
const MAX_IGNORE: u64 = 1 << 20;

/// The paths of what is neither hidden nor ignored and is no folder, relative to the plugin's.
pub(super) fn walk(plugin: &Plugin) -> Result<BTreeSet<PathBuf>, Error> {
    let root = &plugin.root;
    check_ignore(root)?;
    let unreadable = Arc::new(Mutex::new(None));
    let found = unreadable.clone();
    let mut walk = WalkBuilder::new(root);
    walk.standard_filters(false).git_ignore(true).require_git(false).filter_entry(move |entry| {
        if entry.depth() == 0 {
            return true;
        }
        let folder = entry.file_type().is_some_and(|kind| kind.is_dir());
        if !is_wanted(entry, folder) {
            return false;
        }
        match check_ignore(entry.path()) {
            Err(error) if folder => {
                found.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                false
            }
            _ => true,
        }
    });
    let most = Limits::default().entries;
    let mut paths = BTreeSet::new();
    for entry in walk.build() {
        let entry = entry.map_err(|error| unwalkable(root, &error))?;
        if let Some(error) = entry.error() {
            return Err(wrong_ignore(entry.path(), &error.to_string()));
        }
        if entry.file_type().is_none_or(|kind| kind.is_dir()) {
            continue;
        }
        let Ok(path) = entry.path().strip_prefix(root) else { continue };
        if is_packed(path, &plugin.manifest.name) {
            continue;
        }
        paths.insert(path.to_owned());
        if paths.len() > most {
            return Err(too_much(plugin, &format!("more than {most} files and folders")));
        }
    }
    match unreadable.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(error) => Err(error),
        None => Ok(paths),
    }
}

fn is_wanted(entry: &DirEntry, folder: bool) -> bool {
    let name = entry.file_name();
    let hidden = name.as_encoded_bytes().starts_with(b".");
    !(hidden || folder && MADE.iter().any(|made| name == *made))
}

/// Refuses a `.gitignore` that reading might never come to the end of.
fn check_ignore(folder: &Path) -> Result<(), Error> {
    let path = folder.join(IGNORE);
    match path.metadata() {
        Ok(metadata) if !metadata.is_file() => Err(wrong_ignore(&path, "it is no regular file")),
        Ok(metadata) if metadata.len() > MAX_IGNORE => {
            Err(wrong_ignore(&path, &format!("it has more than {MAX_IGNORE} bytes")))
        }
        _ => Ok(()),
    }
}

/// What cannot be understood is not passed over: it may keep secrets from being shipped.
fn wrong_ignore(path: &Path, why: &str) -> Error {
    Error::new(Code::Io, format!("cannot tell what {IGNORE} ignores: {why}"))
        .at(Location::file(path))
        .hint(format!("correct the {IGNORE}, or remove it"))
}

fn unwalkable(root: &Path, error: &ignore::Error) -> Error {
    let error = error.io_error().map_or_else(
        || io::Error::other(error.to_string()),
        |error| io::Error::new(error.kind(), error.to_string()),
    );
    Error::io(root, "read", &error)
}

/// Whether a file beside the manifest is one that packing a version of the plugin makes.
fn is_packed(path: &Path, plugin: &str) -> bool {
    let Some(name) = path.to_str().filter(|name| !name.contains('/')) else { return false };
    let Some((stem, _)) = PackFormat::split(name) else { return false };
    let version = stem.strip_prefix(plugin).and_then(|rest| rest.strip_prefix('-'));
    version.is_some_and(|version| Version::parse(version).is_ok())
}
