//! Requirements made ready for the solver: names looked up, those of the project put on top of the program's,
//! and those that cannot be met singly refused.

use super::explain;
use super::plan::Plan;
use super::requirement::{Asked, Requester, Requirement};
use super::universe::View;
use crate::code::Code;
use crate::discover::Plugin;
use crate::error::{Error, Location};
use crate::suggest::suggest;
use semver::VersionReq;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;
use std::path::Path;

/// What the solver starts from.
pub(super) struct Roots {
    pub(super) list: Vec<Root>,
    /// What `caraway.toml` requires, by plugin name: this time and before.
    pub(super) project: Vec<(String, Requirement)>,
}

/// A plugin that is needed, and the versions of it that will do for all who ask for it in the same words.
pub(super) struct Root {
    pub(super) name: String,
    pub(super) range: VersionReq,
    /// Who asks for it.
    pub(super) asked: Vec<Requirement>,
    /// What the project requires of the same plugin; `range` has it in it.
    pub(super) project: Vec<Requirement>,
}

impl Roots {
    pub(super) fn new(view: &View, requirements: &[Requirement], plan: &Plan) -> Result<Self, Error> {
        let mut errors = Vec::new();
        let mut project = plan.project.clone();
        let mut program = Vec::new();
        for requirement in sorted(requirements) {
            let located = |error: Error| match requirement.from.location() {
                Some(location) => error.at(location.clone()),
                None => error,
            };
            if let Requester::Plugin { id, .. } = &requirement.from {
                errors.extend(import_of_plugin(plan, id, requirement).err().map(located));
                continue;
            }
            match (view.find(&requirement.path), &requirement.from) {
                (Err(error), _) => errors.push(located(error)),
                (Ok(name), Requester::Project { .. }) => project.push((name.to_owned(), requirement.clone())),
                (Ok(name), _) => program.push((name.to_owned(), requirement)),
            }
        }
        let imported: HashSet<&str> = program.iter().map(|(name, _)| name.as_str()).collect();
        let alone =
            project[plan.project.len()..].iter().filter(|(name, _)| !imported.contains(name.as_str()));
        let alone: Vec<(String, &Requirement)> = alone.map(|(name, asked)| (name.clone(), asked)).collect();
        let mut required: HashMap<&str, Vec<&Requirement>> = HashMap::new();
        for (name, requirement) in &project {
            required.entry(name).or_default().push(requirement);
        }
        let mut merged: BTreeMap<(String, String), Root> = BTreeMap::new();
        for (name, requirement) in program.iter().cloned().chain(alone) {
            if plan.requires(&requirement.path, &requirement.range) {
                continue;
            }
            let above = required.get(name.as_str()).into_iter().flatten();
            let above: Vec<Requirement> =
                above.filter(|asked| **asked != requirement).map(|asked| (*asked).clone()).collect();
            let comparators = above.iter().chain([requirement]).flat_map(|asked| &asked.range.comparators);
            let range = VersionReq { comparators: comparators.cloned().collect() };
            merged
                .entry((name.clone(), range.to_string()))
                .or_insert_with(|| Root { name, range, asked: Vec::new(), project: above })
                .asked
                .push(requirement.clone());
        }
        let list: Vec<Root> = merged.into_values().collect();
        errors.extend(list.iter().filter_map(|root| explain::unmet(view, root)));
        errors.sort_by_cached_key(|error| {
            error.location().map(|l| (l.file.clone(), l.line, l.column, error.to_string()))
        });
        match Error::from_many(errors) {
            Some(error) => Err(error),
            None => Ok(Self { list, project }),
        }
    }
}

impl Roots {
    /// Where one of the list stands, to sort by: what programs import before what their project requires.
    pub(super) fn place(&self, index: Option<usize>) -> (bool, Option<(&Path, usize, usize)>) {
        let first = index.and_then(|index| self.list.get(index)?.asked.first());
        let place = first.and_then(|asked| asked.from.location());
        (
            first.is_none_or(|asked| matches!(asked.from, Requester::Project { .. })),
            place.map(|location| (location.file.as_path(), location.line, location.column)),
        )
    }
}

