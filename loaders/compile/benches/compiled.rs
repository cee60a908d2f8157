//! What typed functions of a script take: walked by Rhai, as Rhai's bytecode (`grain`), and compiled; beside Lua 5.4,
//! LuaJIT, and Rust with overflows checked, in one run.
//!
//! The gates are ratios: each row of `compiled` at least 5 times as fast as `grain`, and faster than `lua`. The goals: at
//! most 2 times `rust`, and faster than `luajit` in half of the rows.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    missing_docs,
    reason = "a benchmark that cannot go on fails; criterion's macros"
)]

#[path = "kernels/lua.rs"]
mod lua;
#[path = "kernels/native.rs"]
mod native;

use caraway_loaders_compile::ScriptCompiler;
use caraway_loaders_core::bind::Bound;
use caraway_loaders_core::buffer::{Floats, Ints};
use caraway_loaders_core::capability::Access;
use caraway_loaders_core::discover::{Origin, Plugin};
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::loader::{Imports, LoadRequest, Loader};
use caraway_loaders_core::manifest::Manifest;
use caraway_loaders_core::output::Output;
use caraway_loaders_core::{Code, Error, Signature, StandardPackage};
use caraway_loaders_script::{Compiled, Compiler, Script, ScriptLoader, engine, parse_text};
use caraway_loaders_wasm::Cache;
use criterion::{
    BatchSize, BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main,
};
use lua::Lua;
use rhai::{AST, Dynamic, Engine, Scope, grain};
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const SCRIPT: &str = include_str!("kernels/kernels.rhai");

const SIGNATURES: &[&str] = &[
    "fib(n: int) -> int",
    "sum(n: int) -> int",
    "mandelbrot(width: int, height: int, limit: int) -> int",
    "gcd_sums(n: int) -> int",
    "primes(n: int) -> int",
    "nested(n: int) -> int",
    "dot(xs: floats, ys: floats) -> float",
    "prefix(xs: ints, sums: ints) -> int",
    "normalise(xs: floats) -> float",
    "add(a: int, b: int) -> int",
];

/// How many numbers the buffers have.
const NUMBERS: i64 = 1_000_000;

/// How often the function of `call` is called in a run.
const CALLS: usize = 2_000;

/// The script on all sides that run it here.
struct Sides<'a> {
    engine: Engine,
    ast: &'a AST,
    program: grain::Program<'a>,
    signatures: Vec<Signature>,
    compiled: Vec<Arc<dyn Compiled>>,
    luas: Vec<Lua>,
}

/// A kernel with its arguments, and the same in Rust.
struct Kernel {
    name: &'static str,
    args: Vec<Dynamic>,
    native: Box<dyn FnMut() -> f64>,
}

fn limits() -> Limits {
    let mut limits = Limits::PLUGIN;
    limits.timeout = None;
    limits
}

fn parsed() -> AST {
    parse_text(&engine::parser(&limits()), SCRIPT, "kernels.rhai").unwrap()
}

fn compiled(compiler: &ScriptCompiler, ast: &AST, signatures: &[Signature]) -> Vec<Arc<dyn Compiled>> {
    let script = Script { ast, limits: limits(), import: &|_| None };
    let outcomes = compiler.compile(&script, signatures);
    outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(|why| panic!("{why}"))).collect()
}

impl<'a> Sides<'a> {
    fn new(ast: &'a AST) -> Self {
        let signatures: Vec<Signature> = SIGNATURES.iter().map(|text| text.parse().unwrap()).collect();
        Self {
            engine: engine::engine(&limits(), &StandardPackage::default()),
            program: grain::Compiler::new().compile(ast),
            compiled: compiled(&ScriptCompiler::default(), ast, &signatures),
            signatures,
            ast,
            luas: Lua::found(),
        }
    }

    fn walk(&self, kernel: &Kernel) -> Dynamic {
        self.engine.call_fn(&mut Scope::new(), self.ast, kernel.name, kernel.args.clone()).unwrap()
    }

