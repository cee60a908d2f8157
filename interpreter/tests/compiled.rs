//! Compiled functions of scripts through the command line: the same as Rhai's own, wherever they are called from.

#![cfg(all(feature = "cli", feature = "compile"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod common;

use common::{Folder, Ran};

const MANIFEST: &str = r#"{
    "name": "kernels", "version": "1.0.0", "type": "module", "capabilities": ["function"],
    "security": { "timeout": "500ms" },
    "functions": [
        { "name": "fib", "params": [{ "name": "n", "type": "int" }], "returns": "int" },
        { "name": "down", "params": [{ "name": "n", "type": "int" }], "returns": "int" },
        { "name": "sum_of_parts", "params": [{ "name": "n", "type": "int" }], "returns": "int" },
        { "name": "grow", "params": [{ "name": "x", "type": "float" }], "returns": "float" },
        { "name": "scale", "params": [{ "name": "xs", "type": "floats" }, { "name": "by", "type": "float" }], "returns": "void" },
        { "name": "spin", "params": [], "returns": "void" },
        { "name": "all", "params": [{ "name": "xs", "type": "array" }], "returns": "array" },
        { "name": "nested", "params": [{ "name": "n", "type": "int" }, { "name": "text", "type": "string" }], "returns": "int" },
        { "name": "untyped", "params": [{ "name": "n", "type": "int" }], "returns": "any" },
        { "name": "as_value", "params": [{ "name": "xs", "type": "array" }], "returns": "array" },
        { "name": "as_method", "params": [{ "name": "n", "type": "int" }], "returns": "any" },
        { "name": "fails", "params": [{ "name": "xs", "type": "array" }], "returns": "any" },
        { "name": "triple", "params": [{ "name": "n", "type": "int" }], "returns": "int" }
    ]
}"#;

const SCRIPT: &str = r#"
const SEVEN = 7;
fn fib(n) { if n < 2 { n } else { fib(n - 1) + fib(n - 2) } }
fn down(n) { if n <= 0 { 0 } else { 1 + down(n - 1) } }
fn part(n) { 84 / n }
fn sum_of_parts(n) { let sum = 0; for i in 0..n { sum += part(global::SEVEN - i); } sum }
fn grow(x) { if x > 1000 { x } else { let y = x; for i in 0..1 { y += x; } 1 + grow(y) } }
fn scale(xs, by) { for i in 0..xs.len() { xs[i] *= by; } }
fn spin() { loop { } }
fn all(xs) { let found = []; for x in xs { found.push(fib(x)); } found }
fn nested(n, text) { if n <= 0 { text.len() } else { down(5) + nested(n - 1, text) } }
fn untyped(n) { if n <= 0 { grow(1) } else { untyped(n - 1) + "".len() } }
fn triple(n) { let sum = 0; for i in 0..3 { sum += n; } sum }
fn as_value(xs) { xs.map(triple) }
fn as_method(n) { n.fib() }
fn fails(xs) { for x in xs { fib(x); 1 / x; } }
"#;

/// A program that calls the plugin.
fn folder(program: &str) -> Folder {
    folder_of(MANIFEST, SCRIPT, program)
}

fn folder_of(manifest: &str, script: &str, program: &str) -> Folder {
    Folder::new(&[
        ("app.rhai", &format!("import \"kernels\" as k;\n{program}")),
        ("plugins/kernels/plugin.json", manifest),
        ("plugins/kernels/main.rhai", script),
    ])
}

/// Runs a program with and without the compiler: what it does is the same, and only one of both compiles.
#[track_caller]
fn same(program: &str) -> Ran {
    same_in(&folder(program))
}

/// The same of the program in a folder.
#[track_caller]
fn same_in(folder: &Folder) -> Ran {
    let compiled = folder.run(&["run", "--wasm-cache", "cache", "app.rhai"]);
    let walked = folder.run(&["run", "--wasm-cache", "no-cache", "--no-compile", "app.rhai"]);
    assert_eq!(
        (compiled.code, &compiled.stdout, &compiled.stderr),
        (walked.code, &walked.stdout, &walked.stderr)
    );
    assert!(folder.path().join("cache").exists(), "nothing was compiled: {compiled}");
    assert!(!folder.path().join("no-cache").exists(), "something was compiled: {walked}");
    compiled
}

