//! All files of one program or plugin, and what they import.

use super::module::Module;
use super::source::Source;
use crate::session::Session;
use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::resolve::{Requester, Requirement, parse_import};
use caraway_loaders_core::{Code, Error, Location};
use caraway_loaders_script::{engine, is_file, locate};
use rhai::{OptimizationLevel, Position};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What an alias stands for.
#[derive(Clone)]
pub(super) enum Target {
    Plugin(Arc<Module>),
    /// A file of the same unit.
    File(usize),
    /// That is not known, or has been complained of already.
    Unknown,
}

/// An `import`.
pub(super) struct Import {
    /// The index of the file that it is in.
    pub(super) source: usize,
    pub(super) path: Option<String>,
    pub(super) alias: String,
    pub(super) position: Position,
    pub(super) top_level: bool,
    pub(super) target: Target,
}

/// A program or plugin with the files that it imports.
pub(super) struct Unit {
    pub(super) sources: Vec<Source>,
    pub(super) imports: Vec<Import>,
    /// Where each import is in `imports`, by its file and the place of its path.
    pub(super) places: HashMap<(usize, Position), usize>,
    /// Whose files they are, if they are a plugin's.
    pub(super) plugin: Option<Arc<Plugin>>,
    /// The modules that its kind gives them.
    pub(super) own_modules: &'static [&'static str],
}

/// Reads units, and looks at each plugin once.
pub(super) struct Reader<'a> {
    session: &'a Session,
    modules: HashMap<String, Option<Arc<Module>>>,
    pub(super) findings: Vec<Error>,
    /// Why the code of plugins was not looked at.
    pub(super) unseen: Vec<Error>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(session: &'a Session) -> Self {
        Self { session, modules: HashMap::new(), findings: Vec::new(), unseen: Vec::new() }
    }

    /// Reads a file and all that it imports. `folder` is the one that file imports do not leave.
    pub(super) fn read(&mut self, file: &Path, folder: &Path, plugin: Option<Arc<Plugin>>) -> Unit {
        let loader = plugin.as_ref().and_then(|plugin| self.session.loader(plugin).ok());
        let mut unit = Unit {
            sources: Vec::new(),
            imports: Vec::new(),
            places: HashMap::new(),
            plugin: plugin.clone(),
            own_modules: loader.map_or(&[], |loader| loader.own_modules()),
        };
        let mut parser = engine::parser(&self.session.limits());
        parser.set_optimization_level(OptimizationLevel::None);
        let mut known: HashMap<PathBuf, Option<usize>> = HashMap::new();
        match Source::read(&parser, file) {
            Ok(source) => unit.sources.push(source),
            Err(error) => self.findings.push(error),
        }
        if let Ok(real) = file.canonicalize() {
            known.insert(real, (!unit.sources.is_empty()).then_some(0));
        }
        if let (Some(source), None) = (unit.sources.first(), &plugin) {
            self.plan(source);
        }
        let mut next = 0;
        while next < unit.sources.len() {
            for statement in unit.sources[next].imports() {
                let location = unit.sources[next].at(statement.position);
                let target = match &statement.path {
                    None => Target::Unknown,
                    Some(path) if is_file(path) => {
                        match locate(folder, Some(&unit.sources[next].name), path) {
                            Err(error) => {
                                self.findings.push(error.at(location));
                                Target::Unknown
                            }
                            Ok((shown, real)) => {
                                let index = *known.entry(real).or_insert_with(|| {
                                    match Source::read(&parser, &shown) {
                                        Ok(source) => {
                                            unit.sources.push(source);
                                            Some(unit.sources.len() - 1)
                                        }
                                        Err(error) => {
                                            self.findings.push(error);
                                            None
                                        }
                                    }
                                });
                                index.map_or(Target::Unknown, Target::File)
                            }
                        }
                    }
                    Some(path) => self.plugin(plugin.as_ref(), path, location),
                };
                unit.places.insert((next, statement.position), unit.imports.len());
                unit.imports.push(Import {
                    source: next,
                    path: statement.path,
                    alias: statement.alias,
                    position: statement.position,
                    top_level: statement.top_level,
                    target,
                });
            }
            next += 1;
        }
        self.findings.extend(unit.cycle());
        unit
    }

    /// Plans for all that a program imports at its top level, as running it does.
    fn plan(&mut self, source: &Source) {
        let mut requirements = Vec::new();
        for statement in source.imports().into_iter().filter(|statement| statement.top_level) {
            let Some(path) = statement.path.filter(|path| !is_file(path)) else { continue };
            let location = source.at(statement.position);
            if let Ok((path, range)) = parse_import(&path) {
                requirements.push(Requirement { path, range, from: Requester::Program { location } });
            }
        }
        if let Err(error) = self.session.plan_for(requirements) {
            self.tell(&error);
        }
    }

    /// What an import of a plugin stands for.
    fn plugin(&mut self, importer: Option<&Arc<Plugin>>, path: &str, location: Location) -> Target {
        let found = match self.session.find(importer, path, location.clone()) {
            Ok(found) => found,
            Err(error) => {
                self.tell(&error.at(location));
                return Target::Unknown;
            }
        };
        self.module(&found).map_or(Target::Unknown, Target::Plugin)
    }

    /// What a plugin offers, if that can be told.
    pub(super) fn module(&mut self, plugin: &Arc<Plugin>) -> Option<Arc<Module>> {
        let id = plugin.id();
        if let Some(known) = self.modules.get(&id) {
            return known.clone();
        }
        let module = match Module::of(plugin, self.session) {
            Ok((module, unseen)) => {
                self.unseen.extend(unseen);
                Some(Arc::new(module))
            }
            Err(error) => {
                self.tell(&error);
                None
            }
        };
        self.modules.insert(id, module.clone());
        module
    }

    /// Adds an error and those that were found with it; each once for a place.
    pub(super) fn tell(&mut self, error: &Error) {
        let same = |other: &Error| other.code() == error.code() && other.location() == error.location();
        if !self.findings.iter().any(same) {
            let mut alone = Error::new(error.code(), error.message());
            alone = error.hint_text().map_or(alone.clone(), |hint| alone.hint(hint));
            self.findings.push(match error.location() {
                Some(location) => alone.at(location.clone()),
                None => alone,
            });
        }
        error.others().iter().for_each(|other| self.tell(other));
    }
}

