//! `caraway audit`.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod common;

use common::Folder;
use serde_json::Value;

fn plugin(name: &str, version: &str, more: &str) -> (String, String) {
    let manifest = format!("name = \"{name}\"\nversion = \"{version}\"\ntype = \"module\"\n{more}\n");
    (format!("plugins/{name}-{version}/plugin.toml"), manifest)
}

/// `report` uses `store` through `cache`, and needs `io` itself.
fn folder() -> Folder {
    let folder = Folder::new(&[("app.rhai", "import \"report@^1\" as r;")]);
    for (path, manifest) in [
        plugin("report", "1.0.0", "capabilities = [\"io\"]\ndependencies = [\"cache\"]"),
        plugin("report", "2.0.0", "capabilities = [\"io\", { env = { names = [\"LANG\"] } }]"),
        plugin("cache", "1.0.0", "dependencies = [\"store\"]"),
        plugin("store", "1.0.0", "capabilities = [{ env = { names = [\"TZ\"] } }]"),
    ] {
        folder.write(&path, &manifest);
    }
    folder
}

#[test]
fn who_can_do_what_and_through_whom() {
    let folder = folder();
    folder.run(&["audit", "app.rhai", "--allow", "store:env=TZ"]).gives(
        0,
        "WHO           CAPABILITY  ASKS FOR  GRANTED         THROUGH\n\
         the program   io          -         stdout, stderr\n\
         store@1.0.0   env         TZ        TZ\n\
         cache@1.0.0   env         TZ        TZ              store@1.0.0\n\
         report@1.0.0  io          all       nothing\n\
         report@1.0.0  env         TZ        TZ              cache@1.0.0 -> store@1.0.0\n",
        &[],
    );
}

#[test]
fn json() {
    let ran = folder().run(&["audit", "app.rhai", "--format", "json"]);
    let value: Value = serde_json::from_str(&ran.stdout).unwrap();
    let last = value["capabilities"].as_array().unwrap().last().unwrap();
    assert_eq!(last["plugin"], "report@1.0.0");
    assert_eq!(last["through"], serde_json::json!(["cache@1.0.0", "store@1.0.0"]));
    assert_eq!(last["granted"], Value::Null);
}

#[test]
fn versions_are_compared() {
    let folder = folder();
    for (args, expected) in [
        (["report@1.0.0", "report@2.0.0"], "report@1.0.0 -> report@2.0.0\n+ env: LANG\n- depends on cache\n"),
        (["report@2.0.0", "report@1.0.0"], "report@2.0.0 -> report@1.0.0\n+ depends on cache\n- env: LANG\n"),
        (
            ["store@1.0.0", "store"],
            "store@1.0.0 -> store@1.0.0\n  asks for the same, and depends on the same\n",
        ),
    ] {
        folder.run(&["audit", "--diff", args[0], args[1]]).gives(0, expected, &[]);
    }
    folder.run(&["audit", "--diff", "report@3.0.0", "report"]).gives(4, "", &["error[E0402]"]);
    folder.run(&["audit", "--diff", "report"]).gives(2, "", &["2 values required"]);
    folder.run(&["audit", "app.rhai", "--plugin-path", "missing"]).shows(0, &["report@1.0.0"]);
}
