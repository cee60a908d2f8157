//! `std/json`: what is read is written as what is read as the same, and what is refused has its place in the text.

use caraway_loaders_builtin::BuiltinLoader;
use caraway_loaders_core::bind::{Bound, explain};
use caraway_loaders_core::capability::Access;
use caraway_loaders_core::discover::{Origin, Plugin};
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::loader::{Imports, LoadRequest, Loader};
use caraway_loaders_core::output::Output;
use caraway_loaders_core::{Code, Error, ErrorValue};
use rhai::{AST, Engine, Scope};
use std::sync::Arc;

/// Checks one input.
pub(crate) fn check(bytes: &[u8]) {
    thread_local!(static SCRIPT: (Engine, AST) = script());
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut scope = Scope::new();
    scope.push_constant("TEXT", text.to_owned());
    let outcome = SCRIPT.with(|(engine, ast)| engine.eval_ast_with_scope::<rhai::Array>(&mut scope, ast));
    match outcome {
        Ok(texts) => {
            let text_of = |index: usize| texts[index].clone().into_string().unwrap_or_default();
            assert_eq!(text_of(0), text_of(1), "{text:?} is written in two ways");
            assert_eq!(text_of(0), text_of(2), "{text:?} is not the same with indents");
            let others: Result<serde_json::Value, _> = serde_json::from_str(text);
            others.unwrap_or_else(|error| panic!("{text:?} is no JSON: {error}"));
        }
        Err(error) => {
            let error = explain(&error, "json", &|_| None);
            assert_eq!(error.code(), Code::PluginFailed, "{text:?}: {error}");
            let place =
                error.message().strip_prefix("JSON, line ").and_then(|rest| rest.split_once(", column "));
            let (line, rest) = place.unwrap_or_else(|| panic!("{text:?}: {error}"));
            let column = rest.split_once(':').map_or("", |(column, _)| column);
            let (line, column): (usize, usize) = (line.parse().unwrap_or(0), column.parse().unwrap_or(0));
            let lines = text.split('\n').count();
            assert!(line >= 1 && line <= lines && column <= text.len() + 1, "{text:?}: {error}");
        }
    }
}

fn script() -> (Engine, AST) {
    let mut engine = Engine::new();
    ErrorValue::register(&mut engine);
    Limits::PLUGIN.apply(&mut engine);
    for manifest in BuiltinLoader.provided().into_iter().filter(|manifest| manifest.name == "std/json") {
        let request = LoadRequest {
            plugin: Arc::new(Plugin::new(manifest, "", Origin::BuiltIn)),
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
        let bound = BuiltinLoader.load(&request).unwrap_or_else(|error| panic!("{error}"));
        engine.register_static_module("json", bound.module);
    }
    let script = "let value = json::parse(TEXT);
        let once = json::stringify(value);
        let pretty = json::stringify_pretty(value);
        [once, json::stringify(json::parse(once)), json::stringify(json::parse(pretty))]";
    let ast = engine.compile(script).unwrap_or_else(|error| panic!("{error}"));
    (engine, ast)
}

struct NoImports;

impl Imports for NoImports {
    fn import(&self, path: &str) -> Result<Arc<Bound>, Error> {
        Err(Error::new(Code::UnknownPlugin, path))
    }
}
