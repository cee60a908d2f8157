//! Hybrids through the loader, with the library that the tests of native plugins use.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

#[path = "../../native/tests/native/sample.rs"]
mod sample;
#[path = "../../native/tests/native/sink.rs"]
mod sink;

use caraway_loaders_core::TARGET;
use caraway_loaders_core::bind::Bound;
use caraway_loaders_core::capability::{Access, Asks, Grants};
use caraway_loaders_core::discover::{Origin, Plugin};
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::loader::{Imports, LoadRequest, Loader};
use caraway_loaders_core::manifest::Manifest;
use caraway_loaders_core::output::Output;
use caraway_loaders_core::{Code, Error};
use caraway_loaders_hybrid::HybridLoader;
use rhai::{Dynamic, Engine};
use serde_json::{Value, json};
use std::sync::Arc;
use tempfile::TempDir;

const LIBRARY: &str = "libsink.so";

const SCRIPT: &str = r#"
    const STEP = 10;

    fn add_step(x) { native::add(x, global::STEP) }
    fn totals(rows) { rows.map(|row| native::sum(row)) }
    fn middle(a, b) { native::api::mid(a, b) }
    fn panics() { native::boom("from below") }
    fn survives() { try { native::boom("x"); } catch (e) { return e.message; } }
    fn mistyped() { native::half("x") }
    fn forever() { loop { native::int(1); } }
    private fn hidden() { 1 }
"#;

struct NoImports;

impl Imports for NoImports {
    fn import(&self, path: &str) -> Result<Arc<Bound>, Error> {
        Err(Error::new(Code::UnknownPlugin, format!("no plugin `{path}`")))
    }
}

fn folder(fields: &Value) -> (TempDir, Plugin) {
    folder_of(sink::sink(), SCRIPT, fields)
}

fn folder_of(library: &[u8], script: &str, fields: &Value) -> (TempDir, Plugin) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(LIBRARY), library).unwrap();
    std::fs::write(folder.path().join("main.rhai"), script).unwrap();
    let mut manifest = json!({
        "name": "sink", "version": "0.3.1", "type": "hybrid", "capabilities": ["native"],
        "implementation": {"entrypoint": "main.rhai", "binaries": {TARGET: LIBRARY}},
    });
    for (key, value) in fields.as_object().unwrap() {
        manifest[key] = value.clone();
    }
    let path = folder.path().join("plugin.json");
    let manifest = Manifest::parse(&path, manifest.to_string().as_bytes()).unwrap();
    let root = folder.path().to_owned();
    (folder, Plugin::new(manifest, root.clone(), Origin::SearchPath(root)))
}

fn load(fields: &Value) -> Result<Bound, Error> {
    let (_folder, plugin) = folder(fields);
    HybridLoader::default().load(&request(plugin, Output::inherit()))
}

fn request(plugin: Plugin, output: Output) -> LoadRequest {
    LoadRequest {
        limits: Limits::PLUGIN.declared(&plugin.manifest.security),
        plugin: Arc::new(plugin),
        config: caraway_loaders_core::Value::Map(Default::default()),
        access: Arc::new(Access::plugin("sink", &Asks::default(), &Grants::default(), "/")),
        imports: Arc::new(NoImports),
        watch: Default::default(),
        rate: Default::default(),
        standard: Default::default(),
        store: Default::default(),
        output,
    }
}

fn engine(fields: &Value) -> Engine {
    let mut engine = Engine::new();
    engine.register_static_module("sink", load(fields).unwrap().module);
    engine
}

/// Two functions of the script and two of the library.
fn listed() -> Value {
    json!({"functions": [
        {"name": "add_step", "params": [{"name": "x", "type": "int"}], "returns": "int"},
        {"name": "totals", "params": [{"name": "rows", "type": "array<array<int>>"}], "returns": "array<int>"},
        {"name": "half", "params": [{"name": "x", "type": "float"}], "returns": "float", "native": true},
        {
            "name": "api::mid", "native": true, "returns": "int",
            "params": [{"name": "low", "type": "int"}, {"name": "high", "type": "int"}],
        },
    ]})
}

#[track_caller]
fn same(engine: &Engine, script: &str, expected: &str) {
    let value = |text: &str| match engine.eval::<Dynamic>(text) {
        Ok(value) => format!("{value:?}"),
        Err(error) => panic!("{text}: {error:?}"),
    };
    assert_eq!(value(script), value(expected), "{script}");
}

