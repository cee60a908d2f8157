//! `caraway enable` and `caraway disable`.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod common;

use common::Folder;

const STATS: (&str, &str) = (
    "plugins/stats/plugin.toml",
    "name = \"stats\"\nversion = \"1.0.0\"\ntype = \"module\"\nmodule = \"numbers\"\n",
);
const MAIN: (&str, &str) = ("plugins/stats/main.rhai", "fn one() { 1 }\n");
const PROGRAM: (&str, &str) = ("app.rhai", "import \"stats\" as s;\nprint(s::one());\n");
const USER: &str = "home/.config/caraway/caraway.toml";

#[track_caller]
fn text(folder: &Folder, path: &str) -> String {
    std::fs::read_to_string(folder.path().join(path)).unwrap()
}

#[test]
fn a_plugin_is_disabled_and_enabled() {
    let project =
        "# Ours.\nplugin_path = [ \"plugins\" ]\n\n[plugins] # switches\ndisabled = [\"slow\"] # for now\n";
    let folder = Folder::new(&[STATS, MAIN, PROGRAM, ("caraway.toml", project), ("sub/deep/x", "")]);
    folder.run(&["run", "app.rhai"]).gives(0, "1\n", &[]);
    folder.run(&["disable", "stats"]).gives(0, "disabled stats in caraway.toml\n", &[]);
    let new = project.replace("[\"slow\"]", "[\"slow\", \"stats\"]");
    assert_eq!(text(&folder, "caraway.toml"), new);
    folder.run(&["run", "app.rhai"]).gives(4, "", &["error[E0408]", "`caraway enable stats`"]);
    folder.run(&["disable", "stats"]).gives(0, "stats is disabled already in caraway.toml\n", &[]);
    assert_eq!(text(&folder, "caraway.toml"), new);
    folder.run(&["enable", "stats"]).gives(0, "enabled stats in caraway.toml\n", &[]);
    assert_eq!(text(&folder, "caraway.toml"), project);
    folder.run(&["enable", "stats"]).gives(0, "stats is not disabled in caraway.toml\n", &[]);
    folder.run(&["enable", "slow", "-q"]).gives(0, "", &[]);
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with('.')), "{left:?}");
}

#[test]
fn the_project_is_the_nearest_upward() {
    let folder = Folder::new(&[STATS, MAIN, ("caraway.toml", ""), ("sub/deep/x", "")]);
    let mut command =
        folder.command(&["disable", "stats", "--plugin-path", "../../plugins", "--format", "json"]);
    let output = command.current_dir(folder.path().join("sub/deep")).output().unwrap();
    let ran = common::Ran::of(&["disable"], output);
    ran.shows(0, &["\"schema_version\": 1", "\"changed\": true", "\"name\": \"stats\"", "caraway.toml\""]);
    assert_eq!(text(&folder, "caraway.toml"), "[plugins]\ndisabled = [\"stats\"]\n");
}

#[test]
fn the_users_own_is_made() {
    let folder = Folder::new(&[STATS, MAIN, PROGRAM]);
    for command in ["enable", "disable"] {
        folder.run(&[command, "stats"]).gives(2, "", &["error[E0201]: there is no caraway.toml", "`--user`"]);
    }
    folder
        .run(&["disable", "stats", "--user"])
        .shows(0, &["disabled stats in home/.config/caraway/caraway.toml"]);
    assert_eq!(text(&folder, USER), "[plugins]\ndisabled = [\"stats\"]\n");
    folder.run(&["run", "app.rhai"]).gives(4, "", &["E0408"]);
    folder.write("caraway.toml", "[plugins]\ndisabled = [\"stats\"]\n");
    folder.run(&["enable", "stats"]).gives(
        0,
        "enabled stats in caraway.toml\n",
        &["is still disabled by", "with `--user`"],
    );
    folder.run(&["enable", "stats", "--user"]).shows(0, &["enabled stats in home"]);
    folder.run(&["run", "app.rhai"]).gives(0, "1\n", &[]);
    folder.write("file", "");
    let mut blocked = folder.command(&["disable", "stats", "--user"]);
    let output = blocked.env("XDG_CONFIG_HOME", folder.path().join("file")).output().unwrap();
    common::Ran::of(&["disable"], output).gives(8, "", &["error[E0801]"]);
}

#[test]
fn slips_are_told() {
    let folder = Folder::new(&[STATS, MAIN, ("caraway.toml", "")]);
    for (name, hint) in [
        ("statz", "did you mean `stats`?"),
        ("numbers", "did you mean `stats`?"),
        ("zebra", "it will be disabled when there is one"),
    ] {
        let told = format!("disabled {name} in caraway.toml\n");
        folder.run(&["disable", name]).gives(0, &told, &["warning[E0401]: no plugin is called", hint]);
    }
    folder.run(&["enable", "zebre"]).gives(
        0,
        "zebre is not disabled in caraway.toml\n",
        &["did you mean `zebra`?"],
    );
    assert_eq!(text(&folder, "caraway.toml"), "[plugins]\ndisabled = [\"statz\", \"numbers\", \"zebra\"]\n");
}

#[test]
fn broken_files_are_left_alone() {
    for (old, code, message) in [
        ("[plugins\n", 2, "caraway.toml:1:"),
        ("plugins = 3\n", 2, "`plugins` is no table"),
        ("[plugins]\ndisabled = \"stats\"\n", 2, "`disabled` in `[plugins]` is no list"),
    ] {
        let folder = Folder::new(&[STATS, MAIN, ("caraway.toml", old)]);
        let ran = folder.run(&["disable", "stats"]);
        assert!(ran.code == Some(code) && ran.stderr.contains(message), "{ran}");
        assert_eq!(text(&folder, "caraway.toml"), old);
    }
}

#[cfg(unix)]
#[test]
fn links_stay_and_modes_too() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = Folder::new(&[STATS, MAIN, ("shared/real.toml", "# shared\n")]);
    symlink("shared/real.toml", folder.path().join("caraway.toml")).unwrap();
    let real = folder.path().join("shared/real.toml");
    std::fs::set_permissions(&real, PermissionsExt::from_mode(0o640)).unwrap();
    folder.run(&["disable", "stats"]).gives(0, "disabled stats in caraway.toml\n", &[]);
    assert!(folder.path().join("caraway.toml").is_symlink());
    assert_eq!(std::fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(text(&folder, "shared/real.toml"), "# shared\n\n[plugins]\ndisabled = [\"stats\"]\n");
}
