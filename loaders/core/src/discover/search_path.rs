//! Where plugins are looked for.

use crate::code::Code;
use crate::error::Error;
use std::io::ErrorKind;
use std::path::PathBuf;

/// A folder to look for plugins in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchPath {
    /// The folder. It is taken as it is: `*` and `?` in it are characters like any other.
    pub path: PathBuf,
    /// Who named it, for messages: `--plugin-path`, `CARAWAY_PLUGIN_PATH`.
    pub label: String,
    /// Whether it must exist: somebody named it. Places that are looked at by default need not.
    pub required: bool,
}

impl SearchPath {
    /// A folder that somebody named: it is an error if it does not exist.
    pub fn explicit(path: impl Into<PathBuf>, label: impl Into<String>) -> Self {
        Self { path: path.into(), label: label.into(), required: true }
    }

    /// A folder that is looked at if it exists.
    pub fn default_path(path: impl Into<PathBuf>, label: impl Into<String>) -> Self {
        Self { path: path.into(), label: label.into(), required: false }
    }

    /// The error for a search path that cannot be read; `None` if nobody asked for it.
    pub(super) fn unreadable(&self, error: &std::io::Error) -> Option<Error> {
        if error.kind() == ErrorKind::NotFound && !self.required {
            return None;
        }
        let path = self.path.display();
        let label = &self.label;
        let error = match error.kind() {
            ErrorKind::NotFound => Error::new(Code::Io, format!("the search path {path} does not exist"))
                .hint(format!("create it, or take it out of {label}")),
            ErrorKind::NotADirectory => {
                Error::new(Code::Io, format!("the search path {path} is not a folder"))
                    .hint(format!("name the folder that holds the plugins in {label}"))
            }
            _ => Error::io(&self.path, "read the search path", error).hint(format!("it comes from {label}")),
        };
        Some(error)
    }
}
