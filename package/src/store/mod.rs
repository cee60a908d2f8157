//! The folder that holds installed plugins.
//!
//! Each plugin has a folder `NAME@VERSION`, so that versions stay side by side, and in it a [`Record`] of where it came
//! from. A store is an ordinary search path; whatever else lies in it is left alone.
//!
//! Changes are made under a lock, in hidden folders, and shown by one rename: whenever a process is killed, the old or
//! the new state is there. What killed processes leave behind is removed when the lock is taken next.

mod durable;
mod installed;
mod lock;
mod place;
mod record;
mod staging;

pub use installed::{Installed, Inventory};
pub use lock::Locked;
pub use place::{Outcome, Placed};
pub use record::{RECORD, Record};
pub use staging::Staging;

use std::path::{Path, PathBuf};

/// A folder that holds installed plugins.
///
/// ```
/// use caraway_package::store::Store;
///
/// let store = Store::new("/no/such/folder");
/// let inventory = store.installed();
/// assert!(inventory.plugins.is_empty() && inventory.errors.is_empty());
/// ```
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// The store in this folder, which need not exist. Nothing is read or written.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder of a plugin of this store, there or not.
    pub fn folder_of(&self, record: &Record) -> PathBuf {
        self.folder.join(record.id())
    }
}