    fn grain(&self, kernel: &Kernel) -> Dynamic {
        let mut machine = grain::Vm::new(&self.engine);
        machine.call_fn(&mut Scope::new(), &self.program, kernel.name, kernel.args.clone()).unwrap()
    }

    fn compiled(&self, kernel: &Kernel) -> Dynamic {
        let place = self.signatures.iter().position(|signature| signature.name == kernel.name).unwrap();
        let mut args = kernel.args.clone();
        let mut args: Vec<&mut Dynamic> = args.iter_mut().collect();
        self.compiled[place].call(&mut args, 1).unwrap().unwrap()
    }
}

fn number(value: &Dynamic) -> f64 {
    value.as_float().unwrap_or_else(|_| value.as_int().unwrap() as f64)
}

fn ints(args: &[i64]) -> Vec<Dynamic> {
    args.iter().copied().map(Dynamic::from_int).collect()
}

fn scalar_kernels() -> Vec<Kernel> {
    let of = |name, args: &[i64], native: fn(&[i64]) -> Option<i64>| {
        let given = args.to_vec();
        let native = Box::new(move || native(black_box(&given)).unwrap() as f64);
        Kernel { name, args: ints(args), native }
    };
    vec![
        of("fib", &[27], |args| native::fib(args[0])),
        of("sum", &[10_000_000], |args| native::sum(args[0])),
        of("mandelbrot", &[200, 200, 200], |args| native::mandelbrot(args[0], args[1], args[2])),
        of("gcd_sums", &[400], |args| native::gcd_sums(args[0])),
        of("primes", &[100_000], |args| native::primes(args[0])),
        of("nested", &[1000], |args| native::nested(args[0])),
    ]
}

fn some_floats() -> Vec<f64> {
    (0..NUMBERS).map(|index| (index % 1000) as f64 / 8.0).collect()
}

fn some_ints() -> Vec<i64> {
    (0..NUMBERS).map(|index| index % 1000).collect()
}

fn buffer_kernels() -> Vec<Kernel> {
    let floats = || Dynamic::from(Floats::from(some_floats()));
    let ints = || Dynamic::from(Ints::from(some_ints()));
    let (xs, ys) = (some_floats(), some_floats());
    let (counts, mut sums) = (some_ints(), some_ints());
    let mut values = some_floats();
    vec![
        Kernel {
            name: "dot",
            args: vec![floats(), floats()],
            native: Box::new(move || native::dot(black_box(&xs), black_box(&ys))),
        },
        Kernel {
            name: "prefix",
            args: vec![ints(), ints()],
            native: Box::new(move || {
                native::prefix(black_box(&counts), black_box(&mut sums)).unwrap() as f64
            }),
        },
        Kernel {
            name: "normalise",
            args: vec![floats()],
            native: Box::new(move || native::normalise(black_box(&mut values))),
        },
    ]
}

/// Every side of each kernel, after a look at whether all give the same.
fn rows(criterion: &mut Criterion, sides: &Sides<'_>, kernels: Vec<Kernel>) {
    for mut kernel in kernels {
        let wanted = (kernel.native)();
        assert_eq!(number(&sides.compiled(&kernel)), wanted, "{}", kernel.name);
        for lua in &sides.luas {
            assert_eq!(lua.run(kernel.name, 1).1, wanted, "{} in {}", kernel.name, lua.name);
        }
        let mut group = criterion.benchmark_group(format!("compiled/{}", kernel.name));
        group.sample_size(10).sampling_mode(SamplingMode::Flat);
        group.warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(1));
        group.bench_function("walker", |bencher| bencher.iter(|| sides.walk(&kernel)));
        group.bench_function("grain", |bencher| bencher.iter(|| sides.grain(&kernel)));
        group.bench_function("compiled", |bencher| bencher.iter(|| sides.compiled(&kernel)));
        for lua in &sides.luas {
            group.bench_function(lua.name, |bencher| {
                bencher.iter_custom(|turns| lua.run(kernel.name, turns).0);
            });
        }
        group.bench_function("rust", |bencher| bencher.iter(|| (kernel.native)()));
        group.finish();
    }
}

