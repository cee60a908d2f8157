//! A folder that another program is to run in.

use super::target::{Failure, Last, Target};
use cap_std::fs::Dir;
use caraway_loaders_core::Error;
use caraway_loaders_core::capability::{Access, FileMode};
use std::path::PathBuf;

/// An open folder that may be read.
pub(crate) struct Folder {
    dir: Dir,
    /// Its path, where descriptors have none.
    #[cfg_attr(target_os = "linux", allow(dead_code, reason = "descriptors have paths"))]
    path: PathBuf,
}

impl Folder {
    /// Opens a folder, if it may be read.
    pub(crate) fn open(access: &Access, path: &str) -> Result<Self, Error> {
        let open = || {
            let target = Target::open(access, FileMode::Read, path, Last::Follow)?;
            Ok(Self { dir: target.open_dir()?, path: access.base().join(path) })
        };
        open().map_err(|failure: Failure| failure.doing("enter", path))
    }

    /// A path that leads to it: on Linux by its descriptor, so that whatever happened to its name does not matter. It is
    /// good for this process and its children, as long as this is kept.
    pub(crate) fn path(&self) -> PathBuf {
        #[cfg(target_os = "linux")]
        return std::path::Path::new("/proc/self/fd")
            .join(std::os::fd::AsRawFd::as_raw_fd(&self.dir).to_string());
        #[cfg(not(target_os = "linux"))]
        self.path.clone()
    }
}
