//! What a call into a WebAssembly component costs, against the same function registered statically in a Rhai module,
//! and what a list costs against copying it by hand.
//!
//! The gates are ratios in one run, without the loop: `add` at most 2.2 times `static`; `list_1m` at most 1.1 times
//! `copy/array`, and with a buffer 1.1 times `copy/memcpy`; and a figure: `blob_1m` in 1 ms.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark that cannot go on fails; criterion's macros"
)]

use caraway::Runtime;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use rhai::module_resolvers::StaticModuleResolver;
use rhai::{AST, Array, Blob, Dynamic, Engine, FuncRegistration, Map, Module, Scope};
use rustix::time::{ClockId, clock_gettime};
use std::hint::black_box;
use std::time::Duration;
use tempfile::TempDir;

const CALLS: usize = 2_000;
const FEW: usize = 4;

/// Each function forgets what was allocated before it returns, so that no call needs more memory than the first.
const COMPONENT: &str = r#"(component
    (core module $m
        (memory (export "memory") 512)
        (global $heap (mut i32) (i32.const 1024))
        (func $forget (global.set $heap (i32.const 1024)))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
            (local $at i32)
            (local.set $at (i32.and
                (i32.sub (i32.add (global.get $heap) (local.get 2)) (i32.const 1))
                (i32.sub (i32.const 0) (local.get 2))))
            (global.set $heap (i32.add (local.get $at) (local.get 3)))
            (local.get $at))
        (func (export "add") (param i64 i64) (result i64) (i64.add (local.get 0) (local.get 1)))
        (func (export "scale") (param f64 f64) (result f64) (f64.mul (local.get 0) (local.get 1)))
        (func (export "flip") (param i32) (result i32) (i32.eqz (local.get 0)))
        (func (export "echo") (param i32 i32) (result i32)
            (call $forget)
            (i32.store (i32.const 64) (local.get 0)) (i32.store (i32.const 68) (local.get 1)) (i32.const 64))
        (func (export "count") (param i32 i32) (result i64) (call $forget) (i64.extend_i32_u (local.get 1)))
        (func (export "sum") (param i32 i32) (result f64)
            (local $sum f64) (local $end i32)
            (call $forget)
            (local.set $end (i32.add (local.get 0) (i32.shl (local.get 1) (i32.const 3))))
            (loop $next
                (if (i32.lt_u (local.get 0) (local.get $end)) (then
                    (local.set $sum (f64.add (local.get $sum) (f64.load (local.get 0))))
                    (local.set 0 (i32.add (local.get 0) (i32.const 8)))
                    (br $next))))
            (local.get $sum))
        (func (export "norm") (param f64 f64 i32 i32) (result f64)
            (call $forget)
            (f64.sqrt (f64.add
                (f64.mul (local.get 0) (local.get 0)) (f64.mul (local.get 1) (local.get 1))))))
    (core instance $i (instantiate $m))
    (alias core export $i "memory" (core memory $memory))
    (alias core export $i "realloc" (core func $realloc))
    (type $point' (record (field "x" f64) (field "y" f64) (field "label" string)))
    (export $point "point" (type $point'))
    (func (export "add") (param "a" s64) (param "b" s64) (result s64) (canon lift (core func $i "add")))
    (func (export "scale") (param "a" f64) (param "b" f64) (result f64) (canon lift (core func $i "scale")))
    (func (export "flip") (param "a" bool) (result bool) (canon lift (core func $i "flip")))
    (func (export "echo") (param "text" string) (result string)
        (canon lift (core func $i "echo") (memory $memory) (realloc $realloc)))
    (func (export "same") (param "blob" (list u8)) (result (list u8))
        (canon lift (core func $i "echo") (memory $memory) (realloc $realloc)))
    (func (export "sum") (param "xs" (list f64)) (result f64)
        (canon lift (core func $i "sum") (memory $memory) (realloc $realloc)))
    (func (export "count") (param "xs" (list f64)) (result s64)
        (canon lift (core func $i "count") (memory $memory) (realloc $realloc)))
    (func (export "ident") (param "xs" (list f64)) (result (list f64))
        (canon lift (core func $i "echo") (memory $memory) (realloc $realloc)))
    (func (export "norm") (param "p" $point) (result f64)
        (canon lift (core func $i "norm") (memory $memory) (realloc $realloc)))
    (func (export "points") (param "ps" (list $point)) (result (list $point))
        (canon lift (core func $i "echo") (memory $memory) (realloc $realloc))))"#;

/// The folder of the plugin.
fn plugin() -> TempDir {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("bench.wasm"), wat::parse_str(COMPONENT).unwrap()).unwrap();
    folder
}

fn engine() -> Engine {
    let mut engine = Engine::new();
    engine.set_optimization_level(rhai::OptimizationLevel::None);
    engine
}

fn float(value: &Dynamic) -> f64 {
    value.as_float().unwrap_or_default()
}

/// The component's functions, registered in Rhai.
fn registered() -> Engine {
    let mut module = Module::new();
    FuncRegistration::new("add").set_into_module(&mut module, |a: i64, b: i64| a.wrapping_add(b));
    FuncRegistration::new("scale").set_into_module(&mut module, |a: f64, b: f64| a * b);
    FuncRegistration::new("flip").set_into_module(&mut module, |a: bool| !a);
    FuncRegistration::new("echo").set_into_module(&mut module, |text: &str| text.to_owned());
    FuncRegistration::new("same").set_into_module(&mut module, |blob: &mut Blob| blob.clone());
    FuncRegistration::new("sum")
        .set_into_module(&mut module, |xs: &mut Array| xs.iter().map(float).sum::<f64>());
    FuncRegistration::new("count").set_into_module(&mut module, |xs: &mut Array| xs.len() as i64);
    FuncRegistration::new("ident").set_into_module(&mut module, |xs: &mut Array| xs.clone());
    FuncRegistration::new("norm")
        .set_into_module(&mut module, |p: &mut Map| float(&p["x"]).hypot(float(&p["y"])));
    FuncRegistration::new("points").set_into_module(&mut module, |ps: &mut Array| ps.clone());
    module.build_index();
    let mut resolver = StaticModuleResolver::new();
    resolver.insert("bench", module);
    let mut engine = engine();
    engine.set_module_resolver(resolver);
    engine
}

/// What the calls are given.
fn scope(engine: &Engine) -> Scope<'static> {
    let mut scope = Scope::new();
    let script = r#"
        let xs = []; for i in 0..1000 { xs.push(i * 0.5); }
        let short = "0123456789"; let long = ""; long.pad(10000, 'x');
        let bytes = blob(1048576, 7);
        let p = #{x: 3.0, y: 4.0, label: "here"};
        let ps = []; ps.pad(100, p);
        let many = []; many.pad(1000000, 0.5);
    "#;
    engine.run_with_scope(&mut scope, script).unwrap();
    scope
}

