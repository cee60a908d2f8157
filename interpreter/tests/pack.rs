//! `caraway pack`.

#![cfg(feature = "install")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod common;
mod packages;

use common::Folder;
use packages::{names, plugin};
use serde_json::Value;

#[track_caller]
fn stats() -> Folder {
    let folder = Folder::new(&[
        ("stats/.gitignore", "*.log\n"),
        ("stats/a.log", "secret"),
        ("stats/.env", "secret"),
        ("stats/inner/part.rhai", ""),
        ("stats/target/x", ""),
    ]);
    plugin(&folder, "stats", "stats", "1.2.0", "");
    folder
}

#[test]
fn what_ships() {
    let folder = stats();
    let list = "FILE             BYTES\ninner/part.rhai  0\nmain.rhai        31\nplugin.toml      49\n";
    folder.run(&["pack", "stats", "--list"]).gives(0, list, &[]);
    let ran = folder.run(&["pack", "stats", "--list", "--format", "json"]);
    let value: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(value["files"][1], serde_json::json!({"path": "main.rhai", "bytes": 31, "executable": false}));
    assert_eq!(names(folder.path()), ["stats"]);
    let ran = folder.run(&["pack", "stats"]);
    assert!(ran.stdout.starts_with("stats-1.2.0.tar.gz: 3 files, "), "{ran}");
    assert!(ran.stdout.contains(" bytes, sha256:"), "{ran}");
    let first = std::fs::read(folder.path().join("stats-1.2.0.tar.gz")).unwrap();
    folder.run(&["pack", "stats", "-q", "-o", "."]).gives(0, "", &[]);
    assert_eq!(std::fs::read(folder.path().join("stats-1.2.0.tar.gz")).unwrap(), first);
    assert_eq!(names(folder.path()), ["stats", "stats-1.2.0.tar.gz"]);
    // In the plugin's own folder, where earlier archives do not ship.
    for _ in 0..2 {
        let mut command = folder.command(&["pack", "--format", "json"]);
        let output = command.current_dir(folder.path().join("stats")).output().unwrap();
        let value: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(value["archive"], "stats-1.2.0.tar.gz");
        assert_eq!(value["files"].as_array().unwrap().len(), 3);
        assert_eq!(std::fs::read(folder.path().join("stats/stats-1.2.0.tar.gz")).unwrap(), first);
    }
}

#[test]
fn what_cannot_be_packed() {
    let folder = stats();
    folder.write("none/x", "");
    folder.write("unbuilt/plugin.toml", "name = \"unbuilt\"\nversion = \"1.0.0\"\ntype = \"wasm\"\n");
    std::os::unix::fs::symlink("/etc/passwd", folder.path().join("link")).unwrap();
    plugin(&folder, "linked", "linked", "1.0.0", "");
    std::os::unix::fs::symlink("/etc/passwd", folder.path().join("linked/passwd")).unwrap();
    for (args, code, parts) in [
        (&["pack", "nowhere"][..], 8, &["error[E0801]", "nowhere"][..]),
        (&["pack", "none"], 3, &["is no plugin's folder", "plugin.json or a plugin.toml"]),
        (&["pack", "stats/main.rhai"], 8, &["main.rhai"]),
        (&["pack", "unbuilt"], 3, &["build it first: `caraway build unbuilt`"]),
        (&["pack", "linked"], 3, &["linked/passwd is a symbolic link, which cannot be shipped"]),
        (
            &["pack", "stats", "-o", "x.rar"],
            2,
            &["error[E0201]: x.rar does not say what kind", "known are .tar.gz"],
        ),
        (
            &["pack", "stats", "-o", "no/such/x.zip"],
            8,
            &["cannot write no/such/x.zip", "does its folder exist"],
        ),
    ] {
        folder.run(args).gives(code, "", parts);
    }
    assert_eq!(names(folder.path()), ["link", "linked", "none", "stats", "unbuilt"]);
}
