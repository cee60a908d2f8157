//! What a lock file says of one version of a plugin.

use caraway_loaders_core::TARGET;
use caraway_loaders_core::checksum::{Checksums, Digest};
use caraway_loaders_core::discover::{Origin, Plugin};
use caraway_loaders_core::resolve::Plan;
use semver::Version;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// What helps against a file that is not the one that was locked.
const ACCEPT: &str = "if you changed it, `caraway lock` accepts it as it is; if not, get the plugin again";

/// Digests by the paths of files below the plugin's folder.
pub(crate) type Files = BTreeMap<String, Digest>;

/// One version of a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) version: Version,
    /// Where it can be had: a path from the lock file's folder, or what it was installed from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<String>,
    /// The ids of what it depends on, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) dependencies: Vec<String>,
    /// What the project grants it, as `[grants]` says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) granted: Vec<String>,
    /// The files that are the same everywhere, with the manifest.
    pub(crate) files: Files,
    /// Those for one target, by its triple.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) binaries: BTreeMap<String, Files>,
}

impl Entry {
    /// Whether the plugin's files are these, as far as this host would load them.
    pub(super) fn fits(&self, plugin: &Plugin) -> bool {
        let mut files = self.files.iter().chain(self.binaries.get(TARGET).into_iter().flatten());
        files.all(|(path, digest)| plugin.digest(Path::new(path)).is_ok_and(|(_, found)| found == *digest))
    }

    /// What the files of the plugin must be on this host. Messages name the lock file as `source`.
    pub(crate) fn checksums(&self, source: &Path) -> Checksums {
        let mut checksums = Checksums::new(source.display().to_string(), ACCEPT);
        for (path, digest) in self.files.iter().chain(self.binaries.get(TARGET).into_iter().flatten()) {
            checksums.insert(path, *digest);
        }
        checksums
    }
}

/// The ids of what a plugin of a plan depends on, in order, without built-ins.
pub(super) fn dependencies(plan: &Plan, id: &str) -> Vec<String> {
    let edges = plan.edges(Some(id)).iter().map(|edge| &edge.plugin);
    let mut ids: Vec<String> =
        edges.filter(|plugin| plugin.origin != Origin::BuiltIn).map(|plugin| plugin.id()).collect();
    ids.sort();
    ids.dedup();
    ids
}
