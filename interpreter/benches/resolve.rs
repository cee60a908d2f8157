//! How finding plugins and planning for them grow with their number: manifests read from a folder, an index made
//! of them, versions selected for a program that reaches all of them.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark that cannot go on fails; criterion's macros"
)]

use caraway::Runtime;
use caraway_loaders_core::Location;
use caraway_loaders_core::discover::{Origin, Plugin, SearchPath, discover};
use caraway_loaders_core::manifest::{Dependency, Manifest};
use caraway_loaders_core::resolve::{Plan, Requester, Requirement, Universe, parse_import, resolve};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use semver::Version;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

const COUNTS: [usize; 4] = [10, 100, 1_000, 10_000];

/// What the plugin of this number needs: up to three that come after it, so that most are needed by several.
fn needs(index: usize, count: usize) -> impl Iterator<Item = String> {
    [index * 2 + 1, index * 2 + 2, index * 2 + 5]
        .into_iter()
        .filter(move |next| *next < count)
        .map(|next| format!("plugin-{next}"))
}

fn manifest(index: usize, count: usize) -> String {
    let needs: Vec<String> = needs(index, count).map(|name| format!("\"{name}\": \"^1\"")).collect();
    format!(
        r#"{{
    "name": "plugin-{index}", "version": "1.{minor}.0", "type": "module",
    "description": "Plugin number {index} of many", "author": "Somebody", "license": "MIT",
    "capabilities": ["function", {{ "filesystem": {{ "read": ["data"] }} }}],
    "dependencies": {{ {needs} }},
    "functions": [
        {{ "name": "mean", "params": [{{ "name": "xs", "type": "array<float>" }}], "returns": "float" }},
        {{ "name": "names", "returns": "array<string>", "description": "All names" }}
    ],
    "security": {{ "timeout": "5s" }}
}}"#,
        minor = index % 10,
        needs = needs.join(", "),
    )
}

fn write(folder: &Path, count: usize) {
    for index in 0..count {
        let plugin = folder.join(format!("plugin-{index}"));
        std::fs::create_dir(&plugin).unwrap();
        std::fs::write(plugin.join("plugin.json"), manifest(index, count)).unwrap();
        std::fs::write(plugin.join("main.rhai"), "fn mean(xs) { 0.0 }").unwrap();
    }
}

/// Half as many plugins, each in two versions: of plugins with one version there is nothing to select.
fn in_memory(count: usize) -> Vec<Arc<Plugin>> {
    let names = count / 2;
    let plugin = |index: usize, minor: u64| {
        let mut manifest = Manifest::new(format!("plugin-{index}"), Version::new(1, minor, 0), "module");
        manifest.dependencies =
            needs(index, names).map(|name| Dependency { name, requirement: "^1".parse().unwrap() }).collect();
        Arc::new(Plugin::new(manifest, "", Origin::BuiltIn))
    };
    (0..names).flat_map(|index| [0, 1].map(|minor| plugin(index, minor))).collect()
}

fn import(text: &str) -> Requirement {
    let (path, range) = parse_import(text).unwrap();
    Requirement { path, range, from: Requester::Program { location: Location::new("app.rhai", 1, 8) } }
}

fn index(plugins: &[Arc<Plugin>]) -> Universe {
    Universe::new(plugins, &Version::new(0, 1, 0), &BTreeSet::new())
}

fn discovery(criterion: &mut Criterion) {
    let runtime = Runtime::builder().build().unwrap();
    let mut group = criterion.benchmark_group("discovery");
    for count in COUNTS {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), count);
        let paths = [SearchPath::explicit(folder.path(), "bench")];
        let found = discover(&paths, runtime.loaders());
        assert!(found.errors.is_empty(), "{:?}", found.errors[0]);
        group.sample_size(if count < 1_000 { 50 } else { 10 }).throughput(Throughput::Elements(count as u64));
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
            bencher.iter(|| discover(&paths, runtime.loaders()));
        });
    }
    group.finish();
}

fn resolution(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("resolution");
    for count in COUNTS {
        let plugins = in_memory(count);
        let universe = index(&plugins);
        let everything: Vec<Requirement> =
            (0..count / 2).map(|number| import(&format!("plugin-{number}"))).collect();
        group.sample_size(if count < 1_000 { 50 } else { 10 }).throughput(Throughput::Elements(count as u64));
        group.bench_function(BenchmarkId::new("index", count), |bencher| {
            bencher.iter(|| index(&plugins));
        });
        for (name, requirements) in [("one import", &everything[..1]), ("imports of all", &everything)] {
            let plan = resolve(&universe, requirements, &Plan::default()).unwrap();
            assert_eq!(plan.plugins().len(), count / 2);
            group.bench_function(BenchmarkId::new(name, count), |bencher| {
                bencher.iter(|| resolve(&universe, requirements, &Plan::default()).unwrap());
            });
        }
    }
    group.finish();
}

criterion_group!(benches, discovery, resolution);
criterion_main!(benches);
