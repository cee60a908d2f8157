//! Search paths to plugins and errors.

use crate::manifest::Manifest;
use std::path::PathBuf;

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
}
