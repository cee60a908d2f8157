//! Components that misbehave, and files that are no components.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use caraway_loaders_core::budget::{Cancel, Meter};
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::loader::Loader;
use caraway_loaders_core::{Code, Error};
use common::{Bench, component, fails, failure, shown, thrown};
use std::time::{Duration, Instant};

/// A component with a counter, to see when its state is lost, and with everything that can go wrong.
fn hostile() -> String {
    component(
        "",
        &[
            (
                "count",
                "(result s64)",
                "(result i64) (global.set $count (i32.add (global.get $count) (i32.const 1)))
                 (i64.extend_i32_u (global.get $count))",
            ),
            ("trap", "", "unreachable"),
            (
                "divide",
                "(param \"a\" s32) (param \"b\" s32) (result s32)",
                "(param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1))",
            ),
            ("spin", "", "(loop $l (br $l))"),
            (
                "recurse",
                "(param \"n\" s64) (result s64)",
                "(param i64) (result i64)
                (if (result i64) (i64.eqz (local.get 0)) (then (i64.const 0))
                    (else (i64.add (i64.const 1) (call $recurse (i64.sub (local.get 0) (i64.const 1))))))",
            ),
            (
                "bomb",
                "",
                "(loop $l
                (if (i32.eq (i32.const -1) (memory.grow (i32.const 16))) (then unreachable)) (br $l))",
            ),
            (
                "grow",
                "(param \"pages\" u32) (result s32)",
                "(param i32) (result i32) (memory.grow (local.get 0))",
            ),
            (
                "bad-utf8",
                "(result string)",
                "(result i32)
                (i32.store8 (i32.const 32) (i32.const 255)) (i32.store (i32.const 64) (i32.const 32))
                (i32.store (i32.const 68) (i32.const 1)) (i32.const 64)",
            ),
            ("bad-char", "(result char)", "(result i32) (i32.const 0xd800)"),
            (
                "outside",
                "(result string)",
                "(result i32)
                (i32.store (i32.const 64) (i32.const 0x7fffffff)) (i32.store (i32.const 68) (i32.const 9))
                (i32.const 64)",
            ),
            (
                "huge",
                "(param \"pages\" u32) (result (list (tuple u8 u8)))",
                "(param i32) (result i32)
                (drop (memory.grow (local.get 0))) (i32.store (i32.const 64) (i32.const 0))
                (i32.store (i32.const 68) (i32.mul (local.get 0) (i32.const 32768))) (i32.const 64)",
            ),
            ("beyond", "(result u64)", "(result i64) (i64.const -1)"),
            (
                "fail",
                "(result (result s64 (error string)))",
                "(result i32)
                (i32.store8 (i32.const 64) (i32.const 1)) (i32.store (i32.const 72) (i32.const 128))
                (i32.store8 (i32.const 128) (i32.const 111)) (i32.store8 (i32.const 129) (i32.const 104))
                (i32.store (i32.const 76) (i32.const 2)) (i32.const 64)",
            ),
        ],
    )
    .replace("(func (export \"4\")", "(func $recurse (export \"4\")")
}

#[test]
fn a_fault_costs_the_state_and_nothing_else() {
    let bench = Bench::new();
    let mut limits = Limits::PLUGIN;
    limits.memory = Some(100 << 20);
    let engine = bench.engine_with(&hostile(), limits);
    for (call, code, message) in [
        ("trap()", Code::PluginCrashed, "`m::trap` crashed: wasm `unreachable` instruction executed"),
        ("divide(1, 0)", Code::PluginCrashed, "`m::divide` crashed: integer divide by zero"),
        ("recurse(100000000)", Code::Limit, "`m::recurse` recursed too deep"),
        ("bomb()", Code::Memory, "`m::bomb` needs more than its limit of 104857600 bytes"),
        ("bad_utf8()", Code::ResultType, "`m::bad_utf8` gave back a string that is not UTF-8"),
        ("bad_char()", Code::PluginCrashed, "`m::bad_char` broke the component ABI"),
        ("outside()", Code::PluginCrashed, "`m::outside` broke the component ABI"),
        ("huge(1000)", Code::Memory, "`m::huge` gave back too much data"),
    ] {
        assert_eq!(shown(&engine, "m::count(); m::count()"), "2", "before {call}");
        fails(&engine, &format!("m::{call}"), code, message);
        fails(&engine, &format!("m::{call}"), code, "the plugin's state was lost");
        assert_eq!(shown(&engine, "m::count()"), "1", "after {call}");
        shown(&engine, "try { m::trap() } catch { }");
    }
}

