//! What is written down of an installed plugin.

use caraway_loaders_core::checksum::Digest;
use caraway_loaders_core::{Code, Error, Location};
use rustix::fs::OFlags;
use semver::Version;
use serde::{Deserialize, Serialize};
use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The file in a plugin's folder that holds its record. Discovery and packing pass over hidden files.
pub const RECORD: &str = ".caraway-package.toml";

/// The format of records.
const FORMAT: u64 = 1;

/// Largest record, in bytes.
const MAX_BYTES: u64 = 64 << 10;

/// What is written down of an installed plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The plugin's name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// Where it came from: [`Source::text`](crate::source::Source::text).
    pub source: String,
    /// The digest of the archive that it came in.
    pub archive: Option<Digest>,
}

/// A record as it is in the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: u64,
    name: String,
    version: String,
    source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    archive: Option<String>,
}

/// What can be told of a record of any format.
#[derive(Deserialize)]
struct Any {
    format: u64,
}

impl Record {
    /// `NAME@VERSION`, which is the name of its folder in a store.
    pub fn id(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }

    /// The record of a plugin's folder; `None` if it has none.
    ///
    /// # Errors
    ///
    /// [`Code::Integrity`] for a record that is damaged, of a later format, or that is not of the folder of its own
    /// [`id`](Record::id); [`Code::Io`].
    pub fn read(folder: &Path) -> Result<Option<Self>, Error> {
        let path = folder.join(RECORD);
        let Some(text) = text(&path)? else { return Ok(None) };
        let wrong = |why: &str| damaged(&path, why);
        let format = toml::from_str::<Any>(&text).map_err(|error| wrong(error.message()))?.format;
        if format != FORMAT {
            return Err(Error::new(Code::Integrity, format!("{} is of the format {format}", path.display()))
                .at(Location::file(path))
                .hint(format!("this version of Caraway knows the format {FORMAT}; a later one wrote it")));
        }
        let written: Written = toml::from_str(&text).map_err(|error| wrong(error.message()))?;
        let version = Version::parse(&written.version).map_err(|error| wrong(&error.to_string()))?;
        let archive = written.archive.map(|text| text.parse::<Digest>()).transpose();
        let archive = archive.map_err(|error| wrong(&error.to_string()))?;
        let record = Self { name: written.name, version, source: written.source, archive };
        match folder.file_name().is_some_and(|name| *name == *record.id()) {
            true => Ok(Some(record)),
            false => Err(wrong(&format!("it is that of `{}`", record.id()))),
        }
    }

    /// Its text.
    pub(super) fn to_text(&self) -> Result<String, Error> {
        let written = Written {
            format: FORMAT,
            name: self.name.clone(),
            version: self.version.to_string(),
            source: self.source.clone(),
            archive: self.archive.map(|digest| digest.to_string()),
        };
        let text = toml::to_string(&written);
        let text =
            text.map_err(|error| Error::new(Code::Internal, format!("a record cannot be written: {error}")))?;
        Ok(format!("# Written by Caraway when it installed this plugin.\n{text}"))
    }
}

fn damaged(path: &Path, why: &str) -> Error {
    Error::new(Code::Integrity, format!("the record {} is damaged: {why}", path.display()))
        .at(Location::file(path))
        .hint("install the plugin again")
}

fn text(path: &PathBuf) -> Result<Option<String>, Error> {
    let unreadable = |error: io::Error| Error::io(path, "read", &error).at(Location::file(path));
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY).bits()).unwrap_or(0);
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(unreadable(error)),
    };
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() || metadata.len() > MAX_BYTES {
        return Err(damaged(path, "it is no regular file, or larger than any"));
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut bytes).map_err(unreadable)?;
    String::from_utf8(bytes).map(Some).map_err(|_| damaged(path, "it is not UTF-8"))
}
