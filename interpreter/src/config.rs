//! `caraway.toml`: of a project, and of the user.

use crate::security::Security;
use caraway_loaders_core::budget::memory_is_counted;
use caraway_loaders_core::capability::Grants;
use caraway_loaders_core::checksum::Digest;
use caraway_loaders_core::config::{Configuration, Place};
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::manifest::{parse_duration, parse_size};
use caraway_loaders_core::{Code, Error, Location, Value};
use semver::VersionReq;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The file's name.
pub(crate) const FILE_NAME: &str = "caraway.toml";

/// Largest configuration file, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// A decoded `caraway.toml`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Config {
    /// Where it is; `None` where there is none.
    pub(crate) file: Option<PathBuf>,
    /// The digest of its text.
    pub(crate) content: Option<Digest>,
    /// `plugin_path`, made absolute.
    pub(crate) plugin_path: Vec<PathBuf>,
    /// `[dependencies]`, with the place of each.
    pub(crate) dependencies: Vec<(String, VersionReq, Location)>,
    /// `[limits]` of the program.
    pub(crate) program_limits: LimitsTable,
    /// `[limits.plugins]`.
    pub(crate) plugin_limits: LimitsTable,
    /// `[grants.NAME]`: in a project, requests; in the user's own file, grants.
    pub(crate) grants: BTreeMap<String, Vec<String>>,
    /// `[config.NAME]`: settings of plugins.
    pub(crate) settings: Configuration,
    /// `[plugins] disabled`.
    pub(crate) disabled: BTreeSet<String>,
    /// `security`, of the user's own file.
    pub(crate) security: Option<(Security, Location)>,
    /// `enabled = false`: no plugin is found at all.
    pub(crate) enabled: Option<bool>,
}

/// A table of limits. What is not given stays as it is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LimitsTable {
    timeout: Option<String>,
    cpu: Option<String>,
    memory: Option<String>,
    operations: Option<u64>,
    call_depth: Option<usize>,
    string_size: Option<String>,
    array_size: Option<usize>,
    map_size: Option<usize>,
    std_calls: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    enabled: Option<bool>,
    security: Option<toml::Spanned<String>>,
    #[serde(default)]
    plugin_path: Vec<PathBuf>,
    #[serde(default)]
    dependencies: BTreeMap<String, toml::Spanned<String>>,
    #[serde(default)]
    limits: RawLimits,
    #[serde(default)]
    grants: BTreeMap<String, RawGrants>,
    #[serde(default)]
    plugins: RawPlugins,
    #[serde(default)]
    config: BTreeMap<String, BTreeMap<toml::Spanned<String>, toml::Spanned<toml::Value>>>,
    registries: Option<toml::Spanned<toml::Value>>,
}