#[test]
fn what_is_no_fault_keeps_the_state() {
    let bench = Bench::new();
    let engine = bench.engine(&hostile());
    assert_eq!(shown(&engine, "m::count()"), "1");
    fails(&engine, "m::beyond()", Code::ResultType, "18446744073709551615 is beyond an int");
    assert_eq!(thrown(&engine, "m::fail()"), "\"oh\"");
    fails(&engine, "m::divide(1, 3000000000)", Code::ArgumentType, "found 3000000000");
    assert_eq!(shown(&engine, "m::grow(100000)"), "-1");
    assert_eq!(shown(&engine, "m::count()"), "2");
    fails(&engine, "m::trap()", Code::PluginCrashed, "crashed");
}

#[test]
fn endless_loops_end_at_the_deadline() {
    let bench = Bench::new();
    let mut limits = Limits::PLUGIN;
    limits.timeout = Some(Duration::from_millis(30));
    let engine = bench.engine_with(&hostile(), limits);
    let start = Instant::now();
    let error = failure(&engine, "m::count(); m::spin()");
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!(error.code(), Code::Deadline);
    assert!(error.message().starts_with("`m` ran longer than its limit of 30ms"), "{error}");
    assert_eq!(shown(&engine, "try { m::spin() } catch { } m::count()"), "1");
}

#[test]
fn processor_time_is_limited_too() {
    let bench = Bench::new();
    let mut limits = Limits::PLUGIN;
    limits.cpu = Some(Duration::from_millis(20));
    let engine = bench.engine_with(&hostile(), limits);
    fails(&engine, "m::spin()", Code::Deadline, "of 20ms CPU time");
}

#[test]
fn nobody_catches_the_programs_own_limits() {
    let bench = Bench::new();
    let engine = bench.engine(&hostile());
    let cancel = Cancel::default();
    cancel.cancel();
    let meter = Meter::program(&Limits::PROGRAM, cancel);
    let frame = meter.enter().unwrap();
    let error = engine.eval::<()>("try { m::spin() } catch { }").unwrap_err();
    assert_eq!(frame.settle(error).unwrap().code(), Code::Interrupted);
}

#[test]
fn memory_is_limited_by_the_manifest() {
    let bench = Bench::new();
    let mut limits = Limits::PLUGIN;
    limits.memory = Some(1 << 20);
    let engine = bench.engine_with(&hostile(), limits);
    assert_eq!(shown(&engine, "[m::grow(10), m::grow(10)]"), "[1, -1]");
    limits.memory = Some(1000);
    let error = bench.load(bench.plugin("small", &hostile()), limits).unwrap_err();
    assert_eq!(error.code(), Code::Memory, "{error}");
}

