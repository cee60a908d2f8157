//! `caraway test`.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod common;

use common::Folder;
use serde_json::Value;

const MANIFEST: (&str, &str) = (
    "plugins/demo/plugin.toml",
    r#"
name = "demo"
version = "1.0.0"
type = "module"
functions = [
    { name = "add", params = [{ name = "a", type = "any" }, { name = "b", type = "any" }], returns = "any" },
    { name = "loops" },
    { name = "fail", params = [{ name = "what", type = "any" }] },
    { name = "echo", params = [{ name = "x", type = "any" }], returns = "any" },
    { name = "first", params = [{ name = "of", type = "bytes" }], returns = "int" },
    { name = "letter", params = [{ name = "c", type = "char" }], returns = "char" },
    { name = "log", params = [{ name = "text", type = "string" }] },
]
dependencies = ["std/log"]
"#,
);

const SCRIPT: (&str, &str) = (
    "plugins/demo/main.rhai",
    r#"
import "std/log" as log;
fn add(a, b) { a + b }
fn loops() { loop { } }
fn fail(what) { throw what }
fn echo(x) { x }
fn first(of) { of[0] }
fn letter(c) { c }
fn log(text) { log::info(text); }
"#,
);

/// A folder with the plugin and these files among its tests.
fn folder(tests: &[(&str, &str)]) -> Folder {
    let folder = Folder::new(&[MANIFEST, SCRIPT]);
    tests.iter().for_each(|(name, text)| folder.write(&format!("plugins/demo/tests/{name}"), text));
    folder
}

/// Each test of a file passes, or fails if its name begins with `no `.
#[track_caller]
fn each_is_as_it_says(file: &str, text: &str, count: usize) {
    let folder = folder(&[(file, text)]);
    let ran = folder.run(&["test", "--format", "json", "--timeout", "20s"]);
    let value: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran}"));
    let tests = value["plugins"][0]["tests"].as_array().unwrap();
    for test in tests {
        let name = test["name"].as_str().unwrap();
        let expected = if name.contains("::no ") || name.contains("test_no_") { "failed" } else { "passed" };
        assert_eq!(test["outcome"], expected, "{test:#}");
    }
    assert_eq!(tests.len(), count, "{ran}");
}

#[test]
fn values_are_compared_exactly() {
    let suite = r#"{"name": "values", "plugin": "demo", "tests": [
        {"name": "int", "function": "add", "args": [1, 2], "expected": 3},
        {"name": "no float", "function": "add", "args": [1, 2], "expected": 3.0},
        {"name": "no int", "function": "add", "args": [1.0, 2.0], "expected": 3},
        {"name": "no text", "function": "add", "args": [1, 2], "expected": "3"},
        {"name": "no bool", "function": "echo", "args": [1], "expected": true},
        {"name": "deep", "function": "echo", "args": [[{"a": [1, 2.0, null]}]], "expected": [{"a": [1, 2.0, null]}]},
        {"name": "no deep", "function": "echo", "args": [[{"a": [1, 2.0]}]], "expected": [{"a": [1, 2]}]},
        {"name": "no shorter", "function": "echo", "args": [[1, 2]], "expected": [1]},
        {"name": "no more keys", "function": "echo", "args": [{"a": 1, "b": 2}], "expected": {"a": 1}},
        {"name": "unit", "function": "log", "args": ["x"], "expected": null},
        {"name": "no unit", "function": "echo", "args": [0], "expected": null},
        {"name": "nothing expected", "function": "echo", "args": [0]},
        {"name": "all digits", "function": "echo", "args": [9223372036854775807], "expected": 9223372036854775807},
        {"name": "no rounding", "function": "add", "args": [0.1, 0.2], "expected": 0.3},
        {"name": "approx", "function": "add", "args": [0.1, 0.2], "expected": {"$approx": 0.3}},
        {"name": "within", "function": "echo", "args": [[1.5]], "expected": [{"$approx": 1, "within": 0.5}]},
        {"name": "no within", "function": "echo", "args": [1.6], "expected": {"$approx": 1, "within": 0.5}},
        {"name": "no approx of int", "function": "echo", "args": [1], "expected": {"$approx": 1, "within": 1}},
        {"name": "nan", "function": "echo", "args": [{"$float": "nan"}], "expected": {"$float": "NaN"}},
        {"name": "no nan", "function": "echo", "args": [1.0], "expected": {"$float": "nan"}},
        {"name": "inf", "function": "echo", "args": [{"$float": "-inf"}], "expected": {"$float": "-inf"}},
        {"name": "bytes by type", "function": "first", "args": [[7, 8]], "expected": 7},
        {"name": "bytes", "function": "first", "args": [{"$bytes": "A"}], "expected": 65},
        {"name": "no bytes", "function": "first", "args": [[256]], "expected": 256},
        {"name": "char by type", "function": "letter", "args": ["x"], "expected": "x"},
        {"name": "char", "function": "echo", "args": [{"$char": "x"}], "expected": {"$char": "x"}},
        {"name": "type", "function": "echo", "args": ["x"], "expected": {"$type": "string"}},
        {"name": "no type", "function": "echo", "args": ["x"], "expected": {"$type": "char"}},
        {"name": "buffer", "function": "echo", "args": [{"$floats": [1, 2.5]}], "expected": [1.0, 2.5]},
        {"name": "query", "function": "echo", "args": [{"$gt": 5}], "expected": {"$gt": 5}}
    ]}"#;
    each_is_as_it_says("values.json", suite, 30);
}

