//! What scenarios as data cannot say: large inputs, hostile ones, and agreement with plain search.

use super::{Plan, Requester, Requirement, Universe, parse_import, resolve};
use crate::code::Code;
use crate::discover::{Origin, Plugin};
use crate::error::{Error, Location};
use crate::manifest::{Dependency, Manifest};
use semver::{Version, VersionReq};
use std::collections::BTreeSet;
use std::sync::Arc;

fn plugin(name: &str, version: Version, dependencies: impl IntoIterator<Item = String>) -> Arc<Plugin> {
    let mut manifest = Manifest::new(name, version, "module");
    let dependency = |text: String| {
        let (name, requirement) = parse_import(&text).unwrap();
        Dependency { name, requirement }
    };
    manifest.dependencies = dependencies.into_iter().map(dependency).collect();
    Arc::new(Plugin::new(manifest, "", Origin::BuiltIn))
}

fn solve(plugins: &[Arc<Plugin>], imports: impl IntoIterator<Item = String>) -> Result<Plan, Error> {
    let universe = Universe::new(plugins, &Version::new(0, 1, 0), &BTreeSet::new());
    let requirements: Vec<Requirement> = imports
        .into_iter()
        .map(|text| {
            let (path, range) = parse_import(&text).unwrap();
            Requirement { path, range, from: Requester::Program { location: Location::file("app.rhai") } }
        })
        .collect();
    resolve(&universe, &requirements, &Plan::default())
}

fn one() -> Version {
    Version::new(1, 0, 0)
}

/// `p0` needs `p1`, which needs `p2`, ...; the last needs `last`.
fn chain(length: usize, last: Option<&str>) -> Vec<Arc<Plugin>> {
    (0..length)
        .map(|i| {
            let next = if i + 1 < length { Some(format!("p{}", i + 1)) } else { last.map(str::to_owned) };
            plugin(&format!("p{i}"), one(), next)
        })
        .collect()
}

/// Runs on a stack that recursion over thousands of plugins would overflow.
fn on_small_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::Builder::new().stack_size(192 << 10).spawn(work).unwrap().join().unwrap()
}

#[test]
fn long_chains_need_no_stack() {
    let order = on_small_stack(|| {
        let plan = solve(&chain(2000, None), ["p0".into()]).unwrap();
        plan.plugins().map(|plugin| plugin.id()).collect::<Vec<_>>()
    });
    assert_eq!(order.len(), 2000);
    assert_eq!((order[0].as_str(), order[1999].as_str()), ("p1999@1.0.0", "p0@1.0.0"));
}

#[test]
fn long_chains_to_nothing_are_explained_in_short() {
    let error = on_small_stack(|| solve(&chain(2000, Some("gone")), ["p0".into()]).unwrap_err());
    assert_eq!(error.code(), Code::UnknownPlugin);
    assert!(error.message().contains("`app.rhai` needs `p0`, which needs `p1`"), "{error}");
    assert!(error.message().contains("(1993 more)"), "{error}");
    assert!(error.message().ends_with("which needs `p1999`, which needs `gone`"), "{error}");
}

#[test]
fn long_cycles_are_shown_in_part() {
    let error = on_small_stack(|| solve(&chain(2000, Some("p0")), ["p0".into()]).unwrap_err());
    assert_eq!(error.code(), Code::Cycle);
    assert!(error.message().contains("p0 -> p1 ->") && error.message().contains("-> p1999 -> p0"), "{error}");
    assert!(error.message().len() < 1000, "{error}");
}

#[test]
fn one_of_ten_thousand_plugins() {
    let plugins: Vec<_> = (0..10_000).map(|i| plugin(&format!("p{i}"), one(), None)).collect();
    assert_eq!(solve(&plugins, ["p77".into()]).unwrap().plugins().len(), 1);
    assert_eq!(solve(&plugins, ["p10000".into()]).unwrap_err().code(), Code::UnknownPlugin);
}

#[test]
fn one_of_ten_thousand_versions() {
    let plugins: Vec<_> =
        (0..10_000).map(|i| plugin("a", Version::new(1 + i % 10, i / 10, 0), None)).collect();
    let plan = solve(&plugins, ["a".into(), "a@<9".into(), "a@~1.5".into()]).unwrap();
    let ids: Vec<String> = plan.plugins().map(|plugin| plugin.id()).collect();
    assert_eq!(ids, ["a@10.999.0", "a@8.999.0", "a@1.5.0"]);
    assert_eq!(solve(&plugins, ["a@^11".into()]).unwrap_err().code(), Code::NoVersion);
}

/// More pigeons than holes, and each hole takes one: what is known to be hard for solvers of this kind.
#[test]
fn hard_puzzles_are_refused() {
    let holes = 9;
    let pigeons = holes + 1;
    let mut plugins = Vec::new();
    for hole in 0..holes {
        let hole_name = format!("hole{hole}");
        plugins.extend((0..pigeons).map(|pigeon| plugin(&hole_name, Version::new(1, pigeon, 0), None)));
    }
    for pigeon in 0..pigeons {
        let choose = |hole| Some(format!("hole{hole}@=1.{pigeon}.0"));
        let name = format!("pigeon{pigeon}");
        plugins.extend((0..holes).map(|hole| plugin(&name, Version::new(1, hole, 0), choose(hole))));
    }
    let error = solve(&plugins, (0..pigeons).map(|pigeon| format!("pigeon{pigeon}"))).unwrap_err();
    assert_eq!(error.code(), Code::Limit, "{error}");
    let plan = solve(&plugins, (0..holes).map(|pigeon| format!("pigeon{pigeon}"))).unwrap();
    assert_eq!(plan.plugins().len() as u64, 2 * holes);
}

