//! A private copy of a library.

use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The largest library that is read.
const MAX_SIZE: u64 = 1 << 30;

/// The bytes of a library.
///
/// # Errors
///
/// What the system says, [`io::ErrorKind::InvalidInput`] for what is no regular file, and
/// [`io::ErrorKind::FileTooLarge`] beyond 1 GiB.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    // A pipe must not keep the host waiting for its other end.
    let nonblocking = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = std::fs::OpenOptions::new().read(true).custom_flags(nonblocking).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len().min(MAX_SIZE)).unwrap_or(0));
    file.take(MAX_SIZE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_SIZE {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}

/// A copy that nobody else can change, and a path to open it by.
///
/// On Linux it is a sealed file in memory; where that cannot be had, and on other systems, a file in a new
/// folder that only this user can enter, which is gone when the `Image` is dropped. In either case `$ORIGIN`
/// is not the plugin's folder: a library must not depend on others beside it.
pub(crate) struct Image {
    path: PathBuf,
    kept: Kept,
}

enum Kept {
    #[cfg(target_os = "linux")]
    Memory(std::os::fd::OwnedFd),
    Folder(#[allow(dead_code)] tempfile::TempDir),
}

impl Image {
    /// A copy of `bytes`; `name` is for maps and debuggers.
    pub(crate) fn new(name: &str, bytes: &[u8]) -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        if let Some(image) = Self::in_memory(name, bytes) {
            return Ok(image);
        }
        Self::in_folder(name, bytes)
    }

    #[cfg(target_os = "linux")]
    fn in_memory(name: &str, bytes: &[u8]) -> Option<Self> {
        use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
        use std::io::Write;
        use std::os::fd::{AsRawFd, OwnedFd};

        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let mut file = std::fs::File::from(memfd_create(name, flags).ok()?);
        file.write_all(bytes).ok()?;
        fcntl_add_seals(&file, SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)
            .ok()?;
        let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
        // Without /proc there is no path to it.
        path.exists().then(|| Self { path, kept: Kept::Memory(OwnedFd::from(file)) })
    }

    fn in_folder(name: &str, bytes: &[u8]) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("caraway-").tempdir()?;
        let path = folder.path().join(name);
        std::fs::write(&path, bytes)?;
        Ok(Self { path, kept: Kept::Folder(folder) })
    }

    /// A path that leads to the copy as long as this lives.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Says that a library was opened by this path and stays open.
    ///
    /// The system's linker remembers libraries by their path too: a second library at the path of an open one
    /// would be taken for the first. So a path with a file's number in it is never given to another file.
    pub(crate) fn opened(self) {
        match self.kept {
            #[cfg(target_os = "linux")]
            Kept::Memory(file) => std::mem::forget(file),
            // Its name is random: none is like it.
            Kept::Folder(folder) => drop(folder),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn holds(image: &Image, bytes: &[u8]) {
        assert_eq!(std::fs::read(image.path()).unwrap(), bytes);
    }

    #[test]
    fn a_copy_has_the_bytes() {
        holds(&Image::new("libx.so", b"bytes").unwrap(), b"bytes");
        let image = Image::in_folder("libx.so", b"bytes").unwrap();
        holds(&image, b"bytes");
        let path = image.path().to_owned();
        drop(image);
        assert!(!path.exists());
    }

    #[test]
    fn only_regular_files_are_read() {
        assert_eq!(read(Path::new("/dev/zero")).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        assert_eq!(read(Path::new("/nowhere")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_copy_in_memory_cannot_be_changed() {
        let image = Image::in_memory("libx.so", b"bytes").unwrap();
        let write = std::fs::OpenOptions::new().write(true).open(image.path());
        let changed = write.and_then(|mut file| std::io::Write::write(&mut file, b"other"));
        assert!(changed.is_err());
        holds(&image, b"bytes");
    }
}
