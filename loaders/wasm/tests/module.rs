//! Core modules: numbers as they are, texts in the module's memory, and modules that misbehave.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use caraway_loaders_core::bind::Bound;
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::loader::Loader;
use caraway_loaders_core::manifest::Manifest;
use caraway_loaders_core::{Code, Error};
use common::{Bench, engine, fails, failure, plugin, shown};
use rhai::Engine;
use std::path::Path;
use std::time::{Duration, Instant};

/// Functions over numbers, with what toolchains and others leave in a module.
const NUMBERS: &str = r#"(module
    (import "env" "abort" (func $abort (param i32 i32 i32 i32)))
    (memory (export "memory") 1)
    (global $count (mut i64) (i64.const 0))
    (table (export "table") 1 funcref)
    (func (export "_initialize") (global.set $count (i64.const 10)))
    (func (export "_start") unreachable)
    (func (export "__heap") (result i32) (i32.const 1))
    (func (export "alloc") (param i32) (result i32) (i32.const 8))
    (func (export "two words") (result i32) (i32.const 1))
    (func (export "vector") (param v128))
    (func (export "count") (result i64)
        (global.set $count (i64.add (global.get $count) (i64.const 1))) (global.get $count))
    (func (export "add") (param i64 i64) (result i64) (i64.add (local.get 0) (local.get 1)))
    (func (export "small") (param i32) (result i32) (i32.sub (i32.const 0) (local.get 0)))
    (func (export "half") (param f64) (result f64) (f64.mul (local.get 0) (f64.const 0.5)))
    (func (export "third") (param f32) (result f32) (f32.div (local.get 0) (f32.const 3)))
    (func (export "many") (param i32 i64 f32 f64 i32 i64 f32 f64) (result f64)
        (f64.add (f64.convert_i32_s (local.get 4)) (local.get 7)))
    (func (export "match") (result i32 i64) (i32.const 1) (i64.const 2))
    (func (export "mixed") (result i32 f64) (i32.const 1) (f64.const 2.5))
    (func (export "nothing"))
    (func (export "giveUp") (call $abort (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))
    (func (export "trap") unreachable)
    (func (export "spin") (loop $l (br $l)))
    (func $deep (export "deep") (param i64) (result i64)
        (if (result i64) (i64.eqz (local.get 0)) (then (i64.const 0))
            (else (i64.add (i64.const 1) (call $deep (i64.sub (local.get 0) (i64.const 1)))))))
    (func (export "bomb")
        (loop $l (if (i32.eq (i32.const -1) (memory.grow (i32.const 16))) (then unreachable)) (br $l))))"#;

/// Functions over texts, among them those that lie about where they are.
const TEXTS: &str = r#"(module
    (memory (export "memory") 1)
    (global $heap (mut i32) (i32.const 1024))
    (global $freed (mut i32) (i32.const 0))
    (func $alloc (export "alloc") (param i32) (result i32)
        (local $at i32)
        (local.set $at (global.get $heap))
        (global.set $heap (i32.add (global.get $heap) (local.get 0)))
        (if (i32.gt_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536)))
            (then (if (i32.eq (i32.const -1)
                    (memory.grow (i32.add (i32.const 1) (i32.shr_u (local.get 0) (i32.const 16)))))
                (then (return (i32.const 0))))))
        (local.get $at))
    (func (export "dealloc") (param i32 i32)
        (global.set $freed (i32.add (global.get $freed) (local.get 1))))
    (func (export "freed") (result i32) (global.get $freed) (global.set $freed (i32.const 0)))
    (func $pack (param i32 i32) (result i64)
        (i64.or (i64.shl (i64.extend_i32_u (local.get 0)) (i64.const 32)) (i64.extend_i32_u (local.get 1))))
    (func (export "echo") (param i32 i32) (result i64) (call $pack (local.get 0) (local.get 1)))
    (func (export "same") (param i32 i32) (result i64) (call $pack (local.get 0) (local.get 1)))
    (func (export "size") (param i32 i32) (result i32) (local.get 1))
    (func (export "first") (param i32 i32) (result i32) (i32.load8_u (local.get 0)))
    (func (export "join") (param i32 i32 i64 i32 i32) (result i64)
        (local $at i32)
        (local.set $at (call $alloc (i32.add (local.get 1) (local.get 4))))
        (memory.copy (local.get $at) (local.get 0) (local.get 1))
        (memory.copy (i32.add (local.get $at) (local.get 1)) (local.get 3) (local.get 4))
        (call $pack (local.get $at) (i32.add (local.get 1) (local.get 4))))
    (func (export "not") (param i32) (result i32) (i32.eqz (local.get 0)))
    (func (export "next") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
    (func (export "raw") (param i64) (result i64) (local.get 0))
    (func (export "raw_bytes") (param i64) (result i64) (local.get 0)))"#;