#[test]
fn errors_are_told_apart() {
    let suite = r#"
        name = "errors"
        [[tests]]
        name = "text"
        function = "fail"
        args = ["all is lost"]
        expected_error = "is lost"
        [[tests]]
        name = "no other text"
        function = "fail"
        args = ["all is lost"]
        expected_error = "won"
        [[tests]]
        name = "code"
        function = "demo::add"
        args = [1]
        expected_error = "E0103"
        [[tests]]
        name = "no other code"
        function = "add"
        args = [1]
        expected_error = "E0104"
        [[tests]]
        name = "code and text"
        function = "first"
        args = ["text"]
        expected_error = { code = "E0104", message = "must be bytes" }
        [[tests]]
        name = "any"
        function = "demo.fail"
        args = [1]
        expected_error = true
        [[tests]]
        name = "no error"
        function = "echo"
        args = [1]
        expected_error = true
        [[tests]]
        name = "no success"
        function = "fail"
        args = [1]
        [[tests]]
        name = "no endless loop"
        function = "loops"
        timeout = 50
        [[tests]]
        name = "endless loop"
        function = "loops"
        timeout = "50ms"
        expected_error = "E0701"
        [[tests]]
        name = "goes on"
        function = "add"
        args = [nan, 1]
        expected = nan
    "#;
    each_is_as_it_says("errors.toml", suite, 11);
}

