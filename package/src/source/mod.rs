//! Where plugins are installed from.

#[cfg(feature = "archive")]
mod archive_file;
#[cfg(feature = "archive")]
mod download;
#[cfg(feature = "archive")]
mod folder;
#[cfg(feature = "http")]
mod http;
mod parse;
mod progress;

#[cfg(feature = "archive")]
pub use archive_file::ArchiveFile;
#[cfg(feature = "archive")]
pub use folder::Folder;
#[cfg(feature = "http")]
pub use http::{Http, Patience};
pub use parse::parse;
pub use progress::Progress;

use caraway_loaders_core::Error;
use caraway_loaders_core::checksum::Digest;
use std::fmt;
use std::path::{Path, PathBuf};

/// Something that a plugin can be got from.
pub trait Source: fmt::Debug + Send + Sync {
    /// The text that records and lock files keep of it, from which [`parse`] makes the same source: an absolute path,
    /// or a URL.
    fn text(&self) -> String;

    /// Gets the plugin into `staging`, an empty folder that the caller made and removes.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the source; `staging` may then hold a part of it.
    fn fetch(&self, staging: &Path, progress: &dyn Progress) -> Result<Fetched, Error>;
}

/// A plugin that was got from its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The plugin's folder, below the staging folder.
    pub folder: PathBuf,
    /// The digest of the archive that it came in, if it came in one.
    pub archive: Option<Digest>,
}

/// Makes the folder in a staging folder that a plugin gets into.
#[cfg(feature = "archive")]
fn new_folder(staging: &Path) -> Result<PathBuf, Error> {
    let folder = staging.join("plugin");
    std::fs::create_dir(&folder).map_err(|error| unwritten(&folder, &error))?;
    Ok(folder)
}

#[cfg(feature = "archive")]
fn unwritten(path: &Path, error: &std::io::Error) -> Error {
    Error::io(path, "write", error).hint("is there room on the disk?")
}
