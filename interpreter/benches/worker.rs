//! What a call into a plugin costs that runs in a process of its own, and what starting one costs, beside the same in
//! the host's process.
//!
//! The goals: a scalar call in 8 us, 1 MiB there and back in 1 ms, a start in 10 ms.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark that cannot go on fails; criterion's macros"
)]

use caraway::Runtime;
use caraway::worker::Workers;
use criterion::{BenchmarkId, Criterion};
use rhai::{Engine, Scope};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// The folder of the native plugin, which is built first, and one of a script plugin.
fn plugins(folder: &Path) -> [PathBuf; 2] {
    let native = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/plugins/native-bench");
    let built = Command::new("cargo").args(["build", "--release"]).current_dir(&native).status().unwrap();
    assert!(built.success());
    let script = folder.join("scripted");
    std::fs::create_dir(&script).unwrap();
    let manifest = r#"
        name = "scripted"
        version = "1.0.0"
        type = "module"
        functions = [
            { name = "add", params = [{ name = "a", type = "int" }, { name = "b", type = "int" }], returns = "int" },
            { name = "same", params = [{ name = "x", type = "bytes" }], returns = "bytes" },
        ]
    "#;
    std::fs::write(script.join("plugin.toml"), manifest).unwrap();
    std::fs::write(script.join("main.rhai"), "fn add(a, b) { a + b }\nfn same(x) { x }").unwrap();
    [native, script]
}

fn runtime(folders: &[PathBuf], workers: Option<&Workers>) -> Runtime {
    let builder = Runtime::builder().allow("native=bench");
    let builder = folders.iter().fold(builder, |builder, folder| builder.plugin_path(folder));
    match workers {
        Some(workers) => builder.workers(workers.clone()).isolate(true).build().unwrap(),
        None => builder.build().unwrap(),
    }
}

fn engine(runtime: &Runtime) -> Engine {
    let mut engine = Engine::new();
    engine.set_optimization_level(rhai::OptimizationLevel::None);
    runtime.install(&mut engine).unwrap();
    engine
}

fn calls(criterion: &mut Criterion, sides: &[(&str, Runtime)]) {
    for (name, calls, call) in [
        ("loop", 500, "0;"),
        ("native_add", 500, "n::add(i, 1);"),
        ("script_add", 500, "s::add(i, 1);"),
        ("callback", 500, "n::apply(id, i);"),
        ("text_1m", 4, "n::echo(text);"),
        ("bytes_1m", 4, "s::same(bytes);"),
    ] {
        let mut group = criterion.benchmark_group(format!("worker/{name}"));
        group.throughput(criterion::Throughput::Elements(calls));
        for (side, runtime) in sides {
            let engine = engine(runtime);
            let mut scope = Scope::new();
            let given = r#"let text = ""; text.pad(1048576, 'x'); let bytes = blob(1048576, 7);"#;
            engine.run_with_scope(&mut scope, given).unwrap();
            let program = format!(
                r#"import "bench" as n; import "scripted" as s; let id = |x| x; for i in 0..{calls} {{ {call} }}"#
            );
            let ast = engine.compile(program).unwrap();
            let variables = scope.len();
            // Loads what is called.
            engine.run_ast_with_scope(&mut scope, &ast).unwrap();
            scope.rewind(variables);
            group.bench_function(BenchmarkId::from_parameter(side), |bencher| {
                bencher.iter(|| {
                    engine.run_ast_with_scope(&mut scope, &ast).unwrap();
                    scope.rewind(variables);
                });
            });
        }
        group.finish();
    }
}

/// From the `import` of a plugin to its first call.
fn starts(criterion: &mut Criterion, sides: &[(&str, Runtime)]) {
    let start = |runtime: &Runtime, program: &str| -> Duration {
        let engine = engine(runtime);
        // What is found on the search paths is known after the first import.
        engine.run(r#"import "std/log" as log;"#).unwrap();
        let ast = engine.compile(program).unwrap();
        let start = Instant::now();
        assert_eq!(engine.eval_ast::<i64>(&ast).unwrap(), 3);
        start.elapsed()
    };
    for (name, program) in [
        ("native", r#"import "bench" as m; m::add(1, 2)"#),
        ("script", r#"import "scripted" as m; m::add(1, 2)"#),
    ] {
        let mut group = criterion.benchmark_group(format!("worker_start/{name}"));
        group.sample_size(20);
        for (side, runtime) in sides {
            group.bench_function(BenchmarkId::from_parameter(side), |bencher| {
                bencher.iter_custom(|times| (0..times).map(|_| start(runtime, program)).sum());
            });
        }
        group.finish();
    }
}

fn main() {
    let workers = caraway::worker::maybe_run().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let folders = plugins(folder.path());
    let sides = [("host", runtime(&folders, None)), ("worker", runtime(&folders, Some(&workers)))];
    let mut criterion = Criterion::default().configure_from_args();
    calls(&mut criterion, &sides);
    starts(&mut criterion, &sides);
    criterion.final_summary();
}
