//! How commands are told which plugin is meant.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod common;

use common::Folder;

fn manifest(version: &str) -> String {
    format!(
        "name = \"stats\"\nversion = \"{version}\"\ntype = \"module\"\n\
         functions = [{{ name = \"mean\", returns = \"float\" }}]\n"
    )
}

const SCRIPT: &str = "fn mean() { 0.5 }";

const SUITE: &str = r#"{"name": "stats", "plugin": "stats", "tests": [{"name": "mean", "function": "mean", "expected": 0.5}]}"#;

fn folder() -> Folder {
    Folder::new(&[
        ("plugins/stats/plugin.toml", &manifest("1.2.0")),
        ("plugins/stats/main.rhai", SCRIPT),
        ("plugins/stats/tests/mean.json", SUITE),
        ("plugins/stats-old/plugin.toml", &manifest("1.1.0")),
        ("plugins/stats-old/main.rhai", SCRIPT),
        ("plugins/stats-old/tests/mean.json", SUITE),
    ])
}

#[test]
fn a_plugin_is_meant_by_name_by_version_by_folder_and_by_manifest() {
    let folder = folder();
    for (text, version) in [
        ("stats", "1.2.0"),
        ("stats@^1", "1.2.0"),
        ("stats@=1.1.0", "1.1.0"),
        ("stats@<1.2, >=1", "1.1.0"),
        ("plugins/stats", "1.2.0"),
        ("./plugins/stats-old", "1.1.0"),
        ("plugins/stats/plugin.toml", "1.2.0"),
        ("plugins/stats-old/plugin.toml", "1.1.0"),
    ] {
        let named = format!("stats {version}");
        let (id, testing) =
            (format!("stats@{version}"), format!("testing stats@{version}\nrunning 1 test\n"));
        folder.run(&["info", text]).shows(0, &[&named]);
        folder.run(&["doc", text]).shows(0, &[&named]);
        folder.run(&["doc", &format!("{text}::mean")]).shows(0, &["stats::mean() -> float\n"]);
        folder.run(&["load", text]).shows(0, &[&named]);
        folder.run(&["test", text]).shows(0, &[&testing, "1 passed; 0 failed"]);
        folder.run(&["conformance", text]).shows(0, &[&id]);
        folder.run(&["definitions", text]).gives(0, "wrote 1 file to .rhai/definitions\n", &[]);
    }
    for command in ["info", "doc", "load", "test", "conformance", "definitions"] {
        folder.run(&[command, "stats@^2"]).gives(
            4,
            "",
            &["error[E0402]", "no version of `stats` satisfies `^2`"],
        );
    }
}
