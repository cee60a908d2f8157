//! Compiled components that are kept, and what may have become of them.

#![cfg(feature = "compiler")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod common;

use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::loader::Loader;
use caraway_loaders_wasm::{Cache, Note, WasmLoader};
use common::{Bench, component, shown};
use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

/// A cache, a component that answers a number, and what loaders said of the cache.
struct Kept {
    home: TempDir,
    bench: Bench,
    problems: Arc<Mutex<Vec<String>>>,
}

impl Kept {
    fn new() -> Self {
        Self { home: TempDir::new().unwrap(), bench: Bench::new(), problems: Arc::default() }
    }

    /// What a process would have that was started now.
    fn loader(&self) -> WasmLoader {
        self.loader_with(Cache::new(self.home.path()))
    }

    fn loader_with(&self, cache: Cache) -> WasmLoader {
        let problems = self.problems.clone();
        WasmLoader::new().cache(cache).notes(move |note| match note {
            Note::CacheUnused { problem } => problems.lock().unwrap().push(problem.to_owned()),
            note => panic!("{note:?}"),
        })
    }

    fn plugin(&self, answer: i64) -> Plugin {
        let body = format!("(result i64) (i64.const {answer})");
        self.bench.plugin("m", &component("", &[("answer", "(result s64)", &body)]))
    }

    /// One that has a file of its own.
    fn plugin_named(&self, answer: i64) -> Plugin {
        let body = format!("(result i64) (i64.const {answer})");
        let name = format!("m{answer}");
        self.bench.plugin(&name, &component("", &[("answer", "(result s64)", &body)]))
    }

    #[track_caller]
    fn answers(&self, loader: &WasmLoader, answer: i64) {
        let request = self.bench.request(self.plugin(answer), Limits::PLUGIN, Default::default());
        let bound = loader.load(&request).unwrap();
        assert_eq!(shown(&common::engine(&bound), "m::answer()"), answer.to_string());
    }

    /// A loader made now gives the right answer and says nothing.
    #[track_caller]
    fn is_right(&self, answer: i64) {
        self.answers(&self.loader(), answer);
        assert_eq!(*self.problems.lock().unwrap(), [""; 0]);
    }

    /// A loader made now gives the right answer and says that the cache was of no use.
    #[track_caller]
    fn is_right_without_cache(&self, problem: &str) {
        self.answers(&self.loader(), 7);
        let problems = std::mem::take(&mut *self.problems.lock().unwrap());
        assert!(problems.iter().any(|found| found.contains(problem)), "{problem:?}: {problems:?}");
    }

    fn folder(&self) -> PathBuf {
        self.home.path().join("wasm")
    }

    fn key(&self) -> PathBuf {
        self.folder().join("key")
    }

    /// The artifacts.
    fn files(&self) -> Vec<PathBuf> {
        files_below(&self.folder()).into_iter().filter(|path| *path != self.key()).collect()
    }

    #[track_caller]
    fn file(&self) -> PathBuf {
        let mut files = self.files();
        assert_eq!(files.len(), 1, "{files:?}");
        files.remove(0)
    }
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = folder.read_dir().into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// Whether a load took what was kept: another inode means that it was compiled and written again.
#[track_caller]
fn inode(path: &Path) -> u64 {
    path.metadata().unwrap().ino()
}

#[test]
fn what_was_compiled_is_kept_for_its_owner_alone() {
    let kept = Kept::new();
    kept.is_right(7);
    let file = kept.file();
    for path in [kept.folder(), kept.key(), file.clone(), file.parent().unwrap().to_owned()] {
        assert_eq!(path.metadata().unwrap().mode() & 0o077, 0, "{}", path.display());
    }
    let before = inode(&file);
    kept.is_right(7);
    assert_eq!((kept.file(), inode(&file)), (file, before), "it was compiled again");
    kept.is_right(8);
    assert_eq!(kept.files().len(), 2);
}

#[test]
fn a_loader_without_cache_keeps_nothing() {
    let kept = Kept::new();
    kept.answers(&WasmLoader::new(), 7);
    assert!(!kept.folder().exists());
}

#[test]
fn what_is_kept_is_loaded_by_looks_too() {
    let kept = Kept::new();
    kept.loader().inspect(&kept.plugin(7)).unwrap();
    let before = inode(&kept.file());
    kept.is_right(7);
    assert_eq!(inode(&kept.file()), before);
}

#[test]
fn flipped_bytes_and_cut_files_are_compiled_again() {
    let kept = Kept::new();
    kept.is_right(7);
    let file = kept.file();
    let whole = std::fs::read(&file).unwrap();
    // The magic number, the code, and the artifact: each byte of them is flipped where it costs less.
    for at in [0, 7, 8, 39, 40, 41, 60, 100, whole.len() / 3, whole.len() / 2, whole.len() - 1] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        let before = replace(&file, &bytes);
        kept.is_right(7);
        assert_ne!(inode(&file), before, "byte {at} was believed");
        assert_eq!(std::fs::read(&file).unwrap(), whole, "byte {at}");
    }
    for len in [0, 1, 39, 40, 41, whole.len() / 2, whole.len() - 1] {
        let before = replace(&file, &whole[..len]);
        kept.is_right(7);
        assert_ne!(inode(&file), before, "{len} bytes were believed");
    }
    let longer = [whole.as_slice(), b"x"].concat();
    let before = replace(&file, &longer);
    kept.is_right(7);
    assert_ne!(inode(&file), before, "a longer file was believed");
}

