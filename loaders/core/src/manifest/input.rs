//! From bytes to text that may be parsed.

use super::MAX_BYTES;
use crate::code::Code;
use crate::error::{Error, Location};
use std::path::Path;

/// The text of a manifest's bytes.
///
/// # Errors
///
/// Too large, a byte order mark, not UTF-8.
pub(crate) fn text<'a>(file: &Path, bytes: &'a [u8]) -> Result<&'a str, Error> {
    if bytes.len() > MAX_BYTES {
        return Err(too_large(file));
    }
    if bytes.starts_with("\u{feff}".as_bytes()) {
        return Err(Error::new(Code::ManifestSyntax, "the manifest begins with a byte order mark")
            .at(Location::new(file, 1, 1))
            .hint("save it as UTF-8 without BOM"));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let valid = bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid());
        let byte = bytes.get(error.valid_up_to()).copied().unwrap_or_default();
        Error::new(Code::ManifestSyntax, format!("the manifest is not UTF-8: byte 0x{byte:02x}"))
            .at(Location::at_offset(file, valid, valid.len()))
            .hint("save it as UTF-8 without BOM")
    })
}

/// The error for a manifest of more than [`MAX_BYTES`].
pub(crate) fn too_large(file: &Path) -> Error {
    Error::new(Code::ManifestSyntax, "the manifest is larger than 1 MiB").at(Location::file(file))
}