/// A generator of small numbers that is the same on every machine.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

const RANGES: [&str; 9] = ["*", "^1", "^2", "~1.0", "~1.1", "=2.0.0", ">=1.1", "<2", "<1.1"];

/// Plugins `p0` to `p4` in up to four versions, each of which needs some that come after it.
fn random_plugins(numbers: &mut Numbers) -> Vec<Arc<Plugin>> {
    let mut plugins = Vec::new();
    for index in 0..5 {
        for (major, minor) in [(1, 0), (1, 1), (2, 0), (2, 1)] {
            if numbers.below(4) == 0 {
                continue;
            }
            let needed: Vec<u64> = (index + 1..5).filter(|_| numbers.below(3) == 0).collect();
            let range = |numbers: &mut Numbers| RANGES[numbers.below(RANGES.len() as u64) as usize];
            let dependencies: Vec<String> =
                needed.into_iter().map(|other| format!("p{other}@{}", range(numbers))).collect();
            plugins.push(plugin(&format!("p{index}"), Version::new(major, minor, 0), dependencies));
        }
    }
    plugins
}

/// Whether some choice of at most one version for each group meets every requirement: by trying them all.
fn possible(plugins: &[Arc<Plugin>], chosen: &mut Vec<usize>, open: &[(String, VersionReq)]) -> bool {
    let Some(((name, range), rest)) = open.split_first() else { return true };
    let fits = |p: &Plugin| p.manifest.name == *name && range.matches(&p.manifest.version);
    if chosen.iter().any(|&index| fits(&plugins[index])) && possible(plugins, chosen, rest) {
        return true;
    }
    for (index, plugin) in plugins.iter().enumerate() {
        let same_group = |&other: &usize| {
            let other = &plugins[other].manifest;
            other.name == *name && other.version.major == plugin.manifest.version.major
        };
        if !fits(plugin) || chosen.iter().any(same_group) {
            continue;
        }
        let needed = plugin.manifest.dependencies.iter().map(|d| (d.name.clone(), d.requirement.clone()));
        let open: Vec<(String, VersionReq)> = rest.iter().cloned().chain(needed).collect();
        chosen.push(index);
        let found = possible(plugins, chosen, &open);
        chosen.pop();
        if found {
            return true;
        }
    }
    false
}

#[test]
fn agrees_with_trying_everything() {
    let mut numbers = Numbers(1);
    let mut solved = 0;
    let rounds = 600;
    for round in 0..rounds {
        let plugins = random_plugins(&mut numbers);
        let imports: Vec<String> = (0..3)
            .map(|name| format!("p{name}@{}", RANGES[numbers.below(RANGES.len() as u64) as usize]))
            .collect();
        let open: Vec<(String, VersionReq)> =
            imports.iter().map(|text| parse_import(text).unwrap()).collect();
        let result = solve(&plugins, imports.clone());
        assert_eq!(
            result.is_ok(),
            possible(&plugins, &mut Vec::new(), &open),
            "round {round}: {imports:?} {:?}",
            result.err().map(|error| error.to_string())
        );
        let Ok(plan) = result else { continue };
        solved += 1;
        for plugin in plan.plugins() {
            assert_eq!(plan.edges(Some(&plugin.id())).len(), plugin.manifest.dependencies.len());
        }
        let groups: BTreeSet<(&str, u64)> =
            plan.plugins().map(|p| (p.manifest.name.as_str(), p.manifest.version.major)).collect();
        assert_eq!(groups.len(), plan.plugins().len(), "round {round}: two versions of one group");
    }
    assert!((rounds / 10..rounds * 9 / 10).contains(&solved), "{solved} of {rounds} have a solution");
}

#[test]
fn a_broken_dependency_is_found_in_its_manifest() {
    for (dependencies, line, column) in
        [(r#"{"here": "^1", "gone": "^2"}"#, 2, 42), (r#"["here", "gone"]"#, 2, 28)]
    {
        let text = format!(
            "{{\"name\": \"a\", \"version\": \"1.0.0\", \"type\": \"module\",\n  \"dependencies\": {dependencies}}}"
        );
        let manifest = Manifest::parse("a/plugin.json".as_ref(), text.as_bytes()).unwrap();
        let origin = Origin::SearchPath("plugins".into());
        let a = Arc::new(Plugin::new(manifest, "a", origin));
        let error = solve(&[a, plugin("here", one(), None)], ["a".into()]).unwrap_err();
        assert_eq!(error.code(), Code::UnknownPlugin);
        assert_eq!(error.location(), Some(&Location::new("a/plugin.json", line, column)), "{dependencies}");
    }
}