#[test]
fn steps_make_what_tests_use() {
    let suite = r#"{"name": "steps",
        "setup": [
            {"type": "call", "function": "echo", "args": [{"name": "Ada", "years": [1815, 1852]}], "assign": "who"},
            {"type": "assign", "assign": "five", "value": 5},
            {"type": "assign", "assign": "pair", "value": ["$five", {"$var": "five"}]},
            {"type": "delay", "value": 1}, {"type": "delay", "value": "1ms"}],
        "teardown": {"type": "call", "function": "echo", "args": ["$who"]},
        "tests": [
            {"name": "variable", "function": "echo", "args": ["$five"], "expected": 5},
            {"name": "braces", "function": "echo", "args": ["${five}"], "expected": 5},
            {"name": "more braces", "function": "echo", "args": ["{{ five }}"], "expected": 5},
            {"name": "nested", "function": "echo", "args": ["$pair"], "expected": [5, 5]},
            {"name": "path", "function": "echo", "args": [["$who.name", "$who.years[1]"]], "expected": ["Ada", 1852]},
            {"name": "in text", "function": "echo", "args": ["${who.name} has $5 and $$five"], "expected": "Ada has $5 and $five"},
            {"name": "just text", "function": "echo", "args": ["$name costs $$"], "expected": "$name costs $$"},
            {"name": "expected", "function": "echo", "args": [5], "expected": "$five"},
            {"name": "no expected", "function": "echo", "args": [5], "expected": "$pair"},
            {"name": "own", "function": "echo", "args": ["$mine"], "expected": 7,
             "setup": [{"assign": "mine", "value": 7}],
             "cleanup": [{"function": "echo", "args": ["$result"]}]},
            {"name": "no longer", "function": "echo", "args": ["$mine"]},
            {"name": "no cleanup", "function": "echo", "args": [1], "cleanup": [{"type": "call", "function": "fail", "args": ["x"]}]},
            {"name": "no setup", "function": "echo", "args": [1], "setup": [{"type": "call", "function": "fail", "args": ["x"]}]}
        ]}"#;
    each_is_as_it_says("steps.json", suite, 13);
}

#[test]
fn teardown_and_cleanup_are_run_after_failures() {
    let suite = r#"{"name": "s", "setup": [{"type": "call", "function": "fail", "args": ["at first"]}],
        "teardown": [{"type": "call", "function": "log", "args": ["teardown"]}, {"type": "call", "function": "fail", "args": ["at last"]}],
        "tests": [{"function": "echo", "args": [1]}, {"function": "echo", "args": [2]}]}"#;
    let one = r#"{"name": "t", "tests": [{"function": "fail", "args": ["it"], "cleanup": [{"type": "call", "function": "log", "args": ["cleaned"]}]}]}"#;
    folder(&[("s.json", suite), ("t.json", one)]).run(&["test"]).shows(
        1,
        &[
            "test s::echo ... FAILED\n",
            "test s::echo#2 ... FAILED\n",
            "test s::teardown ... FAILED\n",
            "setup of the suite: fail(\"at first\") fails\n     error: E0105 at first\n        in: plugins/demo/tests/s.json:1:25\n    raised: plugins/demo/main.rhai:5:17\n",
            "teardown of the suite: fail(\"at last\") fails",
            "printed:\n  [info] demo: cleaned\n",
            "test result: FAILED. 0 passed; 4 failed; 0 ignored; 0 filtered out; finished in ",
        ],
    );
}

#[test]
fn a_suite_is_one_session_unless_it_is_isolated() {
    let suite = |isolated: bool| {
        format!(
            r#"{{"isolated": {isolated}, "setup": [{{"type": "call", "plugin": "std/time", "function": "monotonic", "assign": "then"}}],
            "tests": [{{"name": "a", "function": "log", "args": ["at ${{then}}"], "cleanup": [{{"function": "fail", "args": ["$then"]}}]}},
                      {{"name": "b", "function": "log", "args": ["at ${{then}}"], "cleanup": [{{"function": "fail", "args": ["$then"]}}]}}]}}"#
        )
    };
    for isolated in [false, true] {
        let ran = folder(&[("s.json", &suite(isolated))]).run(&["test"]);
        let lines: Vec<&str> = ran.stdout.lines().filter(|line| line.contains("demo: at ")).collect();
        assert_eq!(lines.len(), 2, "{ran}");
        assert_eq!(lines[0] != lines[1], isolated, "{ran}");
    }
}

