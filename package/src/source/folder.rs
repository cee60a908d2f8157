//! A plugin's folder as a source.

use super::progress::Progress;
use super::{Fetched, Source, unwritten};
use crate::pack::{PackedFile, changed, files_of, open};
use crate::plugin::plugin_in;
use caraway_loaders_core::Error;
use caraway_loaders_core::loader::Loader;
use rustix::fs::Mode;
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A plugin's folder, of which is taken what [`pack`](crate::pack) would ship.
pub struct Folder {
    path: PathBuf,
    loaders: Vec<Arc<dyn Loader>>,
}

impl Folder {
    /// The folder of this absolute path.
    pub fn new(path: impl Into<PathBuf>, loaders: &[Arc<dyn Loader>]) -> Self {
        Self { path: path.into(), loaders: loaders.to_vec() }
    }
}

impl fmt::Debug for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Folder").field(&self.path).finish()
    }
}

impl Source for Folder {
    fn text(&self) -> String {
        self.path.display().to_string()
    }

    fn fetch(&self, staging: &Path, progress: &dyn Progress) -> Result<Fetched, Error> {
        let plugin = plugin_in(&self.path, &self.loaders)?;
        let files = files_of(&plugin, &self.loaders)?;
        progress.total(Some(files.iter().map(|file| file.size).sum()));
        let folder = super::new_folder(staging)?;
        for file in &files {
            copy(&self.path, &folder, file)?;
            progress.advance(file.size);
        }
        Ok(Fetched { folder, archive: None })
    }
}

/// Copies a file, with who may execute it.
fn copy(from: &Path, to: &Path, file: &PackedFile) -> Result<(), Error> {
    let mut content = open(from, file)?.take(file.size);
    let path = to.join(&file.path);
    let failed = |error: io::Error| unwritten(&path, &error);
    for (end, _) in file.path.match_indices('/') {
        make_folder(&to.join(&file.path[..end]))?;
    }
    let mut written = OpenOptions::new().write(true).create_new(true).open(&path).map_err(failed)?;
    io::copy(&mut content, &mut written).map_err(failed)?;
    if content.limit() != 0 {
        return Err(changed(&from.join(&file.path)));
    }
    let mode = if file.executable { 0o755 } else { 0o644 };
    rustix::fs::fchmod(&written, Mode::from_raw_mode(mode)).map_err(|error| failed(error.into()))
}

/// Makes a folder that everybody may look into, whatever the process's own taste is, unless it is there.
fn make_folder(path: &Path) -> Result<(), Error> {
    let made = match fs::create_dir(path) {
        Ok(()) => rustix::fs::chmod(path, Mode::from_raw_mode(0o755)).map_err(io::Error::from),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    };
    made.map_err(|error| unwritten(path, &error))
}