/// Writes a file in place and gives its inode. The time is kept, which the cache must not trust.
#[track_caller]
fn replace(path: &Path, bytes: &[u8]) -> u64 {
    let modified = path.metadata().unwrap().modified().unwrap();
    std::fs::write(path, bytes).unwrap();
    std::fs::File::options().write(true).open(path).unwrap().set_modified(modified).unwrap();
    inode(path)
}

#[test]
fn a_file_that_is_changed_or_cut_after_it_was_loaded_does_no_harm() {
    let kept = Kept::new();
    kept.is_right(7);
    let loader = kept.loader();
    let request = kept.bench.request(kept.plugin(7), Limits::PLUGIN, Default::default());
    let engine = common::engine(&loader.load(&request).unwrap());
    let file = kept.file();
    let size = std::fs::metadata(&file).unwrap().len();
    std::fs::write(&file, vec![0xcc; usize::try_from(size).unwrap()]).unwrap();
    assert_eq!(shown(&engine, "m::answer()"), "7");
    std::fs::write(&file, "").unwrap();
    assert_eq!(shown(&engine, "m::answer()"), "7");
}

#[test]
fn an_artifact_is_for_its_component_only() {
    let kept = Kept::new();
    kept.is_right(7);
    let seven = kept.file();
    kept.is_right(8);
    let eight = kept.files().into_iter().find(|path| *path != seven).unwrap();
    std::fs::copy(&seven, &eight).unwrap();
    kept.is_right(8);
}

#[test]
fn an_artifact_of_another_engine_is_not_taken() {
    let kept = Kept::new();
    kept.is_right(7);
    let file = kept.file();
    let elsewhere = kept.folder().join("0".repeat(64));
    std::fs::create_dir(&elsewhere).unwrap();
    let moved = elsewhere.join(file.file_name().unwrap());
    std::fs::rename(&file, &moved).unwrap();
    kept.is_right(7);
    assert!(file.exists(), "it was taken from another engine's folder");
}

#[test]
fn an_artifact_under_another_key_is_not_taken() {
    for prepare in [
        (|key| std::fs::write(key, [1; 32]).unwrap()) as fn(&Path),
        |key| std::fs::write(key, [1; 31]).unwrap(),
        |key| std::fs::write(key, [1; 33]).unwrap(),
        |key| std::fs::write(key, "").unwrap(),
        |key| std::fs::remove_file(key).unwrap(),
        // Whoever could read it could have made artifacts.
        |key| std::fs::set_permissions(key, Permissions::from_mode(0o644)).unwrap(),
        |key| {
            let real = key.with_file_name("real");
            std::fs::rename(key, &real).unwrap();
            symlink(real, key).unwrap();
        },
    ] {
        let kept = Kept::new();
        kept.is_right(7);
        let file = kept.file();
        let before = inode(&file);
        prepare(&kept.key());
        kept.is_right(7);
        assert_ne!(inode(&file), before, "it was believed");
        let before = inode(&file);
        kept.is_right(7);
        assert_eq!(inode(&file), before, "the new key is no good");
        let key = kept.key().symlink_metadata().unwrap();
        assert_eq!((key.is_file(), key.len(), key.mode() & 0o077), (true, 32, 0));
    }
}

#[test]
fn what_is_no_private_file_is_not_opened() {
    let kept = Kept::new();
    kept.is_right(7);
    let file = kept.file();
    let whole = std::fs::read(&file).unwrap();
    for prepare in [
        // A pipe would be waited for.
        (|file, _| {
            let path = std::ffi::CString::new(file.as_os_str().as_encoded_bytes()).unwrap();
            let made = std::process::Command::new("mkfifo").arg(path.to_str().unwrap()).status().unwrap();
            assert!(made.success());
        }) as fn(&Path, &[u8]),
        |file, _| symlink("/dev/zero", file).unwrap(),
        |file, whole| {
            let elsewhere = file.with_file_name("elsewhere");
            std::fs::write(&elsewhere, whole).unwrap();
            symlink(elsewhere, file).unwrap();
        },
        |file, whole| {
            std::fs::write(file, whole).unwrap();
            std::fs::set_permissions(file, Permissions::from_mode(0o606)).unwrap();
        },
    ] {
        std::fs::remove_file(&file).unwrap();
        prepare(&file, &whole);
        kept.is_right(7);
        let metadata = file.symlink_metadata().unwrap();
        assert!(metadata.is_file() && metadata.mode() & 0o077 == 0, "it was left as it was: {metadata:?}");
    }
}