#[test]
fn functions_of_scripts_are_tests() {
    let script = r#"
        import "demo" as demo;
        import "./helper" as helper;

        /// Adds.
        fn test_add() {
            assert_eq(demo::add(1, 2), helper::three());
            assert(true);
            assert_ne(3, 3.0);
            assert_ne([1], [1, 2], "arrays");
        }
        fn test_errors() {
            assert_throws(|| demo::add(1), "E0103");
            assert_throws(|| demo::fail("lost"), "los");
            assert_throws(|| throw "it");
        }
        fn test_no_assert() { assert(1 == 2, "one is two"); }
        fn test_no_bool() { assert(1); }
        fn test_no_eq() { assert_eq(#{a: [1, 2]}, #{a: [1, 2.0]}); }
        fn test_no_ne() { assert_ne("a", 'a'); }
        fn test_no_throw() { assert_throws(|| 1); }
        fn test_no_other_throw() { assert_throws(|| throw "it", "that"); }
        fn test_no_uncaught() { demo::fail("lost") }
        fn test_no_exit() { exit(0); }
        fn helps() { throw "not a test" }
    "#;
    let files = [("script.rhai", script), ("helper.rhai", "fn three() { 3 }")];
    let folder = folder(&files);
    folder.run(&["test"]).shows(
        1,
        &[
            "testing demo@1.0.0\nrunning 10 tests\n",
            "test script::test_add ... ok\n",
            "---- script::test_no_assert (plugins/demo/tests/script.rhai:17:29)\n\
             one is two: the assertion does not hold\n        in: plugins/demo/tests/script.rhai:17:31\n",
            "the values differ at a[1]\n   left: 2 (int)\n  right: 2.0 (float)\n",
            "both values are \"a\"\n",
            "should fail with an error, and gives 1 (int)\n",
            "should fail with an error with \"that\" in it\n  found: E0101 it\n",
            "error: E0105 lost\n",
            "the test called `exit(0)`",
            "test result: FAILED. 2 passed; 8 failed; ",
        ],
    );
    let value: Value =
        serde_json::from_str(&folder.run(&["test", "--format", "json", "--filter", "test_add"]).stdout)
            .unwrap();
    assert_eq!(value["plugins"][0]["tests"][0]["description"], "Adds.");
}

#[test]
fn a_loop_in_a_script_is_stopped() {
    let script = r#"
        import "std/time" as time;
        fn test_loop() { loop { } }
        fn test_sleep() { sleep(1000); }
        fn test_after() { assert(true); }
    "#;
    folder(&[("script.rhai", script)]).run(&["test", "--timeout", "100ms"]).shows(
        1,
        &[
            "test script::test_loop ... FAILED (timed out)\n",
            "test script::test_sleep ... FAILED (timed out)\n",
            "test script::test_after ... ok\n",
            "the test was stopped: its time was up\n",
        ],
    );
}

#[test]
fn tests_are_chosen() {
    let suite = r#"{"name": "s", "tests": [
        {"name": "add", "function": "add", "args": [1, 1], "tags": ["fast", "ints"]},
        {"name": "add more", "function": "add", "args": [1, 1], "tags": "slow"},
        {"name": "echo", "function": "echo", "args": [1], "skip": "not yet"}]}"#;
    let folder = folder(&[("s.json", suite)]);
    for (args, names) in [
        (&[][..], "s::add s::add more s::echo"),
        (&["--filter", "add"], "s::add s::add more"),
        (&["--filter", "add", "--exact"], "s::add"),
        (&["--filter", "s::echo", "--exact"], "s::echo"),
        (&["--tag", "slow", "--tag", "ints"], "s::add s::add more"),
        (&["--skip", "more"], "s::add s::echo"),
        (&["--filter", "nothing"], ""),
    ] {
        let list = [&["test", "--list"], args].concat();
        let listed: Vec<String> =
            folder.run(&list).stdout.lines().map(|line| line.replace(": test", "")).collect();
        assert_eq!(listed.join(" "), names, "{args:?}");
    }
    folder.run(&["test", "--filter", "echo"]).shows(
        0,
        &["running 1 test\n", "ignored, not yet\n", "ok. 0 passed; 0 failed; 1 ignored; 2 filtered out;"],
    );
    folder.run(&["test", "--exact"]).gives(2, "", &["--filter"]);
}