const TEXT_FUNCTIONS: &[&str] = &[
    "freed() -> int",
    "echo(text: string) -> string",
    "same(data: bytes) -> bytes",
    "size(text: string) -> int",
    "first(data: bytes) -> int",
    "join(a: string, by: int, b: string) -> string",
    "not(v: bool) -> bool",
    "next(c: char) -> char",
    "raw(place: int) -> string",
    "raw_bytes(place: int) -> bytes",
];

/// A manifest of the plugin `m` with these functions, and with `more` above them.
fn manifest(functions: &[&str], more: &str) -> Manifest {
    let mut text = format!("name = \"m\"\nversion = \"1.0.0\"\ntype = \"wasm\"\n{more}\n");
    for function in functions {
        let signature: caraway_loaders_core::Signature = function.parse().unwrap();
        let params: Vec<String> = signature
            .params
            .iter()
            .map(|param| format!("{{ name = \"{}\", type = \"{}\" }}", param.name, param.ty))
            .collect();
        text.push_str(&format!(
            "[[functions]]\nname = \"{}\"\nparams = [{}]\nreturns = \"{}\"\n",
            signature.name,
            params.join(", "),
            signature.returns
        ));
    }
    Manifest::parse(Path::new("plugin.toml"), text.as_bytes()).unwrap()
}

fn declared(bench: &Bench, module: &str, manifest: Manifest, limits: Limits) -> Result<Bound, Error> {
    std::fs::write(bench.folder.path().join("m.wasm"), wat::parse_str(module).unwrap()).unwrap();
    bench.load(plugin(manifest, bench.folder.path()), limits)
}

#[track_caller]
fn texts(limits: Limits) -> Engine {
    let bench = Bench::new();
    engine(&declared(&bench, TEXTS, manifest(TEXT_FUNCTIONS, ""), limits).unwrap())
}

#[test]
fn numeric_exports_are_functions() {
    let bench = Bench::new();
    let bound = bench.load(bench.plugin("m", NUMBERS), Limits::PLUGIN).unwrap();
    let signatures: Vec<String> = bound.signatures.iter().map(ToString::to_string).collect();
    assert_eq!(
        signatures,
        [
            "count() -> int",
            "add(p1: int, p2: int) -> int",
            "small(p1: int) -> int",
            "half(p1: float) -> float",
            "third(p1: float) -> float",
            "many(p1: int, p2: int, p3: float, p4: float, p5: int, p6: int, p7: float, p8: float) -> float",
            "match_() -> array<int>",
            "mixed() -> array<any>",
            "nothing()",
            "giveUp()",
            "trap()",
            "spin()",
            "deep(p1: int) -> int",
            "bomb()",
        ]
    );
    let engine = engine(&bound);
    for (call, result) in [
        ("m::count()", "11"),
        ("m::add(2, 40)", "42"),
        ("m::add(9223372036854775807, 1)", "-9223372036854775808"),
        ("m::small(2147483647)", "-2147483647"),
        ("m::half(3)", "1.5"),
        ("m::third(1.5)", "0.5"),
        ("m::many(1, 2, 3.0, 4.0, 5, 6, 7, 8.5)", "13.5"),
        ("m::match_()", "[1, 2]"),
        ("m::mixed()", "[1, 2.5]"),
        ("m::nothing()", "()"),
    ] {
        assert_eq!(shown(&engine, call), result, "{call}");
    }
}

#[test]
fn what_a_number_cannot_hold_is_the_callers_mistake() {
    let bench = Bench::new();
    let engine = bench.engine(NUMBERS);
    shown(&engine, "m::count()");
    for (call, message) in [
        ("m::small(2147483648)", "must be an int from -2147483648 to 2147483647, found 2147483648"),
        ("m::third(1e300)", "must be a float of 32 bits"),
        ("m::add(1, 2.0)", "argument 2 of `m::add`: `p2` must be int, found float"),
        ("m::add(\"a\", 2)", "`p1` must be int, found string"),
    ] {
        fails(&engine, call, Code::ArgumentType, message);
    }
    assert_eq!(shown(&engine, "m::count()"), "12", "the state is kept");
}