#[test]
fn a_cache_that_cannot_be_used_is_not_an_error() {
    let kept = Kept::new();
    std::fs::write(kept.folder(), "a file").unwrap();
    kept.is_right_without_cache("cannot be made");

    std::fs::remove_file(kept.folder()).unwrap();
    symlink("/nowhere", kept.folder()).unwrap();
    kept.is_right_without_cache("cannot be made");

    std::fs::remove_file(kept.folder()).unwrap();
    let elsewhere = kept.home.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    symlink(&elsewhere, kept.folder()).unwrap();
    kept.is_right_without_cache("is no folder");

    std::fs::remove_file(kept.folder()).unwrap();
    std::fs::create_dir(kept.folder()).unwrap();
    std::fs::set_permissions(kept.folder(), Permissions::from_mode(0o750)).unwrap();
    kept.is_right_without_cache("is open to other users");

    std::fs::set_permissions(kept.folder(), Permissions::from_mode(0o700)).unwrap();
    std::fs::create_dir(kept.key()).unwrap();
    kept.is_right_without_cache("");

    std::fs::remove_dir(kept.key()).unwrap();
    kept.is_right(7);
    kept.answers(&kept.loader_with(Cache::new("/proc/none")), 7);
    kept.is_right_without_cache("cannot be made");
}

#[test]
fn many_writers_at_once_leave_what_all_can_read() {
    let kept = Kept::new();
    let gate = std::sync::Barrier::new(6);
    let plugins: Vec<Plugin> = (0..2).map(|answer| kept.plugin_named(answer)).collect();
    std::thread::scope(|scope| {
        for index in 0..6 {
            let (kept, gate, plugin) = (&kept, &gate, &plugins[index % 2]);
            scope.spawn(move || {
                let loader = kept.loader();
                gate.wait();
                loader.inspect(plugin).unwrap();
            });
        }
    });
    let files = kept.files();
    assert_eq!(files.len(), 2, "{files:?}");
    let before: Vec<u64> = files.iter().map(|file| inode(file)).collect();
    plugins.iter().for_each(|plugin| drop(kept.loader().inspect(plugin).unwrap()));
    assert_eq!(files.iter().map(|file| inode(file)).collect::<Vec<_>>(), before);
    assert_eq!(*kept.problems.lock().unwrap(), [""; 0]);
}

#[test]
fn the_oldest_goes_when_there_is_too_much() {
    let kept = Kept::new();
    kept.is_right(1);
    let first = kept.file();
    let size = first.metadata().unwrap().len();
    let cache = || Cache::new(kept.home.path()).limit(size * 5 / 2);
    let used = |path: &Path, age| {
        let time = SystemTime::now() - Duration::from_secs(age);
        std::fs::File::open(path).unwrap().set_modified(time).unwrap();
    };
    used(&first, 5_000);
    kept.answers(&kept.loader_with(cache()), 2);
    let second = kept.files().into_iter().find(|path| *path != first).unwrap();
    used(&second, 4_000);
    // A use makes the first one the newer.
    kept.answers(&kept.loader_with(cache()), 1);
    kept.answers(&kept.loader_with(cache()), 3);
    let files = kept.files();
    assert_eq!((files.len(), files.contains(&first), files.contains(&second)), (2, true, false));

    // What is larger than the whole cache is not kept.
    kept.answers(&kept.loader_with(Cache::new(kept.home.path()).limit(size / 2)), 4);
    assert_eq!(kept.files(), files);
}

#[test]
fn what_was_never_finished_goes_in_time() {
    let kept = Kept::new();
    kept.is_right(1);
    let folder = kept.file().parent().unwrap().to_owned();
    let (old, new) = (folder.join(".newAbCdEf"), folder.join(".newGhIjKl"));
    for path in [&old, &new] {
        std::fs::write(path, "half").unwrap();
    }
    let yesterday = SystemTime::now() - Duration::from_secs(86_400);
    std::fs::File::options().write(true).open(&old).unwrap().set_modified(yesterday).unwrap();
    kept.is_right(2);
    assert_eq!((old.exists(), new.exists()), (false, true));
}
