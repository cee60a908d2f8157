//! Handles: whose they are, what can be done with them, and what is said where it cannot.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use caraway_loaders_core::bind::{Binder, CallResult, explain};
use caraway_loaders_core::handle::{Handle, find_methods};
use caraway_loaders_core::{Code, Error, StandardPackage};
use rhai::{Array, Dynamic, Engine, Module, NativeCallContext, Scope};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// A plugin's value, which counts how many of its kind there are.
struct Counter {
    count: AtomicI64,
    alive: Arc<AtomicI64>,
}

impl Drop for Counter {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What a counter was before `by` was added.
fn add(args: &[&mut Dynamic], by: i64) -> i64 {
    Handle::of(args[0]).unwrap().resource::<Counter>().unwrap().count.fetch_add(by, Ordering::Relaxed)
}

fn function(
    binder: &mut Binder,
    signature: &str,
    body: impl Fn(&mut [&mut Dynamic]) -> CallResult + Send + Sync + 'static,
) {
    binder.function(signature.parse().unwrap(), move |_: &NativeCallContext<'_>, args| body(args)).unwrap();
}

/// A plugin with counters, `alive` of which there are.
fn plugin(name: &'static str, alive: &Arc<AtomicI64>) -> Module {
    let mut binder = Binder::new(name, name);
    let (class, alive) = (binder.class("Counter"), alive.clone());
    function(&mut binder, "counter(from: int) -> Counter", move |args| {
        alive.fetch_add(1, Ordering::Relaxed);
        let count = AtomicI64::new(args[0].as_int().unwrap());
        Ok(Handle::new(&class, Counter { count, alive: alive.clone() }))
    });
    function(&mut binder, "counter::incr(self: Counter, by: int) -> int", |args| {
        let by = args[1].as_int().unwrap();
        Ok((add(args, by) + by).into())
    });
    function(&mut binder, "counter::who(self: Counter) -> string", move |_| Ok(name.into()));
    function(&mut binder, "counter::times(self: Counter, x: float) -> float", |args| {
        Ok((add(args, 0) as f64 * args[1].as_float().unwrap()).into())
    });
    function(&mut binder, "counter::fails(self: Counter)", |args| {
        add(args, 1);
        Err(Error::new(Code::PluginFailed, "it failed").into())
    });
    function(&mut binder, "counter::more(self: Counter, other: Counter) -> bool", |args| {
        Ok((add(args, 0) > add(&args[1..], 0)).into())
    });
    function(&mut binder, "lies() -> Counter", |_| Ok(1_i64.into()));
    if name == "b" {
        function(&mut binder, "counter::only_b(self: Counter) -> int", |_| Ok(1_i64.into()));
    }
    binder
        .getter("counter::count(self: Counter) -> int".parse().unwrap(), |_, args| Ok(add(args, 0).into()))
        .unwrap();
    Arc::into_inner(binder.finish().module).unwrap()
}

/// An engine with the counters of `a` and `b`, and how many counters there are.
fn engine() -> (Engine, Arc<AtomicI64>) {
    let alive = Arc::new(AtomicI64::new(0));
    let mut engine = bare();
    let mut resolver = rhai::module_resolvers::StaticModuleResolver::new();
    for name in ["a", "b"] {
        resolver.insert(name, plugin(name, &alive));
    }
    engine.set_module_resolver(resolver);
    (engine, alive)
}

/// An engine that knows no plugin.
fn bare() -> Engine {
    let mut engine = Engine::new_raw();
    engine.register_global_module(StandardPackage::default().module());
    engine.on_print(|_| {});
    find_methods(&mut engine);
    engine
}

#[track_caller]
fn gives(script: &str, wanted: &str) {
    let (engine, alive) = engine();
    let value = engine.eval::<Dynamic>(&format!(r#"import "a" as a; import "b" as b; {script}"#)).unwrap();
    assert_eq!(value.to_string(), wanted, "{script}");
    drop((value, engine));
    assert_eq!(alive.load(Ordering::Relaxed), 0, "{script}");
}

/// The code, message and hint of what fails, and that it is at the script's line 2.
#[track_caller]
fn fails(script: &str, code: Code, message: &str, hint: &str) {
    let (engine, _) = engine();
    let script = format!(
        "import \"a\" as a; import \"b\" as b; let c = a::counter(5); let d = b::counter(1);\n{script}"
    );
    let error = engine.eval::<Dynamic>(&script).unwrap_err();
    let error = explain(&error, "app", &|_| None);
    assert_eq!((error.code(), error.message()), (code, message), "{script}");
    assert_eq!(error.hint_text(), Some(hint), "{script}");
    assert_eq!(error.location().unwrap().line, 2, "{script}");
}

#[test]
fn methods_go_by_the_class_of_the_handle() {
    gives("[a::counter(1).who(), b::counter(1).who()]", r#"["a", "b"]"#);
    gives("let c = a::counter(1); c.incr(2); [c.incr(3), a::counter::incr(c, 1), c.count]", "[6, 7, 7]");
    gives("let c = b::counter(1); c.incr(2); [c.incr(3), b::counter::incr(c, 1), c.count]", "[6, 7, 7]");
    gives("let c = a::counter(3); [c.times(2), c.times(0.5), a::counter::count(c)]", "[6.0, 1.5, 3]");
    gives("const C = a::counter(3); C.incr(1); C.count", "4");
    gives("let c = a::counter(3); let f = || c.incr(1); f.call(); c.count", "4");
    gives("let c = a::counter(3); [1, 2].map(|i| c.incr(i))", "[4, 6]");
    gives("b::counter(1).only_b()", "1");
    gives(
        "let all = [a::counter(1), b::counter(2)]; all[1].incr(1); all.map(|c| `${c.who()}${c.count}`)",
        r#"["a1", "b3"]"#,
    );
}

/// A handle that an engine did not import: passed to a plugin, or given back by one.
#[test]
fn methods_are_found_without_an_import() {
    let (one, _) = engine();
    let made =
        |plugin: &str| one.eval::<Dynamic>(&format!(r#"import "{plugin}" as p; p::counter(5)"#)).unwrap();
    let other = bare();
    let mut scope = Scope::new();
    scope.push("c", made("a")).push("d", made("b"));
    let eval = |script: &str| other.eval_with_scope::<Dynamic>(&mut scope.clone(), script);
    let found = eval("[c.incr(1), c.count, c.who(), d.who(), incr(d, 2), d.times(1)]").unwrap();
    assert_eq!(found.to_string(), r#"[6, 6, "a", "b", 7, 7.0]"#);
    let says = |script: &str| {
        let error = explain(&eval(script).unwrap_err(), "app", &|_| None);
        (error.code(), error.message().to_owned())
    };
    assert_eq!(says("c.inc(1)"), (Code::UnknownFunction, "Counter has no method `inc`".to_owned()));
    assert_eq!(says("c.cont"), (Code::UnknownFunction, "Counter has no property `cont`".to_owned()));
    let wrong = "argument 2 of `a::counter::incr`: `by` must be int, found string";
    assert_eq!(says("c.incr(`x`)"), (Code::ArgumentType, wrong.to_owned()));
}

/// Rhai asks its callback for missing functions after any failure.
#[test]
fn a_method_that_fails_runs_once() {
    gives("let c = a::counter(5); try { c.fails() } catch (e) { print(e) } c.count", "6");
    gives("let c = a::counter(5); try { c.incr(`x`) } catch { } c.count", "5");
    let (one, _) = engine();
    let handle: Dynamic = one.eval(r#"import "a" as a; a::counter(5)"#).unwrap();
    let mut scope = Scope::new();
    scope.push("c", handle);
    let script = "let seen = (); try { c.fails() } catch (e) { seen = e.message; } [c.count, seen]";
    let found = bare_with_errors().eval_with_scope::<Array>(&mut scope, script).unwrap();
    assert_eq!(Dynamic::from(found).to_string(), r#"[6, "it failed"]"#);
}

fn bare_with_errors() -> Engine {
    let mut engine = bare();
    caraway_loaders_core::ErrorValue::register(&mut engine);
    engine
}

#[test]
fn what_is_wrong_with_a_call_is_said() {
    let unknown = Code::UnknownFunction;
    fails("c.inc(1)", unknown, "Counter has no method `inc`", "did you mean `incr`?");
    fails("c.leap()", unknown, "Counter has no method `leap`", "it has: fails, incr, more, times, who");
    fails("c.only_b()", unknown, "Counter has no method `only_b`", "it has: fails, incr, more, times, who");
    let signature = "the signature is `a::counter::incr(self: Counter, by: int) -> int`";
    fails("c.incr()", unknown, "`incr` of Counter takes 1 argument, 0 given", signature);
    fails("c.incr(1, 2)", unknown, "`incr` of Counter takes 1 argument, 2 given", signature);
    fails("c.count()", unknown, "`count` of Counter is a property", "write `.count` without `()`");
    fails("c.incr", unknown, "Counter has no property `incr`", "it is a method: `incr(by)`");
    fails("c.who", unknown, "Counter has no property `who`", "it is a method: `who()`");
    fails("c.cuont", unknown, "Counter has no property `cuont`", "did you mean `count`?");
    let offer = "the plugin has to offer a method that changes it";
    fails("c.count = 1", unknown, "`count` of Counter cannot be assigned to", offer);
    let found = |found: &str| format!("argument 2 of `a::counter::incr`: `by` must be int, found {found}");
    for (arg, name) in [("1.5", "float"), ("\"x\"", "string"), ("c", "Counter of `a`")] {
        fails(&format!("c.incr({arg})"), Code::ArgumentType, &found(name), signature);
        fails(&format!("a::counter::incr(c, {arg})"), Code::ArgumentType, &found(name), signature);
    }
}

#[test]
fn foreign_handles_are_refused() {
    let argument = |number: i32, of: &str, name: &str, found: &str| {
        format!("argument {number} of `a::counter::{of}`: `{name}` must be Counter of `a`, found {found}")
    };
    let more = "the signature is `a::counter::more(self: Counter, other: Counter) -> bool`";
    let message = argument(2, "more", "other", "Counter of `b`");
    fails("c.more(d)", Code::ArgumentType, &message, more);
    fails("a::counter::more(c, d)", Code::ArgumentType, &message, more);
    let who = "the signature is `a::counter::who(self: Counter) -> string`";
    fails("a::counter::who(d)", Code::ArgumentType, &argument(1, "who", "self", "Counter of `b`"), who);
    let message = "argument 1 of `a::counter::who`: `self` must be Counter, found int";
    fails("a::counter::who(1)", Code::ArgumentType, message, who);
    let disagree = "the plugin's manifest and its code disagree: tell its author";
    fails(
        "a::lies()",
        Code::ResultType,
        "the result of `a::lies` must be Counter of `a`, found int",
        disagree,
    );
}

#[test]
fn another_load_of_the_same_plugin_is_foreign() {
    let alive = Arc::default();
    let mut engine = bare();
    engine.register_static_module("one", plugin("a", &alive).into());
    engine.register_static_module("two", plugin("a", &alive).into());
    let error = engine.eval::<String>("one::counter::who(two::counter(1))").unwrap_err();
    let found = "must be Counter of `a`, found Counter of `a` as it was loaded another time";
    let message = Error::raised_in(&error).unwrap().message().to_owned();
    assert!(message.ends_with(found), "{message}");
}

#[test]
fn a_handle_outlives_its_plugin() {
    let (one, alive) = engine();
    let handle: Dynamic = one.eval(r#"import "a" as a; a::counter(5)"#).unwrap();
    drop(one);
    assert_eq!(alive.load(Ordering::Relaxed), 1);
    let mut scope = Scope::new();
    scope.push("c", handle);
    let error = bare().eval_with_scope::<Dynamic>(&mut scope, "c.who()").unwrap_err();
    let message = Error::raised_in(&error).unwrap().message().to_owned();
    assert_eq!(message, "Counter of `a` outlived its plugin, which has been unloaded");
    drop(scope);
    assert_eq!(alive.load(Ordering::Relaxed), 0);
}

#[test]
fn all_handles_print_and_compare() {
    gives(
        "let c = a::counter(1); [`${c}`, c.to_string(), type_of(c)]",
        r#"["<Counter of `a`>", "<Counter of `a`>", "handle"]"#,
    );
    gives(
        "let c = a::counter(1); let d = c; [c == d, c != d, c == a::counter(1), c != b::counter(1)]",
        "[true, false, false, true]",
    );
    gives("`${[a::counter(1)]}`", "[<Counter of `a`>]");
}

#[test]
fn a_signature_needs_its_class() {
    let mut binder = Binder::new("m", "m");
    let refused = |binder: &mut Binder, signature: &str| {
        let handle = |name: &str| Some(caraway_loaders_core::Type::Handle(name.into()));
        let signature: caraway_loaders_core::Signature = signature.parse().unwrap();
        let signature = signature.resolve(&handle).unwrap();
        binder.function(signature, |_, _| Ok(Dynamic::UNIT)).unwrap_err().message().to_owned()
    };
    let unknown = "`f` uses the handle `Counter`, which its plugin does not make";
    assert_eq!(refused(&mut binder, "f(c: Counter)"), unknown);
    binder.class("Counter");
    for inside in ["array<Counter>", "map<Counter>", "Counter?", "fn(Counter) -> int", "fn() -> Counter"] {
        let message = format!("`f` has a handle inside `{inside}`, which cannot be");
        assert_eq!(refused(&mut binder, &format!("f(c: {inside})")), message);
        assert_eq!(refused(&mut binder, &format!("f() -> {inside}")), message);
    }
    let getter = "f(c: Counter, x: int) -> int".parse().unwrap();
    assert_eq!(binder.getter(getter, |_, _| Ok(Dynamic::UNIT)).unwrap_err().code(), Code::ManifestValue);
    let method = || "f(self: Counter)".parse().unwrap();
    binder.function(method(), |_, _| Ok(Dynamic::UNIT)).unwrap();
    assert_eq!(binder.function(method(), |_, _| Ok(Dynamic::UNIT)).unwrap_err().code(), Code::ManifestValue);
}

#[test]
fn the_reference_of_types_is_true() {
    let page = include_str!("../../../docs/reference/types.md");
    let example = page.split("```rhai\n").find(|text| text.contains("counters::")).unwrap();
    let example = example.split("```").next().unwrap().replace("counters::", "a::");
    gives(&example, "6");
}
