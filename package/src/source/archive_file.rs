//! An archive on the disk as a source.

use super::download::Download;
use super::progress::Progress;
use super::{Fetched, Source};
use crate::archive::Limits;
use caraway_loaders_core::{Code, Error, Location};
use rustix::fs::OFlags;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// An archive on the disk. It is copied before it is looked at, so that what was hashed is what is unpacked.
#[derive(Debug, Clone)]
pub struct ArchiveFile {
    path: PathBuf,
    limits: Limits,
}

impl ArchiveFile {
    /// The archive of this absolute path, with the usual limits.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), limits: Limits::default() }
    }

    /// The same archive with these limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
}

impl Source for ArchiveFile {
    fn text(&self) -> String {
        self.path.display().to_string()
    }

    fn fetch(&self, staging: &Path, progress: &dyn Progress) -> Result<Fetched, Error> {
        let path = &self.path;
        let unreadable = |error| Error::io(path, "read", &error).at(Location::file(path));
        let flags = i32::try_from((OFlags::NONBLOCK | OFlags::NOCTTY).bits()).unwrap_or(0);
        let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        if !metadata.is_file() {
            let message = format!("{} is neither a folder nor an archive", path.display());
            return Err(Error::new(Code::ArchiveRefused, message).at(Location::file(path)));
        }
        progress.total(Some(metadata.len()));
        let download = Download::take(file, staging, path, &self.limits, progress, unreadable)?;
        download.unpack(staging, path, &self.limits)
    }
}
