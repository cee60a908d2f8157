//! `caraway.lock`: made, verified, required.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod common;

use common::Folder;
use serde_json::Value;

const APP: (&str, &str) = ("app.rhai", "import \"stats\" as s;\nprint(s::version() + \" \" + s::half());");

fn manifest(name: &str, version: &str, more: &str) -> String {
    format!("name = \"{name}\"\nversion = \"{version}\"\ntype = \"module\"\n{more}\n")
}

/// A project with `stats` in two versions, which needs `format`.
#[track_caller]
fn project() -> Folder {
    let folder = Folder::new(&[APP, ("caraway.toml", "[dependencies]\nstats = \"^1.2\"\n")]);
    add_stats(&folder, "1.2.0");
    folder.write("plugins/format/plugin.toml", &manifest("format", "1.0.0", ""));
    folder.write("plugins/format/main.rhai", "fn bold(text) { `*${text}*` }");
    folder
}

#[track_caller]
fn add_stats(folder: &Folder, version: &str) {
    let place = format!("plugins/stats-{version}");
    let needs = "dependencies = { format = \"^1\" }";
    folder.write(&format!("{place}/plugin.toml"), &manifest("stats", version, needs));
    let script = "import \"format\" as f;\nimport \"./inner/part\" as p;\n";
    let functions = format!("fn version() {{ f::bold(\"{version}\") }}\nfn half() {{ p::half() }}");
    folder.write(&format!("{place}/main.rhai"), &format!("{script}{functions}"));
    folder.write(&format!("{place}/inner/part.rhai"), "fn half() { \"half\" }");
}

fn locked() -> Folder {
    let folder = project();
    folder.run(&["lock"]).gives(0, "+ format 1.0.0\n+ stats 1.2.0\ncaraway.lock: 2 plugins, written\n", &[]);
    folder
}

#[test]
fn what_is_locked_is_used() {
    let folder = locked();
    folder.run(&["run", "app.rhai", "--locked"]).gives(0, "*1.2.0* half\n", &[]);
    folder.run(&["lock", "--check"]).gives(0, "caraway.lock: 2 plugins, up to date\n", &[]);
    add_stats(&folder, "1.3.0");
    folder.run(&["run", "app.rhai", "--locked"]).gives(0, "*1.2.0* half\n", &[]);
    folder.run(&["lock"]).gives(0, "caraway.lock: 2 plugins, up to date\n", &[]);
    folder.run(&["lock", "--upgrade", "--check"]).gives(
        6,
        "+ stats 1.3.0\n- stats 1.2.0\ncaraway.lock: 2 plugins, to be written\n",
        &["error[E0602]: caraway.lock is not up to date"],
    );
    folder.run(&["lock", "--upgrade", "--locked", "-q"]).gives(6, "", &["is not up to date"]);
    folder.run(&["lock", "--upgrade", "-q"]).gives(0, "", &[]);
    folder.run(&["run", "app.rhai", "--locked"]).gives(0, "*1.3.0* half\n", &[]);
    folder.run(&["lock", "--upgrade"]).gives(0, "caraway.lock: 2 plugins, up to date\n", &[]);
}

#[test]
fn the_bytes_that_are_loaded_are_verified() {
    for file in [
        "stats-1.2.0/main.rhai",
        "stats-1.2.0/inner/part.rhai",
        "stats-1.2.0/plugin.toml",
        "format/main.rhai",
    ] {
        let folder = locked();
        let path = folder.path().join("plugins").join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{text}\n")).unwrap();
        let ran = folder.run(&["run", "app.rhai"]);
        ran.gives(
            6,
            "",
            &[
                "error[E0601]",
                &format!("plugins/{file}"),
                "caraway.lock says sha256:",
                "if you changed it, `caraway lock` accepts it",
            ],
        );
        folder.run(&["lock", "-q"]).gives(0, "", &[]);
        folder.run(&["run", "app.rhai"]).gives(0, "*1.2.0* half\n", &[]);
    }
}

#[test]
fn a_script_that_was_not_there_is_refused() {
    let folder = locked();
    folder.write("plugins/stats-1.2.0/inner/part.rhai", "import \"./more\" as m;\nfn half() { m::x() }");
    folder.run(&["lock", "-q"]).gives(0, "", &[]);
    folder.write("plugins/stats-1.2.0/inner/more.rhai", "fn x() { 1 }");
    let parts = ["error[E0601]: inner/more.rhai is not in caraway.lock"];
    folder.run(&["run", "app.rhai"]).gives(6, "", &parts);
}

#[cfg(feature = "wasm")]
#[test]
fn a_component_is_verified() {
    let folder = Folder::new(&[("caraway.toml", ""), ("app.rhai", "import \"adder\" as a;")]);
    std::fs::create_dir_all(folder.path().join("plugins")).unwrap();
    let wasm = |text: &str| wat::parse_str(text).unwrap();
    let one = r#"(module (func (export "add") (param i64 i64) (result i64) local.get 0))"#;
    std::fs::write(folder.path().join("plugins/adder.wasm"), wasm(one)).unwrap();
    folder.run(&["lock", "app.rhai", "-q"]).gives(0, "", &[]);
    std::fs::write(folder.path().join("plugins/adder.wasm"), wasm(&one.replace("get 0", "get 1"))).unwrap();
    folder.run(&["run", "app.rhai"]).gives(6, "", &["error[E0601]: adder.wasm is sha256:"]);
}

