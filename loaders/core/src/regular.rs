//! Regular files, opened and read whatever they really are.
//!
//! A path of somebody else's may lead to a pipe that nobody writes into, or to a device without an end. So what is opened
//! here is opened without waiting, looked at before it is read, and read no further than it may be.

use rustix::fd::{AsFd, OwnedFd};
#[cfg(target_os = "linux")]
use rustix::fs::ResolveFlags;
use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::io::Errno;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// A regular file that is open for reading.
///
/// ```
/// use caraway_loaders_core::regular::{RegularFile, Unreadable};
///
/// let device = RegularFile::open("/dev/null".as_ref()).unwrap_err();
/// assert_eq!(device.to_string(), "not a regular file but a device");
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("text");
/// # std::fs::write(&path, "text")?;
/// assert_eq!(RegularFile::open(&path)?.read(4)?, b"text");
/// assert!(matches!(RegularFile::open(&path)?.read(3), Err(Unreadable::TooLarge)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct RegularFile {
    file: File,
    size: u64,
}

/// Why a file is not read.
#[derive(Debug)]
pub enum Unreadable {
    /// The system's own error.
    Failed(io::Error),
    /// It is something else: "a pipe".
    NotRegular(&'static str),
    /// It is larger than may be read.
    TooLarge,
}

const FLAGS: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

impl RegularFile {
    /// Opens a file, by way of links if there are some.
    ///
    /// # Errors
    ///
    /// [`Unreadable::Failed`] and [`Unreadable::NotRegular`].
    pub fn open(path: &Path) -> Result<Self, Unreadable> {
        Self::open_at(CWD, path)
    }

    /// The same for a path that begins in an open folder.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_at(folder: impl AsFd, path: &Path) -> Result<Self, Unreadable> {
        Self::opened(|| rustix::fs::openat(&folder, path, FLAGS, Mode::empty()))
    }

    /// The same for a path with no links.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), for other paths and where the system cannot hold them to this, too.
    #[cfg(target_os = "linux")]
    pub fn open_unlinked(folder: impl AsFd, path: &Path) -> Result<Self, Unreadable> {
        Self::opened(|| rustix::fs::openat2(&folder, path, FLAGS, Mode::empty(), ResolveFlags::NO_SYMLINKS))
    }

    /// The same for one that does not lead out of the folder.
    ///
    /// # Errors
    ///
    /// As [`open_unlinked`](Self::open_unlinked).
    #[cfg(target_os = "linux")]
    pub fn open_below(folder: impl AsFd, path: &Path) -> Result<Self, Unreadable> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        Self::opened(|| rustix::fs::openat2(&folder, path, FLAGS, Mode::empty(), resolve))
    }

    fn opened(open: impl FnMut() -> rustix::io::Result<OwnedFd>) -> Result<Self, Unreadable> {
        let file = match rustix::io::retry_on_intr(open) {
            Ok(file) => file,
            Err(Errno::NXIO) => return Err(Unreadable::NotRegular(word(FileType::Socket))),
            Err(error) => return Err(Unreadable::Failed(error.into())),
        };
        let stat = rustix::fs::fstat(&file).map_err(|error| Unreadable::Failed(error.into()))?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => {
                Ok(Self { file: file.into(), size: u64::try_from(stat.st_size).unwrap_or(0) })
            }
            other => Err(Unreadable::NotRegular(word(other))),
        }
    }

    /// Reads it to its end.
    ///
    /// # Errors
    ///
    /// [`Unreadable::TooLarge`] for more than `most` bytes, and [`Unreadable::Failed`].
    pub fn read(self, most: u64) -> Result<Vec<u8>, Unreadable> {
        if self.size > most {
            return Err(Unreadable::TooLarge);
        }
        // It may have grown, or be a file of `/proc`, which say that they are empty.
        let mut bytes = Vec::with_capacity(usize::try_from(self.size).unwrap_or(0));
        let limit = most.saturating_add(1);
        self.file.take(limit).read_to_end(&mut bytes).map_err(Unreadable::Failed)?;
        if bytes.len() as u64 > most { Err(Unreadable::TooLarge) } else { Ok(bytes) }
    }

    /// How large it was when it was opened.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The file, for whoever reads it otherwise.
    pub fn into_file(self) -> File {
        self.file
    }
}

fn word(kind: FileType) -> &'static str {
    match kind {
        FileType::Directory => "a folder",
        FileType::Fifo => "a pipe",
        FileType::Socket => "a socket",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        _ => "something else",
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::NotRegular(found) => write!(f, "not a regular file but {found}"),
            Self::TooLarge => f.write_str("larger than it may be"),
        }
    }
}

impl std::error::Error for Unreadable {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Failed(error) => Some(error),
            Self::NotRegular(_) | Self::TooLarge => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{Mode, mkfifoat};

    #[test]
    fn what_is_no_regular_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        mkfifoat(CWD, path("pipe"), Mode::RWXU).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
        std::os::unix::fs::symlink("pipe", path("link")).unwrap();
        for (name, found) in [
            ("pipe", "not a regular file but a pipe"),
            ("link", "not a regular file but a pipe"),
            ("socket", "not a regular file but a socket"),
            (".", "not a regular file but a folder"),
            ("/dev/zero", "not a regular file but a device"),
            ("none", "No such file or directory (os error 2)"),
        ] {
            assert_eq!(RegularFile::open(&path(name)).unwrap_err().to_string(), found, "{name}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn links_on_the_way_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::create_dir(root.join("real")).unwrap();
        std::fs::write(root.join("real/file"), "text").unwrap();
        std::os::unix::fs::symlink("real", root.join("folder")).unwrap();
        std::os::unix::fs::symlink("file", root.join("real/link")).unwrap();
        let open = |path: &str| RegularFile::open_unlinked(CWD, &root.join(path));
        assert_eq!(open("real/file").unwrap().size(), 4);
        assert!(open("folder/file").is_err());
        assert!(open("real/link").is_err());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn files_that_say_nothing_of_their_size_are_bounded() {
        let read = |most| RegularFile::open("/proc/self/status".as_ref()).unwrap().read(most);
        assert!(matches!(read(10), Err(Unreadable::TooLarge)));
        assert!(!read(1 << 20).unwrap().is_empty());
    }
}
