//! What a call into a core module costs, against the same function registered statically in a Rhai module.
//!
//! The gate is a ratio in one run: `add` at most 1.35 times `static`.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark that cannot go on fails; criterion's macros"
)]

use caraway::Runtime;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use rhai::module_resolvers::StaticModuleResolver;
use rhai::{AST, Engine, FuncRegistration, Module, Scope};
use tempfile::TempDir;

const CALLS: usize = 2_000;

const MODULE: &str = r#"(module
    (memory (export "memory") 1)
    (global $heap (mut i32) (i32.const 1024))
    (func (export "alloc") (param i32) (result i32)
        (local $at i32)
        (local.set $at (global.get $heap))
        (global.set $heap (i32.add (global.get $heap) (local.get 0)))
        (local.get $at))
    (func (export "dealloc") (param i32 i32) (global.set $heap (i32.const 1024)))
    (func (export "add") (param i64 i64) (result i64) (i64.add (local.get 0) (local.get 1)))
    (func (export "scale") (param f64 f64) (result f64) (f64.mul (local.get 0) (local.get 1)))
    (func (export "echo") (param i32 i32) (result i64)
        (i64.or (i64.shl (i64.extend_i32_u (local.get 0)) (i64.const 32)) (i64.extend_i32_u (local.get 1)))))"#;

const MANIFEST: &str = r#"
name = "bench"
version = "1.0.0"
type = "wasm"

[[functions]]
name = "add"
params = [{ name = "a", type = "int" }, { name = "b", type = "int" }]
returns = "int"

[[functions]]
name = "scale"
params = [{ name = "a", type = "float" }, { name = "b", type = "float" }]
returns = "float"

[[functions]]
name = "echo"
params = [{ name = "text", type = "string" }]
returns = "string"
"#;

fn engine() -> Engine {
    let mut engine = Engine::new();
    engine.set_optimization_level(rhai::OptimizationLevel::None);
    engine
}

/// The module's functions, registered in Rhai.
fn registered() -> Engine {
    let mut module = Module::new();
    FuncRegistration::new("add").set_into_module(&mut module, |a: i64, b: i64| a.wrapping_add(b));
    FuncRegistration::new("scale").set_into_module(&mut module, |a: f64, b: f64| a * b);
    FuncRegistration::new("echo").set_into_module(&mut module, |text: &str| text.to_owned());
    module.build_index();
    let mut resolver = StaticModuleResolver::new();
    resolver.insert("bench", module);
    let mut engine = engine();
    engine.set_module_resolver(resolver);
    engine
}

/// An engine that has the module as a plugin. The folder is needed until it was imported.
fn plugin(folder: &TempDir) -> Engine {
    std::fs::write(folder.path().join("bench.wasm"), wat::parse_str(MODULE).unwrap()).unwrap();
    std::fs::write(folder.path().join("plugin.toml"), MANIFEST).unwrap();
    let mut engine = engine();
    let runtime = Runtime::builder().plugin_path(folder.path()).build().unwrap();
    runtime.install(&mut engine).unwrap();
    engine
}

fn looped(engine: &Engine, call: &str) -> AST {
    engine.compile(format!(r#"import "bench" as m; for i in 0..{CALLS} {{ {call} }}"#)).unwrap()
}

fn wasm_module(criterion: &mut Criterion) {
    let folder = TempDir::new().unwrap();
    let registered = registered();
    let plugin = plugin(&folder);
    for (name, call) in [
        ("loop", "0;"),
        ("add", "m::add(i, 1);"),
        ("scale", "m::scale(1.5, 2.5);"),
        ("echo_10", "m::echo(short);"),
        ("echo_10k", "m::echo(long);"),
    ] {
        let mut group = criterion.benchmark_group(format!("wasm_module/{name}"));
        group.throughput(criterion::Throughput::Elements(CALLS as u64));
        for (side, engine) in [("static", &registered), ("plugin", &plugin)] {
            let ast = looped(engine, call);
            let mut scope = Scope::new();
            scope.push("short", "0123456789").push("long", "x".repeat(10_000));
            let variables = scope.len();
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

criterion_group!(benches, wasm_module);
criterion_main!(benches);
