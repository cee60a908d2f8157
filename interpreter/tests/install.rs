//! `caraway install` and `caraway uninstall`.

#![cfg(feature = "install")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod common;
mod packages;

use common::{Folder, Ran};
use packages::{APP, USERS, names, plugin, serve_folder, text, toml};
use serde_json::Value;

/// A folder, which is no project, with the sources of `stats` 1.0.0, 1.1.0 and 2.0.0.
#[track_caller]
fn sources() -> Folder {
    let folder = Folder::new(&[APP]);
    for version in ["1.0.0", "1.1.0", "2.0.0"] {
        plugin(&folder, &format!("src/stats-{version}"), "stats", version, "");
    }
    folder
}

#[track_caller]
fn project() -> Folder {
    let folder = sources();
    folder.write("caraway.toml", "");
    folder
}

#[track_caller]
fn json(ran: &Ran) -> Value {
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran}");
    serde_json::from_str(&ran.stdout).unwrap()
}

/// Packs `src/stats-1.0.0` under this name and gives its digest, `sha256=HEX`.
#[track_caller]
fn packed(folder: &Folder, name: &str) -> String {
    let ran = folder.run(&["pack", "src/stats-1.0.0", "-o", name, "--format", "json"]);
    json(&ran)["digest"].as_str().unwrap().replace(':', "=")
}

#[test]
fn from_everything_that_is_a_source() {
    let folder = sources();
    let url = serve_folder(folder.path());
    let mut sources = vec!["src/stats-1.0.0".to_owned()];
    for name in ["a.zip", "a.tar", "a.tar.gz", "a.tgz", "a.tar.zst"] {
        let digest = packed(&folder, name);
        sources.extend([name.to_owned(), format!("{url}/{name}"), format!("{url}/{name}#{digest}")]);
    }
    for source in sources {
        let said = format!("installed stats 1.0.0 in {USERS}/stats@1.0.0\n");
        folder.run(&["install", &source]).gives(0, &said, &[]);
        folder.run(&["run", "app.rhai"]).gives(0, "stats 1.0.0\n", &[]);
        let from = source.split('#').next().unwrap_or_default();
        folder.run(&["info", "stats"]).shows(0, &["installed from", from]);
        assert_eq!(names(&folder.path().join(USERS)), [".caraway.lock", "stats@1.0.0"]);
        folder.run(&["uninstall", "stats"]).gives(0, "removed stats@1.0.0\n", &[]);
        assert_eq!(names(&folder.path().join(USERS)), [".caraway.lock"]);
    }
}

#[test]
fn a_lock_file_that_must_stay_is_not_written() {
    let folder = sources();
    folder.write("caraway.toml", "");
    for args in [&["install", "src/stats-1.0.0", "--locked"][..], &["--locked", "update"]] {
        folder.run(args).gives(2, "", &["error[E0201]: `--locked` keeps caraway.lock as it is"]);
    }
    assert!(!folder.path().join("plugins/stats@1.0.0").exists());
}

