//! Resources: handles of scripts.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use caraway_loaders_core::bind::Bound;
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::loader::Loader;
use caraway_loaders_core::manifest::Manifest;
use caraway_loaders_core::{Code, Error, Signature};
use common::{Bench, engine, fails, shown};
use rhai::Engine;

/// The functions of the interface: WIT name, parameters and result over `$c`, and core function.
const FUNCTIONS: &[(&str, &str, &str)] = &[
    ("[constructor]counter", r#"(param "start" s64) (result (own $c))"#, "constructor"),
    ("[method]counter.incr", r#"(param "self" (borrow $c)) (param "by" s64) (result s64)"#, "incr"),
    ("[static]counter.make-default", "(result (own $c))", "make-default"),
    ("take", r#"(param "counter" (own $c)) (result s64)"#, "take"),
    ("take-two", r#"(param "a" (own $c)) (param "b" (own $c)) (result s64)"#, "take-two"),
    ("add-to", r#"(param "from" (own $c)) (param "to" (borrow $c)) (result s64)"#, "add-to"),
    ("total", r#"(param "counters" (list (borrow $c))) (result s64)"#, "total"),
    ("maybe", r#"(param "some" bool) (result (option (own $c)))"#, "maybe"),
    ("alive", "(result s64)", "alive"),
    ("crash", "", "crash"),
];

/// A component with a resource `counter`; one whose count is 666 crashes when it is dropped.
fn counters() -> String {
    let mut lifted = String::new();
    let mut imports = String::new();
    let mut exports = String::new();
    let mut with = String::new();
    for (index, (name, ty, core)) in FUNCTIONS.iter().enumerate() {
        lifted.push_str(&format!(
            "(func $f{index} {} (canon lift (core func $b \"{core}\") (memory (core memory $a \"memory\")) (realloc \
             (core func $a \"realloc\"))))\n",
            ty.replace("$c", "$counter")
        ));
        imports
            .push_str(&format!("(import \"f{index}\" (func $f{index} {}))\n", ty.replace("$c", "$counter")));
        exports.push_str(&format!("(export \"{name}\" (func $f{index}) (func {ty}))\n"));
        with.push_str(&format!("(with \"f{index}\" (func $f{index}))\n"));
    }
    format!(
        r#"(component
            (core module $a
                (memory (export "memory") 1)
                (global $next (mut i32) (i32.const 8))
                (global $alive (mut i64) (i64.const 0))
                (func $alloc (param $size i32) (result i32)
                    (global.set $next (i32.add (global.get $next) (local.get $size)))
                    (i32.sub (global.get $next) (local.get $size)))
                (func (export "realloc") (param i32 i32 i32 i32) (result i32)
                    (call $alloc (i32.and (i32.add (local.get 3) (i32.const 7)) (i32.const -8))))
                (func (export "dtor") (param i32)
                    (if (i64.eq (i64.load (local.get 0)) (i64.const 666)) (then unreachable))
                    (global.set $alive (i64.sub (global.get $alive) (i64.const 1))))
                (func (export "make") (param i64) (result i32)
                    (local $at i32)
                    (local.set $at (call $alloc (i32.const 8)))
                    (i64.store (local.get $at) (local.get 0))
                    (global.set $alive (i64.add (global.get $alive) (i64.const 1)))
                    (local.get $at))
                (func (export "alive") (result i64) (global.get $alive)))
            (core instance $a (instantiate $a))
            (type $counter (resource (rep i32) (dtor (core func $a "dtor"))))
            (core func $new (canon resource.new $counter))
            (core func $rep (canon resource.rep $counter))
            (core func $drop (canon resource.drop $counter))
            (core module $b
                (import "a" "memory" (memory 1))
                (import "a" "make" (func $make (param i64) (result i32)))
                (import "a" "alive" (func $alive (result i64)))
                (import "r" "new" (func $new (param i32) (result i32)))
                (import "r" "rep" (func $rep (param i32) (result i32)))
                (import "r" "drop" (func $drop (param i32)))
                (func $constructor (export "constructor") (param i64) (result i32)
                    (call $new (call $make (local.get 0))))
                (func (export "make-default") (result i32) (call $constructor (i64.const 40)))
                (func $incr (export "incr") (param i32 i64) (result i64)
                    (i64.store (local.get 0) (i64.add (i64.load (local.get 0)) (local.get 1)))
                    (i64.load (local.get 0)))
                (func $take (export "take") (param i32) (result i64)
                    (i64.load (call $rep (local.get 0)))
                    (call $drop (local.get 0)))
                (func (export "take-two") (param i32 i32) (result i64)
                    (i64.add (call $take (local.get 0)) (call $take (local.get 1))))
                (func (export "add-to") (param i32 i32) (result i64)
                    (call $incr (local.get 1) (call $take (local.get 0))))
                (func (export "total") (param i32 i32) (result i64)
                    (local $sum i64)
                    (block $done
                        (loop $next
                            (br_if $done (i32.eqz (local.get 1)))
                            (local.set $sum (i64.add (local.get $sum) (i64.load (i32.load (local.get 0)))))
                            (local.set 0 (i32.add (local.get 0) (i32.const 4)))
                            (local.set 1 (i32.sub (local.get 1) (i32.const 1)))
                            (br $next)))
                    (local.get $sum))
                (func (export "maybe") (param i32) (result i32)
                    (i32.store8 (i32.const 0) (local.get 0))
                    (if (local.get 0) (then (i32.store (i32.const 4) (call $constructor (i64.const 7)))))
                    (i32.const 0))
                (func (export "alive") (result i64) (call $alive))
                (func (export "crash") unreachable))
            (core instance $b (instantiate $b
                (with "a" (instance $a))
                (with "r" (instance
                    (export "new" (func $new)) (export "rep" (func $rep)) (export "drop" (func $drop))))))
            {lifted}
            (component $api
                (import "counter" (type $counter (sub resource)))
                {imports}
                (export $c "counter" (type $counter))
                {exports})
            (instance $api (instantiate $api (with "counter" (type $counter)) {with}))
            (export "demo:counters/api@1.0.0" (instance $api)))"#
    )
}

fn loaded() -> Engine {
    Bench::new().engine(&counters())
}

fn signatures() -> Vec<Signature> {
    let bench = Bench::new();
    let functions = bench.loader.inspect(&bench.plugin("m", &counters())).unwrap();
    functions.into_iter().map(|function| function.signature).collect()
}

#[test]
fn signatures_have_handles() {
    let shown: Vec<String> = signatures().iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "api::counter(start: int) -> Counter",
            "api::counter::incr(self: Counter, by: int) -> int",
            "api::counter::make_default() -> Counter",
            "api::take(counter: Counter) -> int",
            "api::take_two(a: Counter, b: Counter) -> int",
            "api::add_to(from: Counter, to: Counter) -> int",
            "api::total(counters: array<any>) -> int",
            "api::maybe(some: bool) -> any",
            "api::alive() -> int",
            "api::crash()",
        ]
    );
}

#[test]
fn handles_are_made_called_and_dropped() {
    let engine = loaded();
    for (script, expected) in [
        ("let c = m::api::counter(5); c.incr(1); c.incr(2)", "8"),
        ("let c = m::counter(5); m::counter::incr(c, 1)", "6"),
        ("m::api::counter::make_default().incr(2)", "42"),
        ("let c = m::counter(5); let d = c; d.incr(1); c.incr(0)", "6"),
        ("m::take(m::counter(9))", "9"),
        ("let c = m::counter(1); m::add_to(m::counter(2), c) + c.incr(0)", "6"),
        ("m::total([m::counter(1), m::counter(2)]) + m::total([])", "3"),
        ("let c = m::counter(1); m::total([c, c, c])", "3"),
        ("[m::maybe(true).incr(1), m::maybe(false)]", "[8, ()]"),
        ("m::counter(1); { let c = m::counter(2); c.incr(1); }; m::alive()", "0"),
        ("let c = m::counter(1); let d = m::counter(2); d = (); m::alive()", "1"),
    ] {
        assert_eq!(shown(&engine, script), expected, "{script}");
    }
    assert_eq!(shown(&engine, "m::alive()"), "0", "all scripts have ended");
}

#[test]
fn handles_that_cannot_be_used_are_refused() {
    let engine = loaded();
    for (script, code, message) in [
        ("let c = m::counter(1); m::take(c); c.incr(1)", Code::ValueRefused, "Counter of `m` was given away"),
        ("let c = m::counter(1); m::take_two(c, c)", Code::ValueRefused, "was passed twice"),
        ("let c = m::counter(1); m::add_to(c, c)", Code::ValueRefused, "was passed twice"),
        ("m::take(5)", Code::ArgumentType, "must be Counter, found int"),
        ("m::total([m::counter(1), 5])", Code::ArgumentType, "must be Counter, found int at `[1]`"),
        (
            "let c = m::counter(1); try { m::crash() } catch {} c.incr(1)",
            Code::ValueRefused,
            "the Counter of `m` was lost with the plugin's state",
        ),
    ] {
        fails(&engine, script, code, message);
    }
    // What was refused is still the script's, and no refusal costs the plugin its state.
    for (script, expected) in [
        ("let c = m::counter(1); try { m::take_two(c, c) } catch {} c.incr(1)", "2"),
        ("let c = m::counter(1); try { m::total([c, 5]) } catch {} [c.incr(1), m::alive()]", "[2, 1]"),
    ] {
        assert_eq!(shown(&engine, script), expected, "{script}");
    }
}

#[test]
fn handles_of_other_plugins_are_refused() {
    let bench = Bench::new();
    let load = |name: &str| bench.load(bench.plugin(name, &counters()), Limits::PLUGIN).unwrap();
    let mut engine = engine(&load("m"));
    engine.register_static_module("n", load("n").module);
    fails(
        &engine,
        "m::take(n::counter(1))",
        Code::ArgumentType,
        "must be Counter of `m`, found Counter of `n`",
    );
    let inside = "must be a handle of this plugin, found Counter of `n`";
    fails(&engine, "m::total([n::counter(1)])", Code::ArgumentType, inside);
    assert_eq!(shown(&engine, "[m::counter(1).incr(1), n::counter(2).incr(1)]"), "[2, 3]");
}

#[test]
fn a_destructor_that_crashes_costs_the_state_and_is_told() {
    let bench = Bench::new();
    let engine = bench.engine(&counters());
    let script = "let kept = m::counter(1); { let c = m::counter(666); c.incr(0); } m::alive()";
    assert_eq!(shown(&engine, script), "0", "a fresh store");
    let printed = bench.printed.lock().unwrap();
    assert_eq!(printed.len(), 1, "{printed:?}");
    assert!(printed[0].starts_with("[warn] m: `a destructor of m` crashed"), "{printed:?}");
    assert!(printed[0].contains("the plugin's state was lost"), "{printed:?}");
}

#[test]
fn handles_outlive_the_module() {
    let bench = Bench::new();
    let engine = bench.engine(&counters());
    let handle = engine.eval::<rhai::Dynamic>("m::counter(1)").unwrap();
    drop(engine);
    drop(bench);
    drop(handle);
}

/// Loads the component with this manifest's `functions` and `types`.
fn load_declared(functions: &str, types: &str) -> Result<Bound, Error> {
    let bench = Bench::new();
    let text = format!(
        r#"{{"name": "m", "version": "1.0.0", "type": "wasm", "types": [{types}], "functions": [{functions}]}}"#
    );
    let manifest = Manifest::parse("plugin.json".as_ref(), text.as_bytes()).unwrap();
    bench.plugin("m", &counters());
    bench.load(common::plugin(manifest, bench.folder.path()), Limits::PLUGIN)
}

#[test]
fn manifests_declare_resources_as_handles() {
    let counter = r#"{"name": "Counter", "kind": "handle"}"#;
    let all = signatures()
        .iter()
        .map(|signature| {
            let param =
                |p: &caraway_loaders_core::Param| format!(r#"{{"name": "{}", "type": "{}"}}"#, p.name, p.ty);
            let params: Vec<String> = signature.params.iter().map(param).collect();
            format!(
                r#"{{"name": "{}", "params": [{}], "returns": "{}"}}"#,
                signature.name,
                params.join(", "),
                signature.returns
            )
        })
        .collect::<Vec<_>>();
    let bound = load_declared(&all.join(", "), counter).unwrap();
    assert_eq!(shown(&engine(&bound), "m::counter(5).incr(1)"), "6");

    let error =
        load_declared(&all.join(", ").replace("Counter", "Timer"), &counter.replace("Counter", "Timer"));
    let error = error.unwrap_err();
    assert_eq!(error.code(), Code::SignatureMismatch);
    assert!(
        error.message().contains("the component exports `api::counter(start: int) -> Counter`"),
        "{error}"
    );
}
