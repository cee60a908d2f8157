//! The folder that an archive is unpacked into.

use super::limits::Limits;
use super::names::{Names, Shape};
use super::refusal::Refusal;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, File, OpenOptions, Permissions, PermissionsExt};
use caraway_loaders_core::Error;
use caraway_loaders_core::discover::is_manifest;
use rustix::fs::Mode;
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Where entries go, in the order of the archive: a folder, or nowhere if they are only checked.
pub(super) struct Tree<'a> {
    archive: &'a Path,
    limits: &'a Limits,
    /// The folder's handle and its path, for messages.
    into: Option<(Dir, PathBuf)>,
    names: Names,
    entries: usize,
    top: BTreeMap<String, Shape>,
    /// What is copied goes through here.
    buffer: Vec<u8>,
}

/// A regular file of an archive.
pub(super) struct Entry<R> {
    /// What it holds.
    pub(super) content: R,
    /// How many bytes that are.
    pub(super) size: u64,
    /// Whether its owner may execute it.
    pub(super) executable: bool,
}

impl<'a> Tree<'a> {
    /// A tree below an empty folder.
    pub(super) fn new(archive: &'a Path, into: Option<&Path>, limits: &'a Limits) -> Result<Self, Error> {
        let into = match into {
            Some(path) => {
                let dir = Dir::open_ambient_dir(path, ambient_authority())
                    .map_err(|error| Error::io(path, "open", &error))?;
                let mut entries = dir.entries().map_err(|error| Error::io(path, "read", &error))?;
                if entries.next().is_some() {
                    return Err(Error::io(path, "unpack into", &io::ErrorKind::DirectoryNotEmpty.into()));
                }
                Some((dir, path.to_owned()))
            }
            None => None,
        };
        let (names, top) = (Names::default(), BTreeMap::new());
        Ok(Self { archive, limits, into, names, entries: 0, top, buffer: vec![0; 1 << 16] })
    }

    /// Counts an entry; those that only describe others count, too.
    pub(super) fn count(&mut self) -> Result<(), Refusal> {
        self.entries += 1;
        let most = self.limits.entries;
        if self.entries > most {
            return Err(Refusal::new(format!("it has more than {most} entries")));
        }
        Ok(())
    }

    /// Makes a folder. `name` is as in the archive, with or without a `/` at its end.
    pub(super) fn folder(&mut self, name: &[u8]) -> Result<(), Refusal> {
        let path = text(name)?;
        let path = path.strip_suffix('/').unwrap_or(path);
        // `tar -C folder .`
        if path == "." {
            return Ok(());
        }
        let path = path.strip_prefix("./").unwrap_or(path);
        self.take(path, Shape::Folder)?;
        self.make_folders(path)
    }

    /// Writes a file. `name` is as in the archive.
    pub(super) fn file<R: Read>(&mut self, name: &[u8], entry: Entry<R>) -> Result<(), Refusal> {
        let path = text(name)?;
        let path = path.strip_prefix("./").unwrap_or(path);
        self.take(path, Shape::File)?;
        let most = self.limits.file_bytes;
        if entry.size > most {
            return Err(Refusal::new(format!("has more than {most} bytes")));
        }
        if let Some((parent, _)) = path.rsplit_once('/') {
            self.make_folders(parent)?;
        }
        let mut file = self.create(path, entry.executable)?;
        let mut content = entry.content.take(entry.size);
        let mut left = entry.size;
        while left > 0 {
            let read = match content.read(&mut self.buffer) {
                Ok(0) => return Err(Refusal::new("is truncated")),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Refusal::reading(error, self.archive)),
            };
            left = left.saturating_sub(read as u64);
            if let Some(file) = &mut file {
                file.write_all(&self.buffer[..read]).map_err(|error| self.failed(path, "write", &error))?;
            }
        }
        Ok(())
    }

    fn create(&self, path: &str, executable: bool) -> Result<Option<File>, Refusal> {
        let Some((dir, _)) = &self.into else { return Ok(None) };
        let file = dir
            .open_with(path, OpenOptions::new().write(true).create_new(true))
            .map_err(|error| self.failed(path, "create", &error))?;
        let mode = if executable { 0o755 } else { 0o644 };
        rustix::fs::fchmod(&file, Mode::from_raw_mode(mode))
            .map_err(|error| self.failed(path, "set the permissions of", &error.into()))?;
        Ok(Some(file))
    }

    fn make_folders(&self, path: &str) -> Result<(), Refusal> {
        let Some((dir, _)) = &self.into else { return Ok(()) };
        let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
        for end in ends {
            let path = &path[..end];
            match dir.create_dir(path) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(self.failed(path, "create", &error)),
            }
            dir.set_permissions(path, Permissions::from_mode(0o755))
                .map_err(|error| self.failed(path, "set the permissions of", &error))?;
        }
        Ok(())
    }

    fn failed(&self, path: &str, doing: &str, error: &io::Error) -> Refusal {
        let root = self.into.as_ref().map_or(Path::new(""), |(_, root)| root);
        Refusal::Failed(Error::io(&root.join(path), doing, error).hint("is there room on the disk?"))
    }

    /// Takes in a path, and the folders that it lies in.
    fn take(&mut self, path: &str, shape: Shape) -> Result<(), Refusal> {
        self.names.add(path, shape)?;
        let most = self.limits.entries;
        if self.names.len() > most {
            return Err(Refusal::new(format!("is one of more than {most} files and folders")));
        }
        match path.split_once('/') {
            Some((top, _)) => self.top.insert(top.to_owned(), Shape::Folder),
            None => self.top.insert(path.to_owned(), shape),
        };
        Ok(())
    }

    /// The plugin's folder, relative to where it was unpacked to: the root if it has a manifest or is a single
    /// file, else the only folder of the root.
    pub(super) fn plugin(&self) -> Result<PathBuf, Refusal> {
        let is_file = |(_, shape): &(&String, &Shape)| **shape == Shape::File;
        if self.top.iter().filter(is_file).any(|(name, _)| is_manifest(name)) {
            return Ok(PathBuf::new());
        }
        let mut shown = self.top.iter().filter(|(name, _)| !name.starts_with('.'));
        match (shown.next(), shown.next()) {
            (Some((_, Shape::File)), None) => Ok(PathBuf::new()),
            (Some((name, Shape::Folder)), None) => Ok(PathBuf::from(name)),
            _ => Err(Refusal::new(
                "it has no plugin: neither a manifest at its root nor a single folder that could hold one",
            )),
        }
    }
}

fn text(name: &[u8]) -> Result<&str, Refusal> {
    std::str::from_utf8(name).map_err(|_| Refusal::new("has a name that is not UTF-8"))
}
