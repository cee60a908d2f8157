//! Compiled components, kept on disk.
//!
//! Below the cache's folder there is a folder for each engine: wasmtime's version, the processor's features and
//! the engine's settings, hashed. In it there is a file for each component, named by the component's own hash.
//! A file begins with a code over the rest, made with a key that only this user can read, and what does not
//! bear it is never given to wasmtime: to load an artifact that somebody changed is to run what they like.
//!
//! | file | |
//! | --- | --- |
//! | [`folder`] | whose the folder is, what is in it, how much there may be |
//! | [`key`] | the user's key, the code of an artifact, and its check |

mod folder;
mod key;

pub(crate) use folder::Folder;
use std::path::{Path, PathBuf};

/// Where compiled components are kept from one process to the next.
///
/// What is kept is code of this user's for this user's processes: the folder, its files and the key that they
/// are authenticated with are readable for no one else, and a folder that is open to others is not used. Files
/// are written whole or not at all. Whatever is wrong with the cache, plugins load as they do without: a
/// component that is not in it, or not as it was written, is compiled.
///
/// The key lies beside the files. It keeps out what was damaged, cut short, copied from elsewhere or written by
/// other users; not what runs with this user's rights, which needs no cache to do harm.
///
/// ```
/// use caraway_loaders_wasm::{Cache, WasmLoader};
///
/// let folder = tempfile::tempdir()?;
/// let loader = WasmLoader::new().cache(Cache::new(folder.path()).limit(64 << 20));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
    limit: u64,
}

impl Cache {
    /// How much a cache holds unless it is told otherwise: 512 MiB.
    pub const DEFAULT_LIMIT: u64 = 512 << 20;

    /// A cache in the folder `wasm` of `folder`. Both are made when the first component is to be kept.
    pub fn new(folder: impl AsRef<Path>) -> Self {
        let folder = folder.as_ref().join("wasm");
        // The current directory may be another one later.
        let folder = std::path::absolute(&folder).unwrap_or(folder);
        Self { folder, limit: Self::DEFAULT_LIMIT }
    }

    /// How many bytes the cache may hold. Beyond that, what was not used for the longest time is removed.
    #[must_use]
    pub fn limit(mut self, bytes: u64) -> Self {
        self.limit = bytes;
        self
    }

    /// The cache's folder, if it can be trusted. It is made if it is not there.
    ///
    /// # Errors
    ///
    /// Why the cache is not to be used.
    pub(crate) fn open(&self) -> Result<Folder, String> {
        Folder::open(&self.folder, self.limit)
    }
}
