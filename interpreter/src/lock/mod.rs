//! `caraway.lock`: which versions a project uses, where they are from, and what their files must be.
//!
//! It lies beside `caraway.toml`. A run prefers the versions in it and lets only files load that are as it says;
//! it never writes it.

mod entry;
#[cfg(feature = "cli")]
mod make;

pub(crate) use entry::Entry;
#[cfg(feature = "cli")]
pub(crate) use make::make;

use crate::config::shown;
use caraway_loaders_core::checksum::Digest;
use caraway_loaders_core::discover::{Origin, Plugin};
use caraway_loaders_core::resolve::Plan;
use caraway_loaders_core::{Code, Error, Location};
use semver::Version;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The file's name.
pub(crate) const FILE_NAME: &str = "caraway.lock";

/// The version of the format that is written, and the highest that is read.
const FORMAT: u32 = 1;

/// Largest lock file, in bytes.
const MAX_BYTES: u64 = 16 << 20;

/// What helps against most that can be wrong with a lock file.
pub(crate) const REMEDY: &str = "`caraway lock` writes it again, for what is there now";

/// How a session treats the lock file of its project.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Locking {
    /// Its versions are preferred, and files are verified.
    #[default]
    Verify,
    /// As well, and the plan must be what it says.
    Require,
    /// Its versions are preferred, but for those of these plugins; for making a new one.
    #[cfg(feature = "cli")]
    Prefer(Vec<String>),
    /// It is not looked at.
    #[cfg(feature = "cli")]
    Ignore,
}

impl Locking {
    /// Whether files are verified.
    pub(crate) fn verifies(&self) -> bool {
        matches!(self, Self::Verify | Self::Require)
    }

    /// Whether the locked versions of a plugin are preferred.
    pub(crate) fn prefers(&self, plugin: &str) -> bool {
        #[cfg(not(feature = "cli"))]
        let _ = plugin;
        match self {
            Self::Verify | Self::Require => true,
            #[cfg(feature = "cli")]
            Self::Prefer(but) => !but.iter().any(|other| other == plugin),
            #[cfg(feature = "cli")]
            Self::Ignore => false,
        }
    }
}

/// A decoded lock file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Lockfile {
    file: PathBuf,
    /// The programs whose imports it is for, below its folder.
    pub(crate) programs: Vec<String>,
    /// By name and version.
    entries: BTreeMap<(String, Version), Entry>,
    /// What was locked before, where a change is under way, or was when a process was killed.
    before: Option<Before>,
    /// Of the two sides of such a change the one that does not hold.
    other: Option<Box<Lockfile>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    version: u32,
    content: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    programs: Vec<String>,
    #[serde(default, rename = "plugin")]
    plugins: Vec<Entry>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<Before>,
}

/// What was locked before. It holds while `caraway.toml` is what it was then, so that the two files change as one, when
/// `caraway.toml` is replaced; or while a plugin of which the contents change has the old ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Before {
    /// The digest of `caraway.toml`.
    config: Digest,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    programs: Vec<String>,
    #[serde(default, rename = "plugin", skip_serializing_if = "Vec::is_empty")]
    plugins: Vec<Entry>,
}

/// What a file of any version has.
#[derive(Deserialize)]
struct AnyVersion {
    version: toml::Spanned<u32>,
}

impl Lockfile {
    /// One with nothing in it, for the folder of a `caraway.toml`.
    #[cfg(feature = "cli")]
    pub(crate) fn empty(folder: &Path) -> Self {
        Self { file: folder.join(FILE_NAME), ..Self::default() }
    }

