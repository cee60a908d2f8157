//! The plugins there are, by name.

use super::compat::Compat;
use super::plan::Plan;
use crate::code::Code;
use crate::discover::Plugin;
use crate::error::Error;
use crate::suggest::suggest;
use semver::{Version, VersionReq};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Every plugin that could be selected, indexed once for any number of resolutions.
#[derive(Debug, Clone)]
pub struct Universe {
    entries: BTreeMap<String, Entry>,
    /// Module names to the names of plugins that have them, in order.
    modules: BTreeMap<String, Vec<String>>,
    host: Version,
    searched: Vec<PathBuf>,
    preferred: BTreeMap<String, BTreeSet<Version>>,
}

/// All versions of one plugin.
#[derive(Debug, Clone, Default)]
pub(super) struct Entry {
    /// Versions that replace each other, lowest group first.
    pub(super) groups: Vec<Group>,
    /// Versions that are never selected.
    pub(super) excluded: Vec<(Arc<Plugin>, Exclusion)>,
}

/// Versions that replace each other.
#[derive(Debug, Clone)]
pub(super) struct Group {
    compat: Compat,
    /// Lowest version first.
    pub(super) candidates: Vec<Arc<Plugin>>,
    /// Selected already, with all that it depends on.
    pub(super) pinned: bool,
}

/// Why a version is never selected.
#[derive(Debug, Clone)]
pub(super) enum Exclusion {
    /// The operator disabled the plugin.
    Disabled,
    /// It needs another host.
    Host(VersionReq),
    /// A version that it would replace is selected already.
    Selected(Version),
}

impl Universe {
    /// Indexes plugins for a host of this version, without those whose names are `disabled`.
    ///
    /// `plugins` come in the order of the search paths. That matters only between two of the same name and
    /// version: the first is taken, the others are shadowed.
    ///
    /// A plugin whose `caraway_version` the host does not satisfy is left out, see [`Manifest::unmet_host`].
    ///
    /// [`Manifest::unmet_host`]: crate::manifest::Manifest::unmet_host
    pub fn new(plugins: &[Arc<Plugin>], host: &Version, disabled: &BTreeSet<String>) -> Self {
        let mut sorted: Vec<(&str, &Version, &Arc<Plugin>)> = plugins
            .iter()
            .map(|plugin| (plugin.manifest.name.as_str(), &plugin.manifest.version, plugin))
            .collect();
        // Of those that are equal the first stays the first.
        sorted.sort_by_key(|&(name, version, _)| (name, version));
        sorted.dedup_by_key(|&mut (name, version, _)| (name, version));
        let entry = |of_name: &[(&str, &Version, &Arc<Plugin>)]| {
            let mut entry = Entry::default();
            for &(name, _, plugin) in of_name {
                if disabled.contains(name) {
                    entry.excluded.push((plugin.clone(), Exclusion::Disabled));
                } else if let Some(needed) = plugin.manifest.unmet_host(host) {
                    entry.excluded.push((plugin.clone(), Exclusion::Host(needed.clone())));
                } else {
                    entry.push(plugin.clone());
                }
            }
            entry
        };
        let names = sorted.chunk_by(|(a, ..), (b, ..)| a == b);
        let mut modules: Vec<(&str, &str)> =
            sorted.iter().map(|(name, _, plugin)| (plugin.manifest.module.as_str(), *name)).collect();
        modules.sort_unstable();
        modules.dedup();
        let of_module = |all: &[(&str, &str)]| all.iter().map(|(_, name)| (*name).to_owned()).collect();
        let by_module = modules.chunk_by(|(a, _), (b, _)| a == b);
        Self {
            entries: names.map(|all| (all[0].0.to_owned(), entry(all))).collect(),
            modules: by_module.map(|all| (all[0].0.to_owned(), of_module(all))).collect(),
            host: host.clone(),
            searched: Vec::new(),
            preferred: BTreeMap::new(),
        }
    }

    /// The same universe, which can say where its plugins were looked for.
    #[must_use]
    pub fn searched(mut self, paths: impl IntoIterator<Item = PathBuf>) -> Self {
        self.searched = paths.into_iter().collect();
        self
    }

    /// The same universe with versions that are taken before higher ones wherever a requirement accepts them:
    /// those of a lock file.
    #[must_use]
    pub fn preferring<'a>(mut self, versions: impl IntoIterator<Item = (&'a str, &'a Version)>) -> Self {
        for (name, version) in versions {
            self.preferred.entry(name.to_owned()).or_default().insert(version.clone());
        }
        self
    }
}

impl Entry {
    /// Adds a version higher than all that are there.
    fn push(&mut self, plugin: Arc<Plugin>) {
        let compat = Compat::of(&plugin.manifest.version);
        match self.groups.last_mut().filter(|group| group.compat == compat) {
            Some(group) => group.candidates.push(plugin),
            None => self.groups.push(Group { compat, candidates: vec![plugin], pinned: false }),
        }
    }

