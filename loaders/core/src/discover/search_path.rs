//! Where plugins are looked for.

use crate::code::Code;
use crate::error::Error;
use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// A folder to look for plugins in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchPath {
    /// The folder. It is taken as it is: `*` and `?` in it are characters like any other.
    pub path: PathBuf,
    /// Who named it, for messages: `--plugin-path`, `CARAWAY_PLUGIN_PATH`.
    pub label: String,
    /// Whether it must exist: somebody named it. Places that are looked at by default need not.
    pub required: bool,
}

/// What a name in a search path may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Folder,
    File,
}

impl SearchPath {
    /// A folder that somebody named: it is an error if it does not exist.
    pub fn explicit(path: impl Into<PathBuf>, label: impl Into<String>) -> Self {
        Self { path: path.into(), label: label.into(), required: true }
    }

    /// A folder that is looked at if it exists.
    pub fn default_path(path: impl Into<PathBuf>, label: impl Into<String>) -> Self {
        Self { path: path.into(), label: label.into(), required: false }
    }

    /// The error for a search path that cannot be read; `None` if nobody asked for it.
    pub(super) fn unreadable(&self, error: &std::io::Error) -> Option<Error> {
        if error.kind() == ErrorKind::NotFound && !self.required {
            return None;
        }
        let path = self.path.display();
        let label = &self.label;
        let error = match error.kind() {
            ErrorKind::NotFound => Error::new(Code::Io, format!("the search path {path} does not exist"))
                .hint(format!("create it, or take it out of {label}")),
            ErrorKind::NotADirectory => {
                Error::new(Code::Io, format!("the search path {path} is not a folder"))
                    .hint(format!("name the folder that holds the plugins in {label}"))
            }
            _ => Error::io(&self.path, "read the search path", error).hint(format!("it comes from {label}")),
        };
        Some(error)
    }
}

/// The names in a folder that are not hidden, sorted; at most `most`, which then are any.
pub(super) fn names(folder: &Path, most: usize) -> std::io::Result<Vec<(OsString, Option<Shape>)>> {
    use rustix::fs::{Dir, FileType, Mode, OFlags};
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let dir = Dir::new(rustix::fs::open(folder, flags, Mode::empty())?)?;
    let mut names = Vec::new();
    for entry in dir {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name.starts_with(b".") {
            continue;
        }
        let shape = match entry.file_type() {
            FileType::Directory => Some(Shape::Folder),
            FileType::RegularFile => Some(Shape::File),
            // A link, or a file system that does not say.
            FileType::Symlink | FileType::Unknown => shape_of(&folder.join(OsStr::from_bytes(name))),
            _ => None,
        };
        names.push((OsString::from_vec(name.to_vec()), shape));
        if names.len() == most {
            break;
        }
    }
    names.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(names)
}

fn shape_of(path: &Path) -> Option<Shape> {
    let metadata = std::fs::metadata(path).ok()?;
    if metadata.is_dir() {
        Some(Shape::Folder)
    } else if metadata.is_file() {
        Some(Shape::File)
    } else {
        None
    }
}