    /// The one beside a `caraway.toml`; `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`Code::LockFile`] for one that was cut off or edited, or is of a newer format.
    pub(crate) fn beside(config: &Path) -> Result<Option<Self>, Error> {
        let file = config.with_file_name(FILE_NAME);
        let size = match std::fs::metadata(&file) {
            Ok(metadata) if metadata.is_file() => metadata.len(),
            Ok(_) => return Err(wrong(&file, "it is not a regular file").at(Location::file(shown(&file)))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io(&file, "read", &error)),
        };
        if size > MAX_BYTES {
            let what = format!("it is larger than {MAX_BYTES} bytes");
            return Err(wrong(&file, &what).at(Location::file(shown(&file))));
        }
        let text = std::fs::read_to_string(&file).map_err(|error| match error.kind() {
            std::io::ErrorKind::InvalidData => {
                wrong(&file, "it is not UTF-8").at(Location::file(shown(&file)))
            }
            _ => Error::io(&file, "read", &error),
        })?;
        let new = Self::parse(file, &text)?;
        let Some(before) = new.before.clone() else { return Ok(Some(new)) };
        let old = Self {
            file: new.file.clone(),
            entries: by_version(&new.file, before.plugins.clone())?,
            programs: before.programs.clone(),
            before: Some(before.clone()),
            other: None,
        };
        let old_holds = std::fs::read(config).is_ok_and(|text| Digest::of(&text) == before.config);
        if old_holds && old.entries.is_empty() && old.programs.is_empty() {
            return Ok(None);
        }
        let (holds, other) = if old_holds { (old, new) } else { (new, old) };
        Ok(Some(Self { other: Some(Box::new(other)), ..holds }))
    }

    /// The side that holds of a change that is under way, for these plugins: where the contents of one change, the side
    /// whose contents it has.
    #[must_use]
    pub(crate) fn for_plugins(mut self, plugins: &[Arc<Plugin>]) -> Self {
        let Some(mut other) = self.other.take() else { return self };
        let is_other = |plugin: &&Arc<Plugin>| {
            let (name, version) = (&plugin.manifest.name, &plugin.manifest.version);
            match (self.get(name, version), other.get(name, version)) {
                (Some(here), Some(there)) => !here.fits(plugin) && there.fits(plugin),
                _ => false,
            }
        };
        if plugins.iter().any(|plugin| is_other(&plugin)) {
            std::mem::swap(&mut self, &mut other);
        }
        Self { other: Some(other), ..self }
    }

    pub(crate) fn parse(file: PathBuf, text: &str) -> Result<Self, Error> {
        let place = |offset: usize| Location::at_offset(shown(&file), text, offset);
        let unreadable = |error: toml::de::Error| {
            wrong(&file, error.message()).at(place(error.span().map_or(0, |span| span.start)))
        };
        let any: AnyVersion = toml::from_str(text).map_err(unreadable)?;
        if *any.version.get_ref() > FORMAT {
            let found = format!("{} is of format {}", shown(&file).display(), any.version.get_ref());
            return Err(Error::new(Code::LockFile, format!("{found}; this caraway knows {FORMAT}"))
                .at(place(any.version.span().start))
                .hint(format!("use the newer caraway that wrote it; or {REMEDY}")));
        }
        let raw: Raw = toml::from_str(text).map_err(unreadable)?;
        let entries = by_version(&file, raw.plugins)?;
        let lock =
            Self { file: file.clone(), programs: raw.programs, entries, before: raw.before, other: None };
        let content = lock.content()?;
        if raw.content != content.to_string() {
            return Err(wrong(&file, "it was edited, or cut off: its `content` is another")
                .at(Location::file(shown(&file))));
        }
        Ok(lock)
    }

    /// A text of a lock file with the digest that it should have; `None` for what cannot be one.
    #[cfg(all(feature = "cli", any(test, fuzzing)))]
    pub(crate) fn sealed(text: &str) -> Option<String> {
        let mut raw: Raw = toml::from_str(text).ok()?;
        let entries = by_version(Path::new(FILE_NAME), std::mem::take(&mut raw.plugins)).ok()?;
        let before = raw.before;
        Self { file: PathBuf::new(), programs: raw.programs, entries, before, other: None }.to_text().ok()
    }

    /// Its text.
    ///
    /// # Errors
    ///
    /// [`Code::Internal`] if it cannot be written as TOML.
    #[cfg(feature = "cli")]
    pub(crate) fn to_text(&self) -> Result<String, Error> {
        let raw = self.raw(self.content()?.to_string());
        Ok(format!("# Made by caraway. Not for editing: `caraway lock` makes it anew.\n{}", encode(&raw)?))
    }

