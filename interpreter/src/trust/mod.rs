//! What the user has answered, once and for exactly what was there: what installed plugins may do, and what projects
//! ask for.
//!
//! The answers are kept in `caraway/trust.toml` in the user's configuration directory. They hold for content, not for
//! names: a plugin of which one file is different is another plugin. And they hold for a place: what was allowed to the
//! user's plugin, or to that of one project, is not allowed to the same plugin in another project.

mod file;

use caraway_loaders_core::Error;
use caraway_loaders_core::checksum::Digest;
use semver::Version;
use serde::{Deserialize, Serialize};
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// All answers of a user. The default is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trust {
    #[serde(default, rename = "plugin", skip_serializing_if = "Vec::is_empty")]
    pub(crate) plugins: Vec<TrustedPlugin>,
    #[serde(default, rename = "project", skip_serializing_if = "Vec::is_empty")]
    pub(crate) projects: Vec<Project>,
}

/// What a plugin may do that was allowed when it was installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrustedPlugin {
    pub(crate) name: String,
    pub(crate) version: Version,
    /// The [total](caraway_loaders_core::checksum::Checksums::total) of its files.
    pub(crate) content: Digest,
    /// The folder of plugins that it was installed into, without links: in another one it is asked about again.
    pub(crate) folder: PathBuf,
    /// As `--allow` takes it behind the plugin's name. Relative paths start at the folder of the program that uses the
    /// plugin.
    pub(crate) allow: Vec<String>,
}

/// The answer to what a project asks for in `[grants]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Project {
    /// The folder of its `caraway.toml`.
    pub(crate) folder: PathBuf,
    /// The digest of its `caraway.toml`.
    pub(crate) content: Digest,
    /// Whether the answer was yes.
    pub(crate) trusted: bool,
    /// The totals of the plugins that it asks for, by id.
    #[serde(default)]
    pub(crate) plugins: BTreeMap<String, Digest>,
}

impl Trust {
    /// The user's answers; none where there is no file, or no home.
    ///
    /// # Errors
    ///
    /// [`Code::Config`](caraway_loaders_core::Code::Config) for a file that is wrong.
    pub(crate) fn read() -> Result<Self, Error> {
        file::read()
    }

    /// Changes the user's answers. Others who do so at the same time wait.
    ///
    /// # Errors
    ///
    /// [`Code::Io`](caraway_loaders_core::Code::Io) if there is no home, or it cannot be written to.
    #[cfg(feature = "cli")]
    pub(crate) fn change(work: impl FnOnce(&mut Self)) -> Result<(), Error> {
        file::change(work)
    }

    /// Removes what killed processes have left beside the user's answers.
    #[cfg(feature = "install")]
    pub(crate) fn tidy() {
        file::tidy();
    }

    /// What is remembered of this version of a plugin that lies in `store`, for whatever content.
    pub(crate) fn of_plugin<'a>(
        &'a self,
        name: &'a str,
        version: &'a Version,
        store: &'a Path,
    ) -> impl Iterator<Item = &'a TrustedPlugin> {
        let folder = OnceCell::new();
        let is_it = move |plugin: &&TrustedPlugin| {
            plugin.name == name
                && plugin.version == *version
                && plugin.folder == *folder.get_or_init(|| real(store))
        };
        self.plugins.iter().filter(is_it)
    }

    /// Whether the user has allowed all of `rules` to a plugin of this name when it was installed into `store`.
    #[cfg(feature = "cli")]
    pub(crate) fn has_allowed(&self, name: &str, store: &Path, rules: &[String]) -> bool {
        let store = real(store);
        let mut of_name = self.plugins.iter().filter(|plugin| plugin.name == name && plugin.folder == store);
        of_name.any(|plugin| rules.iter().all(|rule| plugin.allow.contains(rule)))
    }

    /// The answer to a project whose `caraway.toml` has this digest.
    pub(crate) fn of_project(&self, config: &Path, content: Digest) -> Option<&Project> {
        let folder = folder(config);
        self.projects.iter().find(|project| project.folder == folder && project.content == content)
    }

    /// Remembers what a plugin may do, in the place of what was remembered for the same content.
    #[cfg(feature = "install")]
    pub(crate) fn allow(&mut self, plugin: TrustedPlugin) {
        let key = |of: &TrustedPlugin| (of.name.clone(), of.version.clone(), of.folder.clone(), of.content);
        self.plugins.retain(|other| key(other) != key(&plugin));
        if !plugin.allow.is_empty() {
            self.plugins.push(plugin);
        }
    }

    /// Whether [`allow`](Self::allow) would change nothing.
    #[cfg(feature = "install")]
    pub(crate) fn knows(&self, plugin: &TrustedPlugin) -> bool {
        let mut same = self.plugins.iter().filter(|other| {
            (&other.name, &other.version, &other.folder, other.content)
                == (&plugin.name, &plugin.version, &plugin.folder, plugin.content)
        });
        match same.next() {
            None => plugin.allow.is_empty(),
            Some(other) => other.allow == plugin.allow,
        }
    }

    /// Forgets what this version of a plugin, which lay in `store`, might do.
    #[cfg(feature = "install")]
    pub(crate) fn forget(&mut self, name: &str, version: &Version, store: &Path) {
        let store = real(store);
        self.plugins.retain(|plugin| {
            (plugin.name.as_str(), &plugin.version, &plugin.folder) != (name, version, &store)
        });
    }

    /// Remembers one more answer to a project, for what it asks for in a moment.
    #[cfg(feature = "install")]
    pub(crate) fn answer_also(&mut self, project: Project) {
        self.projects.retain(|other| (&other.folder, other.content) != (&project.folder, project.content));
        self.projects.push(project);
    }

    /// Remembers the answer to a project, in the place of earlier ones.
    #[cfg(feature = "cli")]
    pub(crate) fn answer(&mut self, project: Project) {
        self.projects.retain(|other| other.folder != project.folder);
        self.projects.push(project);
    }
}

/// The folder of a configuration, without links: a project that is moved is asked about again.
pub(crate) fn folder(config: &Path) -> PathBuf {
    real(config.parent().unwrap_or(Path::new("")))
}

/// A folder without links.
pub(crate) fn real(folder: &Path) -> PathBuf {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    folder.canonicalize().unwrap_or_else(|_| folder.to_owned())
}
