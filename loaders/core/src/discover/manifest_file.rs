//! Reading a manifest's file, whatever it really is.

use crate::code::Code;
use crate::error::{Error, Location};
use crate::manifest::{self, MAX_BYTES};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The bytes of a manifest; `None` where there is no file of this name.
///
/// The file is opened without waiting, and looked at before it is read: pipes, devices and sockets are
/// refused, and so is what is too large.
///
/// # Errors
///
/// Not a regular file, too large, or it cannot be read.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(file) => file,
        Err(Errno::NOENT | Errno::NOTDIR) if !is_link(path) => return Ok(None),
        Err(Errno::NXIO) => return Err(not_regular(path, FileType::Socket)),
        Err(error) => return Err(unreadable(path, &error.into())),
    };
    let stat = rustix::fs::fstat(&file).map_err(|error| unreadable(path, &error.into()))?;
    let found = FileType::from_raw_mode(stat.st_mode);
    if found != FileType::RegularFile {
        return Err(not_regular(path, found));
    }
    let size = usize::try_from(stat.st_size).unwrap_or(usize::MAX);
    if size > MAX_BYTES {
        return Err(manifest::too_large(path));
    }
    // One byte more, so that the end is seen at the first read; the file may have grown in the meantime.
    let mut bytes = Vec::with_capacity(size + 1);
    let most = MAX_BYTES as u64 + 1;
    File::from(file).take(most).read_to_end(&mut bytes).map_err(|error| unreadable(path, &error))?;
    Ok(Some(bytes))
}

/// Whether there is a name that leads nowhere: a manifest that is broken rather than missing.
fn is_link(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink())
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    Error::io(path, "read", error).at(Location::file(path))
}

fn not_regular(path: &Path, found: FileType) -> Error {
    let found = match found {
        FileType::Directory => "a folder",
        FileType::Fifo => "a pipe",
        FileType::Socket => "a socket",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        _ => "something else",
    };
    Error::new(Code::ManifestSyntax, format!("the manifest is not a regular file but {found}"))
        .at(Location::file(path))
}