    /// The same, which says what `old` says until `caraway.toml`, whose digest is now `config`, is another.
    #[cfg(feature = "install")]
    #[must_use]
    pub(crate) fn after(&self, old: Option<&Self>, config: Digest) -> Self {
        let before = Before {
            config,
            programs: old.map(|old| old.programs.clone()).unwrap_or_default(),
            plugins: old.iter().flat_map(|old| old.entries.values().cloned()).collect(),
        };
        Self { before: Some(before), ..self.clone() }
    }

    /// Changes where a plugin is from.
    #[cfg(feature = "install")]
    pub(crate) fn set_source(&mut self, name: &str, version: &Version, source: &str) {
        if let Some(entry) = self.entries.get_mut(&(name.to_owned(), version.clone())) {
            entry.source = Some(source.to_owned());
        }
    }

    /// A digest of all that it says, however it is laid out.
    fn content(&self) -> Result<Digest, Error> {
        Ok(Digest::of(encode(&self.raw(String::new()))?.as_bytes()))
    }

    fn raw(&self, content: String) -> Raw {
        Raw {
            version: FORMAT,
            content,
            programs: self.programs.clone(),
            plugins: self.entries.values().cloned().collect(),
            before: self.before.clone(),
        }
    }

    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// What it says of a version of a plugin.
    pub(crate) fn get(&self, name: &str, version: &Version) -> Option<&Entry> {
        self.entries.get(&(name.to_owned(), version.clone()))
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    #[cfg(feature = "cli")]
    pub(crate) fn insert(&mut self, entry: Entry) {
        self.entries.insert((entry.name.clone(), entry.version.clone()), entry);
    }

    /// The plugins of a plan that are not in it; built-ins need not be.
    pub(crate) fn missing<'a>(&'a self, plan: &'a Plan) -> impl Iterator<Item = &'a Plugin> {
        plan.plugins()
            .map(|plugin| &**plugin)
            .filter(|plugin| plugin.origin != Origin::BuiltIn)
            .filter(|plugin| self.get(&plugin.manifest.name, &plugin.manifest.version).is_none())
    }

    /// Checks that a plan is what the file says: every plugin is in it, with the same dependencies, and `granted`
    /// gives the requests of the project that were locked.
    ///
    /// # Errors
    ///
    /// [`Code::LockFile`] with all differences.
    pub(crate) fn require(&self, plan: &Plan, granted: impl Fn(&str) -> Vec<String>) -> Result<(), Error> {
        let mut differences: Vec<String> =
            self.missing(plan).map(|plugin| format!("`{}` is not in it", plugin.id())).collect();
        for plugin in plan.plugins() {
            let Some(entry) = self.get(&plugin.manifest.name, &plugin.manifest.version) else { continue };
            let id = plugin.id();
            let dependencies = entry::dependencies(plan, &id);
            if entry.dependencies != dependencies {
                let shown = |ids: &[String]| match ids {
                    [] => "nothing".to_owned(),
                    ids => ids.join(", "),
                };
                differences.push(format!(
                    "`{id}` depends on {}, and there it depends on {}",
                    shown(&dependencies),
                    shown(&entry.dependencies)
                ));
            }
            let requested = granted(&plugin.manifest.name);
            let other = self.other.as_ref().and_then(|other| other.get(&entry.name, &entry.version));
            if entry.granted != requested && other.is_none_or(|other| other.granted != requested) {
                differences.push(format!("`[grants.{}]` is not what it was", plugin.manifest.name));
            }
        }
        if differences.is_empty() {
            return Ok(());
        }
        let text = format!("{} does not fit: {}", shown(&self.file).display(), differences.join("; "));
        Err(Error::new(Code::LockFile, text).at(Location::file(shown(&self.file))).hint(REMEDY))
    }
}

/// The error for `--locked` where there is no lock file.
pub(crate) fn absent(project: Option<&Path>) -> Error {
    match project {
        Some(config) => {
            let file = shown(&config.with_file_name(FILE_NAME));
            Error::new(Code::LockFile, format!("there is no {}", file.display()))
                .hint("`caraway lock` makes it; or leave out `--locked` (`--security paranoid` implies it)")
        }
        None => Error::new(Code::LockFile, "the program belongs to no project, so nothing is locked").hint(
            "put a caraway.toml beside it, which may be empty, and run `caraway lock`; or leave out `--locked` (`--security paranoid` implies it)",
        ),
    }
}

/// Entries by name and version, each of which is there once.
fn by_version(file: &Path, entries: Vec<Entry>) -> Result<BTreeMap<(String, Version), Entry>, Error> {
    let mut all = BTreeMap::new();
    for entry in entries {
        if all.insert((entry.name.clone(), entry.version.clone()), entry).is_some() {
            return Err(wrong(file, "a plugin is in it twice").at(Location::file(shown(file))));
        }
    }
    Ok(all)
}

fn wrong(file: &Path, what: &str) -> Error {
    Error::new(Code::LockFile, format!("{} cannot be used: {what}", shown(file).display())).hint(REMEDY)
}

fn encode(raw: &Raw) -> Result<String, Error> {
    toml::to_string(raw)
        .map_err(|error| Error::new(Code::Internal, format!("the lock file cannot be written: {error}")))
}

#[cfg(feature = "cli")]
#[cfg(test)]
mod tests {
    use super::*;

