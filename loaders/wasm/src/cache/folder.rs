//! The cache's folder.

use super::key::Key;
use crate::artifact::Artifact;
use crate::engine::Engine;
use blake3::Hash;
use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Only this user can list it, enter it and write in it.
const PRIVATE: u32 = 0o700;

/// What others may do with something private: nothing.
const OTHERS: u32 = 0o077;

/// How many engines' folders are looked into by an engine that cannot tell which is its own.
const MAX_ENGINES: usize = 16;

/// After how much time a use is noted.
const USED: Duration = Duration::from_secs(3600);

/// A folder that is this user's alone.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    path: PathBuf,
    #[cfg_attr(not(feature = "compiler"), expect(dead_code, reason = "nothing is written"))]
    limit: u64,
}

impl Folder {
    /// Opens a folder, which is made if it is not there.
    pub(super) fn open(path: &Path, limit: u64) -> Result<Self, String> {
        let shown = path.display();
        make(path).map_err(|error| format!("{shown} cannot be made: {error}"))?;
        let metadata =
            path.symlink_metadata().map_err(|error| format!("{shown} cannot be looked at: {error}"))?;
        if !metadata.is_dir() {
            return Err(format!("{shown} is no folder"));
        }
        if metadata.uid() != rustix::process::geteuid().as_raw() {
            return Err(format!("{shown} belongs to another user"));
        }
        if metadata.mode() & OTHERS != 0 {
            return Err(format!("{shown} is open to other users; `chmod 700` closes it"));
        }
        Ok(Self { path: path.to_owned(), limit })
    }

    /// The artifact of the component with this hash, if it is there as it was written and `engine` can run it.
    pub(crate) fn load<A: Artifact>(&self, engine: &Engine, component: &Hash) -> Option<A> {
        match id(engine) {
            Some(id) => self.load_of(&[id], engine, component),
            None => self.load_of(&self.engines(), engine, component),
        }
    }

    /// The same, of one of these engines.
    fn load_of<A: Artifact>(&self, ids: &[Hash], engine: &Engine, component: &Hash) -> Option<A> {
        let key = Key::read(&self.path)?;
        ids.iter().find_map(|id| {
            let file = private(&self.file(id, component)).ok()?;
            let image = key.verified(&file, id, component)?;
            // SAFETY: it bears the seal, which only `store` gives, over what `serialize` gave for such an engine.
            let artifact = unsafe { engine.load(image) }.ok()?;
            note_use(&file);
            Some(artifact)
        })
    }

    /// Keeps an artifact, and removes old ones if there are too many.
    ///
    /// # Errors
    ///
    /// What the system says.
    #[cfg(feature = "compiler")]
    pub(crate) fn store(&self, engine: &Engine, component: &Hash, artifact: &[u8]) -> io::Result<()> {
        use std::io::Write;

        let Some(id) = id(engine).filter(|_| artifact.len() as u64 <= self.limit) else { return Ok(()) };
        let key = Key::read_or_make(&self.path)?;
        let path = self.file(&id, component);
        let folder = path.parent().unwrap_or(&self.path);
        make(folder)?;
        // Only its owner can read it. If the process ends before its time, `trim` removes it.
        let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)?;
        file.write_all(&key.seal(&id, component, artifact).to_bytes())?;
        file.write_all(artifact)?;
        file.persist(&path)?;
        self.trim(&path);
        Ok(())
    }

    fn file(&self, engine: &Hash, component: &Hash) -> PathBuf {
        self.path.join(engine.to_hex().as_str()).join(component.to_hex().as_str())
    }

    /// The engines that have a folder, the newest first.
    fn engines(&self) -> Vec<Hash> {
        let mut engines: Vec<(SystemTime, Hash)> = entries(&self.path)
            .filter(|(_, metadata)| metadata.is_dir())
            .filter_map(|(path, metadata)| {
                let id = Hash::from_hex(path.file_name()?.to_str()?).ok()?;
                Some((metadata.modified().ok()?, id))
            })
            .collect();
        engines.sort_by_key(|(modified, _)| std::cmp::Reverse(*modified));
        engines.into_iter().take(MAX_ENGINES).map(|(_, id)| id).collect()
    }

    /// Removes what was not used for the longest time until the rest is within the limit. `kept` stays.
    #[cfg(feature = "compiler")]
    fn trim(&self, kept: &Path) {
        let now = SystemTime::now();
        let mut files = Vec::new();
        for (folder, _) in entries(&self.path).filter(|(_, metadata)| metadata.is_dir()) {
            for (path, metadata) in entries(&folder) {
                let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                let unfinished = path
                    .file_name()
                    .is_some_and(|name| name.as_encoded_bytes().starts_with(UNFINISHED.as_bytes()));
                if !unfinished {
                    files.push((modified, metadata.len(), path));
                } else if now.duration_since(modified).is_ok_and(|age| age > ABANDONED) {
                    // Somebody else may have been quicker.
                    let _ = std::fs::remove_file(path);
                }
            }
        }
        files.sort_unstable();
        let mut total: u64 = files.iter().map(|(_, size, _)| size).sum();
        for (_, size, path) in files {
            if total <= self.limit {
                break;
            }
            if path != kept && std::fs::remove_file(&path).is_ok() {
                total -= size;
                // It stays unless it was the last one in it.
                let _ = path.parent().map(std::fs::remove_dir);
            }
        }
    }
}

