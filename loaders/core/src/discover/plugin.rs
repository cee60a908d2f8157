//! A plugin that was found.

use crate::checksum::{Checksums, Digest};
use crate::code::Code;
use crate::error::{Error, Location};
use crate::loader::Loader;
use crate::manifest::Manifest;
use crate::regular::RegularFile;
use std::ffi::OsStr;
use std::fs::File;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// A plugin that was found, or that a loader provides.
#[derive(Debug, Clone)]
pub struct Plugin {
    /// What it says of itself.
    pub manifest: Manifest,
    /// Its folder; empty for built-ins.
    pub root: PathBuf,
    /// Where it was found.
    pub origin: Origin,
    /// What its files must be; `None` where nothing says so.
    pub checksums: Option<Arc<Checksums>>,
}

/// Where a plugin comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A search path.
    SearchPath(PathBuf),
    /// Compiled in.
    BuiltIn,
}

impl Plugin {
    /// A plugin whose files may be anything.
    pub fn new(manifest: Manifest, root: impl Into<PathBuf>, origin: Origin) -> Self {
        Self { manifest, root: root.into(), origin, checksums: None }
    }

    /// `name@version`, which is unique in a plan.
    pub fn id(&self) -> String {
        format!("{}@{}", self.manifest.name, self.manifest.version)
    }

