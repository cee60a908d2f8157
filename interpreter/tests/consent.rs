//! What plugins ask for when they are installed, and what becomes of the answer.

#![cfg(feature = "install")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod common;
mod packages;

use common::{Folder, Ran};
use packages::{USERS, names, plugin, reader, serve_folder, text};
use serde_json::Value;
use std::path::Path;

const FLAG: &str = "--allow reader:filesystem=read:data";

/// The source of `reader`, which asks for the reading of `data`.
#[track_caller]
fn source(project: bool) -> Folder {
    let folder = Folder::new(&[("caraway.toml", "")]);
    if !project {
        std::fs::remove_file(folder.path().join("caraway.toml")).unwrap();
    }
    reader(&folder, "src/reader", "1.0.0", "");
    folder
}

#[track_caller]
fn is_denied(ran: &Ran) {
    ran.gives(5, "", &["error[E0501]: plugin `reader` may not read `data/x.txt`"]);
}

#[track_caller]
fn store(folder: &Folder, project: bool) -> Vec<String> {
    names(&folder.path().join(if project { "plugins" } else { USERS }))
}

#[test]
fn nobody_to_ask() {
    for project in [false, true] {
        let folder = source(project);
        for input in ["", "y\n"] {
            folder.run_with(&["install", "src/reader"], input).gives(
                5,
                "",
                &[
                    "error[E0501]: `reader 1.0.0` asks for filesystem (read data), which is not granted, and nobody can be asked here",
                    &format!("allow it with {FLAG}"),
                    "--deny reader:filesystem",
                ],
            );
            assert_eq!(store(&folder, project), [".caraway.lock"]);
        }
        let flags: Vec<&str> = FLAG.split(' ').collect();
        let folder_name = if project { "plugins".to_owned() } else { USERS.to_owned() };
        let ran = folder.run(&[&["install", "src/reader"], &flags[..]].concat());
        let said = format!(
            "installed reader 1.0.0 in {folder_name}/reader@1.0.0\n  asks for filesystem (read data); granted: filesystem=read:data\n"
        );
        let locked = "+ reader 1.0.0\ncaraway.lock: 1 plugin, written\n";
        ran.gives(0, &format!("{said}{}", if project { locked } else { "" }), &[]);
        folder.run(&["run", "read.rhai"]).gives(0, "1.0.0 secret\n", &[]);
        if project {
            folder.run(&["run", "read.rhai", "--locked"]).gives(0, "1.0.0 secret\n", &[]);
            let config = text(&folder, "caraway.toml");
            assert_eq!(
                config,
                "[dependencies]\nreader = \"^1.0.0\"\n\n[grants.reader]\nallow = [\"filesystem=read:data\"]\n"
            );
        }
        // It is known already.
        folder.run(&["install", "-q", "src/reader"]).gives(0, "", &[]);
        folder.run(&["run", "read.rhai", "--deny", "filesystem"]).gives(5, "", &["error[E0501]"]);
        // Only what was looked at.
        let place = format!("{folder_name}/reader@1.0.0/main.rhai");
        folder.write(&place, &(text(&folder, &place) + "// changed\n"));
        if project {
            std::fs::remove_file(folder.path().join("caraway.lock")).unwrap();
        }
        is_denied(&folder.run(&["run", "read.rhai"]));
    }
}

#[test]
fn installing_without() {
    for project in [false, true] {
        let folder = source(project);
        let ran = folder.run(&["install", "src/reader", "--deny", "reader:filesystem", "--format", "json"]);
        let value: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(value["granted"], serde_json::json!([]), "{ran}");
        assert_eq!(value["asks"], serde_json::json!(["filesystem=read:data"]), "{ran}");
        is_denied(&folder.run(&["run", "read.rhai"]));
        folder.run(&["run", "read.rhai", "--allow", "filesystem=read:data"]).gives(0, "1.0.0 secret\n", &[]);
        // Another answer takes the place of the first, in both directions.
        let allow = ["install", "src/reader", "-q", "--allow", "reader:filesystem=read:data"];
        folder.run(&allow).gives(0, "", &[]);
        folder.run(&["run", "read.rhai"]).gives(0, "1.0.0 secret\n", &[]);
        folder.run(&["install", "src/reader", "-q", "--deny", "filesystem"]).gives(0, "", &[]);
        is_denied(&folder.run(&["run", "read.rhai"]));
        // What is removed is forgotten.
        folder.run(&allow).gives(0, "", &[]);
        folder.run(&["uninstall", "-q", "reader"]).gives(0, "", &[]);
        folder.run(&["install", "-q", "src/reader"]).gives(5, "", &[FLAG]);
    }
}

#[test]
fn plugins_that_ask_for_nothing_ask_nobody() {
    let folder = Folder::new(&[]);
    plugin(&folder, "src/stats", "stats", "1.0.0", "capabilities = [\"function\"]\n");
    folder.run(&["install", "-q", "src/stats"]).gives(0, "", &[]);
    assert!(!folder.path().join("home/.config").exists());
    folder.run(&["trust", "--list"]).gives(0, "", &[]);
}

