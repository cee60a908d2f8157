//! The file of a manifest: what it is called, and reading it, whatever it really is.

use super::folder::Folder;
use crate::code::Code;
use crate::error::{Error, Location};
use crate::manifest::{self, MAX_BYTES};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::Read;
use std::path::Path;

pub(super) const JSON: &str = "plugin.json";
pub(super) const TOML: &str = "plugin.toml";

/// Whether a file of this name is a manifest.
pub fn is_manifest(name: &str) -> bool {
    name == JSON || name == TOML
}

/// Whether a folder has a manifest, so that it is a plugin.
pub fn has_manifest(folder: &Path) -> bool {
    [JSON, TOML].iter().any(|name| folder.join(name).symlink_metadata().is_ok())
}

/// The bytes of a manifest; `None` where there is no file of this name.
///
/// The file is opened without waiting, and looked at before it is read: pipes, devices and sockets are
/// refused, and so is what is too large.
///
/// # Errors
///
/// Not a regular file, too large, or it cannot be read.
pub(super) fn read(folder: &Folder, name: &Path) -> Result<Option<Vec<u8>>, Error> {
    let unreadable = |error: &std::io::Error| {
        let path = folder.path.join(name);
        Error::io(&path, "read", error).at(Location::file(path))
    };
    let not_regular = |found: FileType| not_regular(&folder.path.join(name), found);
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = match rustix::fs::openat(folder.descriptor(), name, flags, Mode::empty()) {
        Ok(file) => file,
        // A link that leads nowhere is a manifest that is broken rather than missing.
        Err(Errno::NOENT | Errno::NOTDIR) if !folder.has_link(name) => return Ok(None),
        Err(Errno::NXIO) => return Err(not_regular(FileType::Socket)),
        Err(error) => return Err(unreadable(&error.into())),
    };
    let stat = rustix::fs::fstat(&file).map_err(|error| unreadable(&error.into()))?;
    let found = FileType::from_raw_mode(stat.st_mode);
    if found != FileType::RegularFile {
        return Err(not_regular(found));
    }
    let size = usize::try_from(stat.st_size).unwrap_or(usize::MAX);
    if size > MAX_BYTES {
        return Err(manifest::too_large(&folder.path.join(name)));
    }
    let mut bytes = Vec::with_capacity(size);
    File::from(file).take(size as u64).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    Ok(Some(bytes))
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
