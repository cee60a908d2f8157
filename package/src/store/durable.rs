//! Getting files onto the disk before they are shown, and telling whether folders hold the same.

use super::record::RECORD;
use caraway_loaders_core::{Code, Error, Location};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Deepest nesting of folders that is looked at.
const MAX_DEPTH: usize = 64;

/// Waits until a folder's own list of names is on the disk.
pub(super) fn sync_folder(folder: &Path) -> Result<(), Error> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| unwritten(folder, &error))
}

/// Waits until all files and folders of a folder are on the disk, and refuses everything else in it.
pub(super) fn sync_tree(folder: &Path) -> Result<(), Error> {
    sync_below(folder, 0)
}

fn sync_below(folder: &Path, depth: usize) -> Result<(), Error> {
    for (name, metadata) in names(folder, depth)? {
        let path = folder.join(name);
        if metadata.is_dir() {
            sync_below(&path, depth + 1)?;
        } else if metadata.is_file() {
            File::open(&path).and_then(|file| file.sync_all()).map_err(|error| unwritten(&path, &error))?;
        } else {
            return Err(Error::new(Code::EntryPoint, format!("{} is no regular file", path.display()))
                .at(Location::file(path)));
        }
    }
    sync_folder(folder)
}

/// Whether two folders hold the same, but for their records: names, contents, and who may execute what.
pub(super) fn same(a: &Path, b: &Path) -> Result<bool, Error> {
    same_below(a, b, 0)
}

fn same_below(a: &Path, b: &Path, depth: usize) -> Result<bool, Error> {
    let (mut in_a, mut in_b) = (names(a, depth)?, names(b, depth)?);
    if depth == 0 {
        in_a.remove(&OsString::from(RECORD));
        in_b.remove(&OsString::from(RECORD));
    }
    if !in_a.keys().eq(in_b.keys()) {
        return Ok(false);
    }
    for ((name, of_a), of_b) in in_a.iter().zip(in_b.values()) {
        let (a, b) = (a.join(name), b.join(name));
        let same = match (of_a.is_dir(), of_b.is_dir()) {
            (true, true) => same_below(&a, &b, depth + 1)?,
            (false, false) => {
                of_a.is_file()
                    && of_b.is_file()
                    && of_a.len() == of_b.len()
                    && of_a.mode() & 0o100 == of_b.mode() & 0o100
                    && same_content(&a, &b)?
            }
            _ => false,
        };
        if !same {
            return Ok(false);
        }
    }
    Ok(true)
}

fn same_content(a: &Path, b: &Path) -> Result<bool, Error> {
    let open =
        |path: &Path| File::open(path).map(BufReader::new).map_err(|error| Error::io(path, "read", &error));
    let (mut of_a, mut of_b) = (open(a)?, open(b)?);
    let (mut from_a, mut from_b) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        let got_a = fill(&mut of_a, &mut from_a).map_err(|error| Error::io(a, "read", &error))?;
        let got_b = fill(&mut of_b, &mut from_b).map_err(|error| Error::io(b, "read", &error))?;
        if from_a[..got_a] != from_b[..got_b] {
            return Ok(false);
        }
        if got_a == 0 {
            return Ok(true);
        }
    }
}

/// Reads until the buffer is full or the end is reached.
fn fill(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match from.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// What a folder holds, with links not followed.
fn names(folder: &Path, depth: usize) -> Result<BTreeMap<OsString, Metadata>, Error> {
    let unreadable = |error: io::Error| Error::io(folder, "read", &error);
    if depth > MAX_DEPTH {
        let message = format!("{} lies deeper than {MAX_DEPTH} folders", folder.display());
        return Err(Error::new(Code::Limit, message).at(Location::file(folder)));
    }
    fs::read_dir(folder)
        .map_err(unreadable)?
        .map(|entry| {
            let entry = entry.map_err(unreadable)?;
            let metadata = fs::symlink_metadata(entry.path()).map_err(unreadable)?;
            Ok((entry.file_name(), metadata))
        })
        .collect()
}

/// The error for something that cannot be written in a store.
pub(super) fn unwritten(path: &Path, error: &io::Error) -> Error {
    let hint = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room on the disk, and try again",
        io::ErrorKind::ReadOnlyFilesystem => "the disk is read-only; choose another folder for plugins",
        io::ErrorKind::PermissionDenied => "you may not write there; choose another folder for plugins",
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            "something else is in the way; move it or choose another folder for plugins"
        }
        _ => "what was installed before is as it was",
    };
    Error::io(path, "write", error).at(Location::file(path)).hint(hint)
}
