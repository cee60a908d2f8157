//! A private copy of an archive.

use super::progress::Progress;
use super::{Fetched, new_folder, unwritten};
use crate::archive::{self, Limits};
use crate::digest::Hashing;
use caraway_loaders_core::checksum::Digest;
use caraway_loaders_core::{Code, Error, Location};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

/// A copy of an archive that has no name, so that nobody else changes it and nothing of it stays.
pub(super) struct Download {
    file: File,
    /// The digest of its bytes.
    pub(super) digest: Digest,
}

impl Download {
    /// Copies all of `from`, which is called `name` in messages.
    pub(super) fn take(
        from: impl Read,
        staging: &Path,
        name: &Path,
        limits: &Limits,
        progress: &dyn Progress,
        unreadable: impl Fn(io::Error) -> Error,
    ) -> Result<Self, Error> {
        let failed = |error| unwritten(staging, &error);
        let mut file = tempfile::tempfile_in(staging).map_err(failed)?;
        let mut from = Hashing::new(from);
        let mut buffer = vec![0; 1 << 16];
        let mut bytes = 0;
        loop {
            let read = match from.read(&mut buffer) {
                Ok(0) => return Ok(Self { file, digest: from.digest() }),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(unreadable(error)),
            };
            bytes += read as u64;
            if bytes > limits.archive_bytes {
                return Err(too_large(name, limits));
            }
            file.write_all(&buffer[..read]).map_err(failed)?;
            progress.advance(read as u64);
        }
    }

    /// Unpacks it into a new folder in `staging`.
    pub(super) fn unpack(mut self, staging: &Path, name: &Path, limits: &Limits) -> Result<Fetched, Error> {
        let into = new_folder(staging)?;
        let folder = archive::unpack(&mut self.file, name, &into, limits)?;
        Ok(Fetched { folder, archive: Some(self.digest) })
    }
}

/// The error for an archive with more bytes than one may have.
pub(super) fn too_large(name: &Path, limits: &Limits) -> Error {
    let message = format!("the archive is refused: it has more than {} bytes", limits.archive_bytes);
    Error::new(Code::ArchiveRefused, message).at(Location::file(name))
}
