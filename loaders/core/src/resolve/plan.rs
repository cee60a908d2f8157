//! The answer: which plugins, in which order, and what each importer sees.

use super::import::parse_import;
use super::requirement::Requirement;
use crate::discover::Plugin;
use semver::VersionReq;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Selected plugins, and what each importer's imports mean.
///
/// A plan is closed: what a plugin in it depends on is in it.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    plugins: Vec<Arc<Plugin>>,
    /// The program's, the project's among them.
    program: Vec<Edge>,
    /// By the importer's id.
    dependencies: BTreeMap<String, Vec<Edge>>,
    /// What `caraway.toml` requires, by plugin name.
    pub(super) project: Vec<(String, Requirement)>,
}

/// That an importer's requirement is met by a plugin.
#[derive(Debug, Clone)]
pub struct Edge {
    /// The name as the importer writes it: a plugin's name or module name.
    pub path: String,
    /// The versions that the importer accepts.
    pub range: VersionReq,
    /// What it gets.
    pub plugin: Arc<Plugin>,
}

impl Plan {
    /// The selected plugins, dependencies first.
    pub fn plugins(&self) -> impl ExactSizeIterator<Item = &Arc<Plugin>> {
        self.plugins.iter()
    }

    /// The selected plugin with this [`id`](Plugin::id).
    pub fn get(&self, id: &str) -> Option<&Arc<Plugin>> {
        self.plugins.iter().find(|plugin| plugin.id() == id)
    }

    /// What an importer requires and gets: the plugin with this id, or the program and its project for `None`.
    pub fn edges(&self, importer: Option<&str>) -> &[Edge] {
        match importer {
            None => &self.program,
            Some(id) => self.dependencies.get(id).map_or(&[], Vec::as_slice),
        }
    }

    /// What `import "path"` means to an importer: the plugin with this id, or the program for `None`.
    ///
    /// Of several that it might mean (`a` where `a@^1` and `a@^2` are both required), the very same text comes
    /// first, then the highest version. A plugin may write the module name of what its manifest declares.
    /// `None` where the importer requires nothing of the kind; [`resolve`](super::resolve) with this plan as
    /// `pinned` then extends the plan or says why not.
    pub fn lookup(&self, importer: Option<&str>, path: &str) -> Option<&Arc<Plugin>> {
        let (name, range) = parse_import(path).ok()?;
        let edges = self.edges(importer);
        if let Some(same) = edges.iter().find(|edge| edge.path == name && edge.range == range) {
            return Some(&same.plugin);
        }
        let accepts =
            |plugin: &&Arc<Plugin>| range.comparators.is_empty() || range.matches(&plugin.manifest.version);
        self.named(importer, &name).into_iter().filter(accepts).max_by_key(|plugin| &plugin.manifest.version)
    }

    /// The plugins that an importer may mean by a name, of those that it requires.
    pub(super) fn named(&self, importer: Option<&str>, name: &str) -> Vec<&Arc<Plugin>> {
        let edges = self.edges(importer);
        let by_name = edges.iter().filter(|edge| edge.path == name || edge.plugin.manifest.name == name);
        let by_name: Vec<_> = by_name.map(|edge| &edge.plugin).collect();
        // What other names mean to a program is looked up among all plugins: one may be called so.
        if importer.is_none() || !by_name.is_empty() {
            return by_name;
        }
        let by_module = edges.iter().map(|edge| &edge.plugin).filter(|p| p.manifest.module == name);
        let by_module: Vec<_> = by_module.collect();
        let unique = by_module.windows(2).all(|pair| pair[0].manifest.name == pair[1].manifest.name);
        if unique { by_module } else { Vec::new() }
    }

    /// Adds a plugin, all of whose dependencies are there.
    pub(super) fn push(&mut self, plugin: Arc<Plugin>, edges: Vec<Edge>) {
        self.dependencies.insert(plugin.id(), edges);
        self.plugins.push(plugin);
    }

    /// Adds what the program or its project requires.
    pub(super) fn require(&mut self, edge: Edge) {
        let known = |other: &Edge| other.path == edge.path && other.range == edge.range;
        if !self.program.iter().any(known) {
            self.program.push(edge);
        }
    }
}
