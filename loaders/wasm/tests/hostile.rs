//! Components that attack the host: through what they give back, what they make it keep, and where they trap.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use caraway_loaders_core::budget::{Cancel, CountingAllocator, Meter};
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::{Code, Error};
use common::{Bench, component, fails, shown};
use rhai::{Dynamic, Engine};
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

fn limits(timeout: u64) -> Limits {
    let mut limits = Limits::PLUGIN;
    limits.timeout = Some(Duration::from_millis(timeout));
    limits.memory = Some(64 << 20);
    limits
}

/// A component with one function, which is this.
fn one(ty: &str, body: &str) -> String {
    component("", &[("f", ty, body), ("count", "(result s64)", "(result i64) (i64.const 1)")])
}

/// What a program gets that may use so much memory, and calls `m::f()`.
#[track_caller]
fn in_program(engine: &Engine, memory: u64) -> Error {
    let mut limits = Limits::PROGRAM;
    limits.memory = Some(memory);
    let frame = Meter::program(&limits, Cancel::default());
    let frame = frame.enter().unwrap();
    // Not the value: it could be as large as memory.
    let error = engine.eval::<Dynamic>("m::f()").map(drop).unwrap_err();
    Error::raised_in(&error).unwrap_or_else(|| frame.settle(error).unwrap())
}

/// Fills memory from `at` on with 1000 lists, each of which is `len` items at `place`.
fn lists(at: u32, place: u32, len: u32) -> String {
    format!(
        "(local.set $i (i32.const 0))
        (loop $l
            (i32.store (i32.add (i32.const {at}) (i32.mul (local.get $i) (i32.const 8))) (i32.const {place}))
            (i32.store (i32.add (i32.const {at}) (i32.add (i32.const 4) (i32.mul (local.get $i) (i32.const 8))))
                (i32.const {len}))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $l (i32.lt_u (local.get $i) (i32.const 1000))))"
    )
}

/// Lists that all stand in one place: a memory of 64 KiB would become gigabytes.
#[test]
fn what_is_given_back_is_bounded_by_what_it_takes_of_the_host() {
    let result = "(i32.store (i32.const 64) (i32.const 32768)) (i32.store (i32.const 68) (i32.const 1000)) (i32.const 64)";
    let (texts, of_texts) = (lists(8192, 0, 60), lists(32768, 8192, 1000));
    let bytes = lists(32768, 0, 60000);
    for (ty, body) in [
        ("(list (list string))", format!("{texts} {of_texts}")),
        ("(list (list s8))", bytes.clone()),
        ("(list string)", lists(32768, 1000, 30000)),
        ("(list (list u8))", bytes.clone()),
        ("(list (list (tuple u8 u8)))", lists(32768, 1000, 30000)),
        ("(list (list (option bool)))", lists(32768, 1000, 3000)),
    ] {
        let body = format!("(result i32) (local $i i32) {body} {result}");
        let engine = Bench::new().engine_with(&one(&format!("(result {ty})"), &body), limits(30_000));
        let error = in_program(&engine, 16 << 20);
        assert_eq!(error.code(), Code::Memory, "{ty}: {error}");
        assert_eq!(shown(&engine, "m::count()"), "1", "{ty}");
    }
    // Nor for longer than it may.
    let body = format!("(result i32) (local $i i32) {bytes} {result}");
    let engine = Bench::new().engine_with(&one("(result (list (list s8)))", &body), limits(20));
    let start = Instant::now();
    fails(&engine, "m::f(); ()", Code::Deadline, "longer than its limit");
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn an_allocator_may_lie_trap_and_never_return() {
    let text = component(
        "",
        &[("f", "(param \"t\" string) (result s64)", "(param i32 i32) (result i64) (i64.const 1)")],
    );
    let start = text.find("(local $at i32)").unwrap();
    let end = start + text[start..].find("(local.get $at))").unwrap() + "(local.get $at))".len();
    for (body, code, message) in [
        ("(i32.const -1)", Code::PluginCrashed, "broke the component ABI"),
        ("(i32.const 65536)", Code::PluginCrashed, "broke the component ABI"),
        ("(i32.const 65530)", Code::PluginCrashed, "broke the component ABI"),
        ("unreachable", Code::PluginCrashed, "crashed"),
        ("(loop $l (br $l)) unreachable", Code::Deadline, "longer than its limit"),
        ("(drop (memory.grow (i32.const 60000))) (i32.const -1)", Code::Memory, "needs more than its limit"),
        (
            "(call $realloc (local.get 0) (local.get 1) (local.get 2) (local.get 3))",
            Code::Limit,
            "recursed too deep",
        ),
    ] {
        let text = format!("{}{body}){}", &text[..start], &text[end..]);
        let engine = Bench::new().engine_with(&text, limits(50));
        for _ in 0..2 {
            fails(&engine, "m::f(\"a text that needs an allocator\")", code, message);
        }
    }
}

#[test]
fn what_comes_after_a_return_may_trap_and_never_end() {
    for (body, code, message) in [
        ("unreachable", Code::PluginCrashed, "crashed"),
        ("(loop $l (br $l))", Code::Deadline, "longer than its limit"),
        ("(drop (memory.grow (i32.const 60000))) unreachable", Code::Memory, "needs more than its limit"),
        ("(call $again (local.get 0))", Code::Limit, "recursed too deep"),
    ] {
        let text = format!(
            r#"(component (core module $m
                (memory (export "memory") 1)
                (func (export "f") (result i32) (i32.store (i32.const 4) (i32.const 3)) (i32.const 0))
                (func $again (export "after") (param i32) {body}))
            (core instance $i (instantiate $m))
            (func (export "f") (result string) (canon lift (core func $i "f")
                (memory (core memory $i "memory")) (post-return (core func $i "after")))))"#
        );
        let engine = Bench::new().engine_with(&text, limits(50));
        for _ in 0..2 {
            fails(&engine, "m::f()", code, message);
        }
    }
}

