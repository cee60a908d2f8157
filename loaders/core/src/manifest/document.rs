//! Files of others in JSON or TOML, read as strictly as manifests are: duplicate keys are refused, nesting is bounded,
//! and each value knows its place.

pub use super::tree::{Entry, Node, Value};

use super::problems::Problems;
use super::{json, toml};
use crate::code::Code;
use crate::error::{Error, Location};
use std::fs::File;
use std::io::Read;
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
        let failed = |error: std::io::Error| Error::io(file, "read", &error);
        let mut bytes = Vec::new();
        let opened = File::open(file).map_err(failed)?;
        if !opened.metadata().map_err(failed)?.is_file() {
            return Err(Error::new(Code::Io, format!("{} is not a regular file", file.display())));
        }
        opened.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(Error::new(code, "the file is larger than 16 MiB").at(Location::file(file)));
        }
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
            (_, Some(error)) => {
                Err(error.of_code(code).reworded(&|text| text.replace("the manifest", "the file")))
            }
            (None, None) => Err(Error::new(Code::Internal, "a file was refused without a reason")),
        }
    }
}