#[test]
fn sources_that_are_none() {
    let folder = sources();
    folder.write("empty/readme.txt", "");
    folder.write("broken/plugin.toml", "name = \"Broken\"\nversion = \"1\"\ntype = \"module\"\n");
    folder.write("text.zip", "hello");
    folder.write(
        "newer/plugin.toml",
        "name = \"newer\"\nversion = \"1.0.0\"\ntype = \"module\"\ncaraway_version = \">=99\"\n",
    );
    folder.write("newer/main.rhai", "");
    packed(&folder, "a.zip");
    let url = serve_folder(folder.path());
    for (source, code, parts) in [
        (
            "nowhere",
            8,
            &["error[E0801]: cannot read", "nowhere", "a source is a plugin's folder, an archive"][..],
        ),
        ("empty", 3, &["error[E0", "is no plugin's folder", "plugin.json or a plugin.toml"]),
        ("broken", 3, &["error[E03", "broken/plugin.toml:1"]),
        ("text.zip", 3, &["error[E0311]", "neither a zip nor a tar", "text.zip"]),
        ("newer", 3, &["`newer@1.0.0` needs caraway >=99", "a newer caraway"]),
        ("git://host/x", 2, &["error[E0201]: no plugin can be got by `git`: git://host/x"]),
        (&format!("{url}/none.zip"), 8, &["answers with the status 404"]),
        (&format!("{url}/a.zip#sha256={}", "0".repeat(64)), 6, &["error[E0601]", "has the digest sha256:"]),
        (&format!("{url}/a.zip#sha256=12"), 2, &["error[E0201]", "64"]),
        ("", 2, &["error[E0201]: the source is empty"]),
    ] {
        let ran = folder.run(&["install", source]);
        assert!(ran.stderr.contains("hint") || ran.stderr.contains("help"), "{ran}");
        assert!(!ran.stderr.contains("staging"), "{ran}");
        ran.gives(code, "", parts);
        let left: Vec<String> = names(&folder.path().join(USERS));
        assert!(left.iter().all(|name| name == ".caraway.lock"), "{left:?}: {ran}");
    }
}

#[test]
fn in_a_project() {
    let folder = sources();
    let config =
        "# Ours.\n[dependencies] # what we need\nother = \"*\" # by hand\n\n[limits]\ntimeout = \"10s\"\n";
    folder.write("caraway.toml", config);
    plugin(&folder, "plugins/other", "other", "0.1.0", "");
    folder.run(&["install", "src/stats-1.0.0"]).gives(
        0,
        "installed stats 1.0.0 in plugins/stats@1.0.0\n+ other 0.1.0\n+ stats 1.0.0\ncaraway.lock: 2 plugins, written\n",
        &[],
    );
    let expected = config.replace("by hand\n", "by hand\nstats = \"^1.0.0\"\n");
    assert_eq!(text(&folder, "caraway.toml"), expected);
    folder.run(&["run", "app.rhai", "--locked"]).gives(0, "stats 1.0.0\n", &[]);
    // What is there already changes nothing.
    let lock = text(&folder, "caraway.lock");
    folder.run(&["install", "src/stats-1.0.0"]).gives(
        0,
        "already there: stats 1.0.0 in plugins/stats@1.0.0\ncaraway.lock: 2 plugins, up to date\n",
        &[],
    );
    assert_eq!((text(&folder, "caraway.toml"), text(&folder, "caraway.lock")), (expected.clone(), lock));
    // A version that the requirement accepts leaves it alone; others move it.
    folder.run(&["install", "src/stats-1.1.0", "-q"]).gives(0, "", &[]);
    assert_eq!(text(&folder, "caraway.toml"), expected);
    folder.run(&["run", "app.rhai", "--locked"]).gives(0, "stats 1.1.0\n", &[]);
    let ran = folder.run(&["install", "src/stats-2.0.0", "--format", "json"]);
    let value = json(&ran);
    assert_eq!((&value["name"], &value["version"]), (&"stats".into(), &"2.0.0".into()));
    assert_eq!((&value["outcome"], &value["granted"]), (&"installed".into(), &Value::Array(Vec::new())));
    assert_eq!(text(&folder, "caraway.toml"), expected.replace("^1.0.0", "^2.0.0"));
    folder.run(&["run", "app.rhai", "--locked"]).gives(0, "stats 2.0.0\n", &[]);
    folder.run(&["lock", "--check"]).shows(0, &["up to date"]);
    // From a folder further down it is the same project.
    folder.write("sub/x.rhai", "");
    let mut command = folder.command(&["install", "../src/stats-2.0.0"]);
    let output = command.current_dir(folder.path().join("sub")).output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("already there: stats 2.0.0 in "));
    assert!(!folder.path().join(USERS).exists());
    // Programs further down see what the project has.
    folder.write("sub/app.rhai", APP.1);
    folder.run(&["run", "sub/app.rhai", "--locked"]).gives(0, "stats 2.0.0\n", &[]);
    folder.run(&["lock", "sub/app.rhai", "-q"]).gives(0, "", &[]);
}

