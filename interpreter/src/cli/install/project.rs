//! The project that plugins are installed for: its `caraway.toml`, its lock file, and the answer to what it asks for.

use super::Consent;
use crate::cli::Context;
use crate::cli::config_edit::Edit;
use crate::cli::lock::Relock;
use crate::config::Config;
use crate::diagnostic::Severity;
use crate::lock::Locking;
use crate::runtime::Builder;
use crate::trust::{self, Trust};
use caraway_loaders_core::checksum::Digest;
use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::{Code, Error};
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
    /// The plugins that are new, by id, with their contents: what they may do was consented to.
    consented: BTreeMap<String, Digest>,
    /// The folders of the plugins that are removed in the end.
    removed: Vec<PathBuf>,
}

impl<'a> ProjectChange<'a> {
    /// Nothing is changed yet. `file` is its `caraway.toml`.
    ///
    /// # Errors
    ///
    /// [`Code::Usage`] with `--locked`; what is wrong with the file.
    pub(in crate::cli) fn new(context: &'a Context, file: &Path) -> Result<Self, Error> {
        if context.options.locked {
            return Err(Error::new(
                Code::Usage,
                "`--locked` keeps caraway.lock as it is, and this would write it",
            )
            .hint("leave out `--locked`; `caraway install` without SOURCE gets what is locked"));
        }
        let edit = Edit::open(file)?;
        Ok(Self {
            context,
            file: file.to_owned(),
            old: edit.config()?,
            edit,
            upgraded: Vec::new(),
            consented: BTreeMap::new(),
            removed: Vec::new(),
        })
    }

    /// Requires a plugin that is installed, and asks for what it may do. A requirement that accepts it stays.
    pub(in crate::cli) fn depend(
        &mut self,
        plugin: &Plugin,
        content: Digest,
        consent: &Consent,
    ) -> Result<(), Error> {
        let (name, version) = (&plugin.manifest.name, &plugin.manifest.version);
        if !self.requirement(name).is_some_and(|range| range.matches(version)) {
            self.edit.depend(name, &caret(version).to_string())?;
        }
        self.upgrade(name);
        self.grant(plugin, content, consent)
    }

    /// Asks for what a plugin may do.
    pub(in crate::cli) fn grant(
        &mut self,
        plugin: &Plugin,
        content: Digest,
        consent: &Consent,
    ) -> Result<(), Error> {
        if !consent.asks.is_empty() {
            self.edit.grant(&plugin.manifest.name, &consent.rules)?;
        }
        self.consented.insert(plugin.id(), content);
        Ok(())
    }

    /// What `caraway.toml` requires of a plugin.
    pub(in crate::cli) fn requirement(&self, name: &str) -> Option<&VersionReq> {
        self.old.dependencies.iter().find(|(other, ..)| other == name).map(|(_, range, _)| range)
    }

    /// Takes the plugins of these folders for gone.
    pub(in crate::cli) fn without(&mut self, folders: impl Iterator<Item = PathBuf>) {
        self.removed.extend(folders);
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
        let builder = self.context.options.runtime().locking(locking).project(self.edit.config()?);
        Ok(builder.without(&self.removed))
    }

    /// Checks that the project will be in order, and its programs, with one more plugin in `folder`. If it will not,
    /// for something else that the project requires and has not, that is a warning: it can still be installed.
    ///
    /// # Errors
    ///
    /// What resolution says of the plugin and what it needs.
    pub(in crate::cli) fn check(&self, name: &str, folder: &Path) -> Result<(), Error> {
        let builder = self.builder()?.plugin_path(folder);
        let Err(error) = Relock::new(&builder.build()?, &self.file, &[]) else { return Ok(()) };
        if error.code() != Code::UnknownPlugin {
            return Err(error);
        }
        let mut alone = self.edit.config()?;
        alone.dependencies.retain(|(other, ..)| other == name);
        let builder = self.builder()?.project(alone).plugin_path(folder);
        let root = self.file.parent().unwrap_or(Path::new("."));
        builder.build()?.session_in(root)?.plan_for(Vec::new()).map(drop)
    }

