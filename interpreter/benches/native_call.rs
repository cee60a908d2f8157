//! What a call into a native plugin costs, against the same function registered statically in a Rhai module, and
//! what loading one costs.
//!
//! The gates are ratios in one run: `add` at most 0.9 times `static`, the echo of 10 KB at most 1.05 times; and
//! figures: 1,000 ints in 2.5 us, a buffer of a million floats in 0.5 ms, 30 functions loaded in 0.25 ms.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark that cannot go on fails; criterion's macros"
)]

use caraway::Runtime;
use criterion::{BenchmarkId, Criterion, criterion_group};
use rhai::module_resolvers::StaticModuleResolver;
use rhai::{AST, Array, Engine, FnPtr, FuncRegistration, Module, NativeCallContext, Scope};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const CALLS: usize = 2_000;

/// The folder of the plugin, which is built first.
fn plugin() -> PathBuf {
    built("native-bench", "cargo", &["build", "--release"])
}

/// The folder of one in C, of as many functions: its library is 18 KB, most of the other's 310 KB are Rust's own.
fn plugin_in_c() -> PathBuf {
    let flags =
        "-std=c11 -O2 -s -shared -fPIC -fvisibility=hidden -I../../../plugin-api/include -o bench.so bench.c";
    built("native-bench-c", "cc", &flags.split(' ').collect::<Vec<_>>())
}

fn built(plugin: &str, program: &str, arguments: &[&str]) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/plugins").join(plugin);
    let built = Command::new(program).args(arguments).current_dir(&folder).status().unwrap();
    assert!(built.success());
    folder
}

fn engine() -> Engine {
    let mut engine = Engine::new();
    engine.set_optimization_level(rhai::OptimizationLevel::None);
    engine
}

/// The plugin's functions, registered in Rhai.
fn registered() -> Engine {
    let mut module = Module::new();
    FuncRegistration::new("add").set_into_module(&mut module, |a: i64, b: i64| a.wrapping_add(b));
    FuncRegistration::new("scale").set_into_module(&mut module, |a: f64, b: f64| a * b);
    FuncRegistration::new("echo").set_into_module(&mut module, |text: &str| text.to_owned());
    FuncRegistration::new("sum").set_into_module(&mut module, |xs: Array| -> i64 {
        xs.iter().map(|x| x.as_int().unwrap_or_default()).sum()
    });
    FuncRegistration::new("apply")
        .set_into_module(&mut module, |context: NativeCallContext, f: FnPtr, x: i64| {
            f.call_within_context::<i64>(&context, (x,))
        });
    module.build_index();
    let mut resolver = StaticModuleResolver::new();
    resolver.insert("bench", module);
    let mut engine = engine();
    engine.set_module_resolver(resolver);
    engine
}

fn runtime(folder: &Path) -> Runtime {
    Runtime::builder().plugin_path(folder).allow("native=bench").build().unwrap()
}

/// What the calls are given.
fn scope(engine: &Engine, with_buffer: bool) -> Scope<'static> {
    let mut scope = Scope::new();
    let mut run = |text| engine.run_with_scope(&mut scope, text).unwrap();
    run(r#"
        let xs = []; for i in 0..1000 { xs.push(i); }
        let short = "0123456789"; let long = ""; long.pad(10000, 'x');
    "#);
    if with_buffer {
        run("let buffer = floats(1000000, 0.5);");
    }
    scope
}

fn looped(engine: &Engine, call: &str, calls: usize) -> AST {
    engine
        .compile(format!(r#"import "bench" as m; let id = |x| x; for i in 0..{calls} {{ {call} }}"#))
        .unwrap()
}

fn native_call(criterion: &mut Criterion) {
    let folder = plugin();
    let registered = registered();
    let mut plugins = engine();
    runtime(&folder).install(&mut plugins).unwrap();

    for (name, calls, call, both) in [
        ("loop", CALLS, "0;", true),
        ("add", CALLS, "m::add(i, 1);", true),
        ("scale", CALLS, "m::scale(1.5, 2.5);", true),
        ("echo_10", CALLS, "m::echo(short);", true),
        ("echo_10k", CALLS, "m::echo(long);", true),
        ("sum_1000_ints", CALLS, "m::sum(xs);", true),
        ("apply", CALLS, "m::apply(id, i);", true),
        ("loop_10", 10, "0;", true),
        ("sum_buffer_1m", 10, "m::sum_buffer(buffer);", false),
    ] {
        let mut group = criterion.benchmark_group(format!("native_call/{name}"));
        group.throughput(criterion::Throughput::Elements(calls as u64));
        for (side, engine) in [("static", &registered), ("plugin", &plugins)] {
            if side == "static" && !both {
                continue;
            }
            let ast = looped(engine, call, calls);
            let mut scope = scope(engine, call.contains("buffer"));
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

/// A plugin of 30 functions, from its `import` to its first call: the first of a process, with all that a process
/// does for the first time, and those after it.
///
/// Each load keeps a copy of the library, and the system's linker looks through all of them at the next. So this
/// program is run again for every ten loads, and says how long they took.
fn native_load(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("native_load");
    for (language, folder) in [("rust", plugin()), ("c", plugin_in_c())] {
        group.bench_function(BenchmarkId::new("first", language), |bencher| {
            bencher.iter_custom(|loads| (0..loads).map(|_| loads_in_a_process(&folder)[0]).sum());
        });
        group.bench_function(BenchmarkId::new("next", language), |bencher| {
            let next = || loads_in_a_process(&folder)[1..].iter().sum::<Duration>() / (LOADS - 1);
            bencher.iter_custom(|loads| (0..loads).map(|_| next()).sum());
        });
    }
    group.finish();
}

const LOADS: u32 = 10;

/// The folder of the plugin to load, for a process that does nothing else.
const LOAD: &str = "CARAWAY_BENCH_LOAD";

fn loads_in_a_process(folder: &Path) -> Vec<Duration> {
    let output = Command::new(std::env::current_exe().unwrap()).env(LOAD, folder).output().unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(|line| Duration::from_nanos(line.parse().unwrap())).collect()
}

fn load(runtime: &Runtime) -> Duration {
    let mut engine = Engine::new_raw();
    runtime.install(&mut engine).unwrap();
    // What is found on the search paths is known after the first import.
    engine.run(r#"import "std/log" as log;"#).unwrap();
    let ast = engine.compile(r#"import "bench" as m; m::add(1, 2)"#).unwrap();
    let start = Instant::now();
    assert_eq!(engine.eval_ast::<i64>(&ast).unwrap(), 3);
    start.elapsed()
}

criterion_group!(benches, native_call, native_load);

fn main() {
    if let Some(folder) = std::env::var_os(LOAD) {
        let runtime = runtime(Path::new(&folder));
        return (0..LOADS).for_each(|_| println!("{}", load(&runtime).as_nanos()));
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
}
