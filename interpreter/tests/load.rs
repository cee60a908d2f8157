//! `caraway load`.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod common;

use common::Folder;
use serde_json::Value;

const STATS: &str = r#"
name = "stats"
version = "1.2.0"
type = "module"
capabilities = ["io", { filesystem = { read = ["data"] } }]
security = { timeout = "5s" }
[config]
digits = { type = "int", default = 2 }
"#;

fn folder() -> Folder {
    Folder::new(&[
        ("plugins/stats/plugin.toml", STATS),
        (
            "plugins/stats/main.rhai",
            "if CONFIG.digits < 0 { throw `no digits` } fn mean(a, b) { (a + b) / 2 }",
        ),
        ("elsewhere/other/plugin.toml", "name = \"other\"\nversion = \"1.0.0\"\ntype = \"module\"\n"),
        ("elsewhere/other/main.rhai", "fn f() { 1 }"),
        ("elsewhere/broken/plugin.toml", "name = \"broken\"\n"),
        ("empty/file", ""),
    ])
}

#[test]
fn what_a_plugin_exports_and_may_do() {
    let folder = folder();
    let parts = [
        "stats 1.2.0 (module), from plugins/stats\n",
        "  found     in ",
        "  planned   in ",
        "  loaded    in ",
        "  may do    nothing beyond its own\n",
        "  limits    timeout 5s, memory 512 MiB\n",
        "\nFunctions:\n  stats::mean(a: any, b: any) -> any\n",
    ];
    for plugin in ["stats", "stats@^1", "plugins/stats"] {
        folder.run(&["load", plugin]).shows(0, &parts);
    }
    folder.run(&["load", "./plugins/stats/"]).shows(0, &parts[1..]);
    folder.run(&["load", "stats", "--allow", "filesystem"]).shows(0, &["  may do    filesystem: "]);
    folder
        .run(&["load", "elsewhere/other"])
        .shows(0, &["other 1.0.0 (module), from elsewhere/other", "other::f()"]);
    folder
        .run(&["load", "std/path"])
        .shows(0, &["std/path ", "from built-in", "stem(path: string) -> string"]);
    let value: Value =
        serde_json::from_str(&folder.run(&["load", "stats", "--format", "json"]).stdout).unwrap();
    assert_eq!(value["functions"][0], "mean(a: any, b: any) -> any");
    assert_eq!(value["steps"][2]["step"], "loaded");
}

#[test]
fn what_fails_is_told() {
    let folder = folder();
    folder.run(&["load", "stat"]).gives(4, "", &["E0401", "did you mean `stats`?"]);
    folder.run(&["load", "stats@^2"]).gives(4, "", &["E0402"]);
    folder.run(&["load", "elsewhere/broken"]).gives(3, "", &["E0303", "elsewhere/broken/plugin.toml"]);
    folder.run(&["load", "./empty"]).gives(3, "", &["E0306", "`caraway new` begins a plugin"]);
    folder.run(&["load", "stats", "--config", "stats.digits=-1"]).gives(
        1,
        "",
        &["no digits", "main.rhai:1:"],
    );
}