#[test]
fn for_the_user_and_into_a_folder() {
    let folder = project();
    folder.run(&["install", "--user", "src/stats-1.0.0"]).shows(0, &[USERS]);
    folder.run(&["install", "--into", "own/place", "src/stats-1.1.0"]).gives(
        0,
        "installed stats 1.1.0 in own/place/stats@1.1.0\n",
        &[],
    );
    assert_eq!(text(&folder, "caraway.toml"), "");
    assert!(!folder.path().join("caraway.lock").exists() && !folder.path().join("plugins").exists());
    folder.run(&["run", "app.rhai"]).gives(0, "stats 1.0.0\n", &[]);
    folder.run(&["run", "app.rhai", "--plugin-path", "own/place"]).gives(0, "stats 1.1.0\n", &[]);
    folder.run(&["uninstall", "stats"]).gives(4, "", &["`stats` is not installed in "]);
    folder.run(&["uninstall", "stats", "--user"]).gives(0, "removed stats@1.0.0\n", &[]);
    folder.run(&["uninstall", "stats", "--into", "own/place"]).gives(0, "removed stats@1.1.0\n", &[]);
    folder.run(&["install", "--user", "--into", "x", "src/stats-1.0.0"]).gives(
        2,
        "",
        &["cannot be used with"],
    );
}

#[test]
fn versions_side_by_side() {
    let folder = sources();
    for (name, version) in [("old", "1"), ("fresh", "2")] {
        let more = format!("dependencies = {{ stats = \"^{version}\" }}\n");
        plugin(&folder, &format!("src/{name}"), name, "1.0.0", &more);
        let script = "import \"stats\" as s;\nfn version() { s::version() }";
        folder.write(&format!("src/{name}/main.rhai"), script);
    }
    folder.write(
        "both.rhai",
        "import \"old\" as o; import \"fresh\" as n; print(o::version() + \", \" + n::version());",
    );
    for config in [false, true] {
        if config {
            folder.write("caraway.toml", "");
        }
        for source in ["stats-1.0.0", "stats-2.0.0", "old", "fresh"] {
            let ran = folder.run(&["install", "-q", &format!("src/{source}")]);
            ran.gives(0, "", &[]);
        }
        folder.run(&["run", "both.rhai"]).gives(0, "stats 1.0.0, stats 2.0.0\n", &[]);
        let ran = folder.run(&["uninstall", "stats@^1"]);
        ran.gives(
            4,
            "",
            &["error[E04", "`old@1.0.0` needs `stats ^1`", "uninstall `old` first, or use `--force`"],
        );
        folder.run(&["uninstall", "old", "-q"]).gives(0, "", &[]);
        folder.run(&["uninstall", "stats@^1", "-q"]).gives(0, "", &[]);
        folder.run(&["uninstall", "stats"]).gives(4, "", &["`fresh@1.0.0` needs `stats ^2`"]);
        folder.run(&["run", "app.rhai"]).gives(0, "stats 2.0.0\n", &[]);
    }
    folder.run(&["run", "app.rhai", "--locked"]).gives(0, "stats 2.0.0\n", &[]);
}

#[test]
fn other_contents_under_the_same_version() {
    for folder in [sources(), project()] {
        folder.run(&["install", "src/stats-1.0.0", "-q"]).gives(0, "", &[]);
        folder.write("src/stats-1.0.0/main.rhai", "fn version() { \"other\" }");
        let (config, lock) = (folder.path().join("caraway.toml"), folder.path().join("caraway.lock"));
        let state = || (std::fs::read(&config).ok(), std::fs::read(&lock).ok());
        let before = state();
        folder.run(&["install", "src/stats-1.0.0"]).gives(
            6,
            "",
            &[
                "error[E0601]: `stats@1.0.0` is there already, with other contents",
                "`--replace` takes the new contents",
            ],
        );
        assert_eq!(state(), before);
        folder.run(&["run", "app.rhai"]).gives(0, "stats 1.0.0\n", &[]);
        folder.run(&["install", "--replace", "src/stats-1.0.0"]).shows(0, &["replaced stats 1.0.0 in "]);
        folder.run(&["run", "app.rhai"]).gives(0, "other\n", &[]);
    }
}

