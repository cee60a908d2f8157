//! Buffers, and how large arguments and results may be.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod common;

use caraway_loaders_core::buffer::{Floats, Ints};
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::manifest::Manifest;
use caraway_loaders_core::{Code, Error};
use common::{Bench, component};
use rhai::{Dynamic, Engine, Scope};
use std::path::Path;

const PAIR: &str = "(param i32 i32) (result i32)
    (i32.store (i32.const 64) (local.get 0)) (i32.store (i32.const 68) (local.get 1)) (i32.const 64)";

const FUNCTIONS: &[(&str, &str, &str)] = &[
    ("floats", "(param \"xs\" (list f64)) (result (list f64))", PAIR),
    ("ints", "(param \"xs\" (list s64)) (result (list s64))", PAIR),
    ("singles", "(param \"xs\" (list f32)) (result (list f32))", PAIR),
    ("text", "(param \"text\" string) (result string)", PAIR),
    ("nested", "(param \"xs\" (list (list f64))) (result (list (list f64)))", PAIR),
    (
        "sum",
        "(param \"first\" s64) (param \"xs\" (list f64)) (param \"ys\" (list s64)) (result f64)",
        "(param i64 i32 i32 i32 i32) (result f64)
            (f64.add (f64.add (f64.convert_i64_s (local.get 0)) (f64.load (local.get 1)))
                (f64.convert_i64_s (i64.load (local.get 3))))",
    ),
    (
        "count",
        "(result s64)",
        "(result i64) (global.set $count (i32.add (global.get $count) (i32.const 1)))
            (i64.extend_i32_u (global.get $count))",
    ),
    (
        "long",
        "(param \"bytes\" u32) (result string)",
        "(param i32) (result i32) (drop (memory.grow (i32.const 64)))
            (i32.store (i32.const 64) (i32.const 61440)) (i32.store (i32.const 68) (local.get 0)) (i32.const 64)",
    ),
    (
        "many",
        "(param \"count\" u32) (result (result (list s64) (error string)))",
        "(param i32) (result i32) (drop (memory.grow (i32.const 64)))
            (i32.store8 (i32.const 64) (i32.const 0))
            (i32.store (i32.const 68) (i32.const 61440)) (i32.store (i32.const 72) (local.get 0)) (i32.const 64)",
    ),
];

const MANIFEST: &str = r#"
    name = "m"
    version = "1.0.0"
    type = "wasm"
    [[functions]]
    name = "floats"
    params = [{ name = "xs", type = "array<float>" }]
    returns = "floats"
    [[functions]]
    name = "ints"
    params = [{ name = "xs", type = "ints" }]
    returns = "ints"
    [[functions]]
    name = "many"
    params = [{ name = "count", type = "int" }]
    returns = "ints"
"#;

/// What a script gives or throws, with buffers to hand.
#[track_caller]
fn outcome(engine: &Engine, script: &str) -> Result<String, Error> {
    let mut scope = Scope::new();
    scope.push("floats", Floats::from(vec![1.5, -2.0]));
    scope.push("ints", Ints::from(vec![7, i64::MIN]));
    match engine.eval_with_scope::<Dynamic>(&mut scope, script) {
        Ok(value) => Ok(match (Floats::of(&value), Ints::of(&value)) {
            (Some(floats), _) => format!("floats {:?}", &floats.read().unwrap()[..]),
            (_, Some(ints)) => format!("ints {:?}", &ints.read().unwrap()[..]),
            _ => format!("{value:?}"),
        }),
        Err(error) => Err(Error::raised_in(&error).unwrap_or_else(|| panic!("{script}: {error}"))),
    }
}

#[track_caller]
fn gives(engine: &Engine, script: &str, expected: &str) {
    assert_eq!(
        outcome(engine, script).unwrap_or_else(|error| panic!("{script}: {error}")),
        expected,
        "{script}"
    );
}

#[track_caller]
fn fails(engine: &Engine, script: &str, code: Code, message: &str) {
    let error = outcome(engine, script).unwrap_err();
    assert_eq!(error.code(), code, "{script}: {error}");
    assert!(error.message().contains(message), "{script}: {error}");
}

