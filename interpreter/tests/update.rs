//! `caraway update`.

#![cfg(feature = "install")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod common;
mod packages;

use common::Folder;
use packages::{APP, USERS, names, plugin, reader, text};
use serde_json::Value;

/// `stats` 1.0.0 was installed from `src/stats`.
#[track_caller]
fn installed(project: bool) -> Folder {
    let folder = Folder::new(&[APP]);
    if project {
        folder.write("caraway.toml", "# ours\n");
    }
    plugin(&folder, "src/stats", "stats", "1.0.0", "");
    folder.run(&["install", "-q", "src/stats"]).gives(0, "", &[]);
    folder
}

#[test]
fn newer_and_not() {
    for project in [false, true] {
        let folder = installed(project);
        let lock = |text: &'static str| if project { text } else { "" };
        let current = "caraway.lock: 1 plugin, up to date\n";
        let said = |line: &str| format!("{line}\n{}", lock(current));
        folder.run(&["update"]).gives(0, &said("stats 1.0.0: nothing newer"), &[]);
        plugin(&folder, "src/stats", "stats", "0.9.0", "");
        folder.run(&["update"]).gives(0, &said("stats 1.0.0: its source has 0.9.0, which is older"), &[]);
        folder.write("src/stats/plugin.toml", "name = \"stats\"\nversion = \"1.0.0\"\ntype = \"module\"\n");
        folder.write("src/stats/main.rhai", "fn version() { \"other\" }");
        let ran = folder.run(&["update", "stats"]);
        assert!(ran.stdout.starts_with("stats 1.0.0: its source has other contents under the same version; `caraway install --replace /"), "{ran}");
        plugin(&folder, "src/stats", "stats", "1.1.0", "");
        let changed = "+ stats 1.1.0\n- stats 1.0.0\ncaraway.lock: 1 plugin, written\n";
        folder.run(&["update"]).gives(0, &format!("stats 1.0.0 -> 1.1.0\n{}", lock(changed)), &[]);
        folder.run(&["run", "app.rhai"]).gives(0, "stats 1.1.0\n", &[]);
        if project {
            folder.run(&["run", "app.rhai", "--locked"]).gives(0, "stats 1.1.0\n", &[]);
            assert_eq!(text(&folder, "caraway.toml"), "# ours\n\n[dependencies]\nstats = \"^1.0.0\"\n");
        }
        folder.run(&["update", "-q"]).gives(0, "", &[]);
        plugin(&folder, "src/stats", "stats", "1.2.0", "");
        let ran = folder.run(&["update", "--format", "json"]);
        let value: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(
            value["plugins"][0],
            serde_json::json!({
                "name": "stats", "version": "1.1.0", "outcome": "updated", "found": "1.2.0",
                "source": folder.path().canonicalize().unwrap().join("src/stats"),
            })
        );
        let store = folder.path().join(if project { "plugins" } else { USERS });
        assert_eq!(names(&store), [".caraway.lock", "stats@1.0.0", "stats@1.1.0", "stats@1.2.0"]);
    }
}

#[test]
fn what_the_project_does_not_accept() {
    let folder = installed(true);
    plugin(&folder, "src/stats", "stats", "2.0.0", "");
    folder.run(&["update"]).gives(
        0,
        "stats 1.0.0: its source has 2.0.0, which `^1.0.0` in caraway.toml does not accept\n\
         caraway.lock: 1 plugin, up to date\n",
        &[],
    );
    assert_eq!(names(&folder.path().join("plugins")), [".caraway.lock", "stats@1.0.0"]);
    folder.run(&["run", "app.rhai", "--locked"]).gives(0, "stats 1.0.0\n", &[]);
    folder.write("caraway.toml", "[dependencies]\nstats = \"*\"\n");
    folder.run(&["update", "-q"]).gives(0, "", &[]);
    folder.run(&["run", "app.rhai", "--locked"]).gives(0, "stats 2.0.0\n", &[]);
}

#[test]
fn what_depends_on_each_other() {
    let folder = installed(true);
    plugin(&folder, "src/above", "above", "1.0.0", "dependencies = { stats = \"^1.0\" }\n");
    folder.run(&["install", "-q", "src/above"]).gives(0, "", &[]);
    plugin(&folder, "src/above", "above", "1.1.0", "dependencies = { stats = \"^1.1\" }\n");
    plugin(&folder, "src/stats", "stats", "1.1.0", "");
    folder
        .run(&["update", "above"])
        .shows(0, &["above 1.0.0 -> 1.1.0\n", "caraway.lock: 2 plugins, up to date"]);
    folder.run(&["run", "app.rhai", "--locked"]).gives(0, "stats 1.0.0\n", &[]);
    folder.run(&["update"]).shows(0, &["stats 1.0.0 -> 1.1.0\n", "+ above 1.1.0\n+ stats 1.1.0\n"]);
    folder.run(&["run", "app.rhai", "--locked"]).gives(0, "stats 1.1.0\n", &[]);
}

