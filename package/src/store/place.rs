//! Showing a plugin in a store, and removing one.

use super::durable::{same, sync_folder, sync_tree, unwritten};
use super::lock::{Locked, delete};
use super::record::{RECORD, Record};
use super::staging::Staging;
use crate::source::Fetched;
use caraway_loaders_core::{Code, Error, Location};
use rustix::fs::{CWD, Mode, RenameFlags};
use rustix::io::Errno;
use semver::Version;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// How the hidden names begin of plugins that are being deleted.
pub(super) const REMOVED: &str = ".removed-";

/// How the hidden names begin of plugins that are being replaced where folders cannot be exchanged.
pub(super) const REPLACED: &str = ".replaced-";

/// A plugin that is in a store.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Placed {
    /// Its folder.
    pub folder: PathBuf,
    /// What was done.
    pub outcome: Outcome,
}

/// What placing a plugin did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// There was none of this name and version.
    Added,
    /// It took the place of one with other contents.
    Replaced,
    /// The same was there already, and its record was left as it was.
    Unchanged,
}

impl Locked {
    /// Shows what was fetched into `staging` as the plugin of the record's name and version.
    ///
    /// All of it is on the disk before one rename shows it. If a plugin of this name and version is there with other
    /// contents, it is replaced if `replace` says so; its folder is exchanged in one step on Linux. Elsewhere, and on
    /// file systems that cannot exchange, it is gone for a moment, and back if the process is killed then and the store
    /// is locked again.
    ///
    /// # Errors
    ///
    /// [`Code::Integrity`] if other contents are there and `replace` does not say so, [`Code::Unavailable`] for a folder
    /// that was put there by hand, [`Code::Io`]; the store is as it was.
    pub fn place(
        &self,
        staging: Staging,
        fetched: &Fetched,
        record: &Record,
        replace: bool,
    ) -> Result<Placed, Error> {
        let new = &fetched.folder;
        // The folder that is renamed is not the one that is removed.
        if new == staging.path() || !new.starts_with(staging.path()) || !is_plain(&record.name) {
            return Err(Error::new(Code::Internal, format!("`{}` was not put together here", record.name)));
        }
        let folder = self.store.folder_of(record);
        let there = folder.symlink_metadata().is_ok();
        if there && folder.is_dir() && same(&folder, new)? && Record::read(&folder).is_ok_and(|r| r.is_some())
        {
            return Ok(Placed { folder, outcome: Outcome::Unchanged });
        }
        if there && folder.join(RECORD).symlink_metadata().is_err() {
            return Err(by_hand(&record.id(), &folder));
        }
        if there && !replace {
            let message = format!("`{}` is there already, with other contents", record.id());
            return Err(Error::new(Code::Integrity, message)
                .at(Location::file(folder))
                .hint("a version that was published does not change: ask its author, or have it replaced"));
        }
        write_record(new, record)?;
        open_to_all(new)?;
        sync_tree(new)?;
        match there {
            true => self.exchange(new, &folder, &record.id())?,
            false => fs::rename(new, &folder).map_err(|error| unwritten(&folder, &error))?,
        }
        sync_folder(&self.store.folder)?;
        let outcome = if there { Outcome::Replaced } else { Outcome::Added };
        Ok(Placed { folder, outcome })
    }

    /// Puts `new` in the place of `old`, which ends up below the staging folder or is deleted.
    fn exchange(&self, new: &Path, old: &Path, id: &str) -> Result<(), Error> {
        match rustix::fs::renameat_with(CWD, new, CWD, old, RenameFlags::EXCHANGE) {
            Ok(()) => Ok(()),
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => self.move_aside(new, old, id),
            Err(error) => Err(unwritten(old, &error.into())),
        }
    }

    /// As `exchange`, in two steps.
    fn move_aside(&self, new: &Path, old: &Path, id: &str) -> Result<(), Error> {
        let aside = self.store.folder.join(format!("{REPLACED}{id}"));
        fs::rename(old, &aside).map_err(|error| unwritten(old, &error))?;
        if let Err(error) = fs::rename(new, old) {
            let _ = fs::rename(&aside, old);
            return Err(unwritten(old, &error));
        }
        sync_folder(&self.store.folder)?;
        delete(&aside)
    }

    /// Removes a plugin, and says whether it was there.
    ///
    /// # Errors
    ///
    /// [`Code::Unavailable`] if it has no record, as it was not installed; [`Code::Io`].
    pub fn remove(&self, name: &str, version: &Version) -> Result<bool, Error> {
        let id = format!("{name}@{version}");
        let folder = self.store.folder.join(&id);
        if !is_plain(name) || folder.symlink_metadata().is_err() {
            return Ok(false);
        }
        if folder.join(RECORD).symlink_metadata().is_err() {
            return Err(by_hand(&id, &folder));
        }
        let hidden = self.store.folder.join(format!("{REMOVED}{id}"));
        delete(&hidden)?;
        fs::rename(&folder, &hidden).map_err(|error| unwritten(&folder, &error))?;
        sync_folder(&self.store.folder)?;
        delete(&hidden)?;
        Ok(true)
    }
}

/// Whether this is the name of a plugin, which stands for itself in a path.
fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.len() <= 64
        && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
}

fn by_hand(id: &str, folder: &Path) -> Error {
    Error::new(Code::Unavailable, format!("`{id}` was put there by hand, not installed"))
        .at(Location::file(folder))
        .hint("delete its folder by hand")
}

/// Gives the folder the permissions that one has which was not made for a single user.
fn open_to_all(folder: &Path) -> Result<(), Error> {
    rustix::fs::chmod(folder, Mode::from_raw_mode(0o755)).map_err(|error| unwritten(folder, &error.into()))
}

fn write_record(folder: &Path, record: &Record) -> Result<(), Error> {
    let path = folder.join(RECORD);
    // One may have come in the archive.
    delete(&path)?;
    let failed = |error| unwritten(&path, &error);
    let mut file = OpenOptions::new().write(true).create_new(true).open(&path).map_err(failed)?;
    rustix::fs::fchmod(&file, Mode::from_raw_mode(0o644)).map_err(|error| failed(error.into()))?;
    file.write_all(record.to_text()?.as_bytes()).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    /// What [`Locked::place`] does where folders cannot be exchanged.
    #[test]
    fn in_two_steps() {
        let temporary = tempfile::tempdir().unwrap();
        let locked = Store::new(temporary.path()).lock("a test", &mut |_| {}).unwrap();
        let (old, new) = (temporary.path().join("demo@1.0.0"), temporary.path().join(".staging-x"));
        for folder in [&old, &new] {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join("name"), folder.file_name().unwrap().as_encoded_bytes()).unwrap();
        }
        locked.move_aside(&new, &old, "demo@1.0.0").unwrap();
        assert_eq!(fs::read_to_string(old.join("name")).unwrap(), ".staging-x");
        // There is nothing to be shown any more: what is there stays.
        assert_eq!(locked.move_aside(&new, &old, "demo@1.0.0").unwrap_err().code(), Code::Io);
        assert_eq!(fs::read_to_string(old.join("name")).unwrap(), ".staging-x");
        assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 2);
    }
}