/// How the names of files begin that are being written.
#[cfg(feature = "compiler")]
const UNFINISHED: &str = ".new";

/// After how much time nobody is writing a file any more.
#[cfg(feature = "compiler")]
const ABANDONED: Duration = Duration::from_secs(3600);

/// Which artifacts an engine can run; `None` if it cannot tell before it tries.
fn id(engine: &Engine) -> Option<Hash> {
    #[cfg(feature = "compiler")]
    {
        use std::hash::Hash as _;

        let mut hasher = Feed(blake3::Hasher::new());
        engine.precompile_compatibility_hash().hash(&mut hasher);
        Some(hasher.0.finalize())
    }
    #[cfg(not(feature = "compiler"))]
    {
        let _ = engine;
        None
    }
}

/// Hashes with BLAKE3 what is made for the hashers of maps.
#[cfg(feature = "compiler")]
struct Feed(blake3::Hasher);

#[cfg(feature = "compiler")]
impl std::hash::Hasher for Feed {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let hash = self.0.finalize();
        hash.as_bytes().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}

/// Makes a private folder, and those above it.
fn make(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(PRIVATE).create(path)
}

/// Opens a regular file of this user's that nobody else can read or write.
pub(super) fn private(path: &Path) -> io::Result<File> {
    // A pipe must not keep the host waiting for its other end.
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let file = File::options().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    let metadata = file.metadata()?;
    let ours = metadata.uid() == rustix::process::geteuid().as_raw();
    if metadata.is_file() && ours && metadata.mode() & OTHERS == 0 {
        return Ok(file);
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "not a private file"))
}

/// What is in a folder, as far as it can be read.
fn entries(folder: &Path) -> impl Iterator<Item = (PathBuf, std::fs::Metadata)> {
    let entries = folder.read_dir().into_iter().flatten().flatten();
    entries.filter_map(|entry| Some((entry.path(), entry.metadata().ok()?)))
}

/// Makes a file the newest one, for [`Folder::trim`].
fn note_use(file: &File) {
    let now = SystemTime::now();
    let modified = file.metadata().and_then(|metadata| metadata.modified());
    if modified.is_ok_and(|modified| now.duration_since(modified).is_ok_and(|age| age > USED)) {
        // A file system that is read-only forgets what is used, and is never trimmed.
        let _ = file.set_modified(now);
    }
}

#[cfg(all(test, feature = "compiler"))]
#[allow(clippy::unwrap_used, reason = "helpers of tests are tests")]
mod tests {
    use super::*;
    use wasmtime::component::{self, Component};
    use wasmtime::{Config, Instance, Module, Store};

    struct Stored {
        _home: tempfile::TempDir,
        folder: Folder,
        engine: Engine,
        hash: Hash,
    }

    fn stored<A: Artifact>(text: &str) -> Stored {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::open(&home.path().join("wasm"), u64::MAX).unwrap();
        let engine = Engine::new(Config::new()).unwrap();
        let bytes = wat::parse_str(text).unwrap();
        let hash = blake3::hash(&bytes);
        let artifact = A::compile(&engine, &bytes).unwrap().serialize().unwrap();
        folder.store(&engine, &hash, &artifact).unwrap();
        Stored { _home: home, folder, engine, hash }
    }

    #[test]
    fn modules_are_kept_as_components_are_and_neither_is_taken_for_the_other() {
        let Stored { folder, engine, hash, .. } = &stored::<Module>("(module (func (export \"f\")))");
        let module: Module = folder.load(engine, hash).unwrap();
        assert_eq!(module.exports().count(), 1);
        assert!(folder.load::<Component>(engine, hash).is_none());
        assert!(folder.load::<Module>(engine, &blake3::hash(b"another")).is_none());
    }

    #[test]
    fn no_byte_of_a_file_can_be_changed() {
        let Stored { folder, engine, hash, .. } = &stored::<Module>("(module (func (export \"f\")))");
        let path = folder.file(&id(engine).unwrap(), hash);
        let loads = || folder.load::<Module>(engine, hash).is_some();
        assert!(loads());
        let whole = std::fs::read(&path).unwrap();
        // Every byte of the beginning, with the seal and the headers in it, and some of the rest.
        for at in (0..512.min(whole.len())).chain((512..whole.len()).step_by(31)) {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            std::fs::write(&path, &bytes).unwrap();
            assert!(!loads(), "byte {at} of {}", whole.len());
        }
        for len in (0..whole.len()).step_by(67) {
            std::fs::write(&path, &whole[..len]).unwrap();
            assert!(!loads(), "{len} bytes");
        }
        std::fs::write(&path, whole).unwrap();
        assert!(loads());
    }

