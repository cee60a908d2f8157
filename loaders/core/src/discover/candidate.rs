//! One folder or file that may be a plugin.

use super::manifest_file;
use super::plugin::{Origin, Plugin};
use super::search_path::{Shape, names};
use crate::bind::suggest;
use crate::code::Code;
use crate::error::{Error, Location};
use crate::loader::Loader;
use crate::manifest::Manifest;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The file names of manifests.
const JSON: &str = "plugin.json";
const TOML: &str = "plugin.toml";

/// What a candidate turned out to be; `None` if it is no plugin.
pub(super) type Outcome = Option<Result<Plugin, Error>>;

/// A folder or a file in a search path.
pub(super) struct Candidate {
    pub(super) path: PathBuf,
    pub(super) shape: Shape,
    pub(super) search_path: PathBuf,
}

impl Candidate {
    /// Reads it.
    pub(super) fn read(&self, loaders: &[Arc<dyn Loader>]) -> Outcome {
        match self.shape {
            Shape::Folder => self.folder(loaders).transpose(),
            Shape::File => self.adopt(&self.path, loaders),
        }
    }

    fn folder(&self, loaders: &[Arc<dyn Loader>]) -> Result<Option<Plugin>, Error> {
        match manifest_in(&self.path, loaders)? {
            Some(manifest) => Ok(Some(self.plugin(manifest, &self.path))),
            None => match self.only_file() {
                Some(file) => self.adopt(&file, loaders).transpose(),
                None => Ok(None),
            },
        }
    }

    fn adopt(&self, file: &Path, loaders: &[Arc<dyn Loader>]) -> Outcome {
        let manifest = loaders.iter().find_map(|loader| loader.adopt(file))?;
        Some(match manifest.check_names() {
            Ok(()) => Ok(self.plugin(manifest, file.parent().unwrap_or(&self.search_path))),
            Err(error) => Err(error
                .at(Location::file(file))
                .hint("rename the file, or put it into a folder with a manifest")),
        })
    }

    fn plugin(&self, manifest: Manifest, root: &Path) -> Plugin {
        Plugin { manifest, root: root.to_owned(), origin: Origin::SearchPath(self.search_path.clone()) }
    }

    /// The file of a folder that has nothing else in it. Folders that cannot be read are no plugins: there is
    /// no telling whether they were meant to be.
    fn only_file(&self) -> Option<PathBuf> {
        match names(&self.path, 2).ok()?.as_slice() {
            [(name, Some(Shape::File))] => Some(self.path.join(name)),
            _ => None,
        }
    }
}

/// The checked manifest of a folder; `None` if it has none.
pub(super) fn manifest_in(folder: &Path, loaders: &[Arc<dyn Loader>]) -> Result<Option<Manifest>, Error> {
    let (json, toml) = (folder.join(JSON), folder.join(TOML));
    let (path, bytes) = match manifest_file::read(&json)? {
        Some(_) if toml.symlink_metadata().is_ok() => {
            let message = format!("the plugin has a {JSON} and a {TOML}");
            return Err(Error::new(Code::ManifestSyntax, message)
                .at(Location::file(json))
                .hint("remove one of them"));
        }
        Some(bytes) => (json, bytes),
        None => match manifest_file::read(&toml)? {
            Some(bytes) => (toml, bytes),
            None => return Ok(None),
        },
    };
    let manifest = Manifest::parse(&path, &bytes)?;
    let Some(loader) = loaders.iter().find(|loader| loader.kind() == manifest.kind) else {
        return Err(unknown_kind(&manifest, loaders));
    };
    match Error::from_many(loader.validate(&manifest)) {
        Some(error) => Err(error.at(Location::file(path))),
        None => Ok(Some(manifest)),
    }
}

fn unknown_kind(manifest: &Manifest, loaders: &[Arc<dyn Loader>]) -> Error {
    let kinds = || loaders.iter().map(|loader| loader.kind());
    let known = kinds().collect::<Vec<_>>().join(", ");
    let known = format!("known are {known}");
    let hint = match suggest(&manifest.kind, kinds()) {
        Some(near) => format!("did you mean `{near}`? {known}"),
        None => known,
    };
    Error::new(Code::UnknownKind, format!("unknown type `{}`", manifest.kind))
        .at(manifest.locate("type"))
        .hint(hint)
}
