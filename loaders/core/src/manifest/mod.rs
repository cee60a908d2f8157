//! What a plugin says of itself: `plugin.json` or `plugin.toml`.
//!
//! Both are decoded from a tree with positions by one strict decoder, which collects every problem:
//! unknown keys, duplicate keys, wrong types, wrong values. `docs/reference/manifest.md` is the reference.

mod config;
mod decode;
pub mod document;
mod fields;
mod functions;
mod implementation;
mod input;
mod json;
mod license;
mod names;
mod paths;
mod problems;
mod quantity;
mod refused;
mod toml;
mod tree;
mod types;
mod unenforced;

pub(crate) use input::too_large;
pub use quantity::{parse_duration, parse_size};
pub use refused::{REFUSED, Refusal, Refused};
pub use unenforced::Unenforced;

use crate::capability::Asks;
use crate::checksum::Digest;
use crate::code::Code;
use crate::error::{Error, Location};
use caraway_plugin::{Signature, Type, Value};
use problems::{Problems, Wrong};
use semver::{Version, VersionReq};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tree::Node;

/// Largest manifest, in bytes.
pub const MAX_BYTES: usize = 1 << 20;

/// Deepest nesting of a manifest's tables and arrays.
pub const MAX_LEVELS: usize = 64;

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
    /// `config`: the settings that it takes, in the manifest's order.
    pub config: Vec<Setting>,
    /// The text that it was decoded from.
    pub(crate) source: Source,
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its name and types.
    pub signature: Signature,
    /// `description`.
    pub description: Option<String>,
    /// `native`: in a hybrid, exported by the library directly.
    pub native: bool,
    /// All that its documentation says, examples too, where the code has one.
    pub documentation: Option<String>,
    /// `deprecated`: that it is not to be used any more, and what instead; empty if that is not said.
    pub deprecated: Option<String>,
}

/// What a line of documentation begins with that says that a function is deprecated.
const DEPRECATED: &str = "@deprecated";

impl Function {
    /// A function that the first paragraph of its documentation describes. A line `@deprecated use this instead`, in
    /// whatever paragraph, says that it is deprecated.
    ///
    /// ```
    /// use caraway_loaders_core::manifest::Function;
    ///
    /// let doc = " The mean.\n\n     mean([1.0, 2.0])\n @deprecated use `mean2`";
    /// let function = Function::documented("mean(xs: array<float>) -> float".parse()?, doc);
    /// assert_eq!(function.description.as_deref(), Some("The mean."));
    /// assert_eq!(function.documentation.as_deref(), Some("The mean.\n\n    mean([1.0, 2.0])"));
    /// assert_eq!(function.deprecated.as_deref(), Some("use `mean2`"));
    /// # Ok::<(), caraway_plugin::ParseTypeError>(())
    /// ```
    pub fn documented(signature: Signature, doc: &str) -> Self {
        let mark = |line: &str| {
            line.strip_prefix(DEPRECATED).map(|advice| advice.trim_matches([' ', ':']).to_owned())
        };
        let lines = || doc.lines().map(str::trim);
        let text = lines().filter(|line| mark(line).is_none()).skip_while(|line| line.is_empty());
        let paragraph: Vec<&str> = text.take_while(|line| !line.is_empty()).collect();
        let description = Some(paragraph.join(" ")).filter(|text| !text.is_empty());
        let whole: Vec<&str> =
            doc.lines().filter(|line| mark(line.trim()).is_none()).map(str::trim_end).collect();
        // What a comment's marks leave in front of every line.
        let indent = |line: &&str| line.len() - line.trim_start().len();
        let indent = whole.iter().filter(|line| !line.is_empty()).map(indent).min().unwrap_or(0);
        let whole: Vec<&str> = whole.into_iter().map(|line| line.get(indent..).unwrap_or_default()).collect();
        let documentation =
            Some(whole.join("\n").trim_matches('\n').to_owned()).filter(|text| !text.is_empty());
        Self { signature, description, documentation, native: false, deprecated: lines().find_map(mark) }
    }

    /// What a manifest declares, with what the code says where the manifest is silent.
    #[must_use]
    pub fn declared(self, declared: &Function) -> Self {
        Self {
            description: declared.description.clone().or(self.description),
            documentation: self.documentation,
            deprecated: declared.deprecated.clone().or(self.deprecated),
            ..declared.clone()
        }
    }
}

/// Its signature.
impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.signature.fmt(f)
    }
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

