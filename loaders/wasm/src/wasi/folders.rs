//! The folders that both keys open.

use cap_std::ambient_authority;
use cap_std::fs::{Dir, Metadata};
use caraway_loaders_core::capability::{Access, FileMode, Opening};
use caraway_loaders_core::{Code, Error};
use std::io;
use std::path::{Path, PathBuf};
use wasmtime_wasi::filesystem::Dir as Handle;
use wasmtime_wasi::{FsPerms, OpenMode};

/// The folders of a plugin, opened when it is loaded. Clones share the handles.
#[derive(Clone, Default)]
pub(super) struct Folders {
    pub(super) open: Vec<(Handle, String)>,
    /// What must not be opened, by whatever name.
    pub(super) denied: Vec<PathBuf>,
}

impl Folders {
    /// Opens what is granted. A folder that may be written is made if need be; one that may only be read and
    /// does not exist is left out.
    ///
    /// # Errors
    ///
    /// [`Code::Denied`] for a folder in which something is denied, [`Code::EntryPoint`] for what is a file, and
    /// [`Code::Io`] for what cannot be opened.
    pub(super) fn open(access: &Access) -> Result<Self, Error> {
        let mut folders = Self::default();
        for opening in access.openings() {
            let name = opening.name.to_string_lossy().into_owned();
            let failed = |error: io::Error| {
                Error::new(Code::Io, format!("cannot open the granted folder `{name}`: {error}"))
            };
            let dir = match open(access, &opening) {
                Ok(dir) => dir,
                Err(Failure::Io(error)) if error.kind() == io::ErrorKind::NotFound && !opening.write => {
                    continue;
                }
                Err(Failure::Io(error))
                    if matches!(
                        error.kind(),
                        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists
                    ) =>
                {
                    return Err(not_a_folder(&name));
                }
                Err(Failure::Io(error)) => return Err(failed(error)),
                Err(Failure::Refused(error)) => return Err(error),
            };
            if let Some(denied) = overlap(&opening) {
                return Err(partly_denied(&name, denied));
            }
            // What is open for writing alone is told from the rest by its mode.
            let (perms, mode) = match (opening.read, opening.write) {
                (true, true) => (FsPerms::ReadWrite, OpenMode::READ | OpenMode::WRITE),
                (_, false) => (FsPerms::ReadOnly, OpenMode::READ),
                (false, true) => (FsPerms::ReadWrite, OpenMode::WRITE),
            };
            folders.open.push((Handle::new(dir.into_std_file(), perms, mode, true), name));
            folders.denied.extend(opening.denied);
        }
        Ok(folders)
    }
}

enum Failure {
    Io(io::Error),
    Refused(Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Opens the folder by way of each grant that it has, which must all lead to the same one.
fn open(access: &Access, opening: &Opening) -> Result<Dir, Failure> {
    let mut found: Option<Dir> = None;
    for (mode, wanted) in [(FileMode::Read, opening.read), (FileMode::Write, opening.write)] {
        if !wanted {
            continue;
        }
        let place = access.place(mode, &opening.path).map_err(Failure::Refused)?;
        let root = place.root.as_deref().unwrap_or(&place.path);
        if opening.write {
            Dir::create_ambient_dir_all(root, ambient_authority())?;
        }
        let mut dir = Dir::open_ambient_dir(root, ambient_authority())?;
        let rest = place.asked.join(&place.rest);
        if place.root.is_some() && !rest.as_os_str().is_empty() {
            if opening.write {
                dir.create_dir_all(&rest)?;
            }
            dir = dir.open_dir(&rest)?;
        }
        if let Some(first) = &found
            && identity(&first.dir_metadata()?) != identity(&dir.dir_metadata()?)
        {
            return Err(io::Error::other("its grants lead to different folders").into());
        }
        found = Some(dir);
    }
    found.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound).into())
}

/// A device and the number of a file on it.
pub(super) fn identity(metadata: &Metadata) -> (u64, u64) {
    use cap_fs_ext::MetadataExt;
    (metadata.dev(), metadata.ino())
}

/// What is denied in the folder, or around it under another name.
fn overlap(opening: &Opening) -> Option<&Path> {
    let folder = real(&opening.path);
    let overlaps = |denied: &&PathBuf| {
        let real = real(denied);
        denied.starts_with(&opening.path) || real.starts_with(&folder) || folder.starts_with(&real)
    };
    opening.denied.iter().find(overlaps).map(PathBuf::as_path)
}

/// The path without links, as far as it exists.
fn real(path: &Path) -> PathBuf {
    for existing in path.ancestors() {
        if let Ok(real) = existing.canonicalize() {
            return match path.strip_prefix(existing) {
                Ok(rest) if !rest.as_os_str().is_empty() => real.join(rest),
                _ => real,
            };
        }
    }
    path.to_owned()
}

fn not_a_folder(name: &str) -> Error {
    Error::new(Code::EntryPoint, format!("a component is given folders, and `{name}` is a file"))
        .hint("ask for the folder that it lies in, and grant that")
}

fn partly_denied(name: &str, denied: &Path) -> Error {
    let message = format!(
        "a component is given whole folders, and `{}` is denied in `{name}` or by another name for it",
        denied.display()
    );
    Error::new(Code::Denied, message)
        .hint("grant the folders beside it one by one, or leave out the `--deny filesystem=...`")
}