#[test]
fn values_are_the_same() {
    same("print(k::fib(20)); print(k::down(100)); print(k::grow(1)); print(k::grow(2.5));").gives(
        0,
        "6765\n100\n1034.0\n1289.0\n",
        &[],
    );
    same("let xs = floats([1, 2.5]); k::scale(xs, 2); k::scale(xs, 0.5); k::scale(xs, -3.0); print(xs);")
        .gives(0, "[-3.0, -7.5]\n", &[]);
}

#[test]
fn errors_and_their_frames_are_the_same() {
    same("print(k::sum_of_parts(3));\nk::sum_of_parts(9);").gives(
        1,
        "42\n",
        &[
            "Division by zero: 84 / 0",
            "plugins/kernels/main.rhai:5:17",
            "in `part`, called from plugins/kernels/main.rhai:6",
            "in `kernels::sum_of_parts`, called from app.rhai:3:4",
        ],
    );
}

#[test]
fn errors_of_the_rest_of_the_script_are_the_same() {
    same("k::all([1, 2]); k::all([1, \"2\"]);").gives(1, "", &["plugins/kernels/main.rhai:3:", "in `fib`"]);
    same("k::all([1, 2]); k::nested(3, \"\"); k::nested(3, \"x\") / 0;").gives(1, "", &["app.rhai:2"]);
    same("k::all([1, 2]); k::fails([1, 0]);").gives(
        1,
        "",
        &["Division by zero: 1 / 0", "plugins/kernels/main.rhai:16:40", "in `kernels::fails`"],
    );
}

#[test]
fn calls_are_as_deep() {
    let all =
        |call: &str| format!("for n in 100..130 {{ try {{ print({call}) }} catch (e) {{ print(e) }} }}");
    for call in ["k::down(n)", "k::nested(n, \"abc\")", "k::untyped(n)"] {
        let ran = same(&all(call));
        let refused = ran.stdout.matches("Stack overflow").count();
        assert!((1..30).contains(&refused), "{call}: {ran}");
    }
}

#[test]
fn the_rest_of_the_script_calls_them() {
    // Twice: the first call may be what has them compiled.
    same("for i in 0..2 { print(k::all([1, 10, 20])); }").gives(0, "[1, 55, 6765]\n[1, 55, 6765]\n", &[]);
    same("for i in 0..2 { print(k::as_value([1, 2])); print(k::fib(3)); }").gives(
        0,
        "[3, 6]\n2\n[3, 6]\n2\n",
        &[],
    );
    same("try { k::as_method(3) } catch (e) { print(e) } k::fib(3);").gives(
        0,
        "Function not found: fib (i64)\n",
        &[],
    );
}

/// A script that calls its own compiled functions in ways that would show that something took their place.
#[test]
fn the_rest_of_the_script_cannot_tell() {
    let manifest = r#"{
        "name": "kernels", "version": "1.0.0", "type": "module",
        "functions": [
            { "name": "nothing", "params": [{ "name": "n", "type": "int" }], "returns": "void" },
            { "name": "mixed", "params": [{ "name": "n", "type": "int" }], "returns": "void" },
            { "name": "abs", "params": [{ "name": "n", "type": "int" }], "returns": "int" },
            { "name": "all", "params": [{ "name": "text", "type": "string" }], "returns": "array" }
        ]
    }"#;
    let script = "fn nothing(n) { let sum = 0; for i in 0..n { sum += i; } sum }
        fn mixed(n) { for i in 0..n { } if n > 1 { 5 } else { 2.5 } }
        fn abs(n) { for i in 0..2 { n *= 10; } n }
        fn all(text) { [nothing(4), mixed(1), mixed(2), abs(-3), abs(-1.5), text] }";
    let program = "print(k::nothing(3)); for i in 0..2 { print(k::all(`x`)); print(k::abs(-1)); }";
    let all = "[6, 2.5, 5, -300, -150.0, \"x\"]\n-100\n";
    same_in(&folder_of(manifest, script, program)).gives(0, &format!("\n{all}{all}"), &[]);
    let curious = script.replace("text]", "get_fn_metadata_list(`nothing`).len()]");
    let all = all.replace("\"x\"", "1");
    same_in(&folder_of(manifest, &curious, program)).gives(0, &format!("\n{all}{all}"), &[]);
}