fn with_manifest(manifest: &str) -> Result<Engine, Error> {
    let bench = Bench::new();
    let functions: Vec<_> = FUNCTIONS
        .iter()
        .filter(|(name, ..)| manifest.contains(&format!("name = \"{name}\"\n")))
        .copied()
        .collect();
    let mut plugin = bench.plugin("m", &component("", &functions));
    let entrypoint = plugin.manifest.implementation.entrypoint.take();
    plugin.manifest = Manifest::parse(Path::new("plugin.toml"), manifest.as_bytes()).unwrap();
    plugin.manifest.implementation.entrypoint = entrypoint;
    bench.load(plugin, Limits::PLUGIN).map(|bound| common::engine(&bound))
}

#[test]
fn lists_of_numbers_may_be_buffers() {
    let engine = Bench::new().engine(&component("", FUNCTIONS));
    for (script, result) in [
        ("m::floats(floats)", "[1.5, -2.0]"),
        ("m::floats([1, 2.5])", "[1.0, 2.5]"),
        ("m::ints(ints)", "[7, -9223372036854775808]"),
        ("m::sum(1, floats, ints)", "9.5"),
        ("m::sum(1, [0.5], ints)", "8.5"),
        ("m::sum(1, floats, [2])", "4.5"),
        ("m::nested([[0.5], floats])", "[[0.5], [1.5, -2.0]]"),
        ("let f = || floats; m::floats(floats)", "[1.5, -2.0]"),
        ("let a = [1]; let f = || a; m::sum(1, floats, a)", "3.5"),
    ] {
        gives(&engine, script, result);
    }
    for (script, message) in [
        ("m::floats(ints)", "`xs` must be array<float>, found ints"),
        ("m::ints(floats)", "`xs` must be array<int>, found floats"),
        ("m::singles(floats)", "`xs` must be array, found floats"),
        ("m::sum(1, floats, [2.5])", "must be int, found float at `[0]`"),
    ] {
        fails(&engine, script, Code::ArgumentType, message);
    }
}

#[test]
fn a_manifest_may_declare_buffers() {
    let engine = with_manifest(MANIFEST).unwrap();
    gives(&engine, "m::floats([1, 2.5])", "floats [1.0, 2.5]");
    gives(&engine, "m::floats(floats)", "floats [1.5, -2.0]");
    gives(&engine, "m::ints(ints)", "ints [7, -9223372036854775808]");
    gives(&engine, "m::many(2)", "ints [0, 0]");
    fails(&engine, "m::ints([1])", Code::ArgumentType, "`xs` must be ints, found array");
    for (from, to) in
        [("returns = \"floats\"", "returns = \"ints\""), ("type = \"ints\"", "type = \"floats\"")]
    {
        let error = with_manifest(&MANIFEST.replacen(from, to, 1)).unwrap_err();
        assert_eq!(error.code(), Code::SignatureMismatch, "{error}");
    }
}

#[test]
fn a_buffer_that_is_written_to_is_not_read() {
    let engine = Bench::new().engine(&component("", FUNCTIONS));
    let buffer = Floats::from(vec![1.0]);
    let mut scope = Scope::new();
    scope.push("busy", buffer.clone());
    let writing = buffer.write().unwrap();
    let error = engine.eval_with_scope::<Dynamic>(&mut scope, "m::floats(busy)").unwrap_err();
    assert_eq!(Error::raised_in(&error).unwrap().code(), Code::BufferBusy);
    drop(writing);
    assert!(engine.eval_with_scope::<Dynamic>(&mut scope, "m::floats(busy)").is_ok());
}

#[test]
fn what_is_too_large_costs_no_state() {
    let mut limits = Limits::PLUGIN;
    limits.memory = Some(8 << 20);
    limits.string_size = Some(1000);
    limits.array_size = Some(100);
    let engine = Bench::new().engine_with(&component("", FUNCTIONS), limits);
    gives(&engine, "m::count()", "1");
    gives(&engine, "m::long(1000).len()", "1000");
    gives(&engine, "m::many(100).len()", "100");
    for (script, message) in [
        ("m::long(1001)", "the result has 1001 bytes; at most 1000 are allowed"),
        ("m::many(101)", "the result has 101 elements; at most 100 are allowed"),
        (
            "let s = \"\"; s.pad(8 * 1024 * 1024 + 1, 'x'); m::text(s)",
            "the arguments of `m::text` do not fit into its limit of 8388608 bytes",
        ),
        ("let a = []; a.pad(1024 * 1024 + 1, 1); m::ints(a)", "do not fit"),
        ("let a = []; a.pad(1024, 0.5); let b = []; b.pad(1024, a); m::nested(b)", "do not fit"),
    ] {
        fails(&engine, script, Code::Memory, message);
    }
    gives(&engine, "m::count()", "2");
}
