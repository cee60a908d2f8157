//! The project that plugins are installed for: its `caraway.toml`, its lock file, and the answer to what it asks for.

use crate::cli::Context;
use crate::cli::config_edit::Edit;
use crate::cli::lock::Relock;
use crate::config::Config;
use crate::lock::Locking;
use crate::runtime::Builder;
use crate::trust::{self, Trust};
use caraway_loaders_core::Error;
use caraway_loaders_core::discover::Plugin;
use semver::{Comparator, Op, Version, VersionReq};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A project while its plugins change.
pub(in crate::cli) struct ProjectChange<'a> {
    context: &'a Context,
    file: PathBuf,
    old: Config,
    edit: Edit,
    /// The plugins whose locked versions are given up.
    upgraded: Vec<String>,
}

impl<'a> ProjectChange<'a> {
    /// Nothing is changed yet. `file` is its `caraway.toml`.
    ///
    /// # Errors
    ///
    /// What is wrong with the file.
    pub(in crate::cli) fn new(context: &'a Context, file: &Path) -> Result<Self, Error> {
        let edit = Edit::open(file)?;
        Ok(Self { context, file: file.to_owned(), old: edit.config()?, edit, upgraded: Vec::new() })
    }

    /// Requires a plugin that is installed, and asks for what it may do. A requirement that accepts it stays.
    pub(in crate::cli) fn depend(&mut self, plugin: &Plugin, rules: &[String]) -> Result<(), Error> {
        let (name, version) = (&plugin.manifest.name, &plugin.manifest.version);
        let required = self.old.dependencies.iter().find(|(other, ..)| other == name);
        if !required.is_some_and(|(_, range, _)| range.matches(version)) {
            self.edit.depend(name, &caret(version).to_string())?;
        }
        self.upgrade(name);
        self.grant(name, rules)
    }

    /// Asks for what a plugin may do.
    pub(in crate::cli) fn grant(&mut self, name: &str, rules: &[String]) -> Result<(), Error> {
        self.edit.grant(name, rules)
    }

    /// Gives up the locked versions of a plugin.
    pub(in crate::cli) fn upgrade(&mut self, name: &str) {
        self.upgraded.push(name.to_owned());
    }

    /// Requires a plugin no more.
    pub(in crate::cli) fn undepend(&mut self, name: &str) -> Result<bool, Error> {
        self.edit.grant(name, &[])?;
        self.edit.undepend(name)
    }

    fn builder(&self) -> Result<Builder, Error> {
        let locking = Locking::Prefer(self.upgraded.clone());
        Ok(self.context.options.runtime().locking(locking).project(self.edit.config()?))
    }

    /// Checks that there will be a plan, with one more plugin in `folder`.
    ///
    /// # Errors
    ///
    /// What resolution says.
    pub(in crate::cli) fn check(&self, folder: Option<&Path>) -> Result<(), Error> {
        let builder = self.builder()?;
        let builder = match folder {
            Some(folder) => builder.plugin_path(folder),
            None => builder,
        };
        let root = self.file.parent().unwrap_or(Path::new("."));
        builder.build()?.session_in(root)?.require(Vec::new())
    }

    /// Writes the lock file, then `caraway.toml`: at any moment what is there fits what is installed. If the user had
    /// said yes to what the project asked for, or it asked for nothing, the answer holds for what it asks for now: the
    /// difference has just been consented to. Gives what changed in the lock file, a line each.
    ///
    /// # Errors
    ///
    /// What resolution says; [`Code::Io`](caraway_loaders_core::Code::Io).
    pub(in crate::cli) fn commit(self) -> Result<String, Error> {
        let runtime = self.builder()?.build()?;
        let relock = Relock::new(&runtime, &self.file, &[])?;
        relock.write()?;
        self.edit.write()?;
        self.renew_trust(&runtime)?;
        Ok(relock.text(false))
    }

    fn renew_trust(&self, runtime: &crate::runtime::Runtime) -> Result<(), Error> {
        let new = self.edit.config()?;
        let (Some(old_content), Some(content)) = (self.old.content, new.content) else { return Ok(()) };
        let trusted = Trust::read()?.of_project(&self.file, old_content).map(|answer| answer.trusted);
        if new.grants.is_empty()
            || trusted == Some(false)
            || (trusted.is_none() && !self.old.grants.is_empty())
        {
            return Ok(());
        }
        let session = runtime.session_in(self.file.parent().unwrap_or(Path::new(".")))?;
        let asked =
            session.catalog().plugins.iter().filter(|plugin| new.grants.contains_key(&plugin.manifest.name));
        let mut plugins = BTreeMap::new();
        for plugin in asked {
            let checksums = plugin.checksums_now(&*session.loader(plugin)?, "", "")?;
            plugins.insert(plugin.id(), checksums.total());
        }
        let folder = trust::folder(&self.file);
        Trust::change(|trust| trust.answer(trust::Project { folder, content, trusted: true, plugins }))
    }
}

/// The requirement that a version and all that replace it satisfy: `^1.2.0`.
fn caret(version: &Version) -> VersionReq {
    let comparator = Comparator {
        op: Op::Caret,
        major: version.major,
        minor: Some(version.minor),
        patch: Some(version.patch),
        pre: version.pre.clone(),
    };
    VersionReq { comparators: vec![comparator] }
}
