//! What a call into a sandboxed script plugin costs, against the same function through Rhai's own `import`.
//!
//! The gate is a ratio: `caraway` is at most 1.15 times `rhai`, in one run.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark that cannot go on fails; criterion's macros"
)]

use caraway::Runtime;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use rhai::module_resolvers::FileModuleResolver;
use rhai::{AST, Engine};
use std::path::Path;

const CALLS: usize = 2_000;

const SCRIPT: &str = "
const K = 3;
private fn helper(x) { x + 1 }
fn add(a, b) { a + b }
fn with_constant(a, b) { a + global::K }
fn with_helper(a, b) { helper(a) }
fn sum(xs, n) { let s = 0; for x in xs { s += x; } s }
";

const MANIFEST: &str = r#"
name = "m"
version = "1.0.0"
type = "module"
functions = [
    { name = "add", params = [{ name = "a", type = "int" }, { name = "b", type = "int" }], returns = "int" },
    { name = "with_constant", params = [{ name = "a", type = "int" }, { name = "b", type = "int" }], returns = "int" },
    { name = "with_helper", params = [{ name = "a", type = "int" }, { name = "b", type = "int" }], returns = "int" },
    { name = "sum", params = [{ name = "xs", type = "array<int>" }, { name = "n", type = "int" }], returns = "int" },
]
"#;

fn write(folder: &Path, manifest: &str) {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("plugin.toml"), manifest).unwrap();
    std::fs::write(folder.join("main.rhai"), SCRIPT).unwrap();
}

fn looped(engine: &Engine, call: &str) -> AST {
    let prelude = r#"let xs = []; for i in 0..100 { xs.push(i); }"#;
    engine.compile(format!(r#"import "m" as m; {prelude} for i in 0..{CALLS} {{ {call} }}"#)).unwrap()
}

fn script_call(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("typed/m"), MANIFEST);
    write(&folder.path().join("untyped/m"), "name = \"m\"\nversion = \"1.0.0\"\ntype = \"module\"");
    std::fs::write(folder.path().join("m.rhai"), SCRIPT).unwrap();

    let engine = || {
        let mut engine = Engine::new();
        engine.set_optimization_level(rhai::OptimizationLevel::None);
        engine
    };
    let mut plain = engine();
    plain.set_module_resolver(FileModuleResolver::new_with_path(folder.path()));
    let plugins = |kind: &str| {
        let mut engine = engine();
        let runtime = Runtime::builder().plugin_path(folder.path().join(kind)).build().unwrap();
        runtime.install(&mut engine).unwrap();
        engine
    };
    let (typed, untyped) = (plugins("typed"), plugins("untyped"));

    for (name, call) in [
        ("loop", "0;"),
        ("add", "m::add(i, 1);"),
        ("with_constant", "m::with_constant(i, 1);"),
        ("with_helper", "m::with_helper(i, 1);"),
        ("sum", "m::sum(xs, 1);"),
    ] {
        let mut group = criterion.benchmark_group(format!("script_call/{name}"));
        group.throughput(criterion::Throughput::Elements(CALLS as u64));
        for (side, engine) in [("rhai", &plain), ("caraway", &typed), ("caraway_untyped", &untyped)] {
            let ast = looped(engine, call);
            group.bench_function(BenchmarkId::from_parameter(side), |bencher| {
                bencher.iter(|| engine.run_ast(&ast).unwrap());
            });
        }
        group.finish();
    }
}

criterion_group!(benches, script_call);
criterion_main!(benches);