    fn lock() -> Lockfile {
        let mut lock = Lockfile::empty(Path::new("project"));
        lock.programs = vec!["app.rhai".to_owned()];
        for version in ["1.0.0", "2.0.0-rc.1"] {
            lock.insert(Entry {
                name: "stats".to_owned(),
                version: version.parse().unwrap(),
                source: Some("plugins/stats".to_owned()),
                dependencies: vec!["format@1.0.0".to_owned()],
                granted: vec!["io".to_owned()],
                files: BTreeMap::from([("main.rhai".to_owned(), Digest::of(b"x"))]),
                binaries: BTreeMap::new(),
            });
        }
        lock
    }

    #[track_caller]
    fn refused(text: &str) -> Error {
        let error = Lockfile::parse("caraway.lock".into(), text).unwrap_err();
        assert_eq!(error.code(), Code::LockFile, "{error}");
        assert!(error.location().is_some() && error.hint_text().is_some(), "{error}");
        error
    }

    #[test]
    fn what_is_written_is_read() {
        let text = lock().to_text().unwrap();
        assert_eq!(Lockfile::parse("project/caraway.lock".into(), &text).unwrap(), lock());
    }

    #[test]
    fn every_cut_and_every_edit_is_noticed() {
        let text = lock().to_text().unwrap();
        for end in 0..text.trim_end().len() {
            refused(&text[..end]);
        }
        for (old, new) in [
            ("1.0.0", "1.0.1"),
            ("\"io\"", "\"native\""),
            ("plugins/stats", "plugins/other"),
            ("app.rhai", "other.rhai"),
            ("[[plugin]]", "[[plugins]]"),
            ("name = \"stats\"", "name = 1"),
            ("2.0.0-rc.1", "1.0.0"),
            ("version = 1\n", "version = 0.5\n"),
        ] {
            refused(&text.replacen(old, new, 1));
        }
    }

    #[cfg(feature = "install")]
    #[test]
    fn a_change_that_is_under_way_holds_with_the_other_file() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("caraway.toml");
        let beside = |text: &str| {
            std::fs::write(&config, text).unwrap();
            Lockfile::beside(&config).unwrap().map(|lock| lock.entries().count())
        };
        let old = Lockfile { file: folder.path().join(FILE_NAME), ..lock() };
        let new = Lockfile { entries: BTreeMap::new(), ..old.clone() };
        for (before, count) in [(Some(&old), Some(2)), (None, None)] {
            let both = new.after(before, Digest::of(b"old"));
            let text = both.to_text().unwrap();
            std::fs::write(both.file(), &text).unwrap();
            assert_eq!((beside("old"), beside("new")), (count, Some(0)));
            for end in 0..text.trim_end().len() {
                refused(&text[..end]);
            }
        }
    }

    #[test]
    fn a_newer_format_says_so() {
        let error = refused("version = 2\nwhatever = true\n");
        assert!(error.message().contains("is of format 2; this caraway knows 1"), "{error}");
    }
}
