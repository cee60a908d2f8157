//! Components that call other plugins.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod common;

use caraway_loaders_core::bind::{Binder, Bound, CallResult};
use caraway_loaders_core::budget::{Cancel, Meter};
use caraway_loaders_core::capability::Access;
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::loader::{Imports, Loader};
use caraway_loaders_core::manifest::{Dependency, Manifest};
use caraway_loaders_core::{Code, Error};
use common::{Bench, engine, fails, shown, thrown};
use rhai::{Array, Dynamic, Engine};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The plugins of a test, by name.
#[derive(Default)]
struct Plugins(BTreeMap<String, Arc<Bound>>);

impl Imports for Plugins {
    fn import(&self, path: &str) -> Result<Arc<Bound>, Error> {
        let missing = || Error::new(Code::UnknownPlugin, format!("no `{path}` in this test"));
        self.0.get(path).cloned().ok_or_else(missing)
    }
}

type Body = fn(&[&mut Dynamic]) -> CallResult;

fn plugin(name: &str, functions: &[(&str, Body)]) -> Arc<Bound> {
    let mut binder = Binder::new(name, &format!("{name}@1.0.0"));
    for (signature, body) in functions {
        let body = *body;
        binder.function(signature.parse().unwrap(), move |_, args| body(args)).unwrap();
    }
    Arc::new(binder.finish())
}

/// `mean` at the top and another in `api`, and what can go wrong.
fn stats() -> Arc<Bound> {
    fn mean(args: &[&mut Dynamic]) -> CallResult {
        let items = args[0].read_lock::<Array>().unwrap();
        let sum: f64 = items.iter().map(|item| item.as_float().unwrap()).sum();
        Ok((sum / items.len() as f64).into())
    }
    plugin(
        "stats",
        &[
            ("mean(xs: array<float>) -> float", |args| Ok((mean(args)?.as_float().unwrap() + 1000.0).into())),
            ("api::mean(xs: array<float>) -> float", mean),
            ("greet(name: string) -> string", |args| Ok(format!("hello {}", args[0]).into())),
            ("half(x: float) -> float", |args| Ok((args[0].as_float().unwrap() / 2.0).into())),
            ("fail(x: int) -> int", |_| Err(Error::new(Code::PluginFailed, "no luck").into())),
            ("toss(x: int) -> int", |_| {
                Err(Error::new(Code::PluginFailed, "no luck").throwing(7.into()).into())
            }),
            ("wrong(x: int) -> any", |_| Ok("text".into())),
            ("big(x: int) -> any", |_| Ok(300.into())),
        ],
    )
}