#[test]
fn texts_go_through_the_memory_and_are_given_back() {
    let engine = texts(Limits::PLUGIN);
    for (call, result) in [
        ("m::echo(\"h\u{e9}llo\")", "\"h\u{e9}llo\""),
        ("m::echo(\"\")", "\"\""),
        ("m::echo(\"a\\x00b\").len", "3"),
        ("m::same(blob(3, 255)) == blob(3, 255)", "true"),
        ("m::size(\"\")", "0"),
        ("m::first(blob(2, 7))", "7"),
        ("m::join(\"ab\", 1, \"cd\")", "\"abcd\""),
        ("m::not(true)", "false"),
        ("m::next('a')", "'b'"),
        ("let big = \"\"; big.pad(200000, 'x'); m::echo(big).len", "200000"),
        ("m::raw_bytes(0) == blob()", "true"),
        // Two arguments and a result of four; the second call's argument is its result.
        ("m::freed(); m::join(\"ab\", 1, \"cd\"); m::freed()", "8"),
        ("m::freed(); m::echo(\"abc\"); m::freed()", "3"),
        ("m::freed(); m::size(\"\"); m::freed()", "1"),
    ] {
        assert_eq!(shown(&engine, call), result, "{call}");
    }
}

#[test]
fn places_are_looked_at_before_they_are_used() {
    let engine = texts(Limits::PLUGIN);
    for (call, message) in [
        ("m::raw(65536 << 32 | 1)", "`m::raw` gave 1 bytes at 65536, outside of its memory of 65536 bytes"),
        ("m::raw(1 << 32 | 65536)", "gave 65536 bytes at 1, outside"),
        ("m::raw(-1)", "gave 4294967295 bytes at 4294967295, outside"),
        ("m::raw_bytes(4294967295)", "gave 4294967295 bytes at 0, outside"),
    ] {
        fails(&engine, call, Code::PluginCrashed, message);
        fails(&engine, call, Code::PluginCrashed, "the plugin's state was lost");
    }
    fails(&engine, "m::next('\u{10ffff}')", Code::ResultType, "1114112 is no char");
    fails(&engine, "m::raw(m::freed() * 0 + (1 << 32 | 70000))", Code::PluginCrashed, "outside");
    assert_eq!(shown(&engine, "m::echo(\"well\")"), "\"well\"");
}

#[test]
fn results_are_checked_before_they_are_copied() {
    let mut limits = Limits::PLUGIN;
    limits.string_size = Some(1000);
    let engine = texts(limits);
    fails(&engine, "m::raw(1001)", Code::Memory, "the result has 1001 bytes; at most 1000 are allowed");
    fails(&engine, "m::raw_bytes(1001)", Code::Memory, "at most 1000");
    assert_eq!(shown(&engine, "m::raw(1000).len"), "1000");
    let not_utf8 = TEXTS.replace(
        "(memory (export \"memory\") 1)",
        "(memory (export \"memory\") 1) (data (i32.const 16) \"a\\ff\")",
    );
    let bench = Bench::new();
    let bound = declared(&bench, &not_utf8, manifest(TEXT_FUNCTIONS, ""), Limits::PLUGIN).unwrap();
    fails(&common::engine(&bound), "m::raw(16 << 32 | 2)", Code::ResultType, "is not UTF-8, from byte 1 on");
}

#[test]
fn an_allocator_may_fail_in_every_way() {
    for (alloc, code, message) in [
        ("(i32.const 0)", Code::Memory, "has no room for 2 bytes: its `alloc` gave 0"),
        ("(i32.const -1)", Code::PluginCrashed, "gave 2 bytes at 4294967295, outside"),
        ("(i32.const 65535)", Code::PluginCrashed, "gave 2 bytes at 65535, outside"),
        ("unreachable", Code::PluginCrashed, "wasm `unreachable` instruction executed"),
        ("(loop $l (br $l)) unreachable", Code::Deadline, "longer than its limit of 30ms"),
        ("(drop (memory.grow (i32.const 60000))) (i32.const 0)", Code::Memory, "bytes"),
    ] {
        let module = format!(
            r#"(module (memory (export "memory") 1) (func (export "alloc") (param i32) (result i32) {alloc})
                (func (export "f") (param i32 i32)))"#
        );
        let bench = Bench::new();
        let mut limits = Limits::PLUGIN;
        limits.timeout = Some(Duration::from_millis(30));
        let bound = declared(&bench, &module, manifest(&["f(text: string)"], ""), limits).unwrap();
        fails(&engine(&bound), "m::f(\"ab\")", code, message);
    }
}

