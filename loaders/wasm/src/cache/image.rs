//! A copy of an artifact that was checked.

use super::key::Seal;
use crate::artifact::Artifact;
use std::fs::File;
use std::io::{self, Read};
use wasmtime::Engine;

/// The largest artifact that is read, in bytes.
const MAX_SIZE: u64 = 1 << 30;

/// An artifact that bears its seal, in memory that nobody else can change.
///
/// On Linux it is a sealed file in memory, which wasmtime maps; where that cannot be had, bytes, which it
/// copies. The file that it came from can be written to or cut short without harm.
pub(super) struct Image(Kept);

enum Kept {
    #[cfg(target_os = "linux")]
    Memory(Sealed),
    Bytes(Vec<u8>),
}

impl Image {
    /// A copy of the artifact in `file`; `None` if it does not bear the seal that it should.
    pub(super) fn verified(file: &File, seal: impl Fn(&[u8]) -> Seal) -> Option<Self> {
        let written = Seal::read(file)?;
        let size = file.metadata().ok()?.len().checked_sub(Seal::LEN as u64)?;
        if size > MAX_SIZE {
            return None;
        }
        #[cfg(target_os = "linux")]
        if let Some(copy) = sealed(file) {
            return (seal(&copy.bytes) == written).then_some(Self(Kept::Memory(copy)));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).ok()?);
        io::Seek::seek(&mut &*file, io::SeekFrom::Start(Seal::LEN as u64)).ok()?;
        file.take(size).read_to_end(&mut bytes).ok()?;
        (seal(&bytes) == written).then(|| Self(Kept::Bytes(bytes)))
    }

    /// The artifact, if it is for an engine like this one.
    pub(super) fn load<A: Artifact>(&self, engine: &Engine) -> Option<A> {
        match &self.0 {
            // SAFETY: it bears the seal, which only `Folder::store` gives, over what `serialize` gave; and it
            // cannot change any more.
            #[cfg(target_os = "linux")]
            Kept::Memory(copy) => unsafe { A::from_file(engine, &copy.path) }.ok(),
            // SAFETY: as above.
            Kept::Bytes(bytes) => unsafe { A::from_bytes(engine, bytes) }.ok(),
        }
    }
}

/// A file in memory that can no longer be changed.
#[cfg(target_os = "linux")]
struct Sealed {
    /// Leads to it as long as this lives.
    path: std::path::PathBuf,
    _file: File,
    bytes: memmap2::Mmap,
}

/// A sealed copy of the rest of a file.
#[cfg(target_os = "linux")]
fn sealed(source: &File) -> Option<Sealed> {
    use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
    use std::os::fd::AsRawFd;

    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let mut file = File::from(memfd_create("caraway-wasm", flags).ok()?);
    // From file to file within the kernel. What is cut off here has another seal.
    io::copy(&mut source.take(MAX_SIZE), &mut file).ok()?;
    fcntl_add_seals(&file, SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL).ok()?;
    // SAFETY: the seals keep the file as it is, with what is mapped of it.
    let bytes = unsafe { memmap2::MmapOptions::new().populate().map_copy_read_only(&file) }.ok()?;
    let path = std::path::PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    // Without /proc there is no path to it.
    path.exists().then_some(Sealed { path, _file: file, bytes })
}