    /// The real path of a regular file in the plugin's folder, with links followed.
    ///
    /// # Errors
    ///
    /// [`Code::EntryPoint`] if it does not exist, is not a regular file or is outside the folder: absolute,
    /// through `..`, or through a link. The place is the manifest's field that names the file.
    pub fn file(&self, relative: &Path) -> Result<PathBuf, Error> {
        let wrong = |what: &str| {
            Error::new(Code::EntryPoint, format!("{} of `{}` {what}", relative.display(), self.manifest.name))
                .at(self.naming(relative))
        };
        if !stays_inside(relative) {
            return Err(wrong("leaves the plugin's folder"));
        }
        let unreadable = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => wrong("does not exist"),
            _ => wrong(&format!("cannot be read: {error}")),
        };
        let root = self.root.canonicalize().map_err(unreadable)?;
        let path = root.join(relative).canonicalize().map_err(unreadable)?;
        if !path.starts_with(&root) {
            return Err(wrong("leaves the plugin's folder through a link")
                .hint("copy the file into the plugin's folder"));
        }
        if !path.metadata().map_err(unreadable)?.is_file() {
            return Err(wrong("is not a regular file"));
        }
        Ok(path)
    }

    /// The same for a file that is built: one that is not there was perhaps never made, and the hint says how.
    ///
    /// # Errors
    ///
    /// As [`file`](Self::file).
    pub fn binary(&self, relative: &Path) -> Result<PathBuf, Error> {
        self.file(relative).map_err(|error| match &self.manifest.implementation.build_cmd {
            Some(words) if !self.root.join(relative).exists() => {
                error.hint(format!("`caraway build {}` runs `{}`", self.root.display(), words.join(" ")))
            }
            _ => error,
        })
    }

    /// Opens a regular file in the plugin's folder at one look, which shows that no link is on its path. `None` where that
    /// cannot be shown: then [`file`](Self::file) says what the file is.
    pub fn open(&self, relative: &Path) -> Option<RegularFile> {
        if !stays_inside(relative) {
            return None;
        }
        #[cfg(target_os = "linux")]
        {
            use rustix::fs::{CWD, Mode, OFlags, openat};
            // Mostly there is no link on the way to the folder either.
            if let Ok(file) = RegularFile::open_unlinked(CWD, &self.root.join(relative)) {
                return Some(file);
            }
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let root = openat(CWD, &self.root, flags, Mode::empty()).ok()?;
            RegularFile::open_below(root, relative).ok()
        }
        #[cfg(not(target_os = "linux"))]
        {
            let _ = relative;
            None
        }
    }

    /// Lets the bytes of one of the plugin's files through, before they are used. `real` is its path without
    /// links, as [`file`](Self::file) gives it.
    ///
    /// # Errors
    ///
    /// [`Code::Integrity`] if they are not what [`checksums`](Self::checksums) say.
    pub fn verify(&self, real: &Path, bytes: &[u8]) -> Result<(), Error> {
        let Some(checksums) = &self.checksums else { return Ok(()) };
        self.check(checksums, &self.relative(real)?, bytes)
    }

    /// The same for a file that was [opened](Self::open).
    ///
    /// # Errors
    ///
    /// As [`verify`](Self::verify).
    pub fn verify_opened(&self, relative: &Path, bytes: &[u8]) -> Result<(), Error> {
        let Some(checksums) = &self.checksums else { return Ok(()) };
        // Without links the path is the real one, but for a `.` in it.
        let names = relative.components().filter(|part| *part != Component::CurDir);
        self.check(checksums, &joined(names.map(Component::as_os_str)), bytes)
    }

    fn check(&self, checksums: &Checksums, path: &str, bytes: &[u8]) -> Result<(), Error> {
        checksums.check(path, bytes).map_err(|error| error.at(Location::file(self.root.join(path))))
    }

    /// Lets the manifest through, as it was when it was read.
    ///
    /// # Errors
    ///
    /// [`Code::Integrity`] if it is not what [`checksums`](Self::checksums) say.
    pub fn verify_manifest(&self) -> Result<(), Error> {
        let (Some(checksums), Some(name)) = (&self.checksums, self.manifest.file().file_name()) else {
            return Ok(());
        };
        let checked = checksums.check_digest(&name.to_string_lossy(), self.manifest.digest());
        checked.map_err(|error| error.at(Location::file(self.manifest.file())))
    }

    /// The digests of the manifest, as it was read, and of the files that this host would load, as they are now.
    /// `source` and `remedy` are for [`Checksums::new`].
    ///
    /// # Errors
    ///
    /// A file that is missing or cannot be read.
    pub fn checksums_now(
        &self,
        loader: &dyn Loader,
        source: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Result<Checksums, Error> {
        let mut checksums = Checksums::new(source, remedy);
        if let Some(name) = self.manifest.file().file_name() {
            checksums.insert(name.to_string_lossy(), self.manifest.digest());
        }
        for file in loader.files(self)?.iter().filter(|file| file.is_for_this_host()) {
            let (path, digest) = self.digest(&file.path)?;
            checksums.insert(path, digest);
        }
        Ok(checksums)
    }

    /// One digest for the manifest and all files that this host would load, as they are now: the
    /// [total](Checksums::total) of [`checksums_now`](Self::checksums_now).
    ///
    /// # Errors
    ///
    /// As [`checksums_now`](Self::checksums_now).
    pub fn content(&self, loader: &dyn Loader) -> Result<Digest, Error> {
        Ok(self.checksums_now(loader, "", "")?.total())
    }

    /// The path of a file without links, below the plugin's folder, and its digest now.
    ///
    /// # Errors
    ///
    /// As [`file`](Self::file), and [`Code::Io`] if it cannot be read.
    pub fn digest(&self, file: &Path) -> Result<(String, Digest), Error> {
        let real = self.file(file)?;
        let digest = File::open(&real).and_then(Digest::of_reader);
        Ok((self.relative(&real)?, digest.map_err(|error| Error::io(&real, "read", &error))?))
    }

    /// A real path below the plugin's folder, as checksums name it.
    fn relative(&self, real: &Path) -> Result<String, Error> {
        let root = self.root.canonicalize().map_err(|error| Error::io(&self.root, "find", &error))?;
        let path = real.strip_prefix(&root).map_err(|_| {
            Error::new(Code::Integrity, format!("{} is outside the plugin's folder", real.display()))
        })?;
        Ok(joined(path.iter()))
    }

    /// Where the manifest names a file.
    fn naming(&self, file: &Path) -> Location {
        let implementation = &self.manifest.implementation;
        if implementation.entrypoint.as_deref() == Some(file) {
            return self.manifest.locate("implementation.entrypoint");
        }
        for (target, files) in &implementation.binaries {
            if let Some(index) = files.iter().position(|other| other == file) {
                let entry = if target == "*" { index.to_string() } else { target.clone() };
                return self.manifest.locate(&format!("implementation.binaries.{entry}"));
            }
        }
        self.manifest.locate("implementation")
    }
}

/// Whether a path leads out of no folder, links apart.
fn stays_inside(relative: &Path) -> bool {
    relative.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

/// A path below a folder as checksums name it.
fn joined<'a>(names: impl Iterator<Item = &'a OsStr>) -> String {
    names.map(OsStr::to_string_lossy).collect::<Vec<_>>().join("/")
}
