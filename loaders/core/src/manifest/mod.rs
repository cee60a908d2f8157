//! What a plugin says of itself: `plugin.json` or `plugin.toml`.
//!
//! Both are decoded from a tree with positions by one strict decoder, which collects every problem:
//! unknown keys, duplicate keys, wrong types, wrong values. `docs/reference/manifest.md` is the reference.

use crate::capability::Asks;
use crate::error::{Error, Location};
use caraway_plugin::{Signature, Type};
use semver::{Version, VersionReq};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A decoded manifest. Every field has passed the checks that need no other file.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Manifest {
    /// `name`: `[a-z][a-z0-9_-]*`, at most 64 bytes; built-ins are `std/...`.
    pub name: String,
    /// `version`.
    pub version: Version,
    /// `description`.
    pub description: Option<String>,
    /// `author`.
    pub author: Option<String>,
    /// `license`: an SPDX expression.
    pub license: Option<String>,
    /// `type`: the kind, which a loader knows: `module`, `native`, ...
    pub kind: String,
    /// `module`: the name that programs import; `name` with `-` as `_` unless given.
    pub module: String,
    /// What `capabilities` says that the plugin provides: `function`, `type`, `module`.
    pub provides: Vec<String>,
    /// What `capabilities` asks for.
    pub asks: Asks,
    /// `caraway_version`.
    pub caraway_version: Option<VersionReq>,
    /// `dependencies`, in the manifest's order.
    pub dependencies: Vec<Dependency>,
    /// `functions`, with named types looked up. `None` where the manifest does not say.
    pub functions: Option<Vec<Function>>,
    /// `types`, looked up by the names that signatures use.
    pub types: BTreeMap<String, Type>,
    /// `implementation`.
    pub implementation: Implementation,
    /// `security`.
    pub security: Security,
    /// `runtime`.
    pub runtime: RuntimeOptions,
    /// Where each field stands, for messages.
    pub(crate) positions: Positions,
}

/// An entry of `dependencies`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// The name of a plugin.
    pub name: String,
    /// The versions that will do.
    pub requirement: VersionReq,
}

/// An entry of `functions`.
#[derive(Debug, Clone)]
pub struct Function {
    /// Its name and types.
    pub signature: Signature,
    /// `description`.
    pub description: Option<String>,
    /// `native`: in a hybrid, exported by the library directly.
    pub native: bool,
}

/// `implementation`: where the code is and how it is built.
#[derive(Debug, Clone, Default)]
pub struct Implementation {
    /// `language`, for people.
    pub language: Option<String>,
    /// `entrypoint`: a path inside the plugin's folder.
    pub entrypoint: Option<PathBuf>,
    /// `build_cmd`, as words; the first is the program.
    pub build_cmd: Option<Vec<String>>,
    /// `sources`: files and folders whose change makes a binary stale, inside the plugin's folder.
    pub sources: Vec<PathBuf>,
    /// `binaries` for a target triple, inside the plugin's folder. The key `*` holds those of a plain list.
    pub binaries: BTreeMap<String, Vec<PathBuf>>,
}

/// `security`: how the plugin is held. `None` leaves the host's default in force.
#[derive(Debug, Clone)]
pub struct Security {
    /// `sandbox`, default true.
    pub sandbox: bool,
    /// `allowed_apis`: the `std/*` modules that it may import; `None` is all that its dependencies name.
    pub allowed_apis: Option<Vec<String>>,
    /// `max_memory`, in bytes.
    pub max_memory: Option<u64>,
    /// `max_cpu`, CPU time of the outermost call.
    pub max_cpu: Option<Duration>,
    /// `timeout`, wall time of the outermost call, dependencies included.
    pub timeout: Option<Duration>,
}

impl Default for Security {
    fn default() -> Self {
        Self { sandbox: true, allowed_apis: None, max_memory: None, max_cpu: None, timeout: None }
    }
}

/// `runtime`: when the plugin is loaded.
#[derive(Debug, Clone)]
pub struct RuntimeOptions {
    /// `lazy`, default true: loaded at the first import that reaches it, else when the program starts.
    pub lazy: bool,
}

impl Default for RuntimeOptions {
    fn default() -> Self {
        Self { lazy: true }
    }
}

/// Where the fields of a manifest stand.
#[derive(Debug, Clone, Default)]
pub(crate) struct Positions {
    pub(crate) file: PathBuf,
    /// Dotted path of a field (`functions.0.params.1.type`) to line and column of its value.
    pub(crate) fields: BTreeMap<String, (usize, usize)>,
}

impl Manifest {
    /// The least that a manifest can say; for loaders that provide or adopt plugins without a file.
    pub fn new(name: impl Into<String>, version: Version, kind: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            module: name.replace('-', "_"),
            name,
            version,
            description: None,
            author: None,
            license: None,
            kind: kind.into(),
            provides: Vec::new(),
            asks: Asks::default(),
            caraway_version: None,
            dependencies: Vec::new(),
            functions: None,
            types: BTreeMap::new(),
            implementation: Implementation::default(),
            security: Security::default(),
            runtime: RuntimeOptions::default(),
            positions: Positions::default(),
        }
    }

    /// Where a field stands, by its dotted path; its nearest parent, or the file, where it does not.
    pub fn locate(&self, field: &str) -> Location {
        let mut field = field;
        loop {
            if let Some(&(line, column)) = self.positions.fields.get(field) {
                return Location::new(&self.positions.file, line, column);
            }
            match field.rfind('.') {
                Some(dot) => field = &field[..dot],
                None => return Location::file(&self.positions.file),
            }
        }
    }

    /// The manifest's file; empty for plugins without one.
    pub fn file(&self) -> &Path {
        &self.positions.file
    }

    /// The declared function of this name.
    pub fn function(&self, name: &str) -> Option<&Function> {
        self.functions.as_ref()?.iter().find(|f| f.signature.name == name)
    }

    /// Decodes the bytes of `plugin.json` or `plugin.toml`, chosen by the path's extension.
    ///
    /// # Errors
    ///
    /// All problems at once, see [`Error::others`], each with its line and column.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, Error> {
        let _ = (path, bytes);
        Err(Error::new(crate::Code::Internal, "not built"))
    }
}