#[test]
fn plugins_are_named_or_found() {
    let suite = r#"{"tests": [{"function": "echo", "args": [1], "expected": 1}]}"#;
    let folder = folder(&[("s.json", suite)]);
    folder
        .write("elsewhere/s.json", r#"{"plugin": "demo@^1", "tests": [{"function": "echo", "args": [1]}]}"#);
    let passes = ["test s::echo ... ok\n", "1 passed"];
    for plugin in ["demo", "plugins/demo", "plugins", "plugins/demo/tests/s.json", "elsewhere/s.json"] {
        folder.run(&["test", plugin]).shows(0, &passes);
    }
    let inside = folder.path().join("plugins/demo");
    for args in [&["test"][..], &["test", "."], &["test", "tests/s.json"]] {
        let output = folder.command(args).current_dir(&inside).output().unwrap();
        common::Ran::of(args, output).shows(0, &passes);
    }
    folder.write("caraway.toml", "");
    folder.write("tests/all.json", r#"{"plugin": "demo", "tests": [{"function": "echo", "args": [1]}]}"#);
    folder.run(&["test"]).shows(0, &["testing demo@1.0.0\n", "testing .\n", "test all::echo ... ok\n"]);
    folder.run(&["test", "dem"]).gives(4, "", &["E0401", "did you mean `demo`?"]);
    folder.run(&["test", "./elsewhere"]).gives(3, "", &["is no plugin: it has no manifest"]);
    folder.run(&["test", "std/json"]).gives(2, "", &["built in", "caraway conformance"]);
    Folder::new(&[]).run(&["test"]).gives(2, "", &["there is no plugin here", "caraway new"]);
}

#[test]
fn files_that_are_wrong_are_told_whole() {
    for (text, parts) in [
        ("{", &["not JSON"][..]),
        ("[]", &["running 0 tests"]),
        ("{}", &["s.json:1:1", "it has no `tests`"]),
        (
            r#"{"tests": [{"function": "f", "expect": 1}]}"#,
            &["has no field `expect`", "did you mean `expected`?"],
        ),
        (r#"{"tests": [{"function": "f", "wants": 1}]}"#, &["expects nothing"]),
        (r#"{"tests": [{"name": "a"}]}"#, &["s.json:1:12", "there is no `function`"]),
        (r#"{"tests": [{"function": "f", "args": 1}]}"#, &["`args` of a test must be an array"]),
        (
            r#"{"tests": [{"function": "f", "expected": 1, "expected_error": "x"}]}"#,
            &["both fail and give a value"],
        ),
        (r#"{"tests": [{"function": "f", "expected_error": ""}]}"#, &["`expected_error` is empty"]),
        (r#"{"tests": [{"function": "f", "timeout": "soon"}]}"#, &["`timeout` of a test", "milliseconds"]),
        (r#"{"tests": [{"function": "f", "timeout": -5}]}"#, &["no span of time"]),
        (r#"{"tests": [{"function": "f", "args": [9223372036854775808]}]}"#, &["does not fit 64 bits"]),
        (
            r#"{"tests": [{"function": "f", "args": [{"$var": "x"}]}]}"#,
            &["`x`, which nothing in this file assigns"],
        ),
        (r#"{"tests": [{"function": "f", "name": "a", "name": "b"}]}"#, &["duplicate key"]),
        (r#"{"tests": [], "setup": [{"type": "assign", "assign": "x"}]}"#, &["assigns nothing to `x`"]),
        (r#"{"tests": [], "setup": [{"type": "wait", "value": 1}]}"#, &["the type \"wait\"", "\"delay\""]),
        (r#"{"tests": [], "setup": [{"type": "delay"}]}"#, &["how long"]),
        (
            r#"{"tests": [], "setup": [{"type": "call", "function": "f", "assign": "a b"}]}"#,
            &["no name for a variable"],
        ),
    ] {
        let code = if text == "[]" { 0 } else { 3 };
        let ran = folder(&[("s.json", text)]).run(&["test"]);
        assert_eq!(ran.code, Some(code), "{text}: {ran}");
        let all = format!("{}{}", ran.stdout, ran.stderr);
        for part in parts {
            assert!(all.contains(part), "{text}: no {part:?} in {ran}");
        }
        assert!(code == 0 || ran.stderr.contains("E0312"), "{ran}");
    }
    let other = ("t.json", r#"{"author": "me", "tests": [{"function": "echo", "args": [1]}]}"#);
    let ran = folder(&[("s.json", "{}"), other]).run(&["test"]);
    assert_eq!(ran.code, Some(3), "{ran}");
    assert!(
        ran.stdout.contains("test t::echo ... ok") && ran.stderr.contains("has no field `author`"),
        "{ran}"
    );
    let script = folder(&[("s.rhai", "fn test_a(x) { }")]).run(&["test"]);
    assert!(script.code == Some(3) && script.stderr.contains("s.rhai:1:14"), "{script}");
}

#[test]
fn results_are_written_for_machines() {
    let suite = r#"{"name": "a<b", "tests": [
        {"name": "good", "function": "echo", "args": [1], "expected": 1},
        {"name": "bad", "function": "echo", "args": ["\u0007&"], "expected": {"a": [1]}},
        {"name": "later", "function": "echo", "args": [1], "ignore": true}]}"#;
    let folder = folder(&[("s.json", suite), ("wrong.json", "{}")]);
    let ran = folder.run(&["test", "--format", "junit"]);
    assert_eq!(ran.code, Some(3), "{ran}");
    for part in [
        "<testsuites name=\"caraway\" tests=\"4\" failures=\"1\" errors=\"1\"",
        "<testsuite name=\"demo@1.0.0\" tests=\"4\" failures=\"1\" errors=\"1\" skipped=\"1\"",
        "<testcase name=\"good\" classname=\"a&lt;b\" file=\"plugins/demo/tests/s.json\" line=\"2\"",
        "<failure type=\"failure\" message=\"echo(&quot;\\u{7}&amp;&quot;) gives another value\">",
        "<skipped",
    ] {
        assert!(ran.stdout.contains(part), "no {part:?} in {ran}");
    }
    let ran = folder.run(&["test", "--format", "json"]);
    let value: Value = serde_json::from_str(&ran.stdout).unwrap();
    let plugin = &value["plugins"][0];
    assert_eq!((&value["ok"], &plugin["passed"], &plugin["failed"]), (&false.into(), &1.into(), &1.into()));
    let failure = &plugin["tests"][1]["failures"][0];
    assert_eq!((&failure["expected"], &failure["path"]), (&"#{a: [1]}".into(), &"".into()), "{failure:#}");
    assert_eq!(plugin["problems"][0]["code"], "E0312");
    folder.run(&["test", "--help"]).shows(0, &["`text`, `json`, or `junit`, the XML"]);
    folder.run(&["list", "--help"]).gives_no("junit");
    folder.run(&["list", "--format", "junit"]).gives(2, "", &["only `caraway test` writes JUnit"]);
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_the_run() {
    use std::io::{BufRead, BufReader, Read};
    use std::process::{Command, Stdio};

    let suite = r#"{"tests": [{"function": "loops"}, {"function": "echo", "args": [1]}]}"#;
    let folder = folder(&[("s.json", suite)]);
    let mut child = folder.command(&["test"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while line != "running 2 tests\n" {
        line.clear();
        assert_ne!(stdout.read_line(&mut line).unwrap(), 0);
    }
    assert!(
        Command::new("sh").args(["-c", &format!("kill -INT {}", child.id())]).status().unwrap().success()
    );
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest}");
    assert!(rest.contains("test result: FAILED. 0 passed; "), "{rest}");
}