/// The processor time of this thread that so many calls use: others may be using the machine, too.
fn used(times: u64, mut call: impl FnMut()) -> Duration {
    let now = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    };
    let start = now();
    (0..times).for_each(|_| call());
    now() - start
}

fn looped(engine: &Engine, call: &str, calls: usize) -> AST {
    engine.compile(format!(r#"import "bench" as m; for i in 0..{calls} {{ {call} }}"#)).unwrap()
}

fn wasm_call(criterion: &mut Criterion) {
    let folder = plugin();
    let registered = registered();
    let mut plugins = engine();
    Runtime::builder().plugin_path(folder.path()).build().unwrap().install(&mut plugins).unwrap();

    for (name, calls, call, both) in [
        ("loop", CALLS, "0;", true),
        ("add", CALLS, "m::add(i, 1);", true),
        ("scale", CALLS, "m::scale(1.5, 2.5);", true),
        ("flip", CALLS, "m::flip(true);", true),
        ("echo_10", CALLS, "m::echo(short);", true),
        ("echo_10k", CALLS, "m::echo(long);", true),
        ("sum_1000_floats", CALLS, "m::sum(xs);", true),
        ("ident_1000_floats", CALLS, "m::ident(xs);", true),
        ("record", CALLS, "m::norm(p);", true),
        ("100_records", CALLS, "m::points(ps);", true),
        ("blob_1m", FEW, "m::same(bytes);", true),
        ("list_1m", FEW, "m::count(many);", true),
        ("list_1m_buffer", FEW, "m::count(buffer);", false),
    ] {
        let mut group = criterion.benchmark_group(format!("wasm_call/{name}"));
        group.throughput(criterion::Throughput::Elements(calls as u64));
        for (side, engine) in [("static", &registered), ("plugin", &plugins)] {
            if side == "static" && !both {
                continue;
            }
            let ast = looped(engine, call, calls);
            let mut scope = scope(engine);
            if !both {
                engine.run_with_scope(&mut scope, "let buffer = floats(1000000, 0.5);").unwrap();
            }
            let variables = scope.len();
            group.bench_function(BenchmarkId::from_parameter(side), |bencher| {
                bencher.iter_custom(|times| {
                    used(times, || {
                        engine.run_ast_with_scope(&mut scope, &ast).unwrap();
                        scope.rewind(variables);
                    })
                });
            });
        }
        group.finish();
    }
}

/// What moving a million floats costs without a component: to a new vector, and to memory that is there.
fn copy(criterion: &mut Criterion) {
    let array: Array = vec![Dynamic::from_float(0.5); 1_000_000];
    let floats = vec![0.5; 1_000_000];
    let mut there = vec![0.0; 1_000_000];
    let mut group = criterion.benchmark_group("wasm_call/copy");
    group.bench_function("array", |bencher| {
        bencher.iter_custom(|times| {
            used(times, || {
                let copied: Vec<f64> = black_box(&array).iter().map(float).collect();
                black_box(copied);
            })
        });
    });
    group.bench_function("array_there", |bencher| {
        bencher.iter_custom(|times| {
            used(times, || {
                there.iter_mut().zip(black_box(&array)).for_each(|(to, from)| *to = float(from));
            })
        });
    });
    group.bench_function("memcpy", |bencher| {
        bencher.iter_custom(|times| {
            used(times, || black_box(&mut there[..]).copy_from_slice(black_box(&floats)))
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = wasm_call, copy
}
criterion_main!(benches);