#[test]
fn one_place_tells_nothing_to_another() {
    let ours = source(true);
    let url = serve_folder(ours.path());
    ours.run(&["pack", "-q", "src/reader", "-o", "r.zip"]).gives(0, "", &[]);
    let flags: Vec<&str> = FLAG.split(' ').collect();
    let home = ours.path().join("home");
    let url = format!("{url}/r.zip");
    ours.run(&[&["install", "-q", &url], &flags[..]].concat()).gives(0, "", &[]);
    ours.run(&["run", "read.rhai"]).gives(0, "1.0.0 secret\n", &[]);
    // A stranger's project, which has all that ours has, and so the very same plugin.
    let theirs = Folder::new(&[]);
    for name in ["caraway.toml", "caraway.lock", "read.rhai", "data/x.txt"] {
        theirs.write(name, &text(&ours, name));
    }
    for name in ["plugin.toml", "main.rhai", ".caraway-package.toml"] {
        let path = format!("plugins/reader@1.0.0/{name}");
        theirs.write(&path, &text(&ours, &path));
    }
    let in_theirs = |args: &[&str]| Ran::of(args, theirs.command(args).env("HOME", &home).output().unwrap());
    let ran = in_theirs(&["run", "read.rhai"]);
    assert!(ran.stderr.contains("warning[E0501]: the project asks for grants for `reader`"), "{ran}");
    is_denied(&ran);
    is_denied(&in_theirs(&["run", "read.rhai", "--locked"]));
    // To get what it lists is no answer either, nor is to install something else there.
    std::fs::remove_dir_all(theirs.path().join("plugins")).unwrap();
    in_theirs(&["install"]).gives(5, "", &[FLAG]);
    assert_eq!(names(&theirs.path().join("plugins")), [".caraway.lock"]);
    in_theirs(&["install", "-q", "--deny", "filesystem"]).gives(0, "", &[]);
    plugin(&theirs, "src/stats", "stats", "1.0.0", "");
    in_theirs(&["install", "-q", "src/stats"]).gives(0, "", &[]);
    is_denied(&in_theirs(&["run", "read.rhai"]));
    // The user's own plugins are for all programs; that of a project is not the user's.
    in_theirs(&["install", "--user", "-q", &url]).gives(5, "", &[FLAG]);
    // Another user has answered nothing.
    is_denied(&Ran::of(
        &[],
        ours.command(&["run", "read.rhai"]).env("HOME", theirs.path()).output().unwrap(),
    ));
    // A fresh checkout of ours, at the same place, is ours.
    std::fs::remove_dir_all(ours.path().join("plugins")).unwrap();
    ours.run(&["install", "-q"]).gives(0, "", &[]);
    ours.run(&["run", "read.rhai", "--locked"]).gives(0, "1.0.0 secret\n", &[]);
    // Elsewhere it asks, and with the answer there is nothing more to be said.
    let fresh = Folder::new(&[]);
    for name in ["caraway.toml", "caraway.lock", "read.rhai", "data/x.txt"] {
        fresh.write(name, &text(&ours, name));
    }
    fresh.run(&["install"]).gives(5, "", &[FLAG]);
    fresh.run(&[&["install", "-q"], &flags[..]].concat()).gives(0, "", &[]);
    fresh.run(&["run", "read.rhai", "--locked"]).gives(0, "1.0.0 secret\n", &[]);
}

#[test]
fn an_answer_is_not_spread_to_what_was_changed_since() {
    let folder = source(true);
    // `other` is trusted by the project's answer, and then changed.
    reader(&folder, "plugins/other", "1.0.0", "");
    folder.write(
        "plugins/other/plugin.toml",
        &text(&folder, "plugins/other/plugin.toml").replace("reader", "other"),
    );
    folder.write("other.rhai", "import \"other\" as o;\nprint(o::text());");
    folder.write("caraway.toml", "[grants.other]\nallow = [\"filesystem=read:data\"]\n");
    folder.run(&["trust", "--yes", "-q"]).gives(0, "", &[]);
    folder.run(&["run", "other.rhai"]).gives(0, "1.0.0 secret\n", &[]);
    folder.write("plugins/other/more.rhai", "// evil");
    folder.write("plugins/other/main.rhai", &(text(&folder, "plugins/other/main.rhai") + "// evil\n"));
    let denied = ["plugin `other` may not read `data/x.txt`"];
    folder.run(&["run", "other.rhai"]).gives(5, "", &denied);
    let flags: Vec<&str> = FLAG.split(' ').collect();
    folder.run(&[&["install", "-q", "src/reader"], &flags[..]].concat()).gives(0, "", &[]);
    folder.run(&["run", "other.rhai"]).gives(5, "", &denied);
    folder.run(&["run", "read.rhai"]).gives(0, "1.0.0 secret\n", &[]);
    // A project whose requests were not answered gets no answer by an installation.
    folder.write("caraway.toml", "# Another.\n[grants.other]\nallow = [\"filesystem=read:data\"]\n");
    folder.run(&[&["install", "-q", "src/reader"], &flags[..]].concat()).gives(0, "", &[]);
    let ran = folder.run(&["run", "other.rhai"]);
    assert!(ran.stderr.contains("the project asks for grants for `other`, and"), "{ran}");
    ran.gives(5, "", &denied);
    assert!(Path::new(&folder.path().join("caraway.lock")).is_file());
}
