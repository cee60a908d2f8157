//! `caraway check`, as it is typed. What it finds is in `tests/cases/check.toml`.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use common::Folder;
use serde_json::Value;

const MANIFEST: &str = r#"
name = "stats"
version = "1.0.0"
type = "module"
functions = [
    { name = "mean", params = [{ name = "xs", type = "array<float>" }], returns = "float" },
    { name = "average", returns = "float", deprecated = "use `mean`" },
]
"#;

const SCRIPT: &str = "fn mean(xs) { 1.0 }\nfn average() { 1.0 }\n";

fn folder(program: &str) -> Folder {
    Folder::new(&[
        ("plugins/stats/plugin.toml", MANIFEST),
        ("plugins/stats/main.rhai", SCRIPT),
        ("app.rhai", program),
    ])
}

#[test]
fn a_program_that_is_right() {
    let folder = folder("import \"stats\" as s;\nprint(s::mean([1, 2.5]));\n");
    folder.run(&["check", "app.rhai"]).gives(0, "checked 1 file: no problems\n", &[]);
    folder.run(&["check", "-q", "app.rhai"]).gives(0, "", &[]);
    folder.run(&["check", "app.rhai", "plugins/stats", "plugins/stats/plugin.toml", "plugins"]).gives(
        0,
        "checked 4 files: no problems\n",
        &[],
    );
}

#[test]
fn mistakes_have_a_place_a_hint_and_an_exit_code() {
    let folder = folder("import \"stats\" as s;\nimport \"std/fs\" as fs;\nprint(s::maen([1, 2.5]));\n");
    folder.run(&["check", "app.rhai"]).gives(
        1,
        "checked 1 file: 1 error, 1 warning\n",
        &[
            "warning[W0101]: the import \"std/fs\" is not used\n --> app.rhai:2:8\n",
            "error[E0103]: `stats` has no function `maen`\n --> app.rhai:3:10\n",
            "= help: did you mean `mean`?",
        ],
    );
    // The exit code is that of the first error.
    folder.write("app.rhai", "import \"stat\" as s;\ns::mean(1);\nprint(x);\n");
    folder.run(&["check", "app.rhai"]).gives(
        4,
        "checked 1 file: 2 errors\n",
        &["E0401", "did you mean `stats`?", "E0101"],
    );
    folder.run(&["check", "-"]).gives(
        2,
        "checked 0 files: 1 error\n",
        &["E0201", "write the program into a file"],
    );
    folder.run(&["check", "none.rhai"]).gives(8, "checked 0 files: 1 error\n", &["E0801", "none.rhai"]);
    folder.run(&["check"]).gives(2, "", &["required"]);
    folder.run(&["check", "."]).gives(3, "checked 0 files: 1 error\n", &["E0306", "holds no plugin"]);
}

#[test]
fn warnings_alone_are_fine_unless_they_are_denied() {
    let folder = folder("import \"stats\" as s;\nprint(s::average());\n");
    let warning: &[&str] =
        &["warning[W0103]: `stats::average` is deprecated\n --> app.rhai:2:10", "help: use `mean`"];
    folder.run(&["check", "app.rhai"]).gives(0, "checked 1 file: 1 warning\n", warning);
    folder.run(&["check", "--deny-warnings", "app.rhai"]).gives(1, "checked 1 file: 1 warning\n", warning);
    folder.run(&["info", "stats"]).shows(0, &["stats::average() -> float\n      deprecated: use `mean`\n"]);
}