#[test]
fn buffers_are_counted_once() {
    let manifest = r#"{
        "name": "kernels", "version": "1.0.0", "type": "module", "security": { "max_memory": "10MB" },
        "functions": [{ "name": "last", "params": [{ "name": "n", "type": "int" }], "returns": "float" }]
    }"#;
    let script = "fn last(n) { let all = floats(n, 1); for i in 0..n { all[i] += i; } all[n - 1] }";
    let program = "print(k::last(1000000)); try { k::last(1300000) } catch (e) { print(e) }";
    same_in(&folder_of(manifest, script, program)).gives(
        0,
        "1000000.0\nthere is no room for a buffer of 1300000 numbers\n",
        &[],
    );
}

#[test]
fn time_is_limited() {
    same("let end = timestamp(); try { k::spin() } catch (e) { print(e) } print(end.elapsed < 5.0);").gives(
        0,
        "`kernels` ran longer than its limit of 500ms\ntrue\n",
        &[],
    );
}

#[test]
fn what_ran_too_long_is_told_with_its_file() {
    same("k::spin();").gives(
        7,
        "",
        &["E0701", "`kernels` ran longer than its limit of 500ms", "plugins/kernels/main.rhai"],
    );
}

#[test]
fn many_calls_compile_what_has_no_loop() {
    let folder = Folder::new(&[
        ("plugins/plus.rhai", ""),
        ("few.rhai", "import \"plus\" as p; for i in 0..10 { p::plus(i, 1); }"),
        (
            "many.rhai",
            "import \"plus\" as p; let sum = 0; for i in 0..2000 { sum = p::plus(sum, i); } print(sum);",
        ),
    ]);
    let manifest = r#"{ "name": "plus", "version": "1.0.0", "type": "module", "functions": [
        { "name": "plus", "params": [{ "name": "a", "type": "int" }, { "name": "b", "type": "int" }], "returns": "int" }
    ] }"#;
    folder.write("plugins/plus/plugin.json", manifest);
    folder.write("plugins/plus/main.rhai", "fn plus(a, b) { a + b }");
    folder.run(&["run", "--wasm-cache", "cache", "few.rhai"]).gives(0, "", &[]);
    assert!(!folder.path().join("cache").exists(), "compiled for ten calls");
    folder.run(&["run", "--wasm-cache", "cache", "many.rhai"]).gives(0, "1999000\n", &[]);
    assert!(folder.path().join("cache").exists(), "interpreted for two thousand");
}

#[test]
fn info_says_what_is_compiled_and_what_stands_in_the_way() {
    let folder = folder("");
    folder.run(&["info", "--compiled", "kernels"]).shows(
        0,
        &[
            "kernels 1.0.0: 7 of 13 functions are compiled",
            "fib(n: int) -> int\n    compiled",
            "all(xs: array<any>) -> array<any>\n    not compiled: `xs`, which is of type `array<any>`",
            "not compiled: a string, at plugins/kernels/main.rhai:12",
            "not compiled: `fib` as a method of an int, at plugins/kernels/main.rhai:15",
        ],
    );
    let json = folder.run(&["info", "--compiled", "--format", "json", "kernels"]);
    let value: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    let of = |name: &str| {
        let functions = value["functions"].as_array().unwrap();
        functions.iter().find(|function| function["name"] == name).unwrap().clone()
    };
    assert_eq!(of("fib")["compiled"], true);
    assert_eq!(of("fib")["obstacle"], serde_json::Value::Null);
    assert_eq!(of("untyped")["obstacle"]["location"]["line"], 12);
    folder.run(&["info", "--compiled", "--no-compile", "kernels"]).gives(
        2,
        "",
        &["nothing is compiled with `--no-compile`"],
    );
}

#[test]
fn info_knows_what_the_script_imports() {
    let folder = Folder::new(&[
        ("plugins/half/main.rhai", "fn half(x) { x / 2 }"),
        ("plugins/quarter/main.rhai", "import \"half\" as h; fn quarter(x) { h::half(h::half(x)) }"),
    ]);
    let manifest = |name: &str, needs: &str| {
        format!(
            r#"{{ "name": "{name}", "version": "1.0.0", "type": "module", "dependencies": {{ {needs} }}, "functions": [
                {{ "name": "{name}", "params": [{{ "name": "x", "type": "float" }}], "returns": "float" }}
            ] }}"#
        )
    };
    folder.write("plugins/half/plugin.json", &manifest("half", ""));
    folder.write("plugins/quarter/plugin.json", &manifest("quarter", "\"half\": \"1\""));
    folder.run(&["info", "--compiled", "quarter"]).shows(0, &["quarter(x: float) -> float\n    compiled"]);
}
