//! `caraway repl` with its input from a pipe, and `caraway doc`.

#![cfg(feature = "repl")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod common;

use common::Folder;

const STATS: &str = r#"
name = "stats"
version = "1.2.0"
type = "module"
description = "Numbers about numbers"
functions = [
    { name = "mean", params = [{ name = "xs", type = "array<float>" }], returns = "float", description = "The mean." },
    { name = "fail" },
]
"#;

fn folder() -> Folder {
    Folder::new(&[
        ("plugins/stats/plugin.toml", STATS),
        (
            "plugins/stats/main.rhai",
            "fn mean(xs) { let t = 0.0; for x in xs { t += x; } t / xs.len() } fn fail() { throw \"no\" }",
        ),
        ("first.rhai", "import \"stats\" as stats; let known = 7; fn twice(x) { x * 2 }"),
        ("lib.rhai", "fn one() { 1 }"),
    ])
}

#[track_caller]
fn says(args: &[&str], input: &str, code: i32, stdout: &str, stderr: &[&str]) {
    folder().run_with(&[&["repl"], args].concat(), input).gives(code, stdout, stderr);
}

#[test]
fn what_is_typed_stays() {
    says(&[], "1 + 1\n\"a\\n\"\nlet x = 3;\nx += 1;\nx\n[x, 1.0]\n", 0, "2\n\"a\\n\"\n4\n[4, 1.0]\n", &[]);
    says(&[], "fn f(x) {\n  x + 1\n}\nf(f(1))\nfn g(x) { f(x) * 10 }\ng(1)\n", 0, "3\n20\n", &[]);
    let in_texts = "#\"a\n(\"b\"#\n\"c\\\n  d\"\n1 /* two\n lines */ + 1\n`${1 + {\n 1 }}`\n";
    says(&[], in_texts, 0, "\"a\\n(\\\"b\"\n\"c d\"\n2\n\"2\"\n", &[]);
    says(&[], "const A = [\n 1,\n 2\n];\nA.len()\n", 0, "2\n", &[]);
    says(
        &[],
        "import \"stats\" as s;\ns::mean([1, 2])\nfn m() { s::mean([3]) }\nm()\n",
        0,
        "1.5\n3.0\n",
        &[],
    );
    says(&[], "import \"./lib\" as lib;\nlib::one()\n", 0, "1\n", &[]);
    says(&["first.rhai"], "twice(known)\nstats::mean([2])\n", 0, "14\n2.0\n", &[]);
    says(&[], "print(1);\nexit(3)\nprint(2);\n", 3, "1\n", &[]);
    says(&[], "let unfinished = [1,\n", 1, "", &["E0102", "repl[1]:"]);
}

#[test]
fn errors_end_a_pipe() {
    says(&[], "let x = 1;\nx + y\n2\n", 1, "", &["E0101", "repl[2]:1:", "y"]);
    says(&[], "import \"stats\" as s;\ns::maen([1])\n", 1, "", &["E0103", "did you mean `mean`?"]);
    says(&[], "import \"stats\" as s;\ns::fail()\n", 1, "", &["E0105", "no", "main.rhai"]);
    says(&[], ":reload stats\n", 2, "", &["E0201", "it is `:reload`", "loads all imports again"]);
    says(&[], "import \"stat\" as s;\n", 4, "", &["E0401", "did you mean `stats`?"]);
    says(
        &[],
        "import \"std/fs\" as fs;\nfs::read_text(\"x\")\n",
        5,
        "",
        &["E0501", "--allow filesystem=read:x"],
    );
}

#[test]
fn commands() {
    says(&[], ":doc stats::mean\n", 0, "stats::mean(xs: array<float>) -> float\n    The mean.\n", &[]);
    says(
        &["first.rhai"],
        ":imports\n:variables\n",
        0,
        "\"stats\" as stats: 2 functions\nknown: int = 7\nfn twice(x)\n",
        &[],
    );
    says(&["first.rhai"], ":reload\nstats::mean([known])\n", 0, "loaded 1 import again\n7.0\n", &[]);
    says(&["first.rhai"], ":unload stats\n:imports\n", 0, "nothing is imported\n", &[]);
    says(&[], ":unload stats\n", 2, "", &["nothing is imported as `stats`"]);
    says(&[], ":quit\n1\n", 0, "", &[]);
    says(&[], ":nope\n", 2, "", &["there is no command `:nope`"]);
    let ran = folder().run_with(&["repl"], ":time 1 + 1\n:help\n");
    assert!(ran.stdout.starts_with("2\n") && ran.stdout.contains(" ms\n:doc NAME"), "{ran}");
}

#[test]
fn plugins_are_documented() {
    let folder = folder();
    let all = "stats 1.2.0\nNumbers about numbers\n\n    import \"stats\" as stats;\n\n\
               stats::mean(xs: array<float>) -> float\n    The mean.\nstats::fail()\n";
    folder.run(&["doc", "stats"]).gives(0, all, &[]);
    folder.write("plugins/shapes/plugin.toml", "name = \"shapes\"\nversion = \"1.0.0\"\ntype = \"module\"\n");
    let script =
        "/// The area.\n///\n///     area(2, 3) // 6\n///\n/// @deprecated use size\nfn area(a, b) { a * b }";
    folder.write("plugins/shapes/main.rhai", script);
    let area = "shapes::area(a: any, b: any) -> any\n    Deprecated: use size\n    The area.\n\n        area(2, 3) // 6\n";
    folder.run(&["doc", "shapes::area"]).gives(0, area, &[]);
    folder.run(&["doc", "stats@^1::mean"]).shows(0, &["stats::mean(xs"]);
    folder.run(&["doc", "std/path::stem"]).shows(0, &["path::stem(path: string) -> string?\n    "]);
    folder.run(&["doc", "stats::maen"]).gives(1, "", &["E0103", "did you mean `mean`?"]);
    folder.run(&["doc", "stat"]).gives(4, "", &["did you mean `stats`?"]);
    folder
        .run(&["doc", "stats", "--format", "json"])
        .shows(0, &["\"signature\": \"mean(xs: array<float>) -> float\""]);
}
