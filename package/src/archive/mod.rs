//! Reading archives of plugins: `.zip`, `.tar`, `.tar.gz` and `.tar.zst`, told by their first bytes.
//!
//! Every entry is looked at before anything of it is written, and one that no plugin needs refuses the whole archive:
//! a path that leaves the folder or means another file on another system, a link, a device, names that collide, a
//! setuid bit, headers that contradict each other, more bytes or entries than [`Limits`] allow.

mod limits;
mod meter;
pub(crate) mod names;
mod refusal;
mod tar;
mod tree;
mod zip;

pub use limits::Limits;
pub(crate) use refusal::Refusal;

use caraway_loaders_core::Error;
use flate2::bufread::MultiGzDecoder;
use meter::{Meter, Packed, Unpacked};
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use tree::Tree;

/// Largest window of a `.tar.zst`, as a power of two: 128 MiB, which is what `zstd` itself takes without being asked.
const ZSTD_WINDOW: u32 = 27;

/// The kinds of archives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Zip,
    Tar,
    TarGz,
    TarZst,
}

impl Format {
    /// The format that begins with these bytes; a tar is told by its first header, of 512 bytes.
    pub(crate) fn of(start: &[u8]) -> Option<Self> {
        match start {
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Self::Zip),
            [0x1f, 0x8b, ..] => Some(Self::TarGz),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::TarZst),
            _ if start.get(257..262) == Some(b"ustar") => Some(Self::Tar),
            _ => None,
        }
    }
}

/// Unpacks an archive into an empty folder, and gives the path of the plugin's folder in it: that folder itself if
/// the archive has a manifest or a single file at its root, else the archive's only top folder.
///
/// `name` is what the archive is called in messages. Files get the permissions 0644, or 0755 where the archive has the
/// owner's executable bit, and nothing else. After an error the folder may hold a part of the archive; the caller
/// removes it.
///
/// # Errors
///
/// [`Code::ArchiveRefused`](caraway_loaders_core::Code::ArchiveRefused) for an archive that is damaged, truncated, too
/// large or has a bad entry, [`Code::Io`](caraway_loaders_core::Code::Io) for what the disk does.
pub fn unpack<R: Read + Seek>(
    archive: &mut R,
    name: &Path,
    into: &Path,
    limits: &Limits,
) -> Result<PathBuf, Error> {
    let mut tree = Tree::new(name, Some(into), limits)?;
    let folder = walk(archive, name, &mut tree, limits).map_err(|refusal| refusal.into_error(name))?;
    Ok(match folder.as_os_str().is_empty() {
        true => into.to_owned(),
        false => into.join(folder),
    })
}

/// Looks at all of an archive as [`unpack`] does, and writes nothing.
///
/// # Errors
///
/// As [`unpack`].
pub fn check<R: Read + Seek>(archive: &mut R, name: &Path, limits: &Limits) -> Result<(), Error> {
    let mut tree = Tree::new(name, None, limits)?;
    walk(archive, name, &mut tree, limits).map(|_| ()).map_err(|refusal| refusal.into_error(name))
}

fn walk<R: Read + Seek>(
    file: &mut R,
    name: &Path,
    tree: &mut Tree<'_>,
    limits: &Limits,
) -> Result<PathBuf, Refusal> {
    let reading = |error| Refusal::reading(error, name);
    let length = file.seek(SeekFrom::End(0)).map_err(reading)?;
    file.rewind().map_err(reading)?;
    if length > limits.archive_bytes {
        return Err(Refusal::new(format!("it has more than {} bytes", limits.archive_bytes)));
    }
    let mut start = Vec::new();
    file.by_ref().take(512).read_to_end(&mut start).map_err(reading)?;
    file.rewind().map_err(reading)?;
    let meter = Meter::new(limits);
    let packed = BufReader::new(Packed(&meter, file.by_ref()));
    match Format::of(&start) {
        Some(Format::Zip) => {
            drop(packed);
            zip::walk(file, length, name, &meter, tree)?;
        }
        Some(Format::Tar) => tar::walk(Unpacked(&meter, packed), name, tree)?,
        Some(Format::TarGz) => tar::walk(Unpacked(&meter, MultiGzDecoder::new(packed)), name, tree)?,
        Some(Format::TarZst) => {
            let mut decoder = ::zstd::Decoder::with_buffer(packed).map_err(reading)?;
            decoder.window_log_max(ZSTD_WINDOW).map_err(reading)?;
            tar::walk(Unpacked(&meter, decoder), name, tree)?;
        }
        None => {
            return Err(Refusal::new("it is neither a zip nor a tar, plain or compressed by gzip or zstd"));
        }
    }
    tree.plugin()
}
