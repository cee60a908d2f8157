//! A plugin that was found.

use crate::code::Code;
use crate::error::{Error, Location};
use crate::manifest::Manifest;
use std::path::{Component, Path, PathBuf};

/// A plugin that was found, or that a loader provides.
#[derive(Debug, Clone)]
pub struct Plugin {
    /// What it says of itself.
    pub manifest: Manifest,
    /// Its folder; empty for built-ins.
    pub root: PathBuf,
    /// Where it was found.
    pub origin: Origin,
}

/// Where a plugin comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A search path.
    SearchPath(PathBuf),
    /// Compiled in.
    BuiltIn,
}

impl Plugin {
    /// `name@version`, which is unique in a plan.
    pub fn id(&self) -> String {
        format!("{}@{}", self.manifest.name, self.manifest.version)
    }

    /// The real path of a regular file in the plugin's folder, with links followed.
    ///
    /// # Errors
    ///
    /// [`Code::EntryPoint`] if it does not exist, is not a regular file or is outside the folder: absolute,
    /// through `..`, or through a link. The place is the manifest's field that names the file.
    pub fn file(&self, relative: &Path) -> Result<PathBuf, Error> {
        let wrong = |what: &str| {
            Error::new(Code::EntryPoint, format!("{} of `{}` {what}", relative.display(), self.manifest.name))
                .at(self.naming(relative))
        };
        if !relative.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
            return Err(wrong("leaves the plugin's folder"));
        }
        let unreadable = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => wrong("does not exist"),
            _ => wrong(&format!("cannot be read: {error}")),
        };
        let root = self.root.canonicalize().map_err(unreadable)?;
        let path = root.join(relative).canonicalize().map_err(unreadable)?;
        if !path.starts_with(&root) {
            return Err(wrong("leaves the plugin's folder through a link")
                .hint("copy the file into the plugin's folder"));
        }
        if !path.metadata().map_err(unreadable)?.is_file() {
            return Err(wrong("is not a regular file"));
        }
        Ok(path)
    }

    /// Where the manifest names a file.
    fn naming(&self, file: &Path) -> Location {
        let implementation = &self.manifest.implementation;
        if implementation.entrypoint.as_deref() == Some(file) {
            return self.manifest.locate("implementation.entrypoint");
        }
        for (target, files) in &implementation.binaries {
            if let Some(index) = files.iter().position(|other| other == file) {
                let entry = if target == "*" { index.to_string() } else { target.clone() };
                return self.manifest.locate(&format!("implementation.binaries.{entry}"));
            }
        }
        self.manifest.locate("implementation")
    }
}
