//! Every type, in both directions.

use crate::sink::sink;
use crate::support::{Folder, engine, fails, same, whole};
use caraway_loaders_core::Code::{ArgumentType, ResultType};
use serde_json::json;

#[test]
fn values_cross_and_come_back() {
    let engine = engine(&whole());
    for (script, expected) in [
        ("sink::add(1, 2)", "3"),
        ("sink::int(0x7fffffffffffffff)", "9223372036854775807"),
        ("sink::int(-9223372036854775807 - 1)", "-9223372036854775807 - 1"),
        ("sink::float(0.1)", "0.1"),
        ("sink::float(0.0 / 0.0)", "0.0 / 0.0"),
        ("sink::float(1.0 / 0.0)", "1.0 / 0.0"),
        ("sink::float(-0.0)", "-0.0"),
        ("sink::half(3)", "1.5"),
        ("sink::not(sink::bool(true))", "false"),
        ("sink::char('ü')", "'ü'"),
        ("sink::char('\\U0010ffff')", "'\\U0010ffff'"),
        ("sink::char('\\x00')", "'\\x00'"),
        ("sink::five(1, 2, true, 'x', -5)", "\"1 2 true x -5\""),
        ("sink::nothing()", "()"),
        ("sink::checked(true)", "()"),
        ("sink::text(\"\")", "\"\""),
        ("sink::text(\"a\\x00b\")", "\"a\\x00b\""),
        ("sink::text(\"Grüße, 世界 🙂\")", "\"Grüße, 世界 🙂\""),
        (
            "sink::owned_text(\"a long string that is not kept inline\")",
            "\"a long string that is not kept inline\"",
        ),
        ("sink::repeat(\"ab\", 3)", "\"ababab\""),
        ("sink::bytes(blob())", "blob()"),
        ("sink::bytes(blob(300, 0xff))", "blob(300, 0xff)"),
        ("sink::owned_bytes(blob(2, 0))", "blob(2, 0)"),
        ("sink::ints([])", "[]"),
        ("sink::ints([1, -2, 0x7fffffffffffffff])", "[1, -2, 0x7fffffffffffffff]"),
        ("sink::owned_ints([5])", "[5]"),
        ("sink::sum([1, 2, 3])", "6"),
        ("sink::floats([])", "[]"),
        ("sink::floats([1, 2.5])", "[1.0, 2.5]"),
        ("sink::dot([1, 2], [3.0, 4.0])", "11.0"),
        ("sink::texts([\"a\", \"\", \"ü\"])", "[\"a\", \"\", \"ü\"]"),
        ("sink::bools([true, false])", "[true, false]"),
        ("sink::matrix([[1], [], [2.5, 3]])", "[[1.0], [], [2.5, 3.0]]"),
        ("sink::blobs([blob(1, 7), blob()])", "[blob(1, 7), blob()]"),
        ("sink::maybe(())", "()"),
        ("sink::maybe(7)", "7"),
        ("sink::maybes([1, (), 2.5])", "[1.0, (), 2.5]"),
        ("sink::map(#{})", "#{}"),
        ("sink::map(#{a: 1, \"b c\": 2})", "#{a: 1, \"b c\": 2}"),
        ("sink::hash_map(#{a: [\"x\"], b: []})", "#{a: [\"x\"], b: []}"),
        ("sink::record(#{a: 1, b: [#{c: ()}]})", "#{a: 1, b: [#{c: ()}]}"),
        ("sink::any(())", "()"),
        ("sink::any(1)", "1"),
        ("sink::any(1.5)", "1.5"),
        ("sink::any(true)", "true"),
        ("sink::any('c')", "'c'"),
        ("sink::any(\"s\")", "\"s\""),
        ("sink::any(blob(1, 1))", "blob(1, 1)"),
        ("sink::any([1, 2.5, \"x\", [()], #{k: 'c'}])", "[1, 2.5, \"x\", [()], #{k: 'c'}]"),
        ("sink::api::mid(2, 4)", "3"),
        ("sink::args(1)", "1"),
        ("sink::out(2)", "2"),
    ] {
        same(&engine, script, expected);
    }
}

#[test]
fn big_values_cross() {
    let engine = engine(&whole());
    same(&engine, "let s = \"xü\"; while s.len < 5_000_000 { s += s; } sink::text(s) == s", "true");
    same(&engine, "let a = []; a.pad(100_000, 3); sink::sum(a)", "300_000");
    same(&engine, "sink::bytes(blob(10_000_000, 1)).len()", "10_000_000");
}

