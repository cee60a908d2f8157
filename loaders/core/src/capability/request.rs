//! What can be asked of the gate.

use super::scopes::Capability;
use crate::output::Stream;
use std::path::Path;

/// What a file is to be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileMode {
    /// Reading a file, listing a folder, looking at either.
    Read,
    /// Writing, creating and removing.
    Write,
}

impl FileMode {
    /// The word for it in manifests and on the command line: `read`, `write`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// Something that somebody wants to do, and that needs a capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Request<'a> {
    /// Use a file or a folder. A relative path starts at the program's folder. Whoever opens it asks for a
    /// [`Place`](super::Place) instead.
    File(FileMode, &'a Path),
    /// Open a connection.
    Connect {
        /// A host's name or address, without brackets.
        host: &'a str,
        /// The port.
        port: u16,
    },
    /// Ask for the addresses of a host by its name.
    LookUp(&'a str),
    /// Start another program.
    Run {
        /// Its name or absolute path, as it is written.
        program: &'a str,
        /// Its arguments, without the program itself.
        arguments: &'a [String],
    },
    /// Read an environment variable.
    Environment(&'a str),
    /// Run native code in the host's process.
    Native,
    /// Print.
    Print(Stream),
    /// Read standard input.
    ReadInput,
}

impl Request<'_> {
    /// The capability that it needs.
    pub fn capability(&self) -> Capability {
        match self {
            Self::File(..) => Capability::Filesystem,
            Self::Connect { .. } | Self::LookUp(_) => Capability::Network,
            Self::Run { .. } => Capability::Process,
            Self::Environment(_) => Capability::Env,
            Self::Native => Capability::Native,
            Self::Print(_) | Self::ReadInput => Capability::Io,
        }
    }
}