fn kernels(criterion: &mut Criterion) {
    let ast = parsed();
    let sides = Sides::new(&ast);
    rows(criterion, &sides, scalar_kernels());
    rows(criterion, &sides, buffer_kernels());
}

struct NoImports;

impl Imports for NoImports {
    fn import(&self, path: &str) -> Result<Arc<Bound>, Error> {
        Err(Error::new(Code::UnknownPlugin, path))
    }
}

/// The module of a plugin with the function `add`, from a loader.
fn module(loader: &ScriptLoader, folder: &Path) -> Arc<rhai::Module> {
    let manifest = r#"
        name = "m"
        version = "1.0.0"
        type = "module"
        functions = [{ name = "add", params = [{ name = "a", type = "int" }, { name = "b", type = "int" }], returns = "int" }]
    "#;
    std::fs::write(folder.join("main.rhai"), "fn add(a, b) { a + b }").unwrap();
    let manifest = Manifest::parse(&folder.join("plugin.toml"), manifest.as_bytes()).unwrap();
    let request = LoadRequest {
        plugin: Arc::new(Plugin::new(manifest, folder, Origin::BuiltIn)),
        config: caraway_loaders_core::Value::Map(Default::default()),
        access: Arc::new(Access::default()),
        imports: Arc::new(NoImports),
        limits: Limits::PLUGIN,
        standard: Default::default(),
        rate: Default::default(),
        store: Default::default(),
        watch: Default::default(),
        output: Output::new(|_, _| {}),
    };
    loader.load(&request).unwrap().module
}

/// A call from an interpreted loop: of a function of the script itself, of a plugin's script function, and of one that is
/// compiled.
fn call(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let walking = ScriptLoader::default();
    let compiling = ScriptLoader::default().compiler(Arc::new(ScriptCompiler::default()));
    let mut group = criterion.benchmark_group("compiled/call");
    group.throughput(Throughput::Elements(CALLS as u64));
    let looped = |body: &str| format!("fn add(a, b) {{ a + b }} for i in 0..{CALLS} {{ {body} }}");
    for (side, loader, body) in [
        ("loop", &walking, "0;"),
        ("own", &walking, "add(i, 1);"),
        ("script", &walking, "m::add(i, 1);"),
        ("compiled", &compiling, "m::add(i, 1);"),
    ] {
        let mut engine = Engine::new();
        engine.set_optimization_level(rhai::OptimizationLevel::None);
        engine.register_static_module("m", module(loader, folder.path()));
        let ast = engine.compile(looped(body)).unwrap();
        group.bench_function(BenchmarkId::from_parameter(side), |bencher| {
            bencher.iter(|| engine.run_ast(&ast).unwrap());
        });
    }
    group.finish();
}

/// Compiling all functions of the script: typing alone, all of it, and with the module from the cache.
fn compile(criterion: &mut Criterion) {
    let (ast, folder) = (parsed(), tempfile::tempdir().unwrap());
    let signatures: Vec<Signature> = SIGNATURES.iter().map(|text| text.parse().unwrap()).collect();
    let (plain, cached) =
        (ScriptCompiler::default(), ScriptCompiler::cached(Cache::new(folder.path().join("cache"))));
    let mut group = criterion.benchmark_group("compiled/compile");
    group.throughput(Throughput::Elements(ast.iter_functions().count() as u64));
    group.bench_function("types", |bencher| {
        let script = Script { ast: &ast, limits: limits(), import: &|_| None };
        bencher.iter(|| plain.obstacles(&script, &signatures));
    });
    for (side, compiler) in [("whole", &plain), ("cached", &cached)] {
        group.bench_function(side, |bencher| {
            bencher.iter_batched(|| (), |()| compiled(compiler, &ast, &signatures), BatchSize::PerIteration);
        });
    }
    group.finish();
}

criterion_group!(benches, kernels, call, compile);
criterion_main!(benches);
