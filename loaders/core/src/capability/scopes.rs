//! All capabilities together.

use super::detail;
use super::env::Env;
use super::filesystem::Filesystem;
use super::io::{Channel, Io};
use super::native::Native;
use super::network::Network;
use super::process::Process;
use super::request::Request;
use crate::output::Stream;
use crate::suggest::suggest;
use serde_json::Value;
use std::fmt;
use std::path::Path;

/// A kind of thing that a plugin must ask for and be granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Capability {
    /// Files and folders.
    Filesystem,
    /// Connections to hosts.
    Network,
    /// Other programs.
    Process,
    /// Environment variables.
    Env,
    /// Native code in the host's process.
    Native,
    /// Standard output, error and input.
    Io,
}

impl Capability {
    /// Every capability, in the order in which they are listed.
    pub const ALL: &'static [Capability] =
        &[Self::Filesystem, Self::Network, Self::Process, Self::Env, Self::Native, Self::Io];

    /// The name in manifests and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Filesystem => "filesystem",
            Self::Network => "network",
            Self::Process => "process",
            Self::Env => "env",
            Self::Native => "native",
            Self::Io => "io",
        }
    }

    /// The capability of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|capability| capability.name() == name)
    }

    /// The name nearest to a misspelt one.
    pub(super) fn near(name: &str) -> Option<&'static str> {
        suggest(name, Self::ALL.iter().map(|capability| capability.name()))
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How far each capability reaches. The default is nothing at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Scopes {
    pub(super) filesystem: Filesystem,
    pub(super) network: Network,
    process: Process,
    env: Env,
    native: Native,
    pub(super) io: Io,
}

impl Scopes {
    /// All of one kind.
    pub(super) fn all_of(capability: Capability) -> Self {
        let mut scopes = Self::default();
        match capability {
            Capability::Filesystem => scopes.filesystem = Filesystem::all(),
            Capability::Network => scopes.network = Network::all(),
            Capability::Process => scopes.process = Process::all(),
            Capability::Env => scopes.env = Env::all(),
            Capability::Native => scopes.native = Native::all(),
            Capability::Io => scopes.io = Io::all(),
        }
        scopes
    }

    /// What a manifest's detail says.
    pub(super) fn from_detail(capability: Capability, detail: &Value) -> Result<Self, String> {
        let mut scopes = Self::default();
        match capability {
            Capability::Filesystem => scopes.filesystem = Filesystem::from_detail(detail)?,
            Capability::Network => scopes.network = Network::from_detail(detail)?,
            Capability::Process => scopes.process = Process::from_detail(detail)?,
            Capability::Env => scopes.env = Env::from_detail(detail)?,
            Capability::Native | Capability::Io => {
                return Err(format!(
                    "is asked for by its name alone, \"{capability}\", and not with {}",
                    detail::kind(detail)
                ));
            }
        }
        Ok(scopes)
    }

    /// What the arguments of a flag say, with relative paths below `base`. `native` takes none here.
    pub(super) fn from_arguments(
        capability: Capability,
        arguments: &[String],
        base: &Path,
    ) -> Result<Self, String> {
        let mut scopes = Self::default();
        let texts = arguments.iter().map(String::as_str);
        match capability {
            Capability::Filesystem => scopes.filesystem = Filesystem::from_arguments(arguments, base)?,
            Capability::Network => scopes.network = Network::from_hosts(texts)?,
            Capability::Process => scopes.process = Process::from_programs(texts)?,
            Capability::Env => scopes.env = Env::from_names(texts)?,
            Capability::Io => scopes.io = Io::from_names(texts)?,
            Capability::Native => scopes.native = Native::all(),
        }
        Ok(scopes)
    }

    pub(super) fn add(&mut self, other: Self) {
        self.filesystem.add(other.filesystem);
        self.network.add(other.network);
        self.process.add(other.process);
        self.env.add(other.env);
        self.native.add(other.native);
        self.io.add(other.io);
    }

    /// What of them is not covered by others; relative paths of either start at `base`.
    pub(super) fn beyond(&self, other: &Self, base: &Path) -> Self {
        Self {
            filesystem: self.filesystem.beyond(&other.filesystem, base),
            network: self.network.beyond(&other.network),
            process: self.process.beyond(&other.process),
            env: self.env.beyond(&other.env),
            native: self.native.beyond(other.native),
            io: self.io.beyond(&other.io),
        }
    }

    /// What grants one of them: `io`, `env=LANG,TZ`; `None` if it reaches nothing.
    pub(super) fn rule(&self, capability: Capability) -> Option<String> {
        let arguments = match capability {
            Capability::Filesystem => self.filesystem.arguments(),
            Capability::Network => self.network.arguments(),
            Capability::Process => self.process.arguments(),
            Capability::Env => self.env.arguments(),
            Capability::Native => self.native.arguments(),
            Capability::Io => self.io.arguments(),
        }?;
        let arguments: Vec<String> = arguments.iter().map(|argument| argument.replace(',', ",,")).collect();
        let equals = if arguments.is_empty() { "" } else { "=" };
        Some(format!("{capability}{equals}{}", arguments.join(",")))
    }

    /// Whether they cover a request, whose path is absolute and normalised.
    pub(super) fn allows(&self, request: &Request<'_>) -> bool {
        match *request {
            Request::File(mode, path) => self.filesystem.allows(mode, path),
            Request::Connect { host, port } => self.network.allows(host, port),
            Request::LookUp(host) => self.network.names(host),
            Request::Run { program, arguments } => self.process.allows(program, arguments),
            Request::Environment(name) => self.env.allows(name),
            Request::Native => self.native.allows(),
            Request::Print(Stream::Stdout) => self.io.allows(Channel::Stdout),
            Request::Print(Stream::Stderr) => self.io.allows(Channel::Stderr),
            Request::ReadInput => self.io.allows(Channel::Stdin),
        }
    }

    /// How far one reaches, for people; `None` if it reaches nothing.
    pub(super) fn describe(&self, capability: Capability) -> Option<String> {
        match capability {
            Capability::Filesystem => self.filesystem.describe(),
            Capability::Network => self.network.describe(),
            Capability::Process => self.process.describe(),
            Capability::Env => self.env.describe(),
            Capability::Native => self.native.describe(),
            Capability::Io => self.io.describe(),
        }
    }
}
