//! One process at a time changes a store.

use super::Store;
use super::durable::unwritten;
use super::place::{REMOVED, REPLACED};
use super::staging::{STAGING, Staging};
use caraway_loaders_core::{Error, Location};
use rustix::fs::OFlags;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The file that is locked. It stays there.
const LOCK: &str = ".caraway.lock";

/// Longest name of a holder that is read, in bytes.
const MAX_HOLDER: u64 = 256;

/// What a holder is called that has not yet written its name.
const UNKNOWN: &str = "another process";

/// A store that nobody else changes until this is dropped, or the process ends in whatever way.
#[derive(Debug)]
pub struct Locked {
    pub(super) store: Store,
    file: File,
}

impl Store {
    /// Waits until nobody else changes the store, and holds it. The store's folder is made if it is missing. What
    /// killed processes left in it is removed.
    ///
    /// `holder` is who this is, as others are told that have to wait: `caraway install (process 123)`. If this one has
    /// to wait, `waiting` is called once with the holder's text.
    ///
    /// # Errors
    ///
    /// [`Code::Io`](caraway_loaders_core::Code::Io) if the folder cannot be made or written to.
    pub fn lock(&self, holder: &str, waiting: &mut dyn FnMut(&str)) -> Result<Locked, Error> {
        fs::create_dir_all(&self.folder).map_err(|error| unwritten(&self.folder, &error))?;
        let path = self.folder.join(LOCK);
        let failed = |error: io::Error| unwritten(&path, &error);
        let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY).bits()).unwrap_or(0);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).custom_flags(flags);
        let mut file = options.open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                waiting(&holder_of(&mut file).unwrap_or_else(|_| UNKNOWN.to_owned()));
                file.lock().map_err(failed)?;
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        // What follows is for others to read; a full disk is no reason not to remove things.
        let _ = name_holder(&mut file, holder);
        let locked = Locked { store: self.clone(), file };
        locked.recover()?;
        Ok(locked)
    }
}

fn holder_of(file: &mut File) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.take(MAX_HOLDER).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes).trim().to_owned();
    Ok(if text.is_empty() { UNKNOWN.to_owned() } else { caraway_loaders_core::escape(&text) })
}

fn name_holder(file: &mut File, holder: &str) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(holder.as_bytes())
}

impl Locked {
    /// A fresh hidden folder in the store, to put a plugin together in.
    ///
    /// # Errors
    ///
    /// [`Code::Io`](caraway_loaders_core::Code::Io).
    pub fn stage(&self) -> Result<Staging, Error> {
        Staging::new(&self.store.folder)
    }

    /// Brings to an end what killed processes began.
    fn recover(&self) -> Result<(), Error> {
        let folder = &self.store.folder;
        let unreadable = |error: io::Error| Error::io(folder, "read", &error).at(Location::file(folder));
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            let path = entry.path();
            if name.starts_with(STAGING) || name.starts_with(REMOVED) {
                delete(&path)?;
            } else if let Some(id) = name.strip_prefix(REPLACED) {
                let shown = folder.join(id);
                match shown.symlink_metadata().is_ok() {
                    true => delete(&path)?,
                    false => fs::rename(&path, &shown).map_err(|error| unwritten(&shown, &error))?,
                }
            }
        }
        Ok(())
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        // The lock ends with the file; a name that is left would only name one who is gone.
        let _ = self.file.set_len(0);
    }
}

/// Deletes a folder with all that is in it; links are not followed.
pub(super) fn delete(path: &Path) -> Result<(), Error> {
    let deleted = match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match deleted {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io(path, "delete", &error)
            .at(Location::file(path))
            .hint("delete it by hand; nothing uses it any more")),
        _ => Ok(()),
    }
}
