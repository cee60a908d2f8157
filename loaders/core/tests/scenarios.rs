//! Runs every `tests/scenarios/*.toml` of the repository: plugins and requirements in, a plan or an error out,
//! the same for any order of plugins and requirements. `tests/scenarios/README.md` explains the fields.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests are tests")]

use caraway_loaders_core::discover::{Origin, Plugin};
use caraway_loaders_core::manifest::{Dependency, Manifest};
use caraway_loaders_core::resolve::{self, Plan, Requester, Requirement, Universe, parse_import};
use caraway_loaders_core::{Error, Location};
use semver::VersionReq;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    description: String,
    host: Option<String>,
    #[serde(default)]
    search: Vec<PathBuf>,
    #[serde(default)]
    disabled: BTreeSet<String>,
    #[serde(default)]
    locked: Vec<String>,
    plugins: Vec<Found>,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Found {
    id: String,
    module: Option<String>,
    path: Option<PathBuf>,
    caraway: Option<String>,
    #[serde(default)]
    deps: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    #[serde(default)]
    imports: Vec<String>,
    #[serde(default)]
    project: Vec<String>,
    #[serde(default)]
    plugin_imports: BTreeMap<String, Vec<String>>,
    plan: Option<Vec<String>>,
    #[serde(default)]
    sees: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(default)]
    origins: BTreeMap<String, PathBuf>,
    error: Option<String>,
    at: Option<String>,
    #[serde(default)]
    message: Vec<String>,
    #[serde(default)]
    hint: Vec<String>,
    #[serde(default)]
    others: Vec<String>,
}

fn split(text: &str) -> (String, VersionReq) {
    parse_import(text).unwrap_or_else(|error| panic!("{error}"))
}

impl Found {
    fn plugin(&self, scenario: &Scenario) -> Arc<Plugin> {
        let (name, version) = self.id.split_once('@').expect("an id is name@version");
        let mut manifest = Manifest::new(name, version.parse().expect(version), "module");
        if let Some(module) = &self.module {
            manifest.module.clone_from(module);
        }
        manifest.caraway_version = self.caraway.as_ref().map(|text| text.parse().expect(text));
        manifest.dependencies = self
            .deps
            .iter()
            .map(|text| split(text))
            .map(|(name, requirement)| Dependency { name, requirement })
            .collect();
        let origin = match name.starts_with("std/") {
            true => Origin::BuiltIn,
            false => Origin::SearchPath(self.search_path(scenario)),
        };
        Arc::new(Plugin::new(manifest, "", origin))
    }

    fn search_path(&self, scenario: &Scenario) -> PathBuf {
        self.path.clone().or_else(|| scenario.search.first().cloned()).unwrap_or_else(|| "plugins".into())
    }
}

impl Scenario {
    /// The plugins in an order: that of the file, the reverse, or a shuffle; but the search paths in their own.
    fn plugins(&self, order: u64) -> Vec<Arc<Plugin>> {
        let mut found: Vec<&Found> = self.plugins.iter().collect();
        reorder(&mut found, order);
        found.sort_by_key(|found| {
            let path = found.search_path(self);
            self.search.iter().position(|other| *other == path)
        });
        found.into_iter().map(|found| found.plugin(self)).collect()
    }
}

impl Step {
    fn requirements(&self, order: u64) -> Vec<Requirement> {
        let requirement = |text: &String, from: Requester| {
            let (path, range) = split(text);
            Requirement { path, range, from }
        };
        let program = (1..).zip(&self.imports).map(|(line, text)| {
            requirement(text, Requester::Program { location: Location::new("app.rhai", line, 8) })
        });
        let project = (1..).zip(&self.project).map(|(line, text)| {
            requirement(text, Requester::Project { location: Location::new("caraway.toml", line, 1) })
        });
        let plugins = self.plugin_imports.iter().flat_map(|(id, imports)| {
            (1..).zip(imports).map(move |(line, text)| {
                let location = Location::new(format!("{id}.rhai"), line, 8);
                requirement(text, Requester::Plugin { id: id.clone(), location })
            })
        });
        let mut all: Vec<Requirement> = program.chain(project).chain(plugins).collect();
        reorder(&mut all, order);
        all
    }
}

/// 0 leaves the order, 1 reverses it, others shuffle.
fn reorder<T>(items: &mut [T], order: u64) {
    match order {
        0 => {}
        1 => items.reverse(),
        seed => {
            let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            for last in (1..items.len()).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                items.swap(last, (state >> 33) as usize % (last + 1));
            }
        }
    }
}

/// All that a user sees of an error.
fn render(error: &Error) -> String {
    let mut text = format!("{} {error}", error.code());
    if let Some(location) = error.location() {
        write!(text, "\nat {location}").unwrap();
    }
    if let Some(hint) = error.hint_text() {
        write!(text, "\nhint: {hint}").unwrap();
    }
    for other in error.others() {
        write!(text, "\n\n{}", render(other)).unwrap();
    }
    text
}