#[test]
fn an_argument_is_never_changed() {
    let engine = engine(&whole());
    for (value, call) in [
        ("1", "half"),
        ("\"text\"", "owned_text"),
        ("blob(3, 1)", "owned_bytes"),
        ("[1, 2]", "floats"),
        ("[1, ()]", "maybes"),
        ("#{a: 1}", "map"),
        ("[1, [2]]", "any"),
    ] {
        same(&engine, &format!("let x = {value}; sink::{call}(x); x"), value);
        // A variable that a closure has captured is shared.
        same(&engine, &format!("let x = {value}; let f = || x; sink::{call}(x); x"), value);
        same(&engine, &format!("const X = {value}; sink::{call}(X); X"), value);
    }
}

#[test]
fn shared_values_inside_are_read() {
    let engine = engine(&whole());
    for (script, expected) in [
        ("let n = 1; let f = || n; sink::sum([n, n])", "2"),
        ("let n = 1; let f = || n; sink::matrix([[n]])", "[[1.0]]"),
        ("let n = 1; let f = || n; sink::add(n, n)", "2"),
        ("let s = \"x\"; let f = || s; sink::text(s)", "\"x\""),
    ] {
        same(&engine, script, expected);
    }
}

#[test]
fn each_load_has_a_library_of_its_own() {
    let (first, second) = (engine(&whole()), engine(&whole()));
    same(&first, "sink::count(); sink::count()", "2");
    same(&second, "sink::count()", "1");
    same(&first, "sink::count()", "3");
}

#[test]
fn many_threads_call_at_once() {
    let bound = whole();
    let engine = engine(&bound);
    std::thread::scope(|scope| {
        for thread in 0..32 {
            let engine = &engine;
            scope.spawn(move || {
                for turn in 0..50 {
                    same(engine, &format!("sink::add({thread}, {turn})"), &format!("{}", thread + turn));
                    same(engine, &format!("sink::texts([\"{turn}\"])"), &format!("[\"{turn}\"]"));
                }
            });
        }
    });
    same(&engine, "sink::count()", "1");
}

/// What the manifest says beyond the library is checked at each call.
#[test]
fn declared_types_are_kept() {
    let functions = json!([
        {"name": "any", "params": [{"name": "x", "type": "Point"}], "returns": "Point"},
        {"name": "record", "params": [{"name": "x", "type": "Point"}], "returns": "map<float>"},
        {"name": "text", "params": [{"name": "x", "type": "Colour"}], "returns": "Colour"},
        {"name": "repeat", "params": [{"name": "x", "type": "string"}, {"name": "n", "type": "int"}], "returns": "Colour"},
        {"name": "texts", "params": [{"name": "xs", "type": "array<Colour>"}], "returns": "array<string>"},
    ]);
    let types = json!([
        {"name": "Point", "kind": "struct", "fields": [{"name": "x", "type": "float"}, {"name": "y", "type": "float?"}]},
        {"name": "Colour", "kind": "enum", "values": ["red", "redred"]},
    ]);
    let folder = Folder::new(sink(), json!({"functions": functions, "types": types}));
    // The rest of the library is not listed.
    let error = folder.load().unwrap_err();
    assert!(error.others().len() > 20, "{error:?}");
    let bound = folder.load_declared();
    let engine = engine(&bound);
    same(&engine, "sink::any(#{x: 1})", "#{x: 1.0}");
    same(&engine, "sink::record(#{x: 1, y: 2.5})", "#{x: 1.0, y: 2.5}");
    same(&engine, "sink::text(\"red\")", "\"red\"");
    same(&engine, "sink::repeat(\"red\", 2)", "\"redred\"");
    same(&engine, "sink::texts([\"red\"])", "[\"red\"]");
    for (script, code, message) in [
        ("sink::any(1)", ArgumentType, "argument 1 of `sink::any`: `x` must be Point, found int"),
        (
            "sink::any(#{})",
            ArgumentType,
            "argument 1 of `sink::any`: `x` must be Point with the key `x`, found none",
        ),
        (
            "sink::text(\"blue\")",
            ArgumentType,
            "argument 1 of `sink::text`: `x` must be one of \"red\", \"redred\", found \"blue\"",
        ),
        (
            "sink::repeat(\"red\", 3)",
            ResultType,
            "the result of `sink::repeat` must be one of \"red\", \"redred\", found \"redredred\"",
        ),
        (
            "sink::texts([\"red\", \"blue\"])",
            ArgumentType,
            "argument 1 of `sink::texts`: `xs` must be one of \"red\", \"redred\", found \"blue\" at `[1]`",
        ),
    ] {
        fails(&engine, script, code, message);
    }
}
