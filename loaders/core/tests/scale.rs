//! Many plugins, long chains and plugins made to keep a solver busy: all of it ends.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

use caraway_loaders_core::bind::Bound;
use caraway_loaders_core::discover::{Origin, Plugin, SearchPath, discover};
use caraway_loaders_core::loader::{LoadRequest, Loader, PluginFile};
use caraway_loaders_core::manifest::{Dependency, Function, Manifest};
use caraway_loaders_core::resolve::{self, Plan, Requester, Requirement, Universe, parse_import};
use caraway_loaders_core::{Code, Error, Location};
use semver::Version;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A kind that reads manifests and loads nothing.
struct Scripts;

impl Loader for Scripts {
    fn kind(&self) -> &'static str {
        "module"
    }

    fn description(&self) -> &'static str {
        "a kind for tests"
    }

    fn validate(&self, _: &Manifest) -> Vec<Error> {
        Vec::new()
    }

    fn files(&self, _: &Plugin) -> Result<Vec<PluginFile>, Error> {
        Ok(Vec::new())
    }

    fn inspect(&self, _: &Plugin) -> Result<Vec<Function>, Error> {
        Ok(Vec::new())
    }

    fn load(&self, _: &LoadRequest) -> Result<Bound, Error> {
        Err(Error::new(Code::LoadFailed, "not in this test"))
    }
}

fn plugin(name: &str, version: (u64, u64), dependencies: impl IntoIterator<Item = String>) -> Arc<Plugin> {
    let mut manifest = Manifest::new(name, Version::new(version.0, version.1, 0), "module");
    let dependency = |text: String| {
        let (name, requirement) = parse_import(&text).unwrap();
        Dependency { name, requirement }
    };
    manifest.dependencies = dependencies.into_iter().map(dependency).collect();
    Arc::new(Plugin::new(manifest, "", Origin::BuiltIn))
}

fn plan(plugins: &[Arc<Plugin>], imports: impl IntoIterator<Item = String>) -> Result<Plan, Error> {
    let universe = Universe::new(plugins, &Version::new(0, 1, 0), &BTreeSet::new());
    let requirements: Vec<Requirement> = (1..)
        .zip(imports)
        .map(|(line, text)| {
            let (path, range) = parse_import(&text).unwrap();
            let location = Location::new("app.rhai", line, 8);
            Requirement { path, range, from: Requester::Program { location } }
        })
        .collect();
    resolve::resolve(&universe, &requirements, &Plan::default())
}

/// Plans, and checks that no plan means that there is none or that the search was given up, told in short.
#[track_caller]
fn ends(plugins: &[Arc<Plugin>], imports: impl IntoIterator<Item = String>) -> Option<Plan> {
    match plan(plugins, imports) {
        Ok(plan) => Some(plan),
        Err(error) => {
            assert!([Code::Conflict, Code::Limit].contains(&error.code()), "{error}");
            assert!(error.hint_text().is_some() && error.message().len() < 10_000, "{error}");
            None
        }
    }
}

/// `p0` needs `p1`, which needs `p2`, ...
fn chain(length: usize) -> Vec<Arc<Plugin>> {
    let next = |index: usize| (index + 1 < length).then(|| format!("p{}@^1", index + 1));
    (0..length).map(|index| plugin(&format!("p{index}"), (1, 0), next(index))).collect()
}

/// Plugins of which each needs up to three that come after it, in two versions of each.
fn layered(count: usize) -> Vec<Arc<Plugin>> {
    let needs = |index: usize| {
        let next =
            [index * 2 + 1, index * 2 + 2, index * 2 + 5].into_iter().filter(move |next| *next < count);
        next.map(|next| format!("p{next}@^1"))
    };
    (0..count)
        .flat_map(|index| [0, 1].map(|minor| plugin(&format!("p{index}"), (1, minor), needs(index))))
        .collect()
}

#[test]
fn ten_thousand_plugins_are_discovered_and_planned() {
    let count = 10_000;
    let folder = tempfile::tempdir().unwrap();
    for index in 0..count {
        let path = folder.path().join(format!("p{index}"));
        std::fs::create_dir(&path).unwrap();
        let needs = match index * 2 + 2 {
            next if next < count => format!("{{\"p{}\": \"^1\", \"p{next}\": \"*\"}}", next - 1),
            _ => "{}".to_owned(),
        };
        let text = format!(
            "{{\"name\": \"p{index}\", \"version\": \"1.0.0\", \"type\": \"module\", \"dependencies\": {needs}}}"
        );
        std::fs::write(path.join("plugin.json"), text).unwrap();
    }
    let catalog = discover(&[SearchPath::explicit(folder.path(), "test")], &[Arc::new(Scripts)]);
    assert_eq!((catalog.plugins.len(), catalog.errors.len()), (count, 0), "{:?}", catalog.errors.first());
    let plan = plan(&catalog.plugins, ["p0@^1".to_owned()]).unwrap();
    assert_eq!(plan.plugins().len(), count - 1);
}