impl Root {
    /// Who asks for it first.
    pub(super) fn requester(&self) -> String {
        self.asked.first().map_or_else(|| "the program".to_owned(), |asked| asked.from.to_string())
    }

    /// Where it is asked for.
    pub(super) fn location(&self) -> Option<&Location> {
        self.asked.first()?.from.location()
    }
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = self.asked.first() else { return f.write_str("the program") };
        write!(f, "{} needs {}", first.from, Asked(&self.name, &first.range))?;
        for above in &self.project {
            write!(f, " and {} needs {}", above.from, Asked(&self.name, &above.range))?;
        }
        Ok(())
    }
}

/// An order that does not depend on the order they came in.
fn sorted(requirements: &[Requirement]) -> Vec<&Requirement> {
    fn place(asked: &Requirement) -> Option<(&Path, usize, usize)> {
        asked.from.location().map(|l| (l.file.as_path(), l.line, l.column))
    }
    let mut sorted: Vec<&Requirement> = requirements.iter().collect();
    sorted.sort_by(|a, b| {
        a.path
            .cmp(&b.path)
            .then_with(|| by_text(&a.range, &b.range))
            .then_with(|| place(a).cmp(&place(b)))
            .then_with(|| by_text(&a.from, &b.from))
    });
    sorted.dedup();
    sorted
}

/// The order of what has none but that of its text.
fn by_text<T: PartialEq + ToString>(a: &T, b: &T) -> Ordering {
    if a == b { Ordering::Equal } else { a.to_string().cmp(&b.to_string()) }
}

/// Checks that a plugin may import what it imports: what it declares, in the version that was selected for it.
fn import_of_plugin(plan: &Plan, id: &str, asked: &Requirement) -> Result<(), Error> {
    let Some(plugin) = plan.get(id) else {
        return Err(Error::new(Code::Internal, format!("`{id}` imports, but is not in the plan")));
    };
    let selected = plan.named(Some(id), &asked.path);
    let Some(first) = selected.first() else { return Err(undeclared(plan, plugin, &asked.path)) };
    let any = asked.range.comparators.is_empty();
    if any || selected.iter().any(|plugin| asked.range.matches(&plugin.manifest.version)) {
        return Ok(());
    }
    Err(Error::new(
        Code::NoVersion,
        format!(
            "`{id}` imports {}, but its manifest selects `{}`",
            Asked(&asked.path, &asked.range),
            first.id()
        ),
    )
    .hint(format!("import `{}` without a requirement, or tighten the one in `dependencies`", asked.path)))
}

/// A plugin imports what it does not declare, or by a name that might mean several that it does.
fn undeclared(plan: &Plan, plugin: &Plugin, path: &str) -> Error {
    let id = plugin.id();
    let edges = plan.edges(Some(&id));
    let rivals: BTreeSet<&str> = edges
        .iter()
        .map(|edge| &edge.plugin.manifest)
        .filter(|manifest| manifest.module == path)
        .map(|manifest| manifest.name.as_str())
        .collect();
    if let Some(first) = rivals.first() {
        let names: Vec<String> = rivals.iter().map(|name| format!("`{name}`")).collect();
        let names = names.join(", ");
        return Error::new(
            Code::Ambiguous,
            format!("`{id}` imports `{path}`, the module name of several plugins that it declares: {names}"),
        )
        .hint(format!("import one by its plugin name, such as `import \"{first}\" as {path}`"));
    }
    let found = format!("`{id}` imports `{path}`, which its manifest does not declare");
    let declared = edges.iter().flat_map(|edge| [edge.path.as_str(), edge.plugin.manifest.module.as_str()]);
    let add = format!("add `{path}` to `dependencies` in the manifest of `{}`", plugin.manifest.name);
    Error::new(Code::UndeclaredImport, found).hint(match suggest(path, declared) {
        Some(near) => format!("did you mean `{near}`? else {add}"),
        None => add,
    })
}