#[test]
fn sources_that_are_gone_or_have_something_else() {
    for project in [false, true] {
        let folder = installed(project);
        plugin(&folder, "src/other", "other", "1.0.0", "");
        folder.run(&["install", "-q", "src/other"]).gives(0, "", &[]);
        plugin(&folder, "src/other", "other", "1.1.0", "");
        std::fs::rename(folder.path().join("src/stats"), folder.path().join("away")).unwrap();
        let ran = folder.run(&["update"]);
        assert_eq!(ran.code, Some(8), "{ran}");
        assert!(ran.stdout.starts_with("other 1.0.0 -> 1.1.0\nstats 1.0.0: stays\n"), "{ran}");
        for part in
            ["error[E0801]: `stats@1.0.0` cannot be updated: cannot read", "install it from where it is now"]
        {
            assert!(ran.stderr.contains(part), "{ran}");
        }
        folder.run(&["run", "app.rhai"]).gives(0, "stats 1.0.0\n", &[]);
        plugin(&folder, "src/stats", "states", "2.0.0", "");
        let ran = folder.run(&["update", "stats"]);
        assert_eq!(ran.code, Some(6), "{ran}");
        assert!(ran.stderr.contains("has `states 2.0.0` by now, and not `stats`"), "{ran}");
        folder.run(&["run", "app.rhai"]).gives(0, "stats 1.0.0\n", &[]);
    }
}

#[test]
fn names_and_nothing() {
    let folder = installed(false);
    folder.run(&["update", "stast", "x"]).gives(
        4,
        "",
        &[
            "error[E0401]: `stast` is not installed",
            "did you mean `stats`?",
            "`x` is not installed",
            "`caraway install SOURCE`",
        ],
    );
    let empty = Folder::new(&[]);
    empty.run(&["update"]).gives(0, "nothing is installed\n", &[]);
    empty.run(&["update", "-q"]).gives(0, "", &[]);
    let ran = empty.run(&["update", "--format", "json"]);
    let value: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(value["plugins"], serde_json::json!([]));
    // In a project, plugins that were put there by hand are locked anew.
    folder.write("p/caraway.toml", "[dependencies]\nstats = \"*\"\n");
    for version in ["1.0.0", "1.5.0"] {
        plugin(&folder, &format!("p/plugins/{version}"), "stats", version, "");
        let output = folder.command(&["update"]).current_dir(folder.path().join("p")).output().unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert!(stdout.contains(&format!("+ stats {version}\n")), "{stdout}");
    }
}

#[test]
fn an_update_that_asks_for_more_waits() {
    for project in [false, true] {
        let folder = Folder::new(&[("app.rhai", "print(1);")]);
        if project {
            folder.write("caraway.toml", "");
        }
        reader(&folder, "src/reader", "1.0.0", "");
        folder.run(&["install", "-q", "src/reader", "--allow", "reader:filesystem=read:data"]).gives(
            0,
            "",
            &[],
        );
        folder.run(&["run", "read.rhai"]).gives(0, "1.0.0 secret\n", &[]);
        // One that asks for no more needs nobody.
        reader(&folder, "src/reader", "1.1.0", "");
        folder.run(&["update", "-q"]).gives(0, "", &[]);
        folder.run(&["run", "read.rhai"]).gives(0, "1.1.0 secret\n", &[]);
        reader(&folder, "src/reader", "1.2.0", ", { env = { names = [\"LANG\", \"A B\"] } }");
        let ran = folder.run(&["update"]);
        assert_eq!(ran.code, Some(5), "{ran}");
        assert!(ran.stdout.starts_with("reader 1.1.0: stays\n"), "{ran}");
        let flag = ran.stderr.split("allow it with ").nth(1).unwrap().split(';').next().unwrap().to_owned();
        assert!(
            ran.stderr.contains("error[E0501]: `reader@1.1.0` stays: `reader 1.2.0` asks for env"),
            "{ran}"
        );
        assert!(!flag.contains("filesystem"), "{ran}");
        folder.run(&["run", "read.rhai"]).gives(0, "1.1.0 secret\n", &[]);
        // The flag as it is printed.
        let line = format!("{} update -q {flag}", env!("CARGO_BIN_EXE_caraway"));
        let mut shell = std::process::Command::new("/bin/sh");
        shell.args(["-c", &line]).current_dir(folder.path()).env_clear();
        let output = shell.env("HOME", folder.path().join("home")).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        folder.run(&["run", "read.rhai"]).gives(0, "1.2.0 secret\n", &[]);
        if project {
            folder.run(&["run", "read.rhai", "--locked"]).gives(0, "1.2.0 secret\n", &[]);
        }
        // What is denied is not asked for.
        reader(&folder, "src/reader", "1.3.0", ", { env = { names = [\"LANG\", \"OTHER\"] } }");
        folder.run(&["update", "-q", "--deny", "reader:env"]).gives(0, "", &[]);
        folder.run(&["run", "read.rhai"]).gives(0, "1.3.0 secret\n", &[]);
        let ran = folder.run(&["trust", "--list"]);
        assert!(ran.stdout.contains("plugin reader 1.3.0: filesystem=read:data\n"), "{ran}");
    }
}