#[test]
fn chains_are_planned_whatever_their_length() {
    for length in [500, 5_000] {
        let plan = plan(&chain(length), ["p0".to_owned()]).unwrap();
        let ids: Vec<String> = plan.plugins().map(|plugin| plugin.id()).collect();
        assert_eq!((ids.len(), ids[length - 1].as_str()), (length, "p0@1.0.0"));
        assert_eq!(ids[0], format!("p{}@1.0.0", length - 1));
    }
}

#[test]
fn a_long_chain_with_a_gap_at_its_end_is_explained() {
    let mut plugins = chain(5_000);
    plugins.pop();
    let error = plan(&plugins, ["p0".to_owned()]).unwrap_err();
    assert_eq!(error.code(), Code::UnknownPlugin, "{error}");
    assert!(error.message().contains("which needs `p4999 ^1`") && error.message().len() < 1_000, "{error}");
}

#[test]
fn layers_of_shared_dependencies_are_planned() {
    for count in [1_000, 10_000] {
        let plan = plan(&layered(count), ["p0".to_owned()]).unwrap();
        assert_eq!(plan.plugins().len(), count);
        assert_eq!(plan.get("p0@1.1.0").unwrap().id(), "p0@1.1.0");
        assert_eq!(plan.edges(Some("p0@1.1.0")).len(), 3);
    }
}

#[test]
fn a_program_may_import_everything() {
    let count = 10_000;
    let plugins: Vec<_> = (0..count).map(|index| plugin(&format!("p{index}"), (1, 0), None)).collect();
    let plan = plan(&plugins, (0..count).map(|index| format!("p{index}"))).unwrap();
    assert_eq!(plan.plugins().len(), count);
    assert_eq!(plan.lookup(None, "p9999").unwrap().id(), "p9999@1.0.0");
}

/// A ring of plugins, each version of which pins one version of the next, and the last the wrong one of the
/// first: no version of any goes with the others.
#[test]
fn pinned_siblings_that_never_agree() {
    let (count, versions) = (40_u64, 40_u64);
    let plugins: Vec<_> = (0..count)
        .flat_map(|index| {
            (0..versions).map(move |version| {
                let (next, shift) = ((index + 1) % count, u64::from(index + 1 == count));
                let pinned = format!("p{next}@=1.{}.0", (version + shift) % versions);
                plugin(&format!("p{index}"), (1, version), [pinned])
            })
        })
        .collect();
    assert!(ends(&plugins, (0..count).map(|index| format!("p{index}"))).is_none());
}

/// Each version of a plugin refuses most versions of all others.
#[test]
fn siblings_that_pin_each_other() {
    let (count, versions) = (12_u64, 30_u64);
    let plugins: Vec<_> = (0..count)
        .flat_map(|index| {
            (0..versions).map(move |version| {
                let others = (index + 1..count).map(move |other| {
                    let low = (version * 7 + other * 3) % versions;
                    format!("p{other}@>=1.{low}, <1.{}", low + 3)
                });
                plugin(&format!("p{index}"), (1, version), others)
            })
        })
        .collect();
    ends(&plugins, (0..count).map(|index| format!("p{index}")));
}

/// Clauses of three literals each, as plugins: hard where there are some four clauses to a variable.
#[test]
fn riddles_in_disguise() {
    let mut state = 7_u64;
    let mut below = |end: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % end
    };
    let variables = 120;
    for clauses in [360, 510, 700] {
        let mut plugins: Vec<_> = (0..variables)
            .flat_map(|variable| [0, 1].map(|value| plugin(&format!("v{variable}"), (1, value), None)))
            .collect();
        for clause in 0..clauses {
            for literal in 0..3 {
                let pinned = format!("v{}@=1.{}.0", below(variables), below(2));
                plugins.push(plugin(&format!("c{clause}"), (1, literal), [pinned]));
            }
        }
        let plan = ends(&plugins, (0..clauses).map(|clause| format!("c{clause}")));
        assert!(plan.is_none_or(|plan| plan.plugins().len() as u64 > clauses));
    }
}

/// Spans over a hundred majors, of which only the lowest goes with what the program pins.
#[test]
fn wide_spans_of_majors() {
    let (count, majors) = (10_u64, 100_u64);
    let mut plugins: Vec<_> = (0..majors).map(|minor| plugin("base", (1, minor), None)).collect();
    for index in 0..count {
        for major in 1..=majors {
            let next = (index + 1 < count).then(|| format!("w{}@*", index + 1));
            let needs = [format!("base@~1.{}", major - 1)].into_iter().chain(next);
            plugins.push(plugin(&format!("w{index}"), (major, 0), needs));
        }
    }
    let pinned = ends(&plugins, ["base@~1.0".to_owned(), "w0".to_owned()]);
    assert!(pinned.is_none_or(|plan| plan.plugins().len() as u64 == count + 1));
    ends(&plugins, (0..count).map(|index| format!("w{index}@>=2")));
}
