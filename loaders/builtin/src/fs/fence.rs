//! What is denied inside a granted folder, by whatever name it is reached.
//!
//! The gate has compared the text of paths. Here every folder on the way is compared with what is denied, by
//! its identity, and links are not followed.

use super::target::{Failure, Last, Target};
use cap_fs_ext::{DirExt, FollowSymlinks, MetadataExt};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, Metadata};
use caraway_loaders_core::capability::{Access, FileMode, Place};
use caraway_loaders_core::{Code, Error};
use std::io;
use std::path::{Component, Path, PathBuf};

pub(super) struct Fence<'a> {
    pub(super) access: &'a Access,
    pub(super) mode: FileMode,
    pub(super) place: &'a Place,
}

/// A device and the number of a file on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity(u64, u64);

impl Identity {
    fn of(metadata: &Metadata) -> Self {
        Self(MetadataExt::dev(metadata), MetadataExt::ino(metadata))
    }
}

impl Fence<'_> {
    /// Walks to the last folder on the way, so that nothing is looked up twice.
    pub(super) fn hold(&self, target: Target, last: Last) -> Result<Target, Failure> {
        let denied = self.denied();
        let Target { mut dir, path, .. } = target;
        self.check_above(&dir, &denied)?;
        let mut names: Vec<PathBuf> = path
            .components()
            .filter(|part| matches!(part, Component::Normal(_)))
            .map(|part| PathBuf::from(part.as_os_str()))
            .collect();
        let end = names.pop().unwrap_or_else(|| PathBuf::from("."));
        let mut names = names.into_iter();
        let mut rest = PathBuf::new();
        for name in names.by_ref() {
            match dir.symlink_metadata(&name) {
                Ok(found) if found.is_symlink() => return Err(self.link().into()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    rest.push(name);
                    break;
                }
                Err(error) => return Err(error.into()),
            }
            dir = dir.open_dir_nofollow(&name)?;
            self.check(&dir.dir_metadata()?, &denied)?;
        }
        rest.extend(names);
        if rest.as_os_str().is_empty() {
            match dir.symlink_metadata(&end) {
                Ok(found) if found.is_symlink() && last == Last::Follow => return Err(self.link().into()),
                Ok(found) => self.check(&found, &denied)?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Target { dir, path: rest.join(end), follow: FollowSymlinks::No })
    }

    /// What is denied and exists.
    fn denied(&self) -> Vec<(Identity, &Path)> {
        self.place
            .denied
            .iter()
            .filter_map(|path| {
                let metadata = Metadata::from_just_metadata(std::fs::metadata(path).ok()?);
                Some((Identity::of(&metadata), path.as_path()))
            })
            .collect()
    }

    /// The folder and all above it, up to the root.
    fn check_above(&self, dir: &Dir, denied: &[(Identity, &Path)]) -> Result<(), Failure> {
        let mut dir = dir.try_clone()?;
        let mut here = dir.dir_metadata()?;
        loop {
            self.check(&here, denied)?;
            dir = dir.open_parent_dir(ambient_authority())?;
            let above = dir.dir_metadata()?;
            if Identity::of(&above) == Identity::of(&here) {
                return Ok(());
            }
            here = above;
        }
    }

    fn check(&self, found: &Metadata, denied: &[(Identity, &Path)]) -> Result<(), Failure> {
        match denied.iter().find(|(identity, _)| *identity == Identity::of(found)) {
            Some((_, path)) => Err(self.access.denied_elsewhere(self.mode, &self.place.path, path).into()),
            None => Ok(()),
        }
    }

    fn link(&self) -> Error {
        Error::new(
            Code::Denied,
            format!(
                "cannot {} `{}`: a link is on the way, and none is followed where something is denied",
                self.mode.word(),
                self.place.path.display()
            ),
        )
        .hint("use the path that the link points to, or leave out the `--deny filesystem=...`")
    }
}