#[derive(Default, Deserialize)]
struct RawLimits {
    plugins: Option<LimitsTable>,
    #[serde(flatten)]
    program: BTreeMap<String, toml::Value>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawGrants {
    #[serde(default)]
    allow: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPlugins {
    #[serde(default)]
    disabled: BTreeSet<String>,
}

impl Config {
    /// The project that a program in `folder` belongs to: the nearest `caraway.toml` upward.
    ///
    /// # Errors
    ///
    /// [`Code::Config`] for a file that is wrong.
    pub(crate) fn project(folder: &Path) -> Result<Self, Error> {
        match project_file(folder) {
            Some(file) => {
                let mut config = Self::read(&file)?;
                config.settings = config.settings.of_project();
                match &config.security {
                    None => Ok(config),
                    Some((level, location)) => {
                        Err(Error::new(Code::Config, "`security` is the user's to say, not a project's")
                            .at(location.clone())
                            .hint(format!("take it out, and run with `--security {level}`")))
                    }
                }
            }
            None => Ok(Self::default()),
        }
    }

    /// The user's own: `caraway/caraway.toml` in the user's configuration directory.
    ///
    /// # Errors
    ///
    /// As [`Config::project`].
    pub(crate) fn user() -> Result<Self, Error> {
        match user_file().filter(|file| file.is_file()) {
            Some(file) => {
                let config = Self::read(&file)?;
                match config.dependencies.first() {
                    None => Ok(config),
                    Some((_, _, location)) => {
                        Err(Error::new(Code::Config, "`[dependencies]` belong to a project, not to a user")
                            .at(location.clone())
                            .hint("move them to the caraway.toml beside the programs that need them"))
                    }
                }
            }
            None => Ok(Self::default()),
        }
    }

    fn read(file: &Path) -> Result<Self, Error> {
        let size = std::fs::metadata(file).map_err(|error| Error::io(file, "read", &error))?.len();
        if size > MAX_BYTES {
            return Err(
                Error::new(Code::Config, format!("larger than {MAX_BYTES} bytes")).at(Location::file(file))
            );
        }
        let text = std::fs::read_to_string(file).map_err(|error| Error::io(file, "read", &error))?;
        Self::parse(file, &text)
    }

    pub(crate) fn parse(file: &Path, text: &str) -> Result<Self, Error> {
        let shown = &shown(file);
        let place = |offset: usize| Location::at_offset(shown, text, offset);
        let raw: Raw = toml::from_str(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            Error::new(Code::Config, error.message()).at(place(offset))
        })?;
        if let Some(value) = &raw.registries {
            return Err(Error::new(Code::NotEnforced, "`[registries]` is not supported yet")
                .at(place(value.span().start))
                .hint("remove it"));
        }
        let mut dependencies = Vec::new();
        for (name, requirement) in &raw.dependencies {
            let location = place(requirement.span().start);
            let parsed = VersionReq::parse(requirement.get_ref()).map_err(|error| {
                Error::new(
                    Code::Config,
                    format!("`{name}`: {:?} is no version requirement: {error}", requirement.get_ref()),
                )
                .at(location.clone())
                .hint("for example \"^1.2\" or \"*\"")
            })?;
            dependencies.push((name.clone(), parsed, location));
        }
        let mut settings = Configuration::default();
        for (plugin, table) in raw.config {
            for (name, value) in table {
                let at = Place { name: place(name.span().start), value: place(value.span().start) };
                let value = setting(value.into_inner()).ok_or_else(|| {
                    let about = format!("`config.{plugin}.{}` holds a date or time", name.get_ref());
                    Error::new(Code::Config, about).at(at.value.clone()).hint("write it as a string")
                })?;
                settings.set(&plugin, name.get_ref(), value, Some(at));
            }
        }
        let security = raw.security.map(|level| {
            Security::from_name(level.get_ref())
                .map(|security| (security, place(level.span().start)))
                .ok_or_else(|| {
                    let known = Security::ALL.map(|level| format!("`{level}`")).join(", ");
                    Error::new(
                        Code::Config,
                        format!("`security` is {:?}; known are {known}", level.get_ref()),
                    )
                    .at(place(level.span().start))
                })
        });
        let security = security.transpose()?;
        let program: LimitsTable = toml::Value::Table(raw.limits.program.into_iter().collect())
            .try_into()
            .map_err(|error: toml::de::Error| {
                Error::new(Code::Config, format!("`[limits]`: {}", error.message())).at(Location::file(shown))
            })?;
        let folder = file.parent().unwrap_or(Path::new(""));
        let config = Self {
            file: Some(file.to_owned()),
            content: Some(Digest::of(text.as_bytes())),
            plugin_path: raw.plugin_path.iter().map(|path| folder.join(path)).collect(),
            dependencies,
            program_limits: program,
            plugin_limits: raw.limits.plugins.unwrap_or_default(),
            grants: raw.grants.into_iter().map(|(name, grants)| (name, grants.allow)).collect(),
            settings,
            disabled: raw.plugins.disabled,
            security,
            enabled: raw.enabled,
        };
        let memory = config.program_limits.memory.is_some() || config.plugin_limits.memory.is_some();
        if memory && !memory_is_counted() {
            return Err(Error::new(
                Code::NotEnforced,
                "this host does not count memory, so `memory` cannot be enforced",
            )
            .at(Location::file(shown))
            .hint("remove it, or install `caraway::CountingAllocator` in the host"));
        }
        // Mistakes are told when the file is read, not when a limit is needed.
        for (table, limits) in [("limits", &config.program_limits), ("limits.plugins", &config.plugin_limits)]
        {
            limits.apply(Limits::PROGRAM).map_err(|message| {
                Error::new(Code::Config, format!("`[{table}]`: {message}")).at(Location::file(shown))
            })?;
        }
        config.granted(&mut Grants::default()).map_err(|error| error.at(Location::file(shown)))?;
        Ok(config)
    }

    /// Adds what `[grants]` says to `grants`. Paths are relative to the file's folder.
    pub(crate) fn granted(&self, grants: &mut Grants) -> Result<(), Error> {
        let base = self.file.as_deref().and_then(Path::parent).unwrap_or(Path::new("."));
        for (plugin, allow) in &self.grants {
            for capability in allow {
                grants.allow(&format!("{plugin}:{capability}"), base)?;
            }
        }
        Ok(())
    }
}

/// The nearest `caraway.toml` upward from a folder.
pub(crate) fn project_file(folder: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    absolute.ancestors().map(|dir| dir.join(FILE_NAME)).find(|file| file.is_file())
}

/// The same, where a command is for a project.
///
/// # Errors
///
/// [`Code::Usage`] if there is none.
#[cfg(feature = "cli")]
pub(crate) fn project_of(folder: &Path) -> Result<PathBuf, Error> {
    project_file(folder).ok_or_else(|| {
        Error::new(Code::Usage, "there is no caraway.toml, here or further up, so there is no project")
            .hint("make one beside the programs, which may be empty")
    })
}

/// Where the user's own is, or would be; `None` where the user has no configuration directory.
pub(crate) fn user_file() -> Option<PathBuf> {
    dirs::config_dir().map(|dir| dir.join("caraway").join(FILE_NAME))
}

/// A file as somebody in the current directory would name it.
pub(crate) fn shown(file: &Path) -> PathBuf {
    let here = std::env::current_dir().ok();
    here.and_then(|here| file.strip_prefix(here).ok()).unwrap_or(file).to_owned()
}

/// The value of a setting. `None` for dates and times, which plugins do not know.
fn setting(value: toml::Value) -> Option<Value> {
    Some(match value {
        toml::Value::Boolean(bool) => Value::Bool(bool),
        toml::Value::Integer(int) => Value::Int(int),
        toml::Value::Float(float) => Value::Float(float),
        toml::Value::String(text) => Value::String(text),
        toml::Value::Datetime(_) => return None,
        toml::Value::Array(items) => Value::Array(items.into_iter().map(setting).collect::<Option<_>>()?),
        toml::Value::Table(entries) => {
            let entries = entries.into_iter().map(|(key, value)| Some((key, setting(value)?)));
            Value::Map(entries.collect::<Option<_>>()?)
        }
    })
}

impl LimitsTable {
    /// `limits` with those of the table in their place.
    ///
    /// # Errors
    ///
    /// What is wrong with a duration or a size.
    pub(crate) fn apply(&self, mut limits: Limits) -> Result<Limits, String> {
        if let Some(timeout) = &self.timeout {
            limits.timeout = Some(parse_duration(timeout).map_err(|error| format!("`timeout` {error}"))?);
        }
        if let Some(cpu) = &self.cpu {
            limits.cpu = Some(parse_duration(cpu).map_err(|error| format!("`cpu` {error}"))?);
        }
        if let Some(memory) = &self.memory {
            limits.memory = Some(parse_size(memory).map_err(|error| format!("`memory` {error}"))?);
        }
        if let Some(size) = &self.string_size {
            let bytes = parse_size(size).map_err(|error| format!("`string_size` {error}"))?;
            limits.string_size = Some(usize::try_from(bytes).unwrap_or(usize::MAX));
        }
        limits.operations = self.operations.or(limits.operations);
        limits.call_depth = self.call_depth.unwrap_or(limits.call_depth);
        limits.array_size = self.array_size.or(limits.array_size);
        limits.map_size = self.map_size.or(limits.map_size);
        limits.std_calls = self.std_calls.or(limits.std_calls);
        for (name, value) in [
            ("operations", limits.operations.unwrap_or(1)),
            ("call_depth", limits.call_depth as u64),
            ("string_size", limits.string_size.unwrap_or(1) as u64),
            ("array_size", limits.array_size.unwrap_or(1) as u64),
            ("map_size", limits.map_size.unwrap_or(1) as u64),
            ("std_calls", limits.std_calls.unwrap_or(1).into()),
        ] {
            if value == 0 {
                return Err(format!("`{name}` must be at least 1"));
            }
        }
        if limits.call_depth > 512 {
            return Err("`call_depth` can be 512 at most".to_owned());
        }
        Ok(limits)
    }
}
