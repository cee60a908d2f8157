//! The folder that a plugin is put together in before it is shown.

use super::durable::unwritten;
use caraway_loaders_core::Error;
use std::path::Path;
use tempfile::TempDir;

/// How the names of such folders begin. They are hidden, so that discovery passes over them.
pub(super) const STAGING: &str = ".staging-";

/// A fresh folder in a store, on the disk that the plugin will be on. It is removed with all that is in it when this is
/// dropped.
#[derive(Debug)]
pub struct Staging(TempDir);

impl Staging {
    pub(super) fn new(store: &Path) -> Result<Self, Error> {
        let made = tempfile::Builder::new().prefix(STAGING).tempdir_in(store);
        made.map(Self).map_err(|error| unwritten(store, &error))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}
