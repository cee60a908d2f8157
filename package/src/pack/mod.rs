//! Archives of plugins: equal contents give equal bytes.

mod format;
mod listing;
mod walk;
mod write;

pub use listing::{PackedFile, listing};
pub(crate) use listing::{changed, files_of, open};

use crate::archive::{self, Limits};
use crate::digest::Hashing;
use crate::plugin::plugin_in;
use caraway_loaders_core::Error;
use caraway_loaders_core::checksum::Digest;
use caraway_loaders_core::loader::Loader;
use caraway_loaders_core::manifest::Manifest;
use format::PackFormat;
use rustix::fs::Mode;
use std::io::{self, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use write::Archive;

/// How the name of an archive begins while it is written.
const TEMPORARY: &str = ".caraway-pack-";

/// An archive that was written.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Packed {
    /// The archive.
    pub path: PathBuf,
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub bytes: u64,
    /// What it holds, below a folder `NAME-VERSION`.
    pub files: Vec<PackedFile>,
}

/// The name of a plugin's archive unless another is asked for: `NAME-VERSION.tar.gz`.
///
/// ```
/// use caraway_loaders_core::manifest::Manifest;
///
/// let manifest = Manifest::new("stats", semver::Version::new(1, 2, 0), "module");
/// assert_eq!(caraway_package::pack::default_name(&manifest), "stats-1.2.0.tar.gz");
/// ```
pub fn default_name(manifest: &Manifest) -> String {
    format!("{}.tar.gz", top_folder(manifest))
}

fn top_folder(manifest: &Manifest) -> String {
    format!("{}-{}", manifest.name, manifest.version)
}

/// Packs a plugin's folder into the archive `to`, whose name says the format: `.tar.gz`, `.tgz`, `.tar.zst`, `.tar` or
/// `.zip`. If `to` is a folder, the archive gets its [`default_name`] there.
///
/// What ships is what [`listing`] says. Entries are sorted, and of each the path, the content and the owner's
/// executable bit are kept, so that equal contents give equal bytes with one version of this crate. The archive is
/// written beside `to`, read once as an installation would read it, and then renamed; an archive that is there already
/// is replaced.
///
/// # Errors
///
/// As [`listing`]; [`Code::Usage`](caraway_loaders_core::Code::Usage) for a name that says no format;
/// [`Code::ArchiveRefused`](caraway_loaders_core::Code::ArchiveRefused) if the archive would be larger than one may be.
pub fn pack(folder: &Path, loaders: &[Arc<dyn Loader>], to: &Path) -> Result<Packed, Error> {
    let plugin = plugin_in(folder, loaders)?;
    let to = match to.is_dir() {
        true => to.join(default_name(&plugin.manifest)),
        false => to.to_owned(),
    };
    let format = PackFormat::of(&to)?;
    let files = files_of(&plugin, loaders)?;
    let top = top_folder(&plugin.manifest);
    let failed = |error: io::Error| {
        Error::io(&to, "write", &error).hint("does its folder exist, and may you write to it?")
    };
    let beside = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut temporary = tempfile::Builder::new().prefix(TEMPORARY).tempfile_in(beside).map_err(failed)?;
    Archive { root: folder, top: &top, files: &files, name: &to }.write(temporary.as_file(), format)?;
    let file = temporary.as_file_mut();
    archive::check(file, &to, &Limits::default())?;
    file.rewind().map_err(failed)?;
    let mut hashing = Hashing::new(&mut *file);
    let bytes = io::copy(&mut hashing, &mut io::sink()).map_err(failed)?;
    let digest = hashing.digest();
    rustix::fs::fchmod(&*file, Mode::from_raw_mode(0o644)).map_err(|error| failed(error.into()))?;
    file.sync_all().map_err(failed)?;
    temporary.persist(&to).map_err(|error| failed(error.error))?;
    Ok(Packed { path: to, digest, bytes, files })
}
