//! An open folder: what is in it is reached through it, whatever happens to its path in the meantime.

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// What a name in a folder may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Folder,
    File,
}

/// An open folder.
pub(super) struct Folder {
    pub(super) path: PathBuf,
    descriptor: OwnedFd,
}

impl Folder {
    /// Opens a folder, and nothing else.
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let descriptor = rustix::fs::open(&path, flags, Mode::empty())?;
        Ok(Self { path, descriptor })
    }

    /// For calls that take a folder and a name in it.
    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }

    /// Device and inode, which tell one folder with two paths from two folders.
    pub(super) fn identity(&self) -> io::Result<(u64, u64)> {
        use std::os::unix::fs::MetadataExt;
        let metadata = std::fs::File::from(self.descriptor.try_clone()?).metadata()?;
        Ok((metadata.dev(), metadata.ino()))
    }

    /// Whether there is anything of this name, a link that leads nowhere included.
    pub(super) fn has(&self, name: &Path) -> bool {
        rustix::fs::statat(self.descriptor(), name, AtFlags::SYMLINK_NOFOLLOW).is_ok()
    }

    /// Whether there is a link of this name.
    pub(super) fn has_link(&self, name: &Path) -> bool {
        rustix::fs::readlinkat(self.descriptor(), name, Vec::new()).is_ok()
    }

    /// The names that are not hidden, sorted, and what they are; at most `most`, which then are any.
    pub(super) fn names(&self, most: usize) -> io::Result<Vec<(OsString, Option<Shape>)>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.descriptor)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name.starts_with(b".") {
                continue;
            }
            let shape = match entry.file_type() {
                // A link, or a file system that does not say.
                FileType::Symlink | FileType::Unknown => {
                    rustix::fs::statat(self.descriptor(), OsStr::from_bytes(name), AtFlags::empty())
                        .ok()
                        .and_then(|stat| shape(FileType::from_raw_mode(stat.st_mode)))
                }
                known => shape(known),
            };
            names.push((OsString::from_vec(name.to_vec()), shape));
            if names.len() == most {
                break;
            }
        }
        names.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(names)
    }
}

fn shape(file_type: FileType) -> Option<Shape> {
    match file_type {
        FileType::Directory => Some(Shape::Folder),
        FileType::RegularFile => Some(Shape::File),
        _ => None,
    }
}
