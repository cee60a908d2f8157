//! `std/json`, both ways.

mod support;

use caraway_loaders_core::Code::{Memory, PluginFailed, ValueRefused};
use support::Bench;

#[test]
fn texts_become_values() {
    let bench = Bench::new(&[]);
    for (text, expected) in [
        ("null", "()"),
        ("true", "true"),
        ("0", "0"),
        ("-1", "-1"),
        ("1.0", "1.0"),
        ("1e3", "1000.0"),
        ("9223372036854775807", "9223372036854775807"),
        ("-9223372036854775808", "-9223372036854775808"),
        (r#""a\u00e9\ud83d\ude00\n""#, "\"aé😀\\n\""),
        (r#""\u0000""#, r#""\0""#),
        ("[]", "[]"),
        ("[1, [2.5, null]]", "[1, [2.5, ()]]"),
        (r#"{"b": 1, "a": {"c": []}}"#, r#"#{"a": #{"c": []}, "b": 1}"#),
        (r#"{"": 1}"#, r#"#{"": 1}"#),
        (" \n[ 1 ]\t", "[1]"),
    ] {
        bench.gives(&format!("json::parse(`{text}`)"), expected);
    }
    bench.gives("type_of(json::parse(`1.0`))", "\"f64\"");
    bench.gives("type_of(json::parse(`1`))", "\"i64\"");
}

#[test]
fn texts_that_are_wrong() {
    let bench = Bench::new(&[]);
    for (text, message) in [
        ("", "JSON, line 1, column 0: EOF while parsing"),
        ("[1,]", "JSON, line 1, column 4: trailing comma"),
        ("{'a': 1}", "key must be a string"),
        ("[1] 2", "trailing characters"),
        ("nul", "EOF while parsing"),
        ("// no", "expected value"),
        ("NaN", "expected value"),
        ("1e400", "number out of range"),
        ("01", "invalid number"),
        ("[\n  9223372036854775808]", "JSON, line 2, column 3: 9223372036854775808 does not fit an int"),
        ("-9223372036854775809", "does not fit an int of 64 bits"),
        ("123456789012345678901234567890", "does not fit an int of 64 bits"),
        (r#"{"a": 1, "a": 2}"#, "the key `a` is there twice"),
        (r#"[{"x": {"a": 1, "\u0061": 2}}]"#, "the key `a` is there twice"),
        (r#""\ud83d""#, "unexpected end of hex escape"),
        ("\"a\nb\"", "control character"),
    ] {
        bench.fails(&format!("json::parse(`{text}`)"), PluginFailed, message);
    }
}

#[test]
fn depth_is_bounded_both_ways() {
    let bench = Bench::new(&[]);
    let deep = |levels: usize| {
        format!(
            "{{ let t = \"\"; for i in 0..{levels} {{ t += \"[\"; }} for i in 0..{levels} {{ t += \"]\"; }} t }}"
        )
    };
    bench.gives(&format!("json::stringify(json::parse({})).len", deep(128)), "256");
    for levels in [129, 1000, 100_000] {
        bench.fails(&format!("json::parse({})", deep(levels)), PluginFailed, "deeper than 128 levels");
    }
    let objects = "{ let t = \"\"; for i in 0..100000 { t += `{\"a\":`; } t }";
    bench.fails(&format!("json::parse({objects})"), PluginFailed, "deeper than 128 levels");
    let value = "{ let v = 1; for i in 0..129 { v = [v]; } v }";
    bench.fails(&format!("json::stringify({value})"), ValueRefused, "deeper than 128 levels");
}

#[test]
fn values_become_texts() {
    let bench = Bench::new(&[]);
    for (value, expected) in [
        ("()", "null"),
        ("true", "true"),
        ("1", "1"),
        ("1.0", "1.0"),
        ("1e300", "1e+300"),
        ("0.1", "0.1"),
        ("'x'", r#""x""#),
        ("\"a\\\"\\n\\u0001\"", r#""a\"\n\u0001""#),
        ("[1, \"a\", ()]", r#"[1,"a",null]"#),
        ("#{b: [], a: #{}}", r#"{"a":{},"b":[]}"#),
    ] {
        let bench = &bench;
        let text = bench.run(&format!("json::stringify({value})")).unwrap().into_string().unwrap();
        assert_eq!(text, expected, "{value}");
        bench.gives(&format!("json::stringify(json::parse(`{text}`)) == `{text}`"), "true");
    }
    let pretty = bench.run("json::stringify_pretty(#{a: [1, 2], b: #{}})").unwrap().into_string().unwrap();
    assert_eq!(pretty, "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {}\n}");
}

#[test]
fn values_that_have_no_text() {
    let bench = Bench::new(&[]);
    for (value, message) in [
        ("0.0 / 0.0", "NaN is not a number in JSON"),
        ("[1.0 / 0.0]", "inf is not a number in JSON"),
        ("blob(3)", "there is no JSON for bytes"),
        ("#{f: |x| x}", "there is no JSON for fn"),
        ("[timestamp()]", "there is no JSON for"),
    ] {
        bench.fails(&format!("json::stringify({value})"), ValueRefused, message);
    }
}

#[test]
fn sizes_are_bounded() {
    let mut bench = Bench::new(&[]);
    bench.limits.array_size = Some(100);
    bench.limits.string_size = Some(1000);
    let zeros = |count: usize| format!("json::parse(`[{}0]`).len", "0,".repeat(count - 1));
    bench.gives(&zeros(100), "100");
    bench.fails(&zeros(101), Memory, "more than 100 elements");
    bench.fails(
        "{ let a = []; a.pad(90, \"0123456789\"); json::stringify(a) }",
        Memory,
        "larger than 1000 bytes",
    );
}

#[test]
fn a_deadline_ends_long_work() {
    use caraway_loaders_core::budget::Meter;
    use caraway_loaders_core::limits::Limits;
    let bench = Bench::new(&[]);
    let mut limits = Limits::PLUGIN;
    limits.timeout = Some(std::time::Duration::ZERO);
    let text = format!("[{}0]", "0,".repeat(10_000));
    let engine = bench.engine();
    let mut scope = rhai::Scope::new();
    scope.push("t", text);
    let ast = engine.compile("json::parse(t)").unwrap();
    let frame = Meter::plugin("slow", &limits).enter().unwrap();
    let error = engine.eval_ast_with_scope::<rhai::Dynamic>(&mut scope, &ast).unwrap_err();
    assert_eq!(frame.settle(error).unwrap().code(), caraway_loaders_core::Code::Deadline);
}
