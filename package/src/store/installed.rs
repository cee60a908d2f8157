//! What a store holds.

use super::Store;
use super::record::Record;
use caraway_loaders_core::Error;
use std::fs;
use std::io;
use std::path::PathBuf;

/// An installed plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Installed {
    /// Its folder.
    pub folder: PathBuf,
    /// What was written down of it.
    pub record: Record,
}

/// The installed plugins of a store, and what is wrong with others.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Inventory {
    /// Those with a record, by name and version.
    pub plugins: Vec<Installed>,
    /// Records that are broken, and a store that cannot be read.
    pub errors: Vec<Error>,
}

impl Store {
    /// The plugins that were installed into it. Folders without a record were put there by hand, and are not listed.
    pub fn installed(&self) -> Inventory {
        let mut inventory = Inventory::default();
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return inventory,
            Err(error) => {
                inventory.errors.push(Error::io(&self.folder, "read", &error));
                return inventory;
            }
        };
        for entry in entries {
            let folder = match entry {
                Ok(entry) if entry.file_name().as_encoded_bytes().starts_with(b".") => continue,
                Ok(entry) => entry.path(),
                Err(error) => {
                    inventory.errors.push(Error::io(&self.folder, "read", &error));
                    continue;
                }
            };
            match Record::read(&folder) {
                Ok(Some(record)) => inventory.plugins.push(Installed { folder, record }),
                Ok(None) => {}
                Err(error) => inventory.errors.push(error),
            }
        }
        inventory.plugins.sort_by(|a, b| {
            let key = |plugin: &'_ Installed| (plugin.record.name.clone(), plugin.record.version.clone());
            key(a).cmp(&key(b))
        });
        inventory.errors.sort_by(|a, b| a.message().cmp(b.message()));
        inventory
    }
}
