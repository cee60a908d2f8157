//! The file of a manifest: what it is called, and reading it, whatever it really is.

use super::folder::Folder;
use crate::code::Code;
use crate::error::{Error, Location};
use crate::manifest::{self, MAX_BYTES};
use crate::regular::{RegularFile, Unreadable};
use std::io::ErrorKind;
use std::path::Path;

pub(super) const JSON: &str = "plugin.json";
pub(super) const TOML: &str = "plugin.toml";

/// Whether a file of this name is a manifest.
pub fn is_manifest(name: &str) -> bool {
    name == JSON || name == TOML
}

/// Whether a folder has a manifest, so that it is a plugin.
pub fn has_manifest(folder: &Path) -> bool {
    [JSON, TOML].iter().any(|name| folder.join(name).symlink_metadata().is_ok())
}

/// The bytes of a manifest; `None` where there is no file of this name.
///
/// # Errors
///
/// Not a regular file, too large, or it cannot be read.
pub(super) fn read(folder: &Folder, name: &Path) -> Result<Option<Vec<u8>>, Error> {
    let refused = |unreadable: Unreadable| {
        let path = folder.path.join(name);
        match unreadable {
            Unreadable::TooLarge => manifest::too_large(&path),
            Unreadable::Failed(error) => Error::io(&path, "read", &error).at(Location::file(path)),
            Unreadable::NotRegular(found) => {
                let message = format!("the manifest is not a regular file but {found}");
                Error::new(Code::ManifestSyntax, message).at(Location::file(path))
            }
        }
    };
    let file = match RegularFile::open_at(folder.descriptor(), name) {
        // A link that leads nowhere is a manifest that is broken rather than missing.
        Err(Unreadable::Failed(error)) if is_absent(&error) && !folder.has_link(name) => return Ok(None),
        opened => opened.map_err(refused)?,
    };
    file.read(MAX_BYTES as u64).map(Some).map_err(refused)
}

fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}