#[test]
fn threads_take_turns_and_their_deadlines_hold_while_they_wait() {
    let bench = Bench::new();
    let mut limits = Limits::PLUGIN;
    limits.timeout = Some(Duration::from_millis(50));
    let bound = bench.load(bench.plugin("m", &hostile()), limits).unwrap();
    let codes = std::thread::scope(|scope| {
        let spin = || {
            let engine = common::engine(&bound);
            failure(&engine, "m::spin()").code()
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(spin)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(codes, [Code::Deadline; 4]);
    assert_eq!(shown(&common::engine(&bound), "m::count()"), "1");
}

#[test]
fn a_component_outlives_its_loader_and_still_has_a_deadline() {
    let mut limits = Limits::PLUGIN;
    limits.timeout = Some(Duration::from_millis(20));
    let engine = Bench::new().engine_with(&hostile(), limits);
    fails(&engine, "m::spin()", Code::Deadline, "longer than its limit");
}

#[test]
fn an_initialisation_that_fails_is_an_error_of_the_load() {
    let bench = Bench::new();
    let mut limits = Limits::PLUGIN;
    limits.timeout = Some(Duration::from_millis(20));
    for (body, code) in [("unreachable", Code::PluginCrashed), ("(loop $l (br $l))", Code::Deadline)] {
        let text = component("", &[("f", "", "")])
            .replace("(global $count", &format!("(func $start {body}) (start $start) (global $count"));
        let error = bench.load(bench.plugin("m", &text), limits).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.location().is_some(), "{error}");
    }
}

#[track_caller]
fn refused(bench: &Bench, bytes: &[u8], message: &str) -> Error {
    let error = bench.loader.inspect(&bench.plugin_of_bytes("m", bytes)).unwrap_err();
    assert_eq!(error.code(), Code::LoadFailed, "{error}");
    assert!(error.message().contains(message), "{error}");
    assert!(error.location().is_some(), "{error}");
    error
}

#[test]
fn files_that_are_no_components_are_refused() {
    let bench = Bench::new();
    refused(&bench, b"", "it is not WebAssembly");
    refused(&bench, b"#!/bin/sh\n", "it is not WebAssembly");
    refused(&bench, &wat::parse_str("(module)").unwrap(), "exports no functions");
    refused(&bench, &wat::parse_str("(component)").unwrap(), "exports no functions");
    let imports = r#"(component (import "demo:host/log@1.0.0" (instance (export "log" (func)))))"#;
    refused(&bench, &wat::parse_str(imports).unwrap(), "it imports `demo:host/log@1.0.0`");
    let imports = r#"(component (import "wasi:keyvalue/store@0.2.0" (instance (export "f" (func)))))"#;
    refused(&bench, &wat::parse_str(imports).unwrap(), "it imports `wasi:keyvalue/store@0.2.0`");
    let imports =
        r#"(component (import "wasi:clocks/wall-clock@0.2.0" (instance (export "tomorrow" (func)))))"#;
    refused(&bench, &wat::parse_str(imports).unwrap(), "its imports do not fit");
}

#[test]
fn a_component_is_refused_wherever_it_is_cut() {
    let bench = Bench::new();
    let whole = wat::parse_str(hostile()).unwrap();
    let all = bench.loader.inspect(&bench.plugin_of_bytes("m", &whole)).unwrap();
    let mut accepted = 0;
    for len in (0..whole.len()).step_by(23) {
        match bench.loader.inspect(&bench.plugin_of_bytes("m", &whole[..len])) {
            // Between two sections, what is before them is a component of its own.
            Ok(some) => {
                accepted += 1;
                assert!(some.iter().all(|function| all.contains(function)), "cut at {len}: {some:?}");
            }
            Err(error) => assert_eq!(error.code(), Code::LoadFailed, "cut at {len}: {error}"),
        }
    }
    assert!(accepted < 5, "{accepted} cuts were not noticed");
}

#[test]
fn flipped_bits_never_harm_the_host() {
    let bench = Bench::new();
    let whole = wat::parse_str(hostile()).unwrap();
    let mut limits = Limits::PLUGIN;
    limits.timeout = Some(Duration::from_millis(20));
    let mut accepted = 0;
    for at in (8..whole.len()).step_by(41) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        let Ok(bound) = bench.load(bench.plugin_of_bytes("m", &bytes), limits) else { continue };
        accepted += 1;
        // What it answers does not matter; that there is an answer does.
        let _ = common::engine(&bound).eval::<i64>("m::count()");
    }
    assert!(accepted > 0, "no change was harmless: the test shows nothing");
}