#[track_caller]
fn fails(engine: &Engine, script: &str, code: Code, message: &str) -> Error {
    let raised = engine.eval::<Dynamic>(script).unwrap_err();
    let error = Error::raised_in(&raised).unwrap_or_else(|| panic!("{script}: {raised:?}"));
    assert_eq!((error.code(), without_place(error.message())), (code, message.to_owned()), "{script}");
    error
}

/// Places in the library's source are `src/lib.rs:_`.
fn without_place(message: &str) -> String {
    match message.split_once("src/lib.rs:") {
        Some((before, after)) => {
            let after = after.trim_start_matches(|c: char| c.is_ascii_digit() || c == ':');
            format!("{before}src/lib.rs:_:{after}")
        }
        None => message.to_owned(),
    }
}

#[test]
fn both_halves_are_one_module() {
    let engine = engine(&listed());
    same(&engine, "sink::add_step(1)", "11");
    same(&engine, "sink::totals([[1, 2], [], [3]])", "[3, 0, 3]");
    same(&engine, "sink::half(5)", "2.5");
    same(&engine, "sink::api::mid(1, 3)", "2");
}

#[test]
fn what_is_not_listed_is_private() {
    let engine = engine(&listed());
    for call in ["sink::middle(1, 3)", "sink::hidden()", "sink::add(1, 2)", "sink::native::add(1, 2)"] {
        assert!(engine.eval::<Dynamic>(call).is_err(), "{call}");
    }
}

#[test]
fn without_a_list_the_script_is_the_module() {
    let engine = engine(&json!({}));
    same(&engine, "sink::middle(1, 3)", "2");
    for call in ["sink::hidden()", "sink::half(1)", "sink::api::mid(1, 3)"] {
        assert!(engine.eval::<Dynamic>(call).is_err(), "{call}");
    }
}

#[test]
fn failures_of_the_library_pass_through_the_script() {
    let engine = engine(&json!({}));
    let error = fails(
        &engine,
        "sink::panics()",
        Code::PluginCrashed,
        "`sink::native::boom` panicked at src/lib.rs:_: from below",
    );
    let location = error.location().unwrap();
    assert!(location.file.ends_with("main.rhai") && location.line == 7, "{error:?}");
    let caught = engine.eval::<String>("sink::survives()").unwrap();
    assert_eq!(without_place(&caught), "`sink::native::boom` panicked at src/lib.rs:_: x");
    fails(
        &engine,
        "sink::mistyped()",
        Code::ArgumentType,
        "argument 1 of `sink::native::half`: `x` must be float, found string",
    );
    same(&engine, "sink::middle(1, 3)", "2");
}

#[test]
fn the_script_keeps_its_limits() {
    let engine = engine(&json!({"security": {"timeout": "50ms"}}));
    let raised = engine.eval::<Dynamic>("sink::forever()").unwrap_err();
    assert_eq!(Error::raised_in(&raised).map(|error| error.code()), Some(Code::Deadline), "{raised:?}");
    same(&engine, "sink::middle(1, 3)", "2");
}

#[test]
fn manifest_and_halves_agree_or_are_refused() {
    let function = |name: &str, native: bool| json!({"functions": [{"name": name, "params": [], "returns": "int", "native": native}]});
    for (fields, message) in [
        (
            function("half", true),
            "the manifest declares `half() -> int`, but libsink.so has `half(x: float) -> float`",
        ),
        (function("halve", true), "but libsink.so has no function of that name"),
        (function("half", false), "has no public function of that name"),
        (json!({"version": "9.9.9"}), "libsink.so is version 0.3.1 of `sink`; the manifest says 9.9.9"),
    ] {
        let error = load(&fields).unwrap_err();
        assert_eq!(error.code(), Code::SignatureMismatch, "{error}");
        assert!(error.message().contains(message), "{error}");
    }
}

#[test]
fn inspecting_runs_no_script_and_lists_both_halves() {
    let (_folder, plugin) = folder(&listed());
    let signatures = HybridLoader::default().inspect(&plugin).unwrap();
    let shown: Vec<String> = signatures.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "add_step(x: int) -> int",
            "totals(rows: array<array<int>>) -> array<int>",
            "half(x: float) -> float",
            "api::mid(low: int, high: int) -> int",
        ]
    );
}

