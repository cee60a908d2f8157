//! From a path to a handle: the gate first, then the way there.

use super::fence::Fence;
use cap_fs_ext::{DirExt, FollowSymlinks, OpenOptionsFollowExt};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, File, Metadata, OpenOptions, OpenOptionsExt};
use caraway_loaders_core::capability::{Access, FileMode, Place};
use caraway_loaders_core::{Code, Error};
use std::io;
use std::path::{Path, PathBuf};

/// What a link at the end of a path stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Last {
    /// What it points to.
    Follow,
    /// Itself.
    Keep,
}

/// A path that the gate let through: an open folder, and the way on from there, which nothing leads out of.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) dir: Dir,
    /// Relative, and not empty.
    pub(super) path: PathBuf,
    pub(super) follow: FollowSymlinks,
}

/// Why a path could not be reached or used.
#[derive(Debug)]
pub(super) enum Failure {
    Io(io::Error),
    Refused(Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl Failure {
    /// Whether it means that there is nothing of that name.
    pub(super) fn is_absence(&self) -> bool {
        matches!(self, Self::Io(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory))
    }

    /// The error for the script, which named the path.
    pub(super) fn doing(self, verb: &str, path: &str) -> Error {
        match self {
            Self::Refused(error) => error,
            // The one error of this kind that does not come from the system is the one for leaving a `Dir`.
            Self::Io(error)
                if error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error().is_none() =>
            {
                Error::new(
                    Code::Denied,
                    format!("cannot {verb} `{path}`: a link on the way leads out of the granted folder"),
                )
                .hint("grant what the link points to, and use that path")
            }
            Self::Io(error) => Error::new(Code::Io, format!("cannot {verb} `{path}`: {error}")),
        }
    }
}

impl Target {
    /// Asks the gate, and opens the folder to start from.
    pub(super) fn open(access: &Access, mode: FileMode, path: &str, last: Last) -> Result<Self, Failure> {
        let place = allowed(access, mode, path)?;
        let target = locate(&place, last, false)?;
        if place.denied.is_empty() {
            return Ok(target);
        }
        Fence { access, mode, place: &place }.hold(target, last)
    }

    /// The same for a folder that is to be made, as may be the granted folder itself.
    pub(super) fn create(access: &Access, path: &str) -> Result<Self, Failure> {
        let place = allowed(access, FileMode::Write, path)?;
        let target = locate(&place, Last::Follow, true)?;
        if place.denied.is_empty() {
            return Ok(target);
        }
        Fence { access, mode: FileMode::Write, place: &place }.hold(target, Last::Follow)
    }

    pub(super) fn metadata(&self) -> Result<Metadata, Failure> {
        Ok(match self.follow {
            FollowSymlinks::Yes => self.dir.metadata(&self.path)?,
            FollowSymlinks::No => self.dir.symlink_metadata(&self.path)?,
        })
    }

    /// Opens a file without waiting for whoever is at the other end of a FIFO.
    pub(super) fn open_file(&self, options: &mut OpenOptions) -> Result<File, Failure> {
        options.follow(self.follow);
        #[cfg(unix)]
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
        Ok(self.dir.open_with(&self.path, options)?)
    }

    pub(super) fn open_dir(&self) -> Result<Dir, Failure> {
        Ok(match self.follow {
            FollowSymlinks::Yes => self.dir.open_dir(&self.path)?,
            FollowSymlinks::No => self.dir.open_dir_nofollow(&self.path)?,
        })
    }

    pub(super) fn create_dir(&self) -> Result<(), Failure> {
        Ok(self.dir.create_dir_all(&self.path)?)
    }

    pub(super) fn remove(&self) -> Result<(), Failure> {
        if self.dir.symlink_metadata(&self.path)?.is_dir() {
            self.dir.remove_dir(&self.path)?;
        } else {
            self.dir.remove_file(&self.path)?;
        }
        Ok(())
    }

    /// The folder that the last part of the path lies in, and that part.
    pub(super) fn parent(&self) -> Result<(Dir, PathBuf), Failure> {
        let Some(name) = self.path.file_name() else {
            return Err(io::Error::from(io::ErrorKind::IsADirectory).into());
        };
        let dir = match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => self.dir.open_dir(parent)?,
            _ => self.dir.try_clone()?,
        };
        Ok((dir, name.into()))
    }
}

fn allowed(access: &Access, mode: FileMode, path: &str) -> Result<Place, Failure> {
    if path.is_empty() {
        return Err(Error::new(Code::Io, "the path is empty").into());
    }
    if path.contains('\0') {
        return Err(Error::new(Code::Io, format!("the path `{path}` holds a NUL character")).into());
    }
    Ok(access.place(mode, Path::new(path))?)
}

/// The folder to start from. With `create`, the granted folder and the one asked for are made if need be.
fn locate(place: &Place, last: Last, create: bool) -> Result<Target, Failure> {
    let Some(root) = &place.root else { return ambient(&place.path, last) };
    let (asked, rest) = (&place.asked, &place.rest);
    if asked.as_os_str().is_empty() && rest.as_os_str().is_empty() {
        return ambient(root, last);
    }
    if create {
        Dir::create_ambient_dir_all(root, ambient_authority())?;
    }
    let mut dir = Dir::open_ambient_dir(root, ambient_authority())?;
    let path = if rest.as_os_str().is_empty() {
        asked.clone()
    } else {
        if !asked.as_os_str().is_empty() {
            if create {
                dir.create_dir_all(asked)?;
            }
            dir = dir.open_dir(asked)?;
        }
        rest.clone()
    };
    Ok(Target { dir, path, follow: FollowSymlinks::Yes })
}

/// A path that was granted by its own name, or that all paths are granted with: links on the way, and at the
/// end if `last` says so, are followed wherever they lead.
fn ambient(path: &Path, last: Last) -> Result<Target, Failure> {
    let real = match last {
        Last::Follow => path.canonicalize().unwrap_or_else(|_| path.to_owned()),
        Last::Keep => path.to_owned(),
    };
    for folder in real.ancestors().skip(1) {
        match folder.canonicalize() {
            Ok(existing) => {
                let dir = Dir::open_ambient_dir(existing, ambient_authority())?;
                let path = real.strip_prefix(folder).unwrap_or(&real).to_owned();
                return Ok(Target { dir, path, follow: FollowSymlinks::Yes });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    let dir = Dir::open_ambient_dir(&real, ambient_authority())?;
    Ok(Target { dir, path: PathBuf::from("."), follow: FollowSymlinks::Yes })
}