    /// Writes into `caraway.lock` what is about to take the place of the same version: until then, what is there holds.
    ///
    /// # Errors
    ///
    /// As [`commit`](Self::commit).
    pub(in crate::cli) fn announce(&self, plugin: &Plugin, source: &str) -> Result<(), Error> {
        let Some(config) = self.old.content else { return Ok(()) };
        let builder = self.builder()?.plugin_path(&plugin.root);
        match Relock::new(&builder.build()?, &self.file, &[]) {
            Ok(mut relock) => {
                relock.set_source(plugin, source);
                relock.write_before(config)
            }
            // There will be none then.
            Err(_) => Ok(()),
        }
    }

    /// Writes `caraway.lock` and `caraway.toml`, which change as one: whenever the process is killed, the old or the new
    /// state of both holds. If the user had said yes to what the project asked for, or it asked for nothing, the answer
    /// holds for what it asks for now: the difference has just been consented to. Gives what changed in the lock file, a
    /// line each.
    ///
    /// # Errors
    ///
    /// What resolution says; [`Code::Io`].
    pub(in crate::cli) fn commit(&self) -> Result<String, Error> {
        let runtime = self.builder()?.build()?;
        let relock = Relock::new(&runtime, &self.file, &[])?;
        match self.old.content.filter(|_| self.edit.changes()) {
            None => relock.write()?,
            Some(config) => {
                relock.write_before(config)?;
                self.write_config()?;
                relock.write_again()?;
            }
        }
        Ok(relock.text(false))
    }

    /// As [`commit`](Self::commit); but if nothing can be locked, as something that the project requires is not there,
    /// that is a warning and `caraway.lock` stays as it is, if `force` says so or that was so before.
    ///
    /// # Errors
    ///
    /// As [`commit`](Self::commit).
    pub(in crate::cli) fn commit_as_far_as_possible(&self, force: bool) -> Result<String, Error> {
        let error = match self.commit() {
            Err(error) if error.code().exit_code() == Code::Conflict.exit_code() => error,
            outcome => return outcome,
        };
        if !force && self.was_in_order()? {
            return Err(error.hint("the project would be broken; change that first, or use `--force`"));
        }
        self.write_config()?;
        let hint = "caraway.lock is as it was; install what is missing, which writes it";
        let warning = Error::new(error.code(), error.message());
        self.context.reporter.report(Severity::Warning, &warning.hint(hint));
        Ok(String::new())
    }

    /// Whether the project could be locked as it was.
    fn was_in_order(&self) -> Result<bool, Error> {
        let builder = self.context.options.runtime().locking(Locking::Prefer(Vec::new()));
        Ok(Relock::new(&builder.build()?, &self.file, &[]).is_ok())
    }

    /// Writes `caraway.toml`. The answer to what it asks for is there before.
    fn write_config(&self) -> Result<(), Error> {
        let answer = self.answer()?;
        if let Some(answer) = answer.clone() {
            Trust::change(|trust| trust.answer_also(answer))?;
        }
        self.edit.write()?;
        answer.map_or(Ok(()), |answer| Trust::change(|trust| trust.answer(answer)))
    }

    /// The answer that holds for what the project asks for from now on. What was not consented to now is not looked at
    /// again: the answer is for what it was.
    fn answer(&self) -> Result<Option<trust::Project>, Error> {
        let new = self.edit.config()?;
        let (Some(old_content), Some(content)) = (self.old.content, new.content) else { return Ok(None) };
        let trust = Trust::read()?;
        let mut plugins = match trust.of_project(&self.file, old_content) {
            Some(answer) if answer.trusted => answer.plugins.clone(),
            None if self.old.grants.is_empty() => BTreeMap::new(),
            _ => return Ok(None),
        };
        if new.grants.is_empty() {
            return Ok(None);
        }
        plugins.extend(self.consented.clone());
        plugins.retain(|id, _| id.split_once('@').is_some_and(|(name, _)| new.grants.contains_key(name)));
        let folder = trust::folder(&self.file);
        Ok(Some(trust::Project { folder, content, trusted: true, plugins }))
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