/// `runtime`: when the plugin is loaded, and for how long.
#[derive(Debug, Clone)]
pub struct RuntimeOptions {
    /// `lazy`, default true: loaded at the first import that reaches it, else when the program starts.
    pub lazy: bool,
    /// `persistent`, default true: keeps its state from call to call, else each call gets a fresh instance.
    pub persistent: bool,
}

impl Default for RuntimeOptions {
    fn default() -> Self {
        Self { lazy: true, persistent: true }
    }
}

/// An entry of `config`: a setting that the operator can give.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// Its name: an identifier.
    pub name: String,
    /// `type`, with named types looked up.
    pub ty: Type,
    /// `default`, which is of the type. Without one, a setting that is not required is `()`, which its type
    /// then accepts.
    pub default: Option<Value>,
    /// `required`: the plugin is not loaded without it. Never true with a default.
    pub required: bool,
    /// `description`.
    pub description: Option<String>,
    /// `secret`: a string that is not written into configuration files and not shown.
    pub secret: bool,
}

/// The text of a manifest, kept to find the places of fields when there is something to say about them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Source {
    pub(crate) file: PathBuf,
    pub(crate) text: Arc<str>,
}

impl Source {
    fn tree<'a>(&'a self, problems: &mut Problems<'_>) -> Option<Node<'a>> {
        if self.file.extension().is_some_and(|extension| extension == "toml") {
            toml::parse(&self.text, problems)
        } else {
            json::parse(&self.text, problems)
        }
    }
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
            config: Vec::new(),
            source: Source::default(),
        }
    }

    /// The manifest of a plugin that is one file, named by the file's stem in lower case, of version 0.0.0 and
    /// with nothing asked for; `None` if that is no plugin's name.
    pub fn of_file(file: &Path, kind: impl Into<String>) -> Option<Self> {
        let name = file.file_stem()?.to_str()?.to_ascii_lowercase();
        let valid = name.len() <= 64
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'));
        if !valid {
            return None;
        }
        let mut manifest = Self::new(name, Version::new(0, 0, 0), kind);
        manifest.implementation.entrypoint = file.file_name().map(PathBuf::from);
        Some(manifest)
    }

    /// Whether a manifest that was not parsed has names that one could have. The place is unknown.
    pub(crate) fn check_names(&self) -> Result<(), Error> {
        let wrong = names::plugin(&self.name).err().map(|wrong| wrong.of("name"));
        let wrong = wrong.or_else(|| names::module(&self.module).err().map(|wrong| wrong.of("module")));
        wrong.map_or(Ok(()), |wrong| Err(wrong.error(Code::ManifestValue)))
    }

    /// Where a field's value stands, by its dotted path (`functions.0.params.1.type`); its nearest parent, or
    /// the file, where it does not.
    ///
    /// The text is looked through again: for messages, not for every load.
    pub fn locate(&self, field: &str) -> Location {
        let Source { file, text } = &self.source;
        match self.source.tree(&mut Problems::new(file, text)) {
            Some(tree) => Location::at_offset(file, text, tree.nearest(field).offset),
            None => Location::file(file),
        }
    }

    /// The manifest's file; empty for plugins without one.
    pub fn file(&self) -> &Path {
        &self.source.file
    }

    /// The file's text, as it was read; empty for what had none.
    pub fn text(&self) -> &str {
        &self.source.text
    }

    /// The digest of the file's text, as it was read.
    pub fn digest(&self) -> Digest {
        Digest::of(self.source.text.as_bytes())
    }

    /// The `caraway_version` that a host of this version does not satisfy. A requirement that a release
    /// satisfies is satisfied by its pre-releases, too.
    pub fn unmet_host(&self, host: &Version) -> Option<&VersionReq> {
        let release = Version::new(host.major, host.minor, host.patch);
        self.caraway_version.as_ref().filter(|needed| !needed.matches(host) && !needed.matches(&release))
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
        let source = Source { file: path.to_owned(), text: input::text(path, bytes)?.into() };
        let text = source.text.clone();
        let mut problems = Problems::new(path, &text);
        let kept = source.clone();
        let manifest =
            source.tree(&mut problems).and_then(|tree| decode::manifest(&tree, kept, &mut problems));
        match (manifest, problems.into_error()) {
            (Some(manifest), None) => Ok(manifest),
            (_, Some(error)) => Err(error),
            (None, None) => Err(Error::new(Code::Internal, "a manifest was refused without a reason")),
        }
    }
}

fn too_deep() -> Wrong {
    Wrong::new(format!("the file nests deeper than {MAX_LEVELS} levels"))
}
