//! `caraway definitions`.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod common;

use common::Folder;
use serde_json::Value;
use std::collections::BTreeSet;

const STATS: &str = r#"
name = "stats"
version = "1.2.0"
type = "module"
functions = [{ name = "mean", params = [{ name = "xs", type = "array<float>" }], returns = "float", description = "The mean." }]
"#;

#[test]
fn editors_learn_what_plugins_offer() {
    let folder = Folder::new(&[
        ("plugins/stats/plugin.toml", STATS),
        ("plugins/stats/main.rhai", "fn mean(xs) { 0.0 }"),
        ("plugins/old/plugin.toml", &STATS.replace("1.2.0", "1.1.0").replace("mean", "median")),
        ("plugins/old/main.rhai", "fn median(xs) { 0.0 }"),
        ("plugins/bad/plugin.toml", "name = \"bad\"\nversion = \"1.0.0\"\ntype = \"module\"\n"),
        ("plugins/bad/main.rhai", "fn ("),
    ]);
    let read =
        |file: &str| std::fs::read_to_string(folder.path().join(".rhai/definitions").join(file)).unwrap();
    let ran = folder.run(&["definitions"]);
    let listed: Value = serde_json::from_str(&folder.run(&["list", "--format", "json"]).stdout).unwrap();
    let names = listed["plugins"].as_array().unwrap().iter().map(|plugin| plugin["name"].as_str().unwrap());
    let expected: BTreeSet<String> = names
        .filter(|name| *name != "bad")
        .map(|name| format!("{}.d.rhai", name.replace('/', "-")))
        .collect();
    let wrote = format!("wrote {} files to .rhai/definitions\n", expected.len());
    ran.gives(0, &wrote, &["warning[E0102]", "plugins/bad/main.rhai:1:"]);
    let entries = std::fs::read_dir(folder.path().join(".rhai/definitions")).unwrap();
    let written: BTreeSet<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(written, expected);
    assert_eq!(read("stats.d.rhai"), "module stats;\n\n/// The mean.\nfn mean(xs: Array) -> float;\n");
    assert!(read("std-fs.d.rhai").starts_with("module fs;\n\n/// "), "{}", read("std-fs.d.rhai"));
    folder.run(&["definitions", "stats@=1.1.0", "--out", "d"]).gives(0, "wrote 1 file to d\n", &[]);
    assert!(std::fs::read_to_string(folder.path().join("d/stats.d.rhai")).unwrap().contains("median"));
    folder.run(&["definitions", "stat"]).gives(4, "", &["did you mean `stats`?"]);
    folder.write("file", "");
    folder.run(&["definitions", "--out", "file"]).gives(
        8,
        "",
        &["E0801", "cannot write definitions into file"],
    );
    folder.run(&["definitions", "stats", "--format", "json"]).shows(0, &[".rhai/definitions/stats.d.rhai"]);
}
