//! Who may do what in one program: what the host grants, and what the user has answered once.

use crate::config::Config;
#[cfg(feature = "cli")]
use crate::config::shown;
use crate::trust::Trust;
use caraway_loaders_core::capability::{Access, Grants};
use caraway_loaders_core::checksum::{Checksums, Digest};
use caraway_loaders_core::discover::{Origin, Plugin};
use caraway_loaders_core::loader::Loader;
#[cfg(feature = "cli")]
use caraway_loaders_core::{Code, Error, Location};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The grants that hold for a program and its plugins.
pub(crate) struct Authority {
    /// The host's, and those of the user's own configuration.
    grants: Grants,
    trust: Trust,
    /// What the project asks for; whether the user has said yes to it is in `trust`.
    project: Config,
    /// The program's folder.
    base: PathBuf,
    remembered: Mutex<HashMap<String, Option<Arc<Remembered>>>>,
}

/// What the user has allowed to a plugin, whose files are what they were then.
#[derive(Debug)]
pub(crate) struct Remembered {
    grants: Grants,
    /// What the files must still be when they are loaded.
    pub(crate) checksums: Checksums,
}

impl Authority {
    pub(crate) fn new(grants: Grants, trust: Trust, project: Config, base: PathBuf) -> Self {
        Self { grants, trust, project, base, remembered: Mutex::default() }
    }

    /// What the program may do.
    pub(crate) fn program(&self) -> Access {
        Access::program(&self.grants, self.base.clone())
    }

    /// What a plugin may do.
    pub(crate) fn plugin(&self, plugin: &Plugin, loader: &dyn Loader) -> Access {
        let (manifest, base) = (&plugin.manifest, self.base.clone());
        match self.remembered(plugin, loader) {
            Some(remembered) => Access::plugin(&manifest.name, &manifest.asks, &remembered.grants, base),
            None => Access::plugin(&manifest.name, &manifest.asks, &self.grants, base),
        }
    }

    /// What the project grants to a plugin. That is a request: it is not its to grant.
    pub(crate) fn requested(&self, plugin: &str) -> Vec<String> {
        self.project.grants.get(plugin).cloned().unwrap_or_default()
    }

    /// The host's grants and what the user has allowed to this plugin, if that is anything, and if its files are what
    /// they were. They are looked at once.
    pub(crate) fn remembered(&self, plugin: &Plugin, loader: &dyn Loader) -> Option<Arc<Remembered>> {
        if plugin.origin == Origin::BuiltIn || plugin.manifest.asks.is_empty() {
            return None;
        }
        let mut known = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(plugin.id()).or_insert_with(|| self.remember(plugin, loader).map(Arc::new)).clone()
    }

    fn remember(&self, plugin: &Plugin, loader: &dyn Loader) -> Option<Remembered> {
        let manifest = &plugin.manifest;
        let mut installed = self.trust.of_plugin(&manifest.name, &manifest.version, store(plugin)).peekable();
        let requested = self.answered_yes(plugin);
        if installed.peek().is_none() && requested.is_none() {
            return None;
        }
        let remedy =
            "it was changed since it was allowed: install it again, or `caraway trust` the project again";
        let checksums = plugin.checksums_now(loader, "what you allowed", remedy).ok()?;
        let content = checksums.total();
        let mut grants = self.grants.clone();
        let mut any = false;
        let mut add = |rule: &str, base: &Path| {
            any |= grants.allow(&format!("{}:{rule}", manifest.name), base).is_ok();
        };
        for allowed in installed.filter(|allowed| allowed.content == content) {
            allowed.allow.iter().for_each(|rule| add(rule, &self.base));
        }
        if requested == Some(content) {
            let folder = self.project.file.as_deref().and_then(Path::parent).unwrap_or(Path::new("/"));
            self.requested(&manifest.name).iter().for_each(|rule| add(rule, folder));
        }
        any.then_some(Remembered { grants, checksums })
    }

    /// The content of a plugin for which the user has said yes to what the project asks for.
    fn answered_yes(&self, plugin: &Plugin) -> Option<Digest> {
        let config = self.project.file.as_deref()?;
        let answer = self.trust.of_project(config, self.project.content?)?;
        answer.plugins.get(&plugin.id()).copied().filter(|_| answer.trusted)
    }

    /// A warning if the user has allowed something to this version of a plugin, and its files are others now.
    #[cfg(feature = "cli")]
    pub(crate) fn voided(&self, plugin: &Plugin, loader: &dyn Loader) -> Option<Error> {
        if plugin.origin == Origin::BuiltIn || plugin.manifest.asks.is_empty() {
            return None;
        }
        let (name, version) = (&plugin.manifest.name, &plugin.manifest.version);
        let known = self.trust.of_plugin(name, version, store(plugin)).next().is_some()
            || self.answered_yes(plugin).is_some();
        if !known || self.remembered(plugin, loader).is_some() {
            return None;
        }
        let message =
            format!("`{}` is not what it was when you allowed it, so that does not hold", plugin.id());
        Some(
            Error::new(Code::Integrity, message)
                .at(Location::file(shown(&plugin.root)))
                .hint("install it again, or look at it and answer `caraway trust` again"),
        )
    }

    /// A warning if the project asks for something that is not granted anyway, and the user has not answered.
    #[cfg(feature = "cli")]
    pub(crate) fn unanswered(&self) -> Option<Error> {
        let file = self.project.file.as_deref().filter(|_| !self.project.grants.is_empty())?;
        if self.trust.of_project(file, self.project.content?).is_some() {
            return None;
        }
        let store = file.with_file_name("plugins");
        let open =
            self.project.grants.iter().filter(|(name, rules)| !self.trust.has_allowed(name, &store, rules));
        let names: Vec<String> = open.map(|(name, _)| format!("`{name}`")).collect();
        if names.is_empty() {
            return None;
        }
        let message =
            format!("the project asks for grants for {}, and you have not answered", names.join(", "));
        Some(
            Error::new(Code::Denied, message)
                .at(Location::file(shown(file)))
                .hint("`caraway trust` shows what it asks for and remembers your answer"),
        )
    }
}

/// The folder of plugins that a plugin lies in.
fn store(plugin: &Plugin) -> &Path {
    plugin.root.parent().unwrap_or(Path::new(""))
}
