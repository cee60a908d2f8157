//! The answer: which plugins, in which order, and what each importer sees.

use super::import::parse_import;
use super::requirement::Requirement;
use crate::discover::Plugin;
use semver::VersionReq;
use std::collections::HashMap;
use std::sync::Arc;

/// Selected plugins, and what each importer's imports mean.
///
/// A plan is closed: what a plugin in it depends on is in it.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    plugins: Vec<Arc<Plugin>>,
    /// What each plugin requires, in the order of `plugins`.
    dependencies: Vec<Vec<Edge>>,
    /// Where each id is in `plugins`.
    places: HashMap<String, usize>,
    /// What the program requires, the project's requirements among it.
    program: Vec<Edge>,
    /// Where in `program` a name is, as written or as the plugin's own.
    names: HashMap<String, Vec<usize>>,
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
        self.plugins.get(*self.places.get(id)?)
    }

    /// What an importer requires and gets: the plugin with this id, or the program and its project for `None`.
    pub fn edges(&self, importer: Option<&str>) -> &[Edge] {
        match importer {
            None => &self.program,
            Some(id) => {
                let edges = self.places.get(id).and_then(|place| self.dependencies.get(*place));
                edges.map_or(&[], Vec::as_slice)
            }
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
        let same = |edge: &&Edge| edge.path == name && edge.range == range;
        let exact = match importer {
            None => self.program_edges(&name).find(same),
            importer => self.edges(importer).iter().find(same),
        };
        if let Some(exact) = exact {
            return Some(&exact.plugin);
        }
        let accepts =
            |plugin: &&Arc<Plugin>| range.comparators.is_empty() || range.matches(&plugin.manifest.version);
        self.named(importer, &name).into_iter().filter(accepts).max_by_key(|plugin| &plugin.manifest.version)
    }

    /// The plugins that an importer may mean by a name, of those that it requires.
    pub(super) fn named(&self, importer: Option<&str>, name: &str) -> Vec<&Arc<Plugin>> {
        // What other names mean to a program is looked up among all plugins: one may be called so.
        if importer.is_none() {
            return self.program_edges(name).map(|edge| &edge.plugin).collect();
        }
        let edges = self.edges(importer);
        let by_name = edges.iter().filter(|edge| edge.path == name || edge.plugin.manifest.name == name);
        let by_name: Vec<_> = by_name.map(|edge| &edge.plugin).collect();
        if !by_name.is_empty() {
            return by_name;
        }
        let by_module = edges.iter().map(|edge| &edge.plugin).filter(|p| p.manifest.module == name);
        let by_module: Vec<_> = by_module.collect();
        let unique = by_module.windows(2).all(|pair| pair[0].manifest.name == pair[1].manifest.name);
        if unique { by_module } else { Vec::new() }
    }

    /// Adds a plugin, all of whose dependencies are there.
    pub(super) fn push(&mut self, plugin: Arc<Plugin>, edges: Vec<Edge>) {
        self.places.insert(plugin.id(), self.plugins.len());
        self.dependencies.push(edges);
        self.plugins.push(plugin);
    }

    /// Adds what the program or its project requires.
    pub(super) fn require(&mut self, edge: Edge) {
        if self.requires(&edge.path, &edge.range) {
            return;
        }
        let place = self.program.len();
        let name = &edge.plugin.manifest.name;
        self.names.entry(edge.path.clone()).or_default().push(place);
        if *name != edge.path {
            self.names.entry(name.clone()).or_default().push(place);
        }
        self.program.push(edge);
    }

    /// Whether the program or its project requires this, in these words.
    pub(super) fn requires(&self, path: &str, range: &VersionReq) -> bool {
        self.program_edges(path).any(|edge| edge.path == path && edge.range == *range)
    }

    /// What the program requires by a name: as written, or the plugin's own.
    fn program_edges(&self, name: &str) -> impl Iterator<Item = &Edge> {
        self.names.get(name).into_iter().flatten().filter_map(|place| self.program.get(*place))
    }
}
