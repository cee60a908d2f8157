//! What the user has answered, once and for exactly what was there: what installed plugins may do, and what projects
//! ask for.
//!
//! The answers are kept in `caraway/trust.toml` in the user's configuration directory. They hold for content, not for
//! names: a plugin of which one file is different is another plugin.

mod file;

use caraway_loaders_core::Error;
use caraway_loaders_core::checksum::Digest;
use semver::Version;
use serde::{Deserialize, Serialize};
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

    /// What is remembered of this version of a plugin, for whatever content.
    pub(crate) fn of_plugin<'a>(
        &'a self,
        name: &'a str,
        version: &'a Version,
    ) -> impl Iterator<Item = &'a TrustedPlugin> {
        self.plugins.iter().filter(move |plugin| plugin.name == name && plugin.version == *version)
    }

    /// The answer to a project whose `caraway.toml` has this digest.
    pub(crate) fn of_project(&self, config: &Path, content: Digest) -> Option<&Project> {
        let folder = folder(config);
        self.projects.iter().find(|project| project.folder == folder && project.content == content)
    }

    /// Remembers what a plugin may do, in the place of what was remembered for the same content.
    #[cfg(feature = "cli")]
    pub(crate) fn allow(&mut self, plugin: TrustedPlugin) {
        self.plugins.retain(|other| {
            (&other.name, &other.version, other.content) != (&plugin.name, &plugin.version, plugin.content)
        });
        self.plugins.push(plugin);
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
    let folder = config.parent().unwrap_or(Path::new(""));
    folder.canonicalize().unwrap_or_else(|_| folder.to_owned())
}
