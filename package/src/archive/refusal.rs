//! Why an archive is refused.

use caraway_loaders_core::{Code, Error, Location};
use std::fmt;
use std::io;
use std::path::Path;

/// Why an archive is not unpacked. It travels through readers as an [`io::Error`].
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Something is wrong with the archive; with the entry, where it is known.
    Archive { entry: Option<String>, why: String },
    /// It could not be unpacked for reasons that are not its own.
    Failed(Error),
}

impl Refusal {
    /// A refusal that no entry is to blame for.
    pub(crate) fn new(why: impl Into<String>) -> Self {
        Self::Archive { entry: None, why: why.into() }
    }

    /// What was read is not what an archive has there, or could not be read.
    pub(crate) fn reading(error: io::Error, archive: &Path) -> Self {
        if error.raw_os_error().is_some() {
            return Self::Failed(Error::io(archive, "read", &error));
        }
        let kind = error.kind();
        match error.downcast::<Refusal>() {
            Ok(refusal) => refusal,
            Err(_) if kind == io::ErrorKind::UnexpectedEof => Self::new("it is truncated"),
            Err(error) => Self::new(format!("it is damaged: {error}")),
        }
    }

    /// The same refusal, about this entry unless one is known.
    pub(crate) fn of(self, name: &[u8]) -> Self {
        match self {
            Self::Archive { entry: None, why } => {
                Self::Archive { entry: Some(String::from_utf8_lossy(name).into_owned()), why }
            }
            other => other,
        }
    }

    /// The error for whoever asked for the archive of this name.
    pub(crate) fn into_error(self, archive: &Path) -> Error {
        let message = match self {
            Self::Failed(error) => return error.at(Location::file(archive)),
            Self::Archive { entry: None, why } => format!("the archive is refused: {why}"),
            Self::Archive { entry: Some(entry), why } => {
                // Newlines and tabs are no harm to a terminal, but a name has none.
                let entry = entry.replace('\n', "\\n").replace('\t', "\\t");
                format!("the archive is refused: `{entry}` {why}")
            }
        };
        Error::new(Code::ArchiveRefused, message)
            .at(Location::file(archive))
            .hint("nothing of it was installed; get the archive anew, or tell whoever made it")
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Archive { why, .. } => f.write_str(why),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Refusal {}

impl From<Refusal> for io::Error {
    fn from(refusal: Refusal) -> Self {
        io::Error::other(refusal)
    }
}
