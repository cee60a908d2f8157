//! A private copy of a library.

use crate::pieces::Pieces;
use caraway_loaders_core::regular::RegularFile;
use std::cell::OnceCell;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

/// The largest library that is copied.
const MAX_SIZE: u64 = 1 << 30;

/// A copy of a library that nobody else can change, and a path to open it by.
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
    Memory {
        file: File,
        size: u64,
        /// What is in the file, once all of it was asked for.
        bytes: OnceCell<memmap2::Mmap>,
    },
    Folder {
        _folder: tempfile::TempDir,
        bytes: Vec<u8>,
    },
}

impl Image {
    /// A copy of a file; `name` is for maps and debuggers.
    ///
    /// # Errors
    ///
    /// What the system says, and [`io::ErrorKind::FileTooLarge`] beyond 1 GiB.
    pub(crate) fn copy(file: RegularFile, name: &str) -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        let size = file.size();
        let mut file = file.into_file();
        #[cfg(target_os = "linux")]
        if let Some(image) = Self::in_memory(&file, size, name) {
            return Ok(image);
        }
        file.rewind()?;
        Self::in_folder(&file, name)
    }

    #[cfg(target_os = "linux")]
    fn in_memory(source: &File, expected: u64, name: &str) -> Option<Self> {
        use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
        use std::os::fd::AsRawFd;

        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let mut file = File::from(memfd_create(name, flags).ok()?);
        let size = fill(&mut file, source, expected).ok().filter(|size| *size <= MAX_SIZE)?;
        fcntl_add_seals(&file, SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)
            .ok()?;
        let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
        Some(Self { path, kept: Kept::Memory { file, size, bytes: OnceCell::new() } })
    }

    fn in_folder(source: &File, name: &str) -> io::Result<Self> {
        let mut bytes = Vec::new();
        source.take(MAX_SIZE + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_SIZE {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Self::written(bytes, name)
    }

    fn written(bytes: Vec<u8>, name: &str) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("caraway-").tempdir()?;
        let path = folder.path().join(name);
        std::fs::write(&path, &bytes)?;
        Ok(Self { path, kept: Kept::Folder { _folder: folder, bytes } })
    }

    /// All that is in it.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(crate) fn bytes(&self) -> io::Result<&[u8]> {
        match &self.kept {
            #[cfg(target_os = "linux")]
            Kept::Memory { file, bytes, .. } => {
                if let Some(bytes) = bytes.get() {
                    return Ok(bytes);
                }
                // SAFETY: the seals keep the file as it is, with what is mapped of it.
                let mapped = unsafe { memmap2::Mmap::map(file) }?;
                Ok(bytes.get_or_init(|| mapped))
            }
            Kept::Folder { bytes, .. } => Ok(bytes),
        }
    }

    /// Its file, to read a little of it, which costs less than to map all. `None` where its bytes are there.
    #[cfg_attr(
        any(not(unix), target_vendor = "apple"),
        allow(dead_code, reason = "libraries of these systems are not looked at before they are opened")
    )]
    pub(crate) fn pieces(&self) -> Option<Pieces<'_>> {
        match &self.kept {
            #[cfg(target_os = "linux")]
            Kept::Memory { file, size, bytes } => bytes.get().is_none().then(|| Pieces::new(file, *size)),
            Kept::Folder { .. } => None,
        }
    }

    /// The same bytes in a folder: without `/proc` there is no path to what is in memory.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(crate) fn named(self, name: &str) -> io::Result<Self> {
        Self::written(self.bytes()?.to_vec(), name)
    }

    /// A path that leads to the copy as long as this lives, see [`named`](Image::named).
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
            Kept::Memory { file, .. } => std::mem::forget(file),
            // Its name is random: none is like it.
            Kept::Folder { .. } => {}
        }
    }
}

/// Copies all of a file, or a little more than may be copied, within the kernel if it can. Of one that is as large as
/// expected, the end is not looked for.
#[cfg(target_os = "linux")]
fn fill(file: &mut File, source: &File, expected: u64) -> io::Result<u64> {
    let mut size = 0;
    while size <= MAX_SIZE {
        // It is no limit but what the kernel gives at most; 0 is given at the end only.
        match rustix::fs::sendfile(&*file, source, None, MAX_SIZE as usize) {
            Ok(0) => return Ok(size),
            Ok(copied) => size += copied as u64,
            Err(_) => return Ok(size + io::copy(&mut source.take(MAX_SIZE + 1 - size), file)?),
        }
        if size == expected {
            return Ok(size);
        }
    }
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(path: &Path) -> RegularFile {
        RegularFile::open(path).unwrap()
    }

    fn source() -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"bytes").unwrap();
        file
    }

    #[track_caller]
    fn holds(image: &Image, bytes: &[u8]) {
        assert_eq!(std::fs::read(image.path()).unwrap(), bytes);
        assert_eq!(image.bytes().unwrap(), bytes);
    }

    #[test]
    fn a_copy_has_the_bytes() {
        let source = source();
        let image = Image::copy(open(source.path()), "libx.so").unwrap();
        std::fs::write(source.path(), b"other").unwrap();
        holds(&image, b"bytes");
        let image = image.named("libx.so").unwrap();
        assert_eq!(image.path().file_name().unwrap(), "libx.so");
        holds(&image, b"bytes");
        let image = Image::in_folder(&open(source.path()).into_file(), "libx.so").unwrap();
        holds(&image, b"other");
        let path = image.path().to_owned();
        drop(image);
        assert!(!path.exists());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_of_another_size_than_it_had_is_copied_whole() {
        for size in [0, 3, 9] {
            holds(&Image::in_memory(&open(source().path()).into_file(), size, "libx.so").unwrap(), b"bytes");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_copy_in_memory_cannot_be_changed() {
        let image = Image::in_memory(&open(source().path()).into_file(), 5, "libx.so").unwrap();
        let write = File::options().write(true).open(image.path());
        let changed = write.and_then(|mut file| io::Write::write(&mut file, b"other"));
        assert!(changed.is_err());
        holds(&image, b"bytes");
    }
}
