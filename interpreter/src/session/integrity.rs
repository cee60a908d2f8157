//! What the lock file and the user's answers say of plugins: which there must be, and what their files must be.

use super::Session;
use crate::config::{Config, shown};
use crate::lock::{Entry, Lockfile, Locking};
use caraway_loaders_core::Error;
use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::loader::Loader;
use caraway_loaders_core::resolve::Requirement;
#[cfg(feature = "cli")]
use caraway_loaders_core::{Code, Location};
use std::sync::Arc;

impl Session {
    /// A warning for each plugin of the plan that the lock file does not have, if there is one.
    #[cfg(feature = "cli")]
    pub(crate) fn unlocked(&self) -> Vec<Error> {
        let Ok(Some(lock)) = &self.lock else { return Vec::new() };
        let file = shown(lock.file());
        let warning = |plugin: &Plugin| {
            Error::new(
                Code::LockFile,
                format!("{} does not have `{}`, so its files are not verified", file.display(), plugin.id()),
            )
            .at(Location::file(&file))
            .hint("`caraway lock PROGRAM` adds what a program imports, and what it depends on")
        };
        lock.missing(&self.plan()).map(warning).collect()
    }

    /// A warning for each plugin of the plan that was changed after the user had allowed it something.
    #[cfg(feature = "cli")]
    pub(crate) fn voided(&self) -> Vec<Error> {
        let plan = self.planned();
        let warning = |plugin: &Arc<Plugin>| self.authority.voided(plugin, &*self.loader(plugin).ok()?);
        plan.plugins().filter_map(warning).collect()
    }

    /// A plugin with what its files must be, after its manifest was found to be what it must be.
    pub(super) fn verified(&self, plugin: &Arc<Plugin>, loader: &dyn Loader) -> Result<Arc<Plugin>, Error> {
        let manifest = &plugin.manifest;
        let entry = match &self.lock {
            Ok(Some(lock)) if self.locking.verifies() => {
                lock.get(&manifest.name, &manifest.version).map(|entry| entry.checksums(&shown(lock.file())))
            }
            _ => None,
        };
        let remembered = self.authority.remembered(plugin, loader).map(|known| known.checksums.clone());
        if let (Some(entry), Some(remembered)) = (&entry, &remembered) {
            remembered.iter().try_for_each(|(path, digest)| entry.check_digest(path, digest))?;
        }
        let Some(checksums) = remembered.or(entry) else { return Ok(plugin.clone()) };
        let plugin = Plugin { checksums: Some(Arc::new(checksums)), ..(**plugin).clone() };
        plugin.verify_manifest()?;
        Ok(Arc::new(plugin))
    }

    /// A plugin that is missing may be locked: then it can be got.
    pub(super) fn with_locked(&self, error: Error, roots: &[Requirement]) -> Error {
        let Ok(Some(lock)) = &self.lock else { return error };
        let mut entries = lock.entries();
        let is_missing = |entry: &&Entry| {
            error.message().contains(&format!("`{}`", entry.name))
                && roots.iter().any(|root| root.path == entry.name)
        };
        match entries.find(is_missing) {
            Some(_) => {
                error.hint(format!("{} has it: `caraway install` gets it", shown(lock.file()).display()))
            }
            None => error,
        }
    }
}

/// The lock file beside the configuration of a project.
pub(super) fn lock_of(project: &Config, locking: &Locking) -> Result<Option<Lockfile>, Error> {
    let Some(config) = &project.file else { return Ok(None) };
    match locking {
        Locking::Verify | Locking::Require => Lockfile::beside(config),
        #[cfg(feature = "cli")]
        Locking::Prefer(_) => Ok(Lockfile::beside(config).unwrap_or_default()),
        #[cfg(feature = "cli")]
        Locking::Ignore => Ok(None),
    }
}
