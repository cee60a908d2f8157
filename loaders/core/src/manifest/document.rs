//! Files of others in JSON or TOML, read as strictly as manifests are: duplicate keys are refused, nesting is bounded,
//! and each value knows its place.

pub use super::tree::{Entry, Node, Value};

use super::problems::Problems;
use super::{json, toml};
use crate::code::Code;
use crate::error::{Error, Location};
use crate::regular::{RegularFile, Unreadable};
use std::path::{Path, PathBuf};

/// Largest document, in bytes.
pub const MAX_BYTES: u64 = 16 << 20;

/// The text of a file. Its extension says what it is written in: `toml`, else JSON.
///
/// ```
/// use caraway_loaders_core::Code;
/// use caraway_loaders_core::manifest::document::{Document, Value};
///
/// let document = Document::new("a.json", r#"{"n": [1, 2.0]}"#);
/// let tree = document.tree(Code::TestFile)?;
/// let Some(Value::Array(items)) = tree.child("n").map(|node| &node.value) else { panic!() };
/// assert!(matches!(items[0].value, Value::Int(1)) && matches!(items[1].value, Value::Float(2.0)));
/// assert_eq!(document.place(items[1].offset).to_string(), "a.json:1:11");
/// # Ok::<(), caraway_loaders_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Document {
    file: PathBuf,
    text: String,
}

impl Document {
    /// A text that messages call `file`.
    pub fn new(file: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        Self { file: file.into(), text: text.into() }
    }

    /// Reads a file. A byte order mark means nothing.
    ///
    /// # Errors
    ///
    /// [`Code::Io`] if it cannot be read; `code` if it is larger than [`MAX_BYTES`] or not UTF-8.
    pub fn read(file: &Path, code: Code) -> Result<Self, Error> {
        let bytes =
            RegularFile::open(file).and_then(|opened| opened.read(MAX_BYTES)).map_err(|unreadable| {
                match unreadable {
                    Unreadable::Failed(error) => Error::io(file, "read", &error),
                    Unreadable::NotRegular(found) => {
                        let message = format!("{} is not a regular file but {found}", file.display());
                        Error::new(Code::Io, message)
                    }
                    Unreadable::TooLarge => {
                        Error::new(code, "the file is larger than 16 MiB").at(Location::file(file))
                    }
                }
            })?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let (valid, bytes) = (error.utf8_error().valid_up_to(), error.as_bytes());
            let line = bytes[..valid].iter().filter(|byte| **byte == b'\n').count() + 1;
            Error::new(code, "the file is not UTF-8").at(Location::new(file, line, 0))
        })?;
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        Ok(Self::new(file, text))
    }

    /// The file's name.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Its text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The place of a byte of the text.
    pub fn place(&self, offset: usize) -> Location {
        Location::at_offset(&self.file, &self.text, offset)
    }

    /// What is in the text.
    ///
    /// # Errors
    ///
    /// `code`, with all that is wrong.
    pub fn tree(&self, code: Code) -> Result<Node<'_>, Error> {
        let mut problems = Problems::new(&self.file, &self.text);
        let tree = match self.file.extension().is_some_and(|extension| extension == "toml") {
            true => toml::parse(&self.text, &mut problems),
            false => json::parse(&self.text, &mut problems),
        };
        match (tree, problems.into_error()) {
            (Some(tree), None) => Ok(tree),
            (_, Some(error)) => Err(error.of_code(code)),
            (None, None) => Err(Error::new(Code::Internal, "a file was refused without a reason")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(file: &Path, code: Code, message: &str) {
        let error = Document::read(file, Code::TestFile).unwrap_err();
        assert_eq!((error.code(), error.message().contains(message)), (code, true), "{error}");
    }

    #[test]
    fn what_a_document_holds_is_not_reworded() {
        for (name, text, message) in [
            (
                "a.json",
                format!("{}{}", "[".repeat(100), "]".repeat(100)),
                "the file nests deeper than 64 levels",
            ),
            ("a.toml", format!("a = {}", "[".repeat(100)), "the file nests deeper than 64 levels"),
            (
                "a.json",
                r#"{"the manifest": 1, "the manifest": 2}"#.to_owned(),
                r#"duplicate key "the manifest""#,
            ),
        ] {
            let error = Document::new(name, text).tree(Code::TestFile).unwrap_err();
            assert_eq!((error.code(), error.message().contains(message)), (Code::TestFile, true), "{error}");
        }
    }

    #[test]
    fn files_that_are_no_documents() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        rustix::fs::mkfifoat(rustix::fs::CWD, path("pipe"), rustix::fs::Mode::RWXU).unwrap();
        std::fs::write(path("latin"), b"{\n\xff").unwrap();
        std::fs::File::create(path("large")).unwrap().set_len(MAX_BYTES + 1).unwrap();
        refused(&path("pipe"), Code::Io, "is not a regular file but a pipe");
        refused("/dev/zero".as_ref(), Code::Io, "is not a regular file but a device");
        refused(&path("none"), Code::Io, "none");
        refused(&path("latin"), Code::TestFile, "the file is not UTF-8");
        refused(&path("large"), Code::TestFile, "the file is larger than 16 MiB");
    }
}
