//! Files that are replaced whole.

use caraway_loaders_core::Error;
use std::io::Write;
use std::path::Path;

/// How the name of a file begins while it is written.
const TEMPORARY: &str = ".caraway-new-";

/// Puts `bytes` in the place of a file, or makes it: whoever reads it sees the old one or the new one, and a crash
/// leaves one of them. A link stays one, and so do the permissions.
///
/// # Errors
///
/// [`Code::Io`](caraway_loaders_core::Code::Io) if the file must not be written, its folder is not there, or the disk
/// is full; the old one is as it was.
pub(crate) fn replace(file: &Path, bytes: &[u8]) -> Result<(), Error> {
    write(file, bytes).map_err(|error| Error::io(file, "write", &error))
}

fn write(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let real = match file.canonicalize() {
        Ok(real) => real,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !file.is_symlink() => file.to_owned(),
        Err(error) => return Err(error),
    };
    // A file that is read-only could be replaced all the same.
    let permissions = match std::fs::OpenOptions::new().write(true).open(&real) {
        Ok(old) => Some(old.metadata()?.permissions()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let folder = match real.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    remove_leftovers(folder);
    let mut new = tempfile::Builder::new().prefix(TEMPORARY).make_in(folder, |path| {
        // Unlike a temporary file, it is for all that the user's mask lets in.
        std::fs::OpenOptions::new().write(true).create_new(true).open(path)
    })?;
    // Without locks nobody can tell that it is not a leftover.
    let _ = new.as_file().try_lock();
    new.write_all(bytes)?;
    if let Some(permissions) = permissions {
        new.as_file().set_permissions(permissions)?;
    }
    new.as_file().sync_all()?;
    new.persist(&real)?;
    // The new name is in the folder.
    std::fs::File::open(folder)?.sync_all()
}

/// Removes what killed processes have left: files that nobody holds locked. It can wait until the next time.
pub(crate) fn remove_leftovers(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_regular = entry.file_type().is_ok_and(|kind| kind.is_file());
        if !is_regular || !entry.file_name().as_encoded_bytes().starts_with(TEMPORARY.as_bytes()) {
            continue;
        }
        if std::fs::File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}
