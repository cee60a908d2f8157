//! The user's key, and the code of an artifact.

use super::folder::private;
use crate::engine::Image;
use blake3::{Hash, Hasher};
use std::fs::File;
#[cfg(feature = "compiler")]
use std::io;
use std::io::Read;
use std::path::Path;

/// The name of the key's file.
const NAME: &str = "key";

/// What an artifact's file begins with, before the code. It changes with the format, and with what
/// [`Engine::load`](crate::engine::Engine::load) relies on: those of `caraway1` have information for native unwinding.
const MAGIC: [u8; 8] = *b"caraway2";

/// The largest artifact that is read, in bytes.
const MAX_SIZE: u64 = 1 << 30;

/// A secret of this user's, with which artifacts are authenticated.
pub(super) struct Key([u8; blake3::KEY_LEN]);

/// The beginning of an artifact's file.
#[derive(PartialEq)]
pub(super) struct Seal(Hash);

impl Key {
    /// The key in a folder; `None` if there is none that can be trusted.
    pub(super) fn read(folder: &Path) -> Option<Self> {
        let mut bytes = Vec::with_capacity(blake3::KEY_LEN + 1);
        let file = private(&folder.join(NAME)).ok()?;
        file.take(blake3::KEY_LEN as u64 + 1).read_to_end(&mut bytes).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// The key in a folder. A new one is made where there is none, and where it cannot be trusted; what was
    /// sealed with the old one is lost with it.
    ///
    /// # Errors
    ///
    /// What the system says.
    #[cfg(feature = "compiler")]
    pub(super) fn read_or_make(folder: &Path) -> io::Result<Self> {
        use std::io::Write;

        if let Some(key) = Self::read(folder) {
            return Ok(key);
        }
        let mut bytes = [0; blake3::KEY_LEN];
        getrandom::fill(&mut bytes)?;
        // Only its owner can read it.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&bytes)?;
        let path = folder.join(NAME);
        match file.persist_noclobber(&path) {
            Ok(_) => Ok(Self(bytes)),
            Err(refused) if refused.error.kind() == io::ErrorKind::AlreadyExists => {
                // Another process was quicker, or what is there is no key.
                if let Some(key) = Self::read(folder) {
                    return Ok(key);
                }
                refused.file.persist(&path)?;
                Ok(Self(bytes))
            }
            Err(refused) => Err(refused.error),
        }
    }

    /// The artifact in `file`, if it bears the seal that it should. It is read once, into memory of this process's:
    /// the file can be written to or cut short without harm.
    pub(super) fn verified(&self, file: &File, engine: &Hash, component: &Hash) -> Option<Image> {
        let size = file.metadata().ok()?.len().checked_sub(Seal::LEN as u64)?;
        if size > MAX_SIZE {
            return None;
        }
        let written = Seal::read(file)?;
        let image = Image::read(file, usize::try_from(size).ok()?)?;
        (self.seal(engine, component, &image) == written).then_some(image)
    }

    /// The seal of an artifact, which holds for this engine and this component only.
    pub(super) fn seal(&self, engine: &Hash, component: &Hash, artifact: &[u8]) -> Seal {
        let mut hasher = Hasher::new_keyed(&self.0);
        hasher.update(&MAGIC).update(engine.as_bytes()).update(component.as_bytes()).update(artifact);
        Seal(hasher.finalize())
    }
}

impl Seal {
    /// How many bytes it takes in a file.
    pub(super) const LEN: usize = MAGIC.len() + blake3::OUT_LEN;

    /// Reads a seal; `None` if there is none.
    pub(super) fn read(mut file: impl Read) -> Option<Self> {
        let (mut magic, mut code) = ([0; MAGIC.len()], [0; blake3::OUT_LEN]);
        file.read_exact(&mut magic).and_then(|()| file.read_exact(&mut code)).ok()?;
        // Hashes are compared in constant time.
        (magic == MAGIC).then(|| Self(code.into()))
    }

    /// As it stands in a file.
    #[cfg(feature = "compiler")]
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        [MAGIC.as_slice(), self.0.as_bytes()].concat()
    }
}