#[test]
fn a_fault_costs_the_state_and_nothing_else() {
    let bench = Bench::new();
    let mut limits = Limits::PLUGIN;
    limits.memory = Some(100 << 20);
    let engine = bench.engine_with(NUMBERS, limits);
    for (call, code, message) in [
        ("trap()", Code::PluginCrashed, "`m::trap` crashed: wasm `unreachable` instruction executed"),
        ("giveUp()", Code::PluginCrashed, "`m::giveUp` called `abort`"),
        ("deep(100000000)", Code::Limit, "`m::deep` recursed too deep"),
        ("bomb()", Code::Memory, "`m::bomb` needs more than its limit of 104857600 bytes"),
    ] {
        assert_eq!(shown(&engine, "m::count(); m::count()"), "12", "before {call}");
        fails(&engine, &format!("m::{call}"), code, message);
        fails(&engine, &format!("m::{call}"), code, "the plugin's state was lost");
        assert_eq!(shown(&engine, "m::count()"), "11", "after {call}");
        shown(&engine, "try { m::trap() } catch { }");
    }
}

#[test]
fn endless_loops_end_at_the_deadline() {
    let bench = Bench::new();
    let mut limits = Limits::PLUGIN;
    limits.timeout = Some(Duration::from_millis(30));
    let engine = bench.engine_with(NUMBERS, limits);
    let start = Instant::now();
    let error = failure(&engine, "m::count(); m::spin()");
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!(error.code(), Code::Deadline);
    assert!(error.message().starts_with("`m` ran longer than its limit of 30ms"), "{error}");
}