    /// Leaves only `plugin` in its group.
    fn pin(&mut self, plugin: &Arc<Plugin>) {
        let version = &plugin.manifest.version;
        let compat = Compat::of(version);
        self.excluded.retain(|(other, _)| other.manifest.version != *version);
        for group in self.groups.extract_if(.., |group| group.compat == compat) {
            let others = group.candidates.into_iter().filter(|other| other.manifest.version != *version);
            self.excluded.extend(others.map(|other| (other, Exclusion::Selected(version.clone()))));
        }
        let place = self.groups.partition_point(|group| group.compat < compat);
        self.groups.insert(place, Group { compat, candidates: vec![plugin.clone()], pinned: true });
        self.excluded.sort_by(|(a, _), (b, _)| a.manifest.version.cmp(&b.manifest.version));
    }

    /// Whether it is there, but switched off.
    pub(super) fn is_disabled(&self) -> bool {
        self.groups.is_empty() && self.excluded.iter().any(|(_, why)| matches!(why, Exclusion::Disabled))
    }

    /// The versions that satisfy a requirement, lowest first.
    pub(super) fn matching<'a>(&'a self, range: &'a VersionReq) -> impl Iterator<Item = &'a Arc<Plugin>> {
        self.groups
            .iter()
            .flat_map(|group| &group.candidates)
            .filter(|plugin| range.matches(&plugin.manifest.version))
    }
}

/// A universe in which some versions are selected already.
pub(super) struct View<'u> {
    universe: &'u Universe,
    pinned: BTreeMap<&'u str, Entry>,
}

impl<'u> View<'u> {
    pub(super) fn new(universe: &'u Universe, plan: &'u Plan) -> Self {
        let mut pinned = BTreeMap::new();
        for plugin in plan.plugins() {
            let name = plugin.manifest.name.as_str();
            pinned
                .entry(name)
                .or_insert_with(|| universe.entries.get(name).cloned().unwrap_or_default())
                .pin(plugin);
        }
        Self { universe, pinned }
    }

    pub(super) fn entry(&self, name: &str) -> Option<&Entry> {
        self.pinned.get(name).or_else(|| self.universe.entries.get(name))
    }

    pub(super) fn host(&self) -> &Version {
        &self.universe.host
    }

    pub(super) fn searched(&self) -> &[PathBuf] {
        &self.universe.searched
    }

    /// Whether a version is taken before higher ones.
    pub(super) fn prefers(&self, plugin: &Plugin) -> bool {
        let preferred = self.universe.preferred.get(&plugin.manifest.name);
        preferred.is_some_and(|versions| versions.contains(&plugin.manifest.version))
    }

    /// How many versions can be selected.
    pub(super) fn size(&self) -> usize {
        let groups = self.universe.entries.values().flat_map(|entry| &entry.groups);
        groups.map(|group| group.candidates.len()).sum()
    }

    /// The names of the plugins that have this module name.
    pub(super) fn with_module(&self, module: &str) -> impl Iterator<Item = &str> {
        self.universe.modules.get(module).into_iter().flatten().map(String::as_str)
    }

    /// The plugin that an import means: by name, else by module name. The name as it is where none is found.
    pub(super) fn find<'a>(&'a self, written: &'a str) -> Result<&'a str, Error> {
        if self.entry(written).is_some() {
            return Ok(written);
        }
        let all: Vec<&str> = self.with_module(written).collect();
        let enabled = |name: &&&str| self.entry(name).is_some_and(|entry| !entry.is_disabled());
        let usable: Vec<&str> = all.iter().filter(enabled).copied().collect();
        match (usable.as_slice(), all.as_slice()) {
            ([one], _) => Ok(one),
            ([], []) => Ok(written),
            ([], [disabled, ..]) => Ok(disabled),
            ([first, ..], _) => {
                let names: Vec<String> = usable.iter().map(|name| format!("`{name}`")).collect();
                Err(Error::new(
                    Code::Ambiguous,
                    format!("`{written}` is the module name of several plugins: {}", names.join(", ")),
                )
                .hint(format!("import one by its plugin name, such as `import \"{first}\" as {written}`")))
            }
        }
    }

    /// The nearest plugin name or module name.
    pub(super) fn suggest(&self, name: &str) -> Option<&str> {
        let names = self.universe.entries.keys().chain(self.universe.modules.keys());
        suggest(name, names.map(String::as_str))
    }

    /// Where the plugins were looked for, as a sentence.
    pub(super) fn searched_text(&self) -> Option<String> {
        let shown = |path: &Path| path.display().to_string();
        match self.searched() {
            [] => None,
            paths => {
                let paths: Vec<String> = paths.iter().map(|path| shown(path)).collect();
                Some(format!("looked in {}", paths.join(", ")))
            }
        }
    }
}
