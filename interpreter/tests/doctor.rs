//! `caraway doctor`.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod common;

use common::Folder;
use serde_json::Value;

const STATS: &str = "name = \"stats\"\nversion = \"1.0.0\"\ntype = \"module\"\ncapabilities = [\"io\"]\n";

fn project() -> Folder {
    Folder::new(&[
        ("plugins/stats/plugin.toml", STATS),
        ("plugins/stats/main.rhai", "fn mean() { 1 } fn median() { 2 }"),
        ("caraway.toml", "[dependencies]\nstats = \"^1\"\n"),
    ])
}

#[test]
fn what_is_fine() {
    let folder = project();
    let ran = folder.run(&["doctor"]);
    ran.shows(
        0,
        &[
            "caraway      0.1.0 for ",
            "kind         module: ",
            "memory       is counted",
            "user         no caraway.toml",
            "project      caraway.toml",
            "answers      for 0 plugins and 0 projects",
            "search path  plugins (beside the program): 1 plugin",
            "/usr/local/lib/caraway/plugins (the system): not there",
            "plugin       stats@1.0.0 in plugins/stats: 2 functions; asks for io, not granted",
            "lock file    none",
        ],
    );
    folder.run(&["lock", "-q"]).gives(0, "", &[]);
    folder
        .run(&["doctor", "--allow", "io"])
        .shows(0, &["lock file    caraway.lock: 1 plugin\n", "2 functions\n"]);
    folder.run(&["doctor", "-q"]).gives(0, "", &[]);
    let value: Value = serde_json::from_str(&folder.run(&["doctor", "--format", "json"]).stdout).unwrap();
    assert_eq!((&value["ok"], &value["problems"]), (&true.into(), &serde_json::json!([])));
}

#[test]
fn each_problem_comes_with_what_mends_it() {
    for (file, text, code, parts) in [
        ("plugins/stats/main.rhai", "fn mean() {", 1, &["error[E0102]", "--> plugins/stats/main.rhai"][..]),
        (
            "plugins/stats/main.rhai",
            "fn mean() { 2 }",
            6,
            &["error[E0601]", "plugins/stats/main.rhai", "accepts it"],
        ),
        ("plugins/other/plugin.json", "{", 3, &["error[E0301]", "--> plugins/other/plugin.json:1:"]),
        (
            "plugins/stats/plugin.toml",
            "name = 1\n",
            3,
            &["error[E0303]", "`stats@1.0.0` is in caraway.lock", "`caraway install`"],
        ),
        ("caraway.lock", "", 6, &["error[E0602]", "`caraway lock` writes it again"]),
        ("caraway.toml", "x = 1\n", 2, &["error[E0202]", "--> caraway.toml:1:1"]),
        (
            "home/.config/caraway/caraway.toml",
            "enabled = 1\n",
            2,
            &["error[E0202]", ".config/caraway/caraway.toml"],
        ),
        ("home/.config/caraway/trust.toml", "plugin = 1\n", 2, &["error[E0202]", "what you have trusted"]),
        (
            "caraway.toml",
            "plugin_path = [\"gone\"]\n",
            8,
            &["error[E0801]", "the search path", "gone does not exist"],
        ),
    ] {
        let folder = project();
        folder.run(&["lock", "-q"]).gives(0, "", &[]);
        folder.write(file, text);
        let ran = folder.run(&["doctor"]);
        assert_eq!(ran.code, Some(code), "{file} {ran}");
        for part in parts {
            assert!(ran.stderr.contains(part), "{part:?} is not told of {file}: {ran}");
        }
        let ran = folder.run(&["doctor", "--format", "json"]);
        let value: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!((&value["ok"], ran.code), (&false.into(), Some(code)), "{ran}");
    }
}