#[test]
fn threads_take_turns_and_their_deadlines_hold_while_they_wait() {
    let bench = Bench::new();
    let mut limits = Limits::PLUGIN;
    limits.timeout = Some(Duration::from_millis(50));
    let bound = bench.load(bench.plugin("m", NUMBERS), limits).unwrap();
    let codes = std::thread::scope(|scope| {
        let spin = || failure(&engine(&bound), "m::spin()").code();
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(spin)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(codes, [Code::Deadline; 4]);
    assert_eq!(shown(&engine(&bound), "m::count()"), "11");
}

#[track_caller]
fn refused(module: &str, functions: &[&str], more: &str, code: Code, message: &str) {
    let bench = Bench::new();
    let error = declared(&bench, module, manifest(functions, more), Limits::PLUGIN).unwrap_err();
    assert_eq!(error.code(), code, "{error}");
    let all: Vec<&str> =
        [error.message()].into_iter().chain(error.others().iter().map(Error::message)).collect();
    assert!(all.iter().any(|text| text.contains(message)), "{all:?}");
    assert!(error.location().is_some(), "{error}");
}

#[test]
fn declarations_are_compared_with_exports() {
    let one = r#"(module (memory (export "memory") 1)
        (func (export "alloc") (param i32) (result i32) (i32.const 0))
        (func (export "f") (param i32 i32) (result i64) (i64.const 0)))"#;
    for functions in [["f(a: int, b: int) -> int"], ["f(a: string) -> bytes"], ["f(a: bool, b: char) -> int"]]
    {
        let bench = Bench::new();
        let bound = declared(&bench, one, manifest(&functions, ""), Limits::PLUGIN).unwrap();
        assert_eq!(bound.signatures[0].to_string(), functions[0]);
    }
    for (functions, message) in [
        (
            &["f(a: int) -> int"][..],
            "the manifest declares `f(a: int) -> int`, the module exports `f(i32, i32) -> i64`",
        ),
        (&["f(a: string, b: int) -> int"], "the module exports `f(i32, i32) -> i64`"),
        (&["f(a: float, b: int) -> int"], "the module exports"),
        (&["f(a: string) -> float"], "the module exports"),
        (&["f(a: string)"], "the module exports"),
        (&["f(a: string) -> array<int>"], "the module exports"),
        (&["f(a: string) -> int", "g() -> int"], "declares `g() -> int`, which the module does not export"),
        (&["h()"], "the module exports `f(p1: int, p2: int) -> int`, which the manifest does not declare"),
    ] {
        refused(one, functions, "", Code::SignatureMismatch, message);
    }
    refused(one, &["f(a: map) -> int"], "", Code::NotEnforced, "a core module can be given int, float, bool");
    let without = |what: &str| one.replace(what, &what.replace("export \"", "export \"_"));
    for (module, message) in [
        (without("export \"memory\""), "must export a 32-bit memory called `memory`"),
        (without("export \"alloc\""), "must export `alloc(size: i32) -> i32`"),
        (
            one.replace("(memory (export \"memory\") 1)", "(memory (export \"memory\") i64 1)"),
            "a 32-bit memory",
        ),
        (one.replace("(func (export \"f\")", "(func (export \"dealloc\")) (func (export \"f\")"), "or none"),
    ] {
        refused(&module, &["f(a: string) -> int"], "", Code::SignatureMismatch, message);
    }
}

#[test]
fn what_core_modules_cannot_have_is_refused() {
    let one = r#"(module (func (export "f")))"#;
    for (more, message) in [
        ("capabilities = [\"env\"]", "`env`"),
        ("dependencies = [\"stats\"]", "import other plugins"),
        ("[config]\nsize = { type = \"int?\" }", "given settings"),
    ] {
        let bench = Bench::new();
        let manifest = manifest(&["f()"], more);
        assert!(declared(&bench, one, manifest, Limits::PLUGIN).unwrap_err().message().contains(message));
    }
    for (module, message) in [
        (r#"(module)"#, "exports no functions that a script could call"),
        (r#"(module (func (export "_start")))"#, "exports no functions"),
        (r#"(module (import "a" "b" (func)))"#, "it imports `b` from `a`"),
        (r#"(module (import "env" "abort" (func (param i32))))"#, "it imports `abort` from `env`"),
        (r#"(module (import "env" "memory" (memory 1)))"#, "it imports `memory` from `env`"),
        (
            r#"(module (import "wasi_snapshot_preview1" "fd_write" (func)) (import "wasi_snapshot_preview1" "proc_exit" (func)))"#,
            "it imports `fd_write`, `proc_exit` of WASI preview 1",
        ),
        (
            r#"(module (func (export "match")) (func (export "match_")))"#,
            "two functions that would both be `match_`",
        ),
    ] {
        let bench = Bench::new();
        let error = bench.loader.inspect(&bench.plugin("m", module)).unwrap_err();
        assert_eq!(error.code(), Code::LoadFailed, "{error}");
        assert!(error.message().contains(message) && error.location().is_some(), "{error}");
    }
}

#[test]
fn an_initialisation_that_fails_is_an_error_of_the_load() {
    let mut limits = Limits::PLUGIN;
    limits.timeout = Some(Duration::from_millis(20));
    for (body, code) in [("unreachable", Code::PluginCrashed), ("(loop $l (br $l))", Code::Deadline)] {
        for head in ["(func $i (export \"_initialize\")", "(start $i) (func $i"] {
            let bench = Bench::new();
            let text = format!("(module {head} {body}) (func (export \"f\")))");
            let error = bench.load(bench.plugin("m", &text), limits).unwrap_err();
            assert_eq!(error.code(), code, "{error}");
            assert!(error.location().is_some(), "{error}");
        }
    }
}

#[test]
fn a_module_is_refused_wherever_it_is_cut() {
    let bench = Bench::new();
    let whole = wat::parse_str(NUMBERS).unwrap();
    for len in (8..whole.len()).step_by(7) {
        assert!(bench.loader.inspect(&bench.plugin_of_bytes("m", &whole[..len])).is_err(), "{len} bytes");
    }
}

#[test]
fn flipped_bits_never_harm_the_host() {
    let bench = Bench::new();
    let whole = wat::parse_str(TEXTS).unwrap();
    let mut limits = Limits::PLUGIN;
    limits.timeout = Some(Duration::from_millis(20));
    let manifest = manifest(TEXT_FUNCTIONS, "");
    let mut accepted = 0;
    for at in (8..whole.len()).step_by(5) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        std::fs::write(bench.folder.path().join("m.wasm"), bytes).unwrap();
        let Ok(bound) = bench.load(plugin(manifest.clone(), bench.folder.path()), limits) else { continue };
        accepted += 1;
        // What it answers does not matter; that there is an answer does.
        let _ = engine(&bound).eval::<String>("m::join(\"ab\", 1, m::echo(\"cd\"))");
    }
    assert!(accepted > 0, "no change was harmless: the test shows nothing");
}
