//! What it costs to load a component: compiled, and from the cache.
//!
//! The gates: a component of 1 MB from the cache, with all that is checked, in 2 ms; the first call of one of 15 KB
//! from the cache, from the making of the engine on, in 1 ms. What an idle component takes of memory is printed.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark that cannot go on fails; criterion's macros"
)]

use caraway::loader::Loader;
use caraway::{Origin, Plugin, Runtime, WasmCache};
use criterion::{BenchmarkId, Criterion, criterion_group};
use rhai::Engine;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A component with `add`, made larger by functions that a compiler has work with.
fn component(functions: usize) -> Vec<u8> {
    let mut text = String::from(
        r#"(component (core module $m (memory 1)
        (func (export "add") (param i64 i64) (result i64) (i64.add (local.get 0) (local.get 1)))"#,
    );
    for index in 0..functions {
        let callee = index.saturating_sub(1);
        let _ = write!(
            text,
            "(func $f{index} (param i32 i64 f64) (result i64) (local i32 i64 f64)
            (block $out (loop $next
                (br_if $out (i32.ge_u (local.get 3) (local.get 0)))
                (local.set 4 (i64.xor (i64.mul (local.get 4) (i64.const {seed})) (local.get 1)))
                (local.set 5 (f64.add (f64.mul (local.get 5) (local.get 2)) (f64.const {index}.5)))
                (i64.store (i32.and (local.get 3) (i32.const 65528)) (local.get 4))
                (if (i64.gt_s (local.get 4) (i64.const {index})) (then
                    (local.set 4 (i64.sub (local.get 4) (i64.load (i32.and (i32.shl (local.get 3) (i32.const 3))
                        (i32.const 65528))))))
                    (else (f64.store (i32.and (local.get 3) (i32.const 65528)) (local.get 5))))
                (local.set 3 (i32.add (local.get 3) (i32.const 1)))
                (br $next)))
            (if (result i64) (i32.eqz (local.get 0)) (then (local.get 4))
                (else (i64.add (local.get 4)
                    (call $f{callee} (i32.sub (local.get 0) (i32.const 1)) (local.get 1) (local.get 5))))))",
            seed = 6_364_136_223_846_793_005_u64 >> (index % 32),
        );
    }
    text.push_str(
        r#") (core instance $i (instantiate $m))
        (func (export "add") (param "a" s64) (param "b" s64) (result s64) (canon lift (core func $i "add"))))"#,
    );
    wat::parse_str(text).unwrap()
}

/// A component, and a cache in which it is.
struct Case {
    name: &'static str,
    home: tempfile::TempDir,
    /// A script that loads it and calls it.
    script: &'static str,
}

impl Case {
    fn all() -> [Self; 3] {
        let htmlreport =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/plugins/htmlreport/htmlreport.wasm");
        let add = r#"import "m" as m; m::add(1, 2)"#;
        let escape = r#"import "m" as m; m::escape("<")"#;
        [
            Self::new("15KB", &component(74), add),
            Self::new("htmlreport", &std::fs::read(htmlreport).unwrap(), escape),
            Self::new("1MB", &component(4_900), add),
        ]
    }

    fn new(name: &'static str, bytes: &[u8], script: &'static str) -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("plugins")).unwrap();
        std::fs::write(home.path().join("plugins/m.wasm"), bytes).unwrap();
        let case = Self { name, home, script };
        first_call(&case.runtime(true), script);
        eprintln!("{name}: {} bytes, {} compiled", bytes.len(), size_below(&case.home.path().join("wasm")));
        case
    }

    fn runtime(&self, cached: bool) -> Runtime {
        runtime(self.home.path(), cached)
    }
}

fn runtime(home: &Path, cached: bool) -> Runtime {
    let builder = Runtime::builder().plugin_path(home.join("plugins"));
    if cached { builder.wasm_cache(WasmCache::new(home)) } else { builder }.build().unwrap()
}

fn size_below(folder: &Path) -> u64 {
    let entries = folder.read_dir().unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| match entry.metadata().unwrap() {
            metadata if metadata.is_dir() => size_below(&entry.path()),
            metadata => metadata.len(),
        })
        .sum()
}

/// From the `import`, which makes wasmtime's engine, to the end of the first call.
fn first_call(runtime: &Runtime, script: &str) -> Duration {
    let mut engine = Engine::new_raw();
    runtime.install(&mut engine).unwrap();
    // What is found on the search paths is known after the first import.
    engine.run(r#"import "std/log" as log;"#).unwrap();
    let ast = engine.compile(script).unwrap();
    let start = Instant::now();
    drop(engine.eval_ast::<rhai::Dynamic>(&ast).unwrap());
    start.elapsed()
}

fn loader(runtime: &Runtime) -> (Arc<dyn Loader>, Arc<Plugin>) {
    let loader = runtime.loaders().iter().find(|loader| loader.kind() == "wasm").unwrap();
    let catalog = runtime.catalog().unwrap();
    let plugin = catalog.plugins.iter().find(|plugin| plugin.origin != Origin::BuiltIn).unwrap();
    (loader.clone(), plugin.clone())
}

fn wasm_load(criterion: &mut Criterion) {
    let cases = Case::all();
    // With an engine that is there already: reading, hashing, checking, mapping and looking at the types.
    let mut group = criterion.benchmark_group("wasm_load/load");
    for case in &cases {
        for (side, cached) in [("compiled", false), ("cached", true)] {
            let runtime = case.runtime(cached);
            let (loader, plugin) = loader(&runtime);
            group.sample_size(if cached { 100 } else { 10 });
            group.bench_function(BenchmarkId::new(side, case.name), |bencher| {
                bencher.iter(|| loader.inspect(&plugin).unwrap());
            });
        }
    }
    group.finish();
    let mut group = criterion.benchmark_group("wasm_load/first_call");
    for case in &cases {
        for (side, cached) in [("compiled", false), ("cached", true)] {
            group.sample_size(if cached { 100 } else { 10 });
            group.bench_function(BenchmarkId::new(side, case.name), |bencher| {
                bencher.iter_custom(|count| {
                    (0..count).map(|_| first_call(&case.runtime(cached), case.script)).sum()
                });
            });
        }
    }
    group.finish();
    cases.iter().for_each(print_memory);
}

/// The folder and the script of a case, for a process that does nothing else.
const MEMORY: &str = "CARAWAY_BENCH_MEMORY";

fn print_memory(case: &Case) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let output = command.env(MEMORY, case.home.path()).arg(case.script).output().unwrap();
    eprint!("memory of {}: {}", case.name, String::from_utf8(output.stdout).unwrap());
}

/// Tells what the process takes before and after a component from the cache was called.
fn tell_memory(home: &Path, script: &str) {
    let resident = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    let runtime = runtime(home, true);
    let mut engine = Engine::new_raw();
    runtime.install(&mut engine).unwrap();
    engine.run(r#"import "std/log" as log;"#).unwrap();
    let before = resident();
    engine.run(script).unwrap();
    println!("{before} KiB before, {} KiB more with it", resident() - before);
}

criterion_group!(benches, wasm_load);

fn main() {
    if let Some(home) = std::env::var_os(MEMORY) {
        return tell_memory(&PathBuf::from(home), &std::env::args().nth(1).unwrap());
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
}