#[test]
fn plugins_that_need_what_is_not_there() {
    let folder = sources();
    plugin(&folder, "src/needy", "needy", "1.0.0", "dependencies = { nobody = \"^1\" }\n");
    folder.run(&["install", "src/needy"]).gives(
        0,
        &format!("installed needy 1.0.0 in {USERS}/needy@1.0.0\n"),
        &["warning[E04", "nobody", "`needy 1.0.0` is installed all the same; install what it needs, too"],
    );
    folder.run(&["uninstall", "-q", "needy"]).gives(0, "", &[]);
    folder.run(&["install", "-q", "src/needy"]).gives(0, "", &[]);
    folder.run(&["uninstall", "-q", "needy"]).gives(0, "", &[]);
    folder.write("caraway.toml", "# ours\n");
    folder.run(&["install", "src/needy"]).gives(4, "", &["error[E0401]", "`nobody", "needy"]);
    assert_eq!(text(&folder, "caraway.toml"), "# ours\n");
    assert_eq!(names(&folder.path().join("plugins")), [".caraway.lock"]);
    assert!(!folder.path().join("caraway.lock").exists());
    // A program that was locked and cannot be planned for any more stops it before, too.
    folder.write("caraway.toml", "");
    folder.write("good.rhai", "print(1);");
    folder.run(&["lock", "good.rhai", "-q"]).gives(0, "", &[]);
    folder.write("good.rhai", "print(");
    folder.run(&["install", "src/stats-1.0.0"]).gives(1, "", &["good.rhai:1"]);
    assert_eq!(names(&folder.path().join("plugins")), [".caraway.lock"]);
    assert_eq!(text(&folder, "caraway.toml"), "");
}

#[test]
fn what_was_required_by_hand() {
    let folder = sources();
    plugin(&folder, "src/other", "other", "0.1.0", "");
    folder.write("caraway.toml", "[dependencies]\nother = \"^0.1\"\nstats = \"^1\"\n");
    folder.run(&["install", "src/stats-1.0.0"]).gives(
        0,
        "installed stats 1.0.0 in plugins/stats@1.0.0\n",
        &["warning[E0401]: no plugin is called `other`", "install what is missing"],
    );
    assert!(!folder.path().join("caraway.lock").exists());
    folder.run(&["install", "-q", "src/other"]).gives(0, "", &[]);
    folder.run(&["run", "app.rhai", "--locked"]).gives(0, "stats 1.0.0\n", &[]);
}

