//! Every way to fail, after which the next call works.

use crate::support::{engine, fails, same, whole};
use caraway_loaders_core::Code::{self, ArgumentType, PluginCrashed, PluginFailed, ValueRefused};

#[test]
fn failures_are_errors() {
    let engine = engine(&whole());
    let cases: &[(&str, Code, &str)] = &[
        (
            "sink::add(0x7fffffffffffffff, 1)",
            PluginFailed,
            "`sink::add` failed: 9223372036854775807 + 1 overflows",
        ),
        ("sink::checked(false)", PluginFailed, "`sink::checked` failed: not ok"),
        ("sink::silent()", PluginFailed, "`sink::silent` failed"),
        ("sink::dot([1], [])", PluginFailed, "`sink::dot` failed: 1 and 0 numbers"),
        ("sink::boom(\"Grüße\")", PluginCrashed, "`sink::boom` panicked at src/lib.rs:_: Grüße"),
        ("sink::boom_static()", PluginCrashed, "`sink::boom_static` panicked at src/lib.rs:_: plain"),
        (
            "sink::index([1], 1)",
            PluginCrashed,
            "`sink::index` panicked at src/lib.rs:_: index out of bounds: the len is 1 but the index is 1",
        ),
        (
            "sink::strange_payload()",
            PluginCrashed,
            "`sink::strange_payload` panicked at src/lib.rs:_: without a message",
        ),
        (
            "sink::payload_that_panics()",
            PluginCrashed,
            "`sink::payload_that_panics` panicked at src/lib.rs:_: without a message",
        ),
        ("sink::half(true)", ArgumentType, "argument 1 of `sink::half`: `x` must be float, found bool"),
        ("sink::int(1.0)", ArgumentType, "argument 1 of `sink::int`: `x` must be int, found float"),
        ("sink::add(1, \"2\")", ArgumentType, "argument 2 of `sink::add`: `b` must be int, found string"),
        (
            "sink::sum([1, \"2\"])",
            ArgumentType,
            "argument 1 of `sink::sum`: `xs` must be int, found string at `[1]`",
        ),
        (
            "sink::dot([1.0], [true])",
            ArgumentType,
            "argument 2 of `sink::dot`: `ys` must be float, found bool at `[0]`",
        ),
        ("sink::map(#{a: ()})", ArgumentType, "argument 1 of `sink::map`: `x` must be int, found () at `a`"),
        (
            "sink::any(|x| x)",
            ValueRefused,
            "argument 1 of `sink::any`: `x` holds a function, which cannot cross into this plugin",
        ),
        (
            "let x = []; for i in 0..300 { x = [x]; } sink::any(x)",
            ValueRefused,
            "argument 1 of `sink::any`: `x` nests deeper than 128 levels, which cannot cross a plugin's boundary",
        ),
    ];
    for (script, code, message) in cases {
        let error = fails(&engine, script, *code, message);
        assert!(error.location().is_some_and(|place| place.line == 1), "{script}: {error:?}");
        same(&engine, "sink::add(1, 2)", "3");
    }
}

#[test]
fn a_script_can_catch_them() {
    let engine = engine(&whole());
    same(&engine, "let r = 0; try { sink::boom(\"x\") } catch { r = 7 } r", "7");
    same(&engine, "let r = 0; try { sink::add(1, true) } catch { r = 8 } r", "8");
}
