//! Loads components as the interpreter would, into a plain engine.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

use caraway_loaders_core::bind::Bound;
use caraway_loaders_core::capability::Access;
use caraway_loaders_core::discover::{Origin, Plugin};
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::loader::{Imports, LoadRequest, Loader};
use caraway_loaders_core::manifest::Manifest;
use caraway_loaders_core::output::Output;
use caraway_loaders_core::{Code, Error};
use caraway_loaders_wasm::WasmLoader;
use rhai::{Dynamic, Engine, EvalAltResult};
use std::path::Path;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// A loader, a folder for its components, and what they print.
pub struct Bench {
    pub loader: WasmLoader,
    pub folder: TempDir,
    pub printed: Arc<Mutex<Vec<String>>>,
}

impl Bench {
    pub fn new() -> Self {
        let printed = Arc::default();
        Self { loader: WasmLoader::new(), folder: TempDir::new().unwrap(), printed }
    }

    /// Writes a component and gives the plugin that it is without a manifest. `text` is WAT.
    pub fn plugin(&self, name: &str, text: &str) -> Plugin {
        let bytes = wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"));
        self.plugin_of_bytes(name, &bytes)
    }

    pub fn plugin_of_bytes(&self, name: &str, bytes: &[u8]) -> Plugin {
        let file = self.folder.path().join(format!("{name}.wasm"));
        std::fs::write(&file, bytes).unwrap();
        plugin(self.loader.adopt(&file).unwrap(), self.folder.path())
    }

    pub fn load(&self, plugin: Plugin, limits: Limits) -> Result<Bound, Error> {
        self.load_with(plugin, limits, Access::default())
    }

    pub fn load_with(&self, plugin: Plugin, limits: Limits, access: Access) -> Result<Bound, Error> {
        self.loader.load(&self.request(plugin, limits, access))
    }

    pub fn request(&self, plugin: Plugin, limits: Limits, access: Access) -> LoadRequest {
        let printed = self.printed.clone();
        LoadRequest {
            plugin: Arc::new(plugin),
            config: caraway_loaders_core::Value::Map(Default::default()),
            access: Arc::new(access),
            imports: Arc::new(NoImports),
            limits,
            watch: Default::default(),
            rate: Default::default(),
            standard: Default::default(),
            store: Default::default(),
            output: Output::new(move |_, line| printed.lock().unwrap().push(line.to_owned())),
        }
    }

    /// An engine that has the component as `m`.
    #[track_caller]
    pub fn engine(&self, text: &str) -> Engine {
        self.engine_with(text, Limits::PLUGIN)
    }

    #[track_caller]
    pub fn engine_with(&self, text: &str, limits: Limits) -> Engine {
        engine(&self.load(self.plugin("m", text), limits).unwrap())
    }
}

pub fn plugin(manifest: Manifest, root: &Path) -> Plugin {
    Plugin::new(manifest, root, Origin::SearchPath(root.to_owned()))
}

pub fn engine(bound: &Bound) -> Engine {
    let mut engine = Engine::new();
    engine.register_static_module("m", bound.module.clone());
    engine
}

struct NoImports;

impl Imports for NoImports {
    fn import(&self, path: &str) -> Result<Arc<Bound>, Error> {
        Err(Error::new(Code::UnknownPlugin, format!("no `{path}` in this test")))
    }
}

/// The value of a script, as Rhai shows it for debugging.
#[track_caller]
pub fn shown(engine: &Engine, script: &str) -> String {
    let value = engine.eval::<Dynamic>(script).unwrap_or_else(|error| panic!("{script}: {error}"));
    format!("{value:?}")
}

/// What `catch` gives a script that calls this.
#[track_caller]
pub fn thrown(engine: &Engine, call: &str) -> String {
    shown(engine, &format!("let thrown = \"nothing\"; try {{ {call} }} catch (e) {{ thrown = e }} thrown"))
}

/// The error of a script, as the caller gets it.
#[track_caller]
pub fn failure(engine: &Engine, script: &str) -> Error {
    match engine.eval::<Dynamic>(script) {
        Ok(value) => panic!("{script} gave {value:?}"),
        Err(error) => caught(&error),
    }
}

#[track_caller]
fn caught(error: &EvalAltResult) -> Error {
    Error::raised_in(error).unwrap_or_else(|| panic!("not one of ours: {error}"))
}

/// Fails unless the script fails with this code and a message with this in it.
#[track_caller]
pub fn fails(engine: &Engine, script: &str, code: Code, message: &str) {
    let error = failure(engine, script);
    assert_eq!(error.code(), code, "{script}: {error}");
    assert!(error.message().contains(message), "{script}: {error}");
}

/// A component around a core module: its memory, an allocator that never frees, and functions.
///
/// Each function is the text of its component type and of its core function, which is called `$0`, `$1`, ...
pub fn component(types: &str, functions: &[(&str, &str, &str)]) -> String {
    let mut core = String::new();
    let mut lifted = String::new();
    for (index, (name, ty, body)) in functions.iter().enumerate() {
        core.push_str(&format!("(func (export \"{index}\") {body})\n"));
        lifted.push_str(&format!(
            "(func (export \"{name}\") {ty} (canon lift (core func $i \"{index}\") (memory (core memory $i \"memory\")) \
             (realloc (core func $i \"realloc\"))))\n"
        ));
    }
    format!(
        r#"(component
            (core module $m
                (memory (export "memory") 1)
                (global $heap (mut i32) (i32.const 1024))
                (global $count (mut i32) (i32.const 0))
                (func $realloc (export "realloc") (param i32 i32 i32 i32) (result i32)
                    (local $at i32)
                    (local.set $at (i32.and
                        (i32.sub (i32.add (global.get $heap) (local.get 2)) (i32.const 1))
                        (i32.sub (i32.const 0) (local.get 2))))
                    (global.set $heap (i32.add (local.get $at) (local.get 3)))
                    (if (i32.gt_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536)))
                        (then (if (i32.eq (i32.const -1) (memory.grow (i32.add (i32.const 1)
                            (i32.shr_u (local.get 3) (i32.const 16)))))
                            (then unreachable))))
                    (local.get $at))
                {core})
            (core instance $i (instantiate $m))
            {types}
            {lifted})"#
    )
}