impl Unit {
    /// Files that import each other at their top levels, which cannot be evaluated.
    fn cycle(&self) -> Option<Error> {
        let mut done = vec![false; self.sources.len()];
        let mut path = Vec::new();
        (!self.sources.is_empty()).then(|| self.cycle_from(0, &mut path, &mut done)).flatten()
    }

    fn cycle_from(&self, source: usize, path: &mut Vec<usize>, done: &mut [bool]) -> Option<Error> {
        path.push(source);
        for import in self.imports.iter().filter(|import| import.source == source && import.top_level) {
            let Target::File(next) = import.target else { continue };
            if let Some(start) = path.iter().position(|other| *other == next) {
                let file = |index: &usize| {
                    let name = Path::new(&self.sources[*index].name).file_name().unwrap_or_default();
                    name.to_string_lossy().into_owned()
                };
                let circle: Vec<String> = path[start..].iter().chain([&next]).map(file).collect();
                let error =
                    Error::new(Code::Cycle, format!("files import each other: {}", circle.join(" -> ")));
                return Some(
                    error
                        .at(self.sources[source].at(import.position))
                        .hint("move what both need into a third file"),
                );
            }
            if !done[next]
                && let Some(error) = self.cycle_from(next, path, done)
            {
                return Some(error);
            }
        }
        path.pop();
        done[source] = true;
        None
    }

    /// Whether any of the files is one of which nothing is certain.
    pub(super) fn is_dynamic(&self) -> bool {
        self.sources.iter().any(|source| source.is_dynamic)
    }

    /// The plugins that any of the files imports.
    pub(super) fn modules(&self) -> impl Iterator<Item = &Arc<Module>> {
        self.imports.iter().filter_map(|import| match &import.target {
            Target::Plugin(module) => Some(module),
            _ => None,
        })
    }
}