    #[test]
    fn an_engine_that_cannot_tell_looks_into_all_folders() {
        let Stored { folder, engine, hash, .. } = &stored::<Component>("(component)");
        std::fs::create_dir(folder.path.join("0".repeat(64))).unwrap();
        std::fs::create_dir(folder.path.join("no-engine")).unwrap();
        let engines = folder.engines();
        assert_eq!(engines.len(), 2);
        assert!(folder.load_of::<Component>(&engines, engine, hash).is_some());

        // What was made with other settings is refused by wasmtime, whatever the seal says.
        let mut config = Config::new();
        config.epoch_interruption(true);
        let other = Engine::new(config).unwrap();
        assert!(folder.load_of::<Component>(&engines, &other, hash).is_none());
        assert!(folder.load::<Component>(&other, hash).is_none());

        // The seal holds for the folder that it was given in.
        let own = folder.path.join(id(engine).unwrap().to_hex().as_str());
        std::fs::remove_dir(folder.path.join("0".repeat(64))).unwrap();
        std::fs::rename(own, folder.path.join("0".repeat(64))).unwrap();
        assert!(folder.load_of::<Component>(&folder.engines(), engine, hash).is_none());
    }

    /// A module whose `f` gives the last byte of what its memory begins as: so many bytes.
    fn with_data(bytes: usize) -> String {
        let (data, last) = ("a".repeat(bytes - 1) + "z", bytes - 1);
        format!(
            r#"(module (memory 32) (data (i32.const 0) "{data}")
                (func (export "f") (result i32) (i32.load8_u (i32.const {last}))))"#
        )
    }

    fn call(engine: &Engine, module: &Module) -> i32 {
        let mut store = Store::new(engine, ());
        let instance = Instance::new(&mut store, module, &[]).unwrap();
        instance.get_typed_func::<(), i32>(&mut store, "f").unwrap().call(&mut store, ()).unwrap()
    }

    #[test]
    fn what_is_loaded_runs_on_when_its_file_is_changed() {
        // In small pages and in large ones.
        for size in [10, 1 << 20] {
            let Stored { folder, engine, hash, .. } = &stored::<Module>(&with_data(size));
            let path = folder.file(&id(engine).unwrap(), hash);
            let module: Module = folder.load(engine, hash).unwrap();
            let whole = std::fs::read(&path).unwrap();
            assert_eq!(whole.len() > 1 << 19, size > 1 << 19);
            std::fs::write(&path, vec![0xcc; whole.len()]).unwrap();
            assert_eq!(call(engine, &module), i32::from(b'z'));
            std::fs::write(&path, "").unwrap();
            assert_eq!(call(engine, &module), i32::from(b'z'));
            assert!(folder.load::<Module>(engine, hash).is_none());
            std::fs::write(&path, whole).unwrap();
            let again: Module = folder.load(engine, hash).unwrap();
            drop(module);
            assert_eq!(call(engine, &again), i32::from(b'z'));
        }
    }

    #[test]
    fn components_of_the_cache_are_called() {
        let text = r#"(component (core module $m (func (export "f") (result i32) (i32.const 7)))
            (core instance $i (instantiate $m))
            (func (export "f") (result u32) (canon lift (core func $i "f"))))"#;
        let Stored { folder, engine, hash, .. } = &stored::<Component>(text);
        let component: Component = folder.load(engine, hash).unwrap();
        let mut store = Store::new(engine, ());
        let instance = component::Linker::new(engine).instantiate(&mut store, &component).unwrap();
        let f = instance.get_typed_func::<(), (u32,)>(&mut store, "f").unwrap();
        assert_eq!(f.call(&mut store, ()).unwrap(), (7,));
    }

    #[test]
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    fn what_was_loaded_is_given_back() {
        let Stored { folder, engine, hash, .. } = &stored::<Module>(&with_data(1 << 20));
        let loaded = || folder.load::<Module>(engine, hash).unwrap();
        assert_eq!(engine.images(), 0);
        let (first, second) = (loaded(), loaded());
        let clone = first.clone();
        assert_eq!(engine.images(), 2);
        drop(first);
        assert_eq!(engine.images(), 2);
        drop(clone);
        assert_eq!(engine.images(), 1);
        assert_eq!(call(engine, &second), i32::from(b'z'));
        drop(second);
        assert_eq!(engine.images(), 0);

        // Loads that fail: of the other kind, of another engine, and of what is no artifact at all.
        assert!(folder.load::<Component>(engine, hash).is_none());
        let mut config = Config::new();
        config.epoch_interruption(true);
        let other = Engine::new(config).unwrap();
        assert!(folder.load_of::<Module>(&folder.engines(), &other, hash).is_none());
        folder.store(engine, hash, b"no artifact").unwrap();
        assert!(folder.load::<Module>(engine, hash).is_none());
        assert_eq!((engine.images(), other.images()), (0, 0));

        // One without code is never made executable.
        let Stored { folder, engine, hash, .. } = &stored::<Component>("(component)");
        let component: Component = folder.load(engine, hash).unwrap();
        assert_eq!(engine.images(), 1);
        drop(component);
        assert_eq!(engine.images(), 0);
    }
}
