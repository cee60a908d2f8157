//! Who asks for what.

use crate::error::Location;
use semver::VersionReq;
use std::fmt;

/// That a program, a project or a plugin needs a plugin.
///
/// What manifests declare in `dependencies` needs no `Requirement`: it follows from the plugins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// A plugin's name or module name, as written.
    pub path: String,
    /// The versions that will do.
    pub range: VersionReq,
    /// Who asks.
    pub from: Requester,
}

/// Who asks for a plugin, and where it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requester {
    /// The program, by an `import`.
    Program {
        /// The import's path; a default location where it is not known.
        location: Location,
    },
    /// The project, in `[dependencies]` of `caraway.toml`.
    Project {
        /// The entry.
        location: Location,
    },
    /// The code of a plugin that is in the plan, by an `import`. It gets what its manifest's `dependencies`
    /// selected, or is refused.
    Plugin {
        /// The plugin, as [`Plugin::id`](crate::discover::Plugin::id) gives it.
        id: String,
        /// The import's path.
        location: Location,
    },
}

impl Requester {
    /// Where it is written; `None` where that is not known.
    pub fn location(&self) -> Option<&Location> {
        match self {
            Requester::Program { location }
            | Requester::Project { location }
            | Requester::Plugin { location, .. } => Some(location).filter(|l| !l.file.as_os_str().is_empty()),
        }
    }
}

impl fmt::Display for Requester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.location()) {
            (Requester::Plugin { id, .. }, _) => write!(f, "`{id}`"),
            (_, Some(location)) => write!(f, "`{location}`"),
            (Requester::Program { .. }, None) => f.write_str("the program"),
            (Requester::Project { .. }, None) => f.write_str("the project"),
        }
    }
}

/// A plugin and the versions of it that will do, for messages: `` `stats ^1.2` ``.
pub(super) struct Asked<'a>(pub(super) &'a str, pub(super) &'a VersionReq);

impl fmt::Display for Asked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Asked(name, range) = self;
        match range.comparators.is_empty() {
            true => write!(f, "`{name}`"),
            false => write!(f, "`{name} {range}`"),
        }
    }
}