#[test]
fn findings_for_programs() {
    let folder = folder("import \"stats\" as s;\nprint(s::mean(\"text\"));\n");
    let ran = folder.run(&["check", "--format", "json", "app.rhai"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), ""), "{ran}");
    let value: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        (&value["schema_version"], &value["ok"], &value["errors"]),
        (&1.into(), &false.into(), &1.into())
    );
    let finding = &value["findings"][0];
    for (field, expected) in [
        ("severity", Value::from("error")),
        ("code", "E0104".into()),
        ("message", "argument 1 of `stats::mean`: `xs` must be array<float>, found string".into()),
        ("hint", "the signature is `stats::mean(xs: array<float>) -> float`".into()),
        ("file", "app.rhai".into()),
        ("line", 2.into()),
        ("column", 15.into()),
        ("end_column", 21.into()),
    ] {
        assert_eq!(finding[field], expected, "{field}");
    }

    let ran = folder.run(&["check", "--sarif", "-", "app.rhai"]);
    assert_eq!(ran.code, Some(1), "{ran}");
    let value: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(value["version"], "2.1.0");
    let run = &value["runs"][0];
    assert_eq!(run["tool"]["driver"]["rules"][0]["id"], "E0104");
    let result = &run["results"][0];
    assert_eq!(
        (&result["ruleId"], &result["ruleIndex"], &result["level"]),
        (&"E0104".into(), &0.into(), &"error".into())
    );
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "app.rhai");
    assert_eq!(place["region"], serde_json::json!({"startLine": 2, "startColumn": 15, "endColumn": 21}));

    folder.run(&["check", "--sarif", "-", "--format", "json", "app.rhai"]).gives(
        2,
        "",
        &["E0201", "write SARIF into a file, or leave out `--format json`"],
    );
    folder.run(&["check", "--sarif", "out/x.sarif", "app.rhai"]).gives(8, "", &["E0801", "cannot write"]);
    folder.run(&["check", "--sarif", "x.sarif", "app.rhai"]).gives(
        1,
        "checked 1 file: 1 error\n",
        &["E0104"],
    );
    assert!(folder.path().join("x.sarif").is_file());
}

#[test]
fn nothing_is_run() {
    let folder = folder("import \"stats\" as s;\nloop { s::mean([1.0]); }\n");
    folder.write(
        "plugins/stats/main.rhai",
        "print(\"loaded\");\nloop {}\nfn mean(xs) { 1.0 }\nfn average() { 1.0 }\n",
    );
    folder.run(&["check", "app.rhai", "plugins/stats"]).gives(0, "checked 2 files: no problems\n", &[]);
}

#[test]
fn native_code_is_not_opened() {
    let folder = folder("import \"fast\" as fast;\nprint(fast::anything(1));\n");
    folder.write(
        "plugins/fast/plugin.toml",
        "name = \"fast\"\nversion = \"1.0.0\"\ntype = \"native\"\ncapabilities = [\"native\"]\n\
         security = { sandbox = false }\nimplementation = { entrypoint = \"fast.so\" }\n",
    );
    folder.write("plugins/fast/fast.so", "");
    folder.run(&["check", "app.rhai"]).gives(0, "checked 1 file: no problems\n", &[]);
    folder.run(&["check", "-v", "app.rhai"]).gives(
        0,
        "checked 1 file: no problems\n",
        &["warning[E0501]", "`fast`", "--allow native=fast"],
    );
}

/// Deep, long and broken files end in an answer.
#[test]
fn what_is_made_to_hurt_does_not() {
    let folder = Folder::new(&[]);
    let sum = format!("let x = {}1;\n", "1 + ".repeat(20_000));
    let many: String =
        (0..4000).map(|i| format!("let v{i} = {i}; if v{i} > 1 {{ v{i} = \"a\"; }}\n")).collect();
    let nested = format!("let x = {}{};\n", "[".repeat(60), "]".repeat(60));
    let growing = format!("let x = 1;\n{}", "x = [x, x, x, x, x, x, x, x];\n".repeat(1000));
    let loops = format!("let x = 1;\n{}x = [x];{}\n", "for i in 0..2 { ".repeat(30), "}".repeat(30));
    let chain: String = (0..1000).map(|i| format!("fn f{i}() {{ f{}() }}\n", i + 1)).collect();
    for (name, text) in [
        ("sum", sum.as_str()),
        ("many", &many),
        ("nested", &nested),
        ("growing", &growing),
        ("loops", &loops),
        ("chain", &format!("{chain}fn f1000() {{ 1 }}\nprint(f0());\n")),
        ("garbage", "\u{0}{{{((\u{feff}"),
        ("empty", ""),
    ] {
        let file = format!("{name}.rhai");
        folder.write(&file, text);
        let ran = folder.run(&["check", &file]);
        assert!(matches!(ran.code, Some(0 | 1)) && ran.stdout.starts_with("checked "), "{name}: {ran}");
    }
}