/// A function that a component imports: its name, its type, and the core types of its parameters.
type Imported = (&'static str, &'static str, &'static str);

/// A component that imports functions, from the interface `outer` or by their names alone, and offers each of them
/// as `name_again`.
fn relay(outer: Option<&str>, functions: &[Imported]) -> String {
    let [mut imports, mut lowered, mut core, mut with, mut exports] = [const { String::new() }; 5];
    let add = |to: &mut String, text: String| to.push_str(&text);
    for (name, ty, params) in functions {
        let function = if outer.is_some() {
            add(&mut imports, format!("(export \"{name}\" (func {ty}))\n"));
            format!("(func $outer \"{name}\")")
        } else {
            add(&mut imports, format!("(import \"{name}\" (func ${name} {ty}))\n"));
            format!("(func ${name})")
        };
        let memory = "(memory (core memory $mem \"memory\")) (realloc (core func $mem \"realloc\"))";
        add(&mut lowered, format!("(core func $core-{name} (canon lower {function} {memory}))\n"));
        // What takes more than one core value goes through memory.
        let in_memory = ty.contains("(result string)") || ty.contains("(result (result");
        let result = if ty.ends_with("(result f64)") { "f64" } else { "i32" };
        let gets: String =
            (0..params.split_whitespace().count()).map(|i| format!("(local.get {i})")).collect();
        let (last, returns, body) = match in_memory {
            true => ("i32", String::new(), format!("(call ${name} {gets} (i32.const 64)) (i32.const 64)")),
            false => ("", format!("(result {result})"), format!("(call ${name} {gets})")),
        };
        let own = format!("(import \"\" \"{name}\" (func ${name} (param {params} {last}) {returns}))\n");
        let offered = format!("(func (export \"{name}\") (param {params}) (result {result}) {body})\n");
        core = [own, core, offered].concat();
        add(&mut with, format!("(export \"{name}\" (func $core-{name}))\n"));
        let lift = format!("(canon lift (core func $main \"{name}\") {memory})");
        add(&mut exports, format!("(func (export \"{name}-again\") {ty} {lift})\n"));
    }
    if let Some(outer) = outer {
        imports = format!("(import \"{outer}\" (instance $outer {imports}))");
    }
    format!(
        "(component {imports}
            (core module $memory
                (memory (export \"memory\") 1)
                (global $heap (mut i32) (i32.const 1024))
                (func (export \"realloc\") (param i32 i32 i32 i32) (result i32)
                    (local $at i32)
                    (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
                    (global.set $heap (i32.add (local.get $at) (local.get 3)))
                    (local.get $at)))
            (core instance $mem (instantiate $memory))
            {lowered}
            (core module $relay {core})
            (core instance $main (instantiate $relay (with \"\" (instance {with}))))
            {exports})"
    )
}

struct Case {
    bench: Bench,
    plugins: Plugins,
}

impl Case {
    fn new() -> Self {
        let mut plugins = Plugins::default();
        plugins.0.insert("stats".to_owned(), stats());
        Self { bench: Bench::new(), plugins }
    }

    fn load(self, text: &str, dependencies: &[&str], limits: Limits) -> Result<Bound, Error> {
        let mut plugin = self.bench.plugin("m", text);
        plugin.manifest.dependencies = dependencies.iter().map(|&name| dependency(name)).collect();
        assert!(self.bench.loader.validate(&plugin.manifest).is_empty());
        let mut request = self.bench.request(plugin, limits, Access::default());
        request.imports = Arc::new(self.plugins);
        self.bench.loader.load(&request)
    }
}

fn dependency(name: &str) -> Dependency {
    let text = format!(r#"{{"name": "m", "version": "1.0.0", "type": "wasm", "dependencies": ["{name}"]}}"#);
    Manifest::parse("plugin.json".as_ref(), text.as_bytes()).unwrap().dependencies.remove(0)
}

#[track_caller]
fn works(outer: Option<&str>, functions: &[Imported]) -> Engine {
    let loaded = Case::new().load(&relay(outer, functions), &["stats"], Limits::PLUGIN);
    engine(&loaded.unwrap_or_else(|error| panic!("{error}")))
}

const MEAN: Imported = ("mean", "(param \"xs\" (list f64)) (result f64)", "i32 i32");
const GREET: Imported = ("greet", "(param \"name\" string) (result string)", "i32 i32");

#[test]
fn interfaces_and_functions_are_those_of_a_dependency() {
    for (outer, expected) in [
        (Some("acme:stats/api@1.2.0"), "2.0"),
        (Some("acme:stats/other"), "1002.0"),
        (Some("stats"), "1002.0"),
        (None, "1002.0"),
    ] {
        let engine = works(outer, &[MEAN, GREET]);
        assert_eq!(shown(&engine, "m::mean_again([1.0, 2.0, 3])"), expected, "{outer:?}");
        assert_eq!(shown(&engine, "m::greet_again(\"you\")"), "\"hello you\"");
    }
}

#[test]
fn an_int_will_do_for_a_float() {
    let engine = works(None, &[("half", "(param \"x\" s32) (result f64)", "i32")]);
    assert_eq!(shown(&engine, "m::half_again(3)"), "1.5");
}

#[test]
fn errors_go_where_the_types_have_room_for_them() {
    let fallible = "(param \"x\" s64) (result (result s64 (error string)))";
    let engine =
        works(None, &[("fail", fallible, "i64"), ("toss", fallible, "i64"), ("wrong", fallible, "i64")]);
    assert_eq!(thrown(&engine, "m::fail_again(1)"), "\"no luck\"");
    let wrong = "\"the result of `stats::wrong` must be int, found string\"";
    assert_eq!(thrown(&engine, "m::wrong_again(1)"), wrong);
    let numbered = "(param \"x\" s64) (result (result s64 (error u8)))";
    let engine = works(None, &[("toss", numbered, "i64"), ("fail", numbered, "i64")]);
    assert_eq!(thrown(&engine, "m::toss_again(1)"), "7", "what was thrown, if it fits");
    let trap = "`m::fail_again` stopped: no luck; the plugin's state was lost";
    fails(&engine, "m::fail_again(1)", Code::PluginFailed, trap);
    assert_eq!(thrown(&engine, "m::toss_again(1)"), "7", "a fresh instance is linked as well");
    let engine = works(None, &[("toss", "(param \"x\" s64) (result (result s64))", "i64")]);
    assert_eq!(thrown(&engine, "m::toss_again(1)"), "()");
    let engine = works(None, &[("big", "(param \"x\" s64) (result u8)", "i64")]);
    fails(
        &engine,
        "m::big_again(1)",
        Code::ResultType,
        "`stats::big` must be an int from 0 to 255, found 300",
    );
}

#[track_caller]
fn refused(text: &str, dependencies: &[&str], code: Code, message: &str) {
    let error = Case::new().load(text, dependencies, Limits::PLUGIN).unwrap_err();
    assert_eq!(error.code(), code, "{error}");
    assert!(error.message().contains(message), "{error}");
}

#[test]
fn what_does_not_fit_is_an_error_of_the_load() {
    let one = |outer, name, ty, params| relay(outer, &[(name, ty, params)]);
    let api = Some("acme:stats/api");
    let mean = relay(api, &[MEAN]);
    refused(&mean, &[], Code::LoadFailed, "it imports `acme:stats/api`, which is not there");
    refused(&mean, &["statistics"], Code::LoadFailed, "it imports `acme:stats/api`, which is not there");
    refused(&relay(None, &[MEAN]), &[], Code::LoadFailed, "it imports `mean`, which is not there");
    refused(
        &one(api, "mean", "(param \"xs\" (list string)) (result f64)", "i32 i32"),
        &["stats"],
        Code::SignatureMismatch,
        "imports `mean(xs: array<string>) -> float`, and `stats` has `api::mean(xs: array<float>) -> float`",
    );
    refused(
        &one(api, "mean", "(param \"xs\" (list f64)) (result s32)", "i32 i32"),
        &["stats"],
        Code::SignatureMismatch,
        "-> int`, and",
    );
    refused(&one(api, "mean", "(result f64)", ""), &["stats"], Code::SignatureMismatch, "`mean() -> float`");
    refused(
        &one(api, "median", MEAN.1, "i32 i32"),
        &["stats"],
        Code::LoadFailed,
        "`stats` has no function `median`",
    );
    let text = relay(Some("acme:other/api"), &[MEAN]);
    refused(&text, &["other"], Code::UnknownPlugin, "no `other` in this test");
    let resource = r#"(component (import "acme:stats/api" (instance (export "r" (type (sub resource)))
        (export "mean" (func (param "xs" (list f64)) (result f64))))))"#;
    refused(resource, &["stats"], Code::LoadFailed, "components can import functions alone");
}

#[test]
fn a_function_that_two_plugins_have_is_ambiguous() {
    let mut case = Case::new();
    let other = plugin("other", &[("mean(xs: array<float>) -> float", |_| Ok(0.0.into()))]);
    case.plugins.0.insert("other".to_owned(), other);
    let text = relay(None, &[MEAN]);
    let error = case.load(&text, &["stats", "other"], Limits::PLUGIN).unwrap_err();
    assert!(error.message().contains("which `stats` and `other` have"), "{error}");
}

#[test]
fn a_component_can_be_looked_at_without_its_dependencies() {
    let case = Case::new();
    let mut plugin = case.bench.plugin("m", &relay(Some("acme:stats/api"), &[MEAN]));
    plugin.manifest.dependencies = vec![dependency("stats")];
    let signatures = case.bench.loader.inspect(&plugin).unwrap();
    assert_eq!(signatures[0].to_string(), "mean_again(xs: array<float>) -> float");
}

#[test]
fn a_circle_of_calls_is_refused() {
    // The plugin that the component calls calls the component.
    let engine: Arc<Mutex<Option<Engine>>> = Arc::default();
    let inner = engine.clone();
    let mut binder = Binder::new("back", "back@1.0.0");
    let again = move |_: &rhai::NativeCallContext<'_>, _: &mut [&mut Dynamic]| {
        let engine = inner.lock().unwrap();
        engine
            .as_ref()
            .unwrap()
            .eval::<i64>("m::enter_again()")
            .map(Dynamic::from)
            .map_err(caraway_loaders_core::bind::CallError::Rhai)
    };
    binder.function("enter() -> int".parse().unwrap(), again).unwrap();
    let mut case = Case::new();
    case.plugins.0.insert("back".to_owned(), Arc::new(binder.finish()));
    let text = relay(None, &[("enter", "(result (result s64 (error string)))", "")]);
    let bound = case.load(&text, &["back"], Limits::PLUGIN).unwrap();
    *engine.lock().unwrap() = Some(common::engine(&bound));
    let message = "\"`m::enter_again` was called while a function of `m` was running\"";
    assert_eq!(thrown(&common::engine(&bound), "m::enter_again()"), message);
}

#[test]
fn the_limits_of_the_outer_call_hold_inside() {
    let mut limits = Limits::PLUGIN;
    limits.timeout = Some(Duration::from_millis(30));
    let mut case = Case::new();
    let slow = plugin(
        "slow",
        &[("doze() -> int", |_| {
            caraway_loaders_core::budget::sleep(Duration::from_secs(60))?;
            Ok(1.into())
        })],
    );
    case.plugins.0.insert("slow".to_owned(), slow);
    let text = relay(None, &[("doze", "(result (result s64 (error string)))", "")]);
    let bound = case.load(&text, &["slow"], limits).unwrap();
    let engine = common::engine(&bound);
    let start = Instant::now();
    fails(&engine, "m::doze_again()", Code::Deadline, "`m` ran longer than its limit of 30ms");
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());

    let cancel = Cancel::default();
    let meter = Meter::program(&Limits::PROGRAM, cancel.clone());
    let frame = meter.enter().unwrap();
    cancel.cancel();
    let error = engine.eval::<i64>("try { m::doze_again() } catch { 0 }").unwrap_err();
    assert_eq!(frame.settle(error).unwrap().code(), Code::Interrupted);
}