#[test]
fn uninstalling() {
    let folder = project();
    folder.write("caraway.toml", "# ours\n[dependencies]\n# the best\nstats = \"*\"\n");
    plugin(&folder, "plugins/stats@1.0.0", "stats", "1.0.0", "");
    folder.run(&["install", "src/stats-1.0.0"]).gives(
        4,
        "",
        &["`stats@1.0.0` was put there by hand, not installed", "delete its folder by hand"],
    );
    folder.run(&["uninstall", "stats"]).gives(
        4,
        "",
        &["`stats@1.0.0` was put there by hand, not installed", "delete its folder by hand"],
    );
    std::fs::remove_dir_all(folder.path().join("plugins/stats@1.0.0")).unwrap();
    for version in ["1.0.0", "1.1.0", "2.0.0"] {
        folder.run(&["install", "-q", &format!("src/stats-{version}")]).gives(0, "", &[]);
    }
    folder.run(&["run", "app.rhai", "--locked"]).gives(0, "stats 2.0.0\n", &[]);
    folder.run(&["uninstall", "stast"]).gives(
        4,
        "",
        &["error[E0401]: `stast` is not installed in plugins", "did you mean `stats`?"],
    );
    folder.run(&["uninstall", "stats@9"]).gives(
        4,
        "",
        &["`stats@9` is not installed in plugins", "there is 1.0.0, 1.1.0, 2.0.0"],
    );
    folder.run(&["uninstall", "stats@2"]).gives(
        0,
        "removed stats@2.0.0\n+ stats 1.1.0\n- stats 2.0.0\ncaraway.lock: 1 plugin, written\n",
        &[],
    );
    folder.run(&["run", "app.rhai", "--locked"]).gives(0, "stats 1.1.0\n", &[]);
    let value = json(&folder.run(&["uninstall", "stats", "--format", "json"]));
    assert_eq!(value["removed"], serde_json::json!(["stats@1.0.0", "stats@1.1.0"]));
    assert!(
        toml(&folder, "caraway.toml").get("dependencies").is_none_or(|table| table.get("stats").is_none())
    );
    assert!(text(&folder, "caraway.toml").starts_with("# ours\n"));
    assert_eq!(names(&folder.path().join("plugins")), [".caraway.lock"]);
    folder.run(&["lock", "--check"]).shows(0, &["caraway.lock: 0 plugins, up to date"]);
    folder.run(&["uninstall", "stats"]).gives(4, "", &["`stats` is not installed in plugins"]);
    folder.run(&["uninstall", "stats@y"]).gives(2, "", &["error[E0201]: \"stats@y\" has no version"]);
}

#[test]
fn uninstalling_what_others_need() {
    let folder = project();
    plugin(&folder, "src/user", "user", "1.0.0", "dependencies = { stats = \"^1\" }\n");
    folder.run(&["install", "-q", "src/stats-1.0.0"]).gives(0, "", &[]);
    folder.run(&["install", "-q", "src/user"]).gives(0, "", &[]);
    let before = (text(&folder, "caraway.toml"), text(&folder, "caraway.lock"));
    folder.run(&["uninstall", "stats"]).gives(
        4,
        "",
        &["error[E0403]: `user@1.0.0` needs `stats ^1`", "`--force`"],
    );
    assert_eq!((text(&folder, "caraway.toml"), text(&folder, "caraway.lock")), before);
    // The project itself is one that may need it.
    folder.run(&["uninstall", "user", "-q"]).gives(0, "", &[]);
    folder.run(&["install", "-q", "src/stats-1.1.0"]).gives(0, "", &[]);
    folder.run(&["lock", "-q", "app.rhai"]).gives(0, "", &[]);
    let ran = folder.run(&["uninstall", "stats@1"]);
    ran.gives(4, "", &["error[E0401]", "app.rhai:1", "the project would be broken", "`--force`"]);
    folder.run(&["run", "app.rhai", "--locked"]).gives(0, "stats 1.1.0\n", &[]);
    let config = text(&folder, "caraway.toml");
    folder.write("caraway.toml", &config.replace("^1.0.0", "^1.1"));
    folder.run(&["uninstall", "-q", "stats@1.1"]).gives(4, "", &["error[E0402]", "or use `--force`"]);
    folder.write("caraway.toml", &config);
    folder.run(&["uninstall", "-q", "stats@1.1"]).gives(0, "", &[]);
    folder.run(&["run", "app.rhai", "--locked"]).gives(0, "stats 1.0.0\n", &[]);
    std::fs::remove_file(folder.path().join("app.rhai")).unwrap();
    folder.run(&["install", "-q", "src/user"]).gives(0, "", &[]);
    folder.write(APP.0, APP.1);
    // Nothing can be locked then, and the project says what is missing.
    let ran = folder.run(&["uninstall", "stats", "--force"]);
    assert_eq!(ran.code, Some(0), "{ran}");
    assert!(ran.stderr.contains("warning[E0401]"), "{ran}");
    assert_eq!(names(&folder.path().join("plugins")), [".caraway.lock", "user@1.0.0"]);
    folder.run(&["install", "-q", "src/stats-1.0.0"]).gives(0, "", &[]);
    folder.run(&["run", "app.rhai", "--locked"]).gives(0, "stats 1.0.0\n", &[]);
}