#[test]
fn a_hybrid_is_trusted_and_has_a_library() {
    let (_folder, plugin) = folder(&listed());
    assert!(HybridLoader::default().trusted(&plugin.manifest));
    assert!(HybridLoader::default().validate(&plugin.manifest).is_empty());
    assert_eq!(HybridLoader::default().binary(&plugin), Some(plugin.root.join(LIBRARY)));

    let (_folder, plugin) = folder(&json!({"implementation": {"entrypoint": "main.rhai"}}));
    let codes: Vec<Code> =
        HybridLoader::default().validate(&plugin.manifest).iter().map(Error::code).collect();
    assert_eq!(codes, [Code::EntryPoint]);
    assert_eq!(HybridLoader::default().binary(&plugin), None);
}

/// The script half holds handles of the library, passes functions to it, and gives what it likes to importers.
const WITH_HANDLES: &str = r#"
    fn make(n) { let c = native::counter(n); c.incr(1); c }
    fn peek(c) { c.count }
    fn twice(f) { native::each([1, 2], |x| f.call(x) * 2) }
    fn setting() { native::config() }
"#;

fn with_handles() -> Value {
    json!({
        "name": "sample", "version": "1.0.0",
        "types": [{"name": "Counter", "kind": "handle"}],
        "functions": [
            {"name": "make", "params": [{"name": "n", "type": "int"}], "returns": "Counter"},
            {"name": "peek", "params": [{"name": "c", "type": "Counter"}], "returns": "int"},
            {"name": "twice", "params": [{"name": "f", "type": "fn(int) -> int"}], "returns": "int"},
            {"name": "setting", "params": [], "returns": "any"},
            {"name": "counter", "params": [{"name": "from", "type": "int"}], "returns": "Counter", "native": true},
            {
                "name": "counter::incr", "native": true, "returns": "int",
                "params": [{"name": "self", "type": "Counter"}, {"name": "by", "type": "int"}],
            },
        ],
    })
}

#[test]
fn handles_and_callbacks_pass_through_both_halves() {
    let lines = Arc::new(std::sync::Mutex::new(Vec::new()));
    let kept = lines.clone();
    let output = Output::new(move |_, line| kept.lock().unwrap().push(line.to_owned()));
    let (_folder, plugin) = folder_of(sample::sample(sample::Memory::Own), WITH_HANDLES, &with_handles());
    assert!(HybridLoader::default().validate(&plugin.manifest).is_empty());
    let mut request = request(plugin, output);
    let size = ("size".to_owned(), caraway_loaders_core::Value::Int(3));
    request.config = caraway_loaders_core::Value::Map([size].into());

    let mut engine = Engine::new();
    engine.register_static_module("sample", HybridLoader::default().load(&request).unwrap().module);
    same(&engine, "sample::peek(sample::make(1))", "2");
    same(&engine, "let c = sample::make(1); c.incr(5); sample::counter::incr(c, 1); sample::peek(c)", "8");
    same(&engine, "let c = sample::counter(1); c.incr(5); sample::peek(c)", "6");
    same(&engine, "sample::twice(|x| x + 1)", "10");
    same(&engine, "sample::setting()", "#{size: 3}");
    fails(
        &engine,
        "sample::peek(1)",
        Code::ArgumentType,
        "argument 1 of `sample::peek`: `c` must be Counter, found int",
    );

    lines.lock().unwrap().clear();
    drop((engine, request));
    assert_eq!(*lines.lock().unwrap(), ["[info] sample: bye"]);
}

#[test]
fn the_script_has_the_settings() {
    let script = "const STEP = CONFIG.step; fn steps(x) { native::add(x, CONFIG.step + global::STEP) }";
    let (_folder, plugin) = folder_of(sink::sink(), script, &json!({"config": {"step": {"type": "int?"}}}));
    let mut request = request(plugin, Output::inherit());
    let step = ("step".to_owned(), caraway_loaders_core::Value::Int(10));
    request.config = caraway_loaders_core::Value::Map([step].into());
    let mut engine = Engine::new();
    engine.register_static_module("sink", HybridLoader::default().load(&request).unwrap().module);
    same(&engine, "sink::steps(1)", "21");
}