#[test]
fn lock_files_that_cannot_be_used() {
    let folder = locked();
    let good = std::fs::read_to_string(folder.path().join("caraway.lock")).unwrap();
    for (text, parts) in [
        (
            good[..good.len() / 2].to_owned(),
            &["error[E0602]: caraway.lock cannot be used", "`caraway lock`"][..],
        ),
        (good.replacen("1.2.0", "1.2.1", 1), &["error[E0602]", "it was edited, or cut off"]),
        (String::new(), &["error[E0602]", "missing field `version`"]),
        (
            "version = 99\nnew = 1\n".to_owned(),
            &["is of format 99; this caraway knows 1", "caraway.lock:1:11"],
        ),
        ("\u{0}".to_owned(), &["error[E0602]"]),
        (format!("<<<<<<< ours\n{good}"), &["error[E0602]", "caraway.lock:1:9"]),
    ] {
        folder.write("caraway.lock", &text);
        folder.run(&["run", "app.rhai"]).gives(6, "", parts);
    }
    folder.run(&["lock", "-q"]).gives(0, "", &[]);
    assert_eq!(std::fs::read_to_string(folder.path().join("caraway.lock")).unwrap(), good);
}

#[test]
fn what_does_not_fit() {
    let folder = locked();
    // Stale: the project wants more than was locked.
    add_stats(&folder, "1.4.0");
    folder.write("caraway.toml", "[dependencies]\nstats = \"^1.3\"\n");
    let warning = ["warning[E0602]: caraway.lock does not have `stats@1.4.0`, so its files are not verified"];
    folder.run(&["run", "app.rhai"]).gives(0, "*1.4.0* half\n", &warning);
    folder.run(&["run", "app.rhai", "--locked"]).gives(
        6,
        "",
        &[
            "error[E0602]: caraway.lock does not fit: `stats@1.4.0` is not in it",
            "`caraway lock` writes it again",
        ],
    );
    // A program that imports more.
    let folder = locked();
    folder.write("plugins/other/plugin.toml", &manifest("other", "0.1.0", ""));
    folder.write("plugins/other/main.rhai", "");
    folder.write("more.rhai", "import \"other\" as o;");
    folder.run(&["run", "--locked", "more.rhai"]).gives(6, "", &["`other@0.1.0` is not in it"]);
    folder.run(&["lock", "more.rhai"]).gives(0, "+ other 0.1.0\ncaraway.lock: 3 plugins, written\n", &[]);
    folder.run(&["run", "--locked", "more.rhai"]).gives(0, "", &[]);
    folder.run(&["lock"]).gives(0, "caraway.lock: 3 plugins, up to date\n", &[]);
    std::fs::remove_file(folder.path().join("more.rhai")).unwrap();
    folder.run(&["lock"]).gives(0, "- other 0.1.0\ncaraway.lock: 2 plugins, written\n", &[]);
    // Requests that were not locked.
    folder.write("caraway.toml", "[dependencies]\nstats = \"^1.2\"\n[grants.stats]\nallow = [\"io\"]\n");
    folder.run(&["run", "--locked", "app.rhai"]).gives(6, "", &["`[grants.stats]` is not what it was"]);
}

#[test]
fn without_a_lock_file_or_a_project() {
    let folder = project();
    folder.run(&["run", "app.rhai", "--locked"]).gives(
        6,
        "",
        &["there is no caraway.lock", "`caraway lock` makes it"],
    );
    std::fs::remove_file(folder.path().join("caraway.toml")).unwrap();
    folder.run(&["run", "app.rhai", "--locked"]).gives(6, "", &["belongs to no project"]);
    folder.run(&["lock"]).gives(2, "", &["error[E0201]: there is no caraway.toml, here or further up"]);
    folder.write("plain.rhai", "import \"std/path\" as path; print(path::stem(\"a.b\"));");
    folder.run(&["run", "plain.rhai", "--locked"]).gives(0, "a\n", &[]);
}

#[test]
fn programs_in_folders_below_use_the_plugins_and_the_lock_file_of_their_project() {
    let folder = locked();
    folder.write("src/deep/app.rhai", APP.1);
    folder.run(&["run", "--locked", "src/deep/app.rhai"]).gives(0, "*1.2.0* half\n", &[]);
    folder.write("plugins/format/main.rhai", "fn bold(text) { text }");
    folder.run(&["run", "src/deep/app.rhai"]).gives(6, "", &["--> plugins/format/main.rhai"]);
}

#[test]
fn nothing_runs_when_it_is_locked() {
    let folder = locked();
    folder.write("plugins/loud/plugin.toml", &manifest("loud", "1.0.0", "[runtime]\nlazy = false"));
    folder.write("plugins/loud/main.rhai", "throw \"it ran\";");
    folder.write("caraway.toml", "[dependencies]\nloud = \"*\"\nstats = \"^1.2\"\n");
    folder.run(&["lock", "app.rhai"]).gives(0, "+ loud 1.0.0\ncaraway.lock: 3 plugins, written\n", &[]);
    folder.run(&["run", "app.rhai"]).gives(1, "", &["it ran"]);
}

#[test]
fn json() {
    let folder = project();
    let ran = folder.run(&["lock", "app.rhai", "--format", "json"]);
    ran.shows(0, &["\"schema_version\": 1"]);
    let value: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(value["file"], "caraway.lock");
    assert_eq!(value["added"][1]["name"], "stats");
    assert_eq!((&value["changed"], ran.code), (&Value::Bool(true), Some(0)));
}