#[test]
fn a_fresh_checkout() {
    let folder = project();
    let url = serve_folder(folder.path());
    packed(&folder, "a.tar.gz");
    plugin(&folder, "src/other", "other", "0.1.0", "");
    folder.run(&["install"]).gives(6, "", &["there is no caraway.lock", "caraway install SOURCE"]);
    folder.run(&["install", "-q", &format!("{url}/a.tar.gz")]).gives(0, "", &[]);
    folder.run(&["install", "-q", "src/other"]).gives(0, "", &[]);
    folder.run(&["install"]).gives(0, "all that is locked is there\n", &[]);
    folder.run(&["install", "-q"]).gives(0, "", &[]);
    assert_eq!(json(&folder.run(&["install", "--format", "json"]))["plugins"], serde_json::json!([]));
    let before = (text(&folder, "caraway.toml"), text(&folder, "caraway.lock"));
    assert!(!before.1.contains("src/stats") && before.1.contains("source = \"src/other\""), "{}", before.1);
    let gone = || std::fs::remove_dir_all(folder.path().join("plugins")).unwrap();
    gone();
    folder.run(&["run", "app.rhai"]).gives(4, "", &["stats", "`caraway install`"]);
    folder.run(&["install"]).gives(
        0,
        "installed other 0.1.0 in plugins/other@0.1.0\ninstalled stats 1.0.0 in plugins/stats@1.0.0\n",
        &[],
    );
    folder.run(&["run", "app.rhai", "--locked"]).gives(0, "stats 1.0.0\n", &[]);
    gone();
    let value = json(&folder.run(&["install", "--format", "json"]));
    assert_eq!(value["plugins"][1]["name"], "stats");
    assert_eq!((text(&folder, "caraway.toml"), text(&folder, "caraway.lock")), before);
    // A source with something else by now.
    gone();
    folder.write("src/stats-1.0.0/main.rhai", "fn version() { \"evil\" }");
    packed(&folder, "a.tar.gz");
    folder.run(&["install"]).gives(
        6,
        "",
        &["error[E0601]", "main.rhai", "caraway.lock says sha256:", "a.tar.gz"],
    );
    assert_eq!(names(&folder.path().join("plugins")), [".caraway.lock"]);
    plugin(&folder, "src/stats-1.0.0", "stats", "3.0.0", "");
    packed(&folder, "a.tar.gz");
    folder.run(&["install"]).gives(6, "", &["a.tar.gz has `stats 3.0.0` by now, and not `stats 1.0.0`"]);
    std::fs::remove_dir_all(folder.path().join("src/other")).unwrap();
    folder.run(&["install"]).gives(8, "", &["`other 0.1.0` is locked and not here", "put it back"]);
    assert_eq!(names(&folder.path().join("plugins")), [".caraway.lock"]);
}

#[test]
fn nowhere_to_install_to() {
    let folder = sources();
    folder.run(&["install"]).gives(2, "", &["there is no project here", "caraway install SOURCE"]);
    folder.run(&["install", "src/stats-1.0.0", "--into", "app.rhai"]).gives(
        8,
        "",
        &["error[E0801]", "app.rhai"],
    );
}

#[test]
fn help() {
    let folder = Folder::new(&[]);
    for (command, parts) in [
        (
            "install",
            &["Usage: caraway install [OPTIONS] [SOURCE]", "--into <DIR>", "--replace", "Without SOURCE"][..],
        ),
        ("uninstall", &["Usage: caraway uninstall [OPTIONS] <NAME[@REQ]>", "--force"]),
        ("update", &["Usage: caraway update [OPTIONS] [NAME]...", "--user"]),
        ("pack", &["Usage: caraway pack [OPTIONS] [DIR]", "--output <FILE>", "--list"]),
    ] {
        folder.run(&[command, "--help"]).shows(0, parts);
    }
}