#[test]
fn resources_tables_and_memories_without_end() {
    let resources = r#"(component
        (type $r (resource (rep i32)))
        (core func $new (canon resource.new $r))
        (core module $m (import "r" "new" (func $new (param i32) (result i32)))
            (func (export "f") (loop $l (drop (call $new (i32.const 1))) (br $l))))
        (core instance $i (instantiate $m (with "r" (instance (export "new" (func $new))))))
        (func (export "f") (canon lift (core func $i "f"))))"#;
    let engine = Bench::new().engine_with(resources, limits(3000));
    let start = Instant::now();
    let error = in_program(&engine, 256 << 20);
    assert!(matches!(error.code(), Code::PluginCrashed | Code::Memory | Code::Deadline), "{error}");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());

    let tables = |count: usize| {
        let tables: String = (0..count).map(|_| "(table 1 funcref)").collect();
        let grow: String = (0..count)
            .map(|i| format!("(drop (table.grow {i} (ref.null func) (i32.const 1000000)))"))
            .collect();
        let core = format!("(core module $m {tables} (func (export \"f\") {grow} unreachable))");
        format!(
            "(component {core} (core instance $i (instantiate $m)) (func (export \"f\") (canon lift (core func $i \"f\"))))"
        )
    };
    fails(
        &Bench::new().engine_with(&tables(90), limits(3000)),
        "m::f()",
        Code::Memory,
        "needs more than its limit",
    );

    // A thousand instances of 100 pages.
    let mut text = "(component (core module $m (memory 100))".to_owned();
    (0..1000).for_each(|_| text.push_str("(core instance (instantiate $m))"));
    text.push_str("(core module $f (func (export \"f\"))) (core instance $i (instantiate $f))");
    text.push_str("(func (export \"f\") (canon lift (core func $i \"f\"))))");
    let bench = Bench::new();
    let error = bench.load(bench.plugin("m", &text), limits(3000)).unwrap_err();
    assert!(matches!(error.code(), Code::Memory | Code::PluginCrashed | Code::LoadFailed), "{error}");
}

#[test]
fn what_a_component_says_of_itself_is_bounded() {
    // Thousands of functions, each with its own type.
    let bench = Bench::new();
    let mut text = "(component (core module $m".to_owned();
    (0..4_000).for_each(|i| text.push_str(&format!("(func (export \"{i}\"))")));
    text.push_str(") (core instance $i (instantiate $m))");
    (0..4_000).for_each(|i| {
        text.push_str(&format!("(func (export \"f{i}\") (canon lift (core func $i \"{i}\")))"))
    });
    text.push(')');
    let start = Instant::now();
    match bench.load(bench.plugin("m", &text), limits(30_000)) {
        Ok(bound) => assert_eq!(bound.signatures.len(), 4_000),
        Err(error) => assert!(matches!(error.code(), Code::LoadFailed | Code::Limit), "{error}"),
    }
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());

    // A type that nests without end, and one that doubles at each level.
    let mut deep = "(component ".to_owned();
    let mut wide = deep.clone();
    deep.push_str("(type $t0 (list u8))");
    wide.push_str("(type $t0 (tuple u8 u8))");
    for i in 1..2000 {
        deep.push_str(&format!("(type $t{i} (list $t{}))", i - 1));
    }
    for i in 1..60 {
        wide.push_str(&format!("(type $t{i} (tuple $t{0} $t{0}))", i - 1));
    }
    for (text, last) in [(deep, 1999), (wide, 59)] {
        let text = format!(
            "{text} (core module $m (memory (export \"m\") 1)
                (func (export \"r\") (param i32 i32 i32 i32) (result i32) unreachable)
                (func (export \"f\") (param i32) (result i32) unreachable))
            (core instance $i (instantiate $m))
            (func (export \"f\") (param \"x\" $t{last}) (result $t{last}) (canon lift (core func $i \"f\")
                (memory (core memory $i \"m\")) (realloc (core func $i \"r\")))))"
        );
        let start = Instant::now();
        let Ok(bytes) = wat::parse_str(&text) else { continue };
        let outcome = bench.load(bench.plugin_of_bytes("m", &bytes), limits(30_000));
        let code = outcome.map(drop).map_err(|error| error.code());
        assert!(code.is_ok() || matches!(code, Err(Code::LoadFailed | Code::Limit)), "{code:?}");
        assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    }
}

/// A guest needs half a megabyte of stack, wherever the script is that calls it.
#[test]
fn a_script_that_recurses_leaves_a_guest_its_stack() {
    let text = component(
        "",
        &[(
            "f",
            "(param \"n\" s64) (result s64)",
            "(param i64) (result i64)
            (if (result i64) (i64.eqz (local.get 0)) (then (i64.const 0))
                (else (i64.add (i64.const 1) (call $f (i64.sub (local.get 0) (i64.const 1))))))",
        )],
    )
    .replace("(func (export \"0\")", "(func $f (export \"0\")");
    let bench = Bench::new();
    let bound = bench.load(bench.plugin("m", &text), limits(30_000)).unwrap();
    let run = move || {
        let mut engine = common::engine(&bound);
        engine.set_max_call_levels(100_000);
        engine.on_progress(caraway_loaders_core::budget::tick);
        let script = "fn down(n) { try { m::f(100000000) } catch { } down(n + 1) } down(0)";
        engine.eval::<Dynamic>(script).map(drop).unwrap_err().to_string()
    };
    let error = std::thread::Builder::new().stack_size(4 << 20).spawn(run).unwrap().join().unwrap();
    assert!(!error.is_empty());
}
