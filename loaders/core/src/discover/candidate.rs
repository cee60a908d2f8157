//! One folder or file that may be a plugin.

use super::folder::{Folder, Shape};
use super::manifest_file;
use super::manifest_file::{JSON, TOML};
use super::plugin::{Origin, Plugin};
use crate::code::Code;
use crate::error::{Error, Location};
use crate::loader::Loader;
use crate::manifest::Manifest;
use crate::suggest::suggest;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a candidate turned out to be; `None` if it is no plugin.
pub(super) type Outcome = Option<Result<Arc<Plugin>, Error>>;

/// A folder or a file in a search path, or the search path itself.
pub(super) struct Candidate {
    pub(super) search_path: Arc<Folder>,
    /// Its name in the search path; empty for the search path itself.
    pub(super) name: PathBuf,
    pub(super) shape: Shape,
}

impl Candidate {
    /// Reads it.
    pub(super) fn read(&self, loaders: &[Arc<dyn Loader>]) -> Outcome {
        match self.shape {
            Shape::Folder => self.folder(loaders).transpose(),
            Shape::File => self.adopt(&self.path(), loaders),
        }
    }

    fn path(&self) -> PathBuf {
        // `join` with an empty path would append a slash.
        if self.name.as_os_str().is_empty() {
            return self.search_path.path.clone();
        }
        self.search_path.path.join(&self.name)
    }

    fn folder(&self, loaders: &[Arc<dyn Loader>]) -> Result<Option<Arc<Plugin>>, Error> {
        match self.manifest(loaders)? {
            Some(manifest) => Ok(Some(self.plugin(manifest, self.path()))),
            None => match self.only_file() {
                Some(file) => self.adopt(&file, loaders).transpose(),
                None => Ok(None),
            },
        }
    }

    fn adopt(&self, file: &Path, loaders: &[Arc<dyn Loader>]) -> Outcome {
        let manifest = loaders.iter().find_map(|loader| loader.adopt(file))?;
        let root = file.parent().unwrap_or(&self.search_path.path).to_owned();
        Some(match manifest.check_names() {
            Ok(()) => Ok(self.plugin(manifest, root)),
            Err(error) => Err(error
                .at(Location::file(file))
                .hint("rename the file, or put it into a folder with a manifest")),
        })
    }

    fn plugin(&self, manifest: Manifest, root: PathBuf) -> Arc<Plugin> {
        Arc::new(Plugin::new(manifest, root, Origin::SearchPath(self.search_path.path.clone())))
    }

    /// The file of a folder that has nothing else in it. Folders that cannot be read are no plugins: there is
    /// no telling whether they were meant to be.
    fn only_file(&self) -> Option<PathBuf> {
        let folder = Folder::open(self.path()).ok()?;
        match folder.names(2).ok()?.as_slice() {
            [(name, Some(Shape::File))] => Some(folder.path.join(name)),
            _ => None,
        }
    }

    /// The checked manifest of a folder; `None` if it has none.
    fn manifest(&self, loaders: &[Arc<dyn Loader>]) -> Result<Option<Manifest>, Error> {
        let (json, toml) = (self.name.join(JSON), self.name.join(TOML));
        let (name, bytes) = match manifest_file::read(&self.search_path, &json)? {
            Some(_) if self.search_path.has(&toml) => {
                let message = format!("the plugin has a {JSON} and a {TOML}");
                return Err(Error::new(Code::ManifestSyntax, message)
                    .at(Location::file(self.search_path.path.join(json)))
                    .hint("remove one of them"));
            }
            Some(bytes) => (json, bytes),
            None => match manifest_file::read(&self.search_path, &toml)? {
                Some(bytes) => (toml, bytes),
                None => return Ok(None),
            },
        };
        let path = self.search_path.path.join(name);
        let manifest = Manifest::parse(&path, &bytes)?;
        let Some(loader) = loaders.iter().find(|loader| loader.kind() == manifest.kind) else {
            return Err(unknown_kind(&manifest, loaders));
        };
        match Error::from_many(loader.validate(&manifest)) {
            Some(error) => Err(error.at(Location::file(path))),
            None => Ok(Some(manifest)),
        }
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
