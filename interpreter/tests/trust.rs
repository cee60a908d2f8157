//! What projects ask for, and what becomes of the answer.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod common;

use common::Folder;
use serde_json::Value;

const GRANTS: &str = "[grants.reader]\nallow = [\"filesystem=read:data\"]\n";

/// A program that reads a file through a plugin, which its project asks to be granted.
#[track_caller]
fn project() -> Folder {
    Folder::new(&[
        (
            "plugins/reader/plugin.toml",
            "name = \"reader\"\nversion = \"1.0.0\"\ntype = \"module\"\ndependencies = [\"std/fs\"]\n\
             capabilities = [{ filesystem = { read = [\"data\"] } }]\n",
        ),
        ("plugins/reader/main.rhai", "import \"std/fs\" as fs;\nfn text() { fs::read_text(\"data/x.txt\") }"),
        ("data/x.txt", "secret"),
        ("app.rhai", "import \"reader\" as r;\nprint(r::text());"),
        ("caraway.toml", GRANTS),
    ])
}

#[track_caller]
fn is_denied(folder: &Folder) {
    folder.run(&["run", "app.rhai"]).gives(
        5,
        "",
        &["error[E0501]: plugin `reader` may not read `data/x.txt`"],
    );
}

#[track_caller]
fn is_asked(folder: &Folder) {
    folder.run(&["run", "app.rhai"]).gives(
        5,
        "",
        &[
            "warning[E0501]: the project asks for grants for `reader`, and you have not answered",
            "--> caraway.toml",
            "`caraway trust` shows what it asks for",
            "error[E0501]",
        ],
    );
}

#[test]
fn a_project_grants_itself_nothing_until_the_user_says_yes() {
    let folder = project();
    is_asked(&folder);
    let shown = "caraway.toml asks that you grant\n  reader: filesystem=read:data\n    \
                 reader@1.0.0 in plugins/reader asks for filesystem (read data)\n";
    folder.run(&["trust"]).gives(
        5,
        shown,
        &["error[E0501]: nobody can be asked here, so nothing is granted", "`caraway trust --yes`"],
    );
    is_asked(&folder);
    folder.run(&["trust", "--yes"]).gives(0, shown, &[]);
    folder.run(&["run", "app.rhai"]).gives(0, "secret\n", &[]);
    folder.run(&["run", "app.rhai", "--deny", "filesystem"]).gives(
        5,
        "",
        &["`--deny filesystem` forbids it"],
    );
    let ran = folder.run(&["trust", "--format", "json", "--yes"]);
    let value: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&value["answer"], &value["requests"][0]["plugin"]), (&true.into(), &"reader".into()));
    // More than the plugin's manifest asks for is not granted, whatever the project asks for.
    folder.write("caraway.toml", "[grants.reader]\nallow = [\"filesystem\"]\n");
    folder.write(
        "plugins/reader/main.rhai",
        "import \"std/fs\" as fs;\nfn text() { fs::read_text(\"app.rhai\") }",
    );
    folder.run(&["trust", "--yes", "-q"]).gives(0, "", &[]);
    folder.run(&["run", "app.rhai"]).gives(5, "", &["its manifest does not ask for it"]);
}

#[test]
fn the_answer_is_for_exactly_this_content() {
    for (file, text, asked) in [
        ("caraway.toml", "# another\n[grants.reader]\nallow = [\"filesystem=read:data\"]\n", true),
        (
            "plugins/reader/main.rhai",
            "import \"std/fs\" as fs; fn text() { fs::read_text(\"data/x.txt\") }",
            false,
        ),
        ("plugins/reader/more.rhai", "", false),
        (
            "plugins/reader/plugin.toml",
            "name = \"reader\"\nversion = \"1.0.1\"\ntype = \"module\"\ndependencies = [\"std/fs\"]\n\
             capabilities = [{ filesystem = { read = [\"data\"] } }]\n",
            false,
        ),
    ] {
        let folder = project();
        folder.run(&["trust", "--yes", "-q"]).gives(0, "", &[]);
        folder.run(&["run", "app.rhai"]).gives(0, "secret\n", &[]);
        folder.write(file, text);
        if asked {
            is_asked(&folder)
        } else {
            is_denied(&folder)
        }
        if file.ends_with(".rhai") {
            let warning = "warning[E0601]: `reader@1.0.0` is not what it was when you allowed it";
            folder.run(&["run", "app.rhai"]).gives(5, "", &[warning, "plugins/reader"]);
        }
        folder.run(&["trust", "--yes", "-q"]).gives(0, "", &[]);
        folder.run(&["run", "app.rhai"]).gives(0, "secret\n", &[]);
    }
    // The same project elsewhere is another one.
    let (here, there) = (project(), project());
    here.run(&["trust", "--yes", "-q"]).gives(0, "", &[]);
    let mut command = there.command(&["run", "app.rhai"]);
    let output = command.env("HOME", here.path().join("home")).output().unwrap();
    assert_eq!(output.status.code(), Some(5));
}

#[test]
fn no_is_an_answer_too() {
    let folder = project();
    folder.run(&["trust", "--no", "-q"]).gives(0, "", &[]);
    let ran = folder.run(&["run", "app.rhai"]);
    assert!(!ran.stderr.contains("warning"), "{ran}");
    assert_eq!(ran.code, Some(5), "{ran}");
    folder.run(&["trust", "--list"]).shows(0, &["project ", ": no\n"]);
    folder.run(&["trust", "--forget"]).gives(0, "", &[]);
    folder.run(&["trust", "--list"]).gives(0, "", &[]);
    is_asked(&folder);
}

#[test]
fn homes_that_are_not_as_they_should_be() {
    let folder = project();
    folder.write("config/file", "");
    let output = folder
        .command(&["trust", "--yes", "-q"])
        .env("XDG_CONFIG_HOME", folder.path().join("config/file"))
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(8), "{stderr}");
    assert!(stderr.contains("error[E0801]") && stderr.contains("grant with `--allow` each time"), "{stderr}");
    folder.write("home/.config/caraway/trust.toml", "plugin = 1\n");
    folder.run(&["run", "app.rhai"]).gives(2, "", &["error[E0202]: what you have trusted cannot be read"]);
}

#[test]
fn nothing_to_answer() {
    let folder = project();
    folder.write("caraway.toml", "");
    folder.run(&["trust"]).gives(0, "caraway.toml asks for nothing\n", &[]);
    std::fs::remove_file(folder.path().join("caraway.toml")).unwrap();
    folder.run(&["trust"]).gives(2, "", &["error[E0201]: there is no caraway.toml"]);
    folder.write("caraway.toml", "[grants.other]\nallow = [\"io\"]\n");
    folder.run(&["trust", "--yes"]).shows(0, &["(no plugin is called `other` here)"]);
}