/// The plan, and what every importer in it sees.
fn render_plan(plan: &Plan) -> String {
    let ids: Vec<String> = plan.plugins().map(|plugin| plugin.id()).collect();
    let mut text = format!("{ids:?}");
    for importer in ids.iter().map(|id| Some(id.as_str())).chain([None]) {
        let mut edges: Vec<String> = plan
            .edges(importer)
            .iter()
            .map(|edge| format!("{}@{} is {}", edge.path, edge.range, edge.plugin.id()))
            .collect();
        edges.sort();
        write!(text, "\n{importer:?} {edges:?}").unwrap();
    }
    text
}

/// Runs the steps and gives what came of each.
fn run(scenario: &Scenario, file: &str, order: u64) -> Vec<String> {
    let host = scenario.host.as_deref().unwrap_or("0.1.0").parse().expect("a version");
    let locked: Vec<(&str, semver::Version)> = scenario
        .locked
        .iter()
        .map(|id| id.split_once('@').expect("an id is name@version"))
        .map(|(name, version)| (name, version.parse().expect(version)))
        .collect();
    let universe = Universe::new(&scenario.plugins(order), &host, &scenario.disabled)
        .preferring(locked.iter().map(|(name, version)| (*name, version)))
        .searched(scenario.search.iter().cloned());
    let mut plan = Plan::default();
    let mut outcomes = Vec::new();
    for (number, step) in scenario.steps.iter().enumerate() {
        let context = format!("{file}, step {number}, order {order}: {}", scenario.description);
        match resolve::resolve(&universe, &step.requirements(order), &plan) {
            Ok(extended) => {
                plan = extended;
                step.check_plan(&plan, &context);
                outcomes.push(render_plan(&plan));
            }
            Err(error) => {
                step.check_error(&error, &context);
                outcomes.push(render(&error));
            }
        }
    }
    outcomes
}

impl Step {
    #[track_caller]
    fn check_error(&self, error: &Error, context: &str) {
        let text = render(error);
        let code = error.code().as_str();
        assert_eq!(self.error.as_deref(), Some(code), "{context}\n{text}");
        assert!(!self.message.is_empty(), "{context}\nsay something about the message\n{text}");
        for part in &self.message {
            assert!(error.message().contains(part), "{context}\nno {part:?} in the message of\n{text}");
        }
        for part in &self.hint {
            let hint = error.hint_text().unwrap_or_default();
            assert!(hint.contains(part), "{context}\nno {part:?} in the hint of\n{text}");
        }
        assert_eq!(error.location().map(ToString::to_string), self.at, "{context}\n{text}");
        let others: Vec<&str> = error.others().iter().map(|other| other.code().as_str()).collect();
        assert_eq!(others, self.others, "{context}\n{text}");
    }

    #[track_caller]
    fn check_plan(&self, plan: &Plan, context: &str) {
        let ids: Vec<String> = plan.plugins().map(|plugin| plugin.id()).collect();
        assert_eq!(Some(&ids), self.plan.as_ref(), "{context}\n{}", render_plan(plan));
        for (importer, imports) in &self.sees {
            let importer = (importer != "program").then_some(importer.as_str());
            for (import, expected) in imports {
                let seen = plan.lookup(importer, import).map_or("nothing".to_owned(), |plugin| plugin.id());
                assert_eq!(seen, *expected, "{context}\n{importer:?} imports {import}");
            }
        }
        for (id, expected) in &self.origins {
            let plugin = plan.get(id).unwrap_or_else(|| panic!("{context}\n{id} is not in the plan"));
            assert_eq!(plugin.origin, Origin::SearchPath(expected.clone()), "{context}\n{id}");
        }
        for (index, plugin) in plan.plugins().enumerate() {
            for edge in plan.edges(Some(&plugin.id())) {
                let id = edge.plugin.id();
                assert!(ids[..index].contains(&id), "{context}\n{id} comes too late");
                assert!(edge.range.matches(&edge.plugin.manifest.version), "{context}\n{edge:?}");
            }
        }
    }
}

#[test]
fn scenarios() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    assert!(files.len() >= 75, "only {} scenarios in {}", files.len(), folder.display());
    // Each panic tells what is wrong; those that come after it are to be told too.
    let failed: Vec<&PathBuf> =
        files.iter().filter(|path| std::panic::catch_unwind(|| check(path)).is_err()).collect();
    assert!(failed.is_empty(), "{} scenarios failed: {failed:?}", failed.len());
}

/// Runs one scenario in several orders.
fn check(path: &Path) {
    let file = path.file_name().unwrap().to_string_lossy().into_owned();
    let text = std::fs::read_to_string(path).unwrap();
    let scenario: Scenario = toml::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
    let first = run(&scenario, &file, 0);
    if std::env::var_os("SHOW_SCENARIOS").is_some() {
        println!("{file}: {}\n{}\n", scenario.description, first.join("\n"));
    }
    for order in 1..8 {
        assert_eq!(run(&scenario, &file, order), first, "{file} depends on the order, {order}");
    }
}
