//! `caraway tree`: what a program or a project uses, and why.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod common;

use common::{Folder, Ran};
use serde_json::{Value, json};

/// A program, and plugins that need each other: `NAME VERSION NEED@REQ ...`. None of them can be loaded.
#[track_caller]
fn folder(plugins: &[&str], files: &[(&str, &str)]) -> Folder {
    let folder = Folder::new(files);
    for plugin in plugins {
        let mut words = plugin.split(' ');
        let (name, version) = (words.next().unwrap(), words.next().unwrap());
        let needs: Vec<String> = words
            .map(|need| need.split_once('@').unwrap_or((need, "*")))
            .map(|(name, range)| format!("\"{name}\" = \"{range}\""))
            .collect();
        let eager = "[runtime]\nlazy = false\n[implementation]\nentrypoint = \"main.rhai\"";
        let text = format!(
            "name = \"{name}\"\nversion = \"{version}\"\ntype = \"module\"\n[dependencies]\n{}\n{eager}\n",
            needs.join("\n")
        );
        folder.write(&format!("plugins/{name}-{version}/plugin.toml"), &text);
        folder.write(&format!("plugins/{name}-{version}/main.rhai"), "throw \"loaded\"");
    }
    folder
}

const PLUGINS: [&str; 6] = [
    "report 1.2.0 table@^2 stats@^1",
    "stats 1.4.0 base@^1",
    "stats 2.0.0",
    "table 2.1.0 stats@^1 base",
    "base 1.0.0",
    "spare 0.1.0",
];
const PROGRAM: (&str, &str) =
    ("app.rhai", "import \"stats@^2\" as s;\nimport \"report\" as r;\nimport \"./near\" as n;\n");
const PROJECT: (&str, &str) = ("caraway.toml", "[dependencies]\ntable = \"^2\"\nreport = \"~1.2\"\n");

fn utf8(folder: &Folder, args: &[&str]) -> Ran {
    Ran::of(args, folder.command(args).env("LANG", "C.UTF-8").output().unwrap())
}

#[test]
fn a_program_and_what_it_uses() {
    let folder = folder(&PLUGINS, &[PROGRAM]);
    let tree = "app.rhai\n\
        |-- stats 2.0.0\n\
        `-- report 1.2.0\n    \
            |-- table 2.1.0\n    \
            |   |-- stats 1.4.0\n    \
            |   |   `-- base 1.0.0\n    \
            |   `-- base 1.0.0\n    \
            `-- stats 1.4.0 (*)\n";
    folder.run(&["tree", "app.rhai"]).gives(0, tree, &[]);
    let drawn = utf8(&folder, &["tree", "app.rhai", "--depth", "2"]);
    drawn.gives(
        0,
        "app.rhai\n├── stats 2.0.0\n└── report 1.2.0\n    ├── table 2.1.0\n    └── stats 1.4.0\n",
        &[],
    );
    folder.run(&["tree", "app.rhai", "-v"]).shows(
        0,
        &["`-- report 1.2.0 (report; module; plugins/report-1.2.0)\n", "base 1.0.0 (base@^1; module; "],
    );
}

#[test]
fn a_project_and_what_it_uses() {
    let folder = folder(&PLUGINS, &[PROGRAM, PROJECT, ("sub/x", "")]);
    folder.run(&["tree"]).shows(0, &["caraway.toml\n|-- report 1.2.0\n", "\n`-- table 2.1.0 (*)\n"]);
    // What the project requires stands with what the program imports, but not twice.
    let tree = folder.run(&["tree", "app.rhai", "--depth", "1"]);
    tree.gives(0, "app.rhai\n|-- stats 2.0.0\n|-- report 1.2.0\n`-- table 2.1.0 (of the project)\n", &[]);
    Folder::new(&[("caraway.toml", "")]).run(&["tree"]).gives(0, "caraway.toml\n", &[]);
    Folder::new(&[]).run(&["tree"]).gives(2, "", &["there is no caraway.toml", "caraway tree app.rhai"]);
}

#[test]
fn why_a_plugin_is_used() {
    let folder = folder(&PLUGINS, &[PROGRAM, PROJECT]);
    let why = "stats 1.4.0\n\
        |-- table 2.1.0 needs stats@^1\n\
        |   |-- caraway.toml:2:9 requires table@^2\n\
        |   `-- report 1.2.0 needs table@^2\n\
        |       |-- app.rhai:2:8 imports report\n\
        |       `-- caraway.toml:3:10 requires report@~1.2\n\
        `-- report 1.2.0 needs stats@^1 (*)\n";
    folder.run(&["tree", "app.rhai", "--why", "stats@^1"]).gives(0, why, &[]);
    folder
        .run(&["tree", "app.rhai", "--why", "stats"])
        .shows(0, &[why, "\nstats 2.0.0\n`-- app.rhai:1:8 imports stats@^2\n"]);
    for (name, code, message) in [
        (
            "spare",
            4,
            &["error[E0401]: app.rhai does not use `spare`", "spare@0.1.0 is there (plugins/spare-0.1.0)"][..],
        ),
        ("tabel", 4, &["error[E0401]: no plugin is called `tabel`", "did you mean `table`?"]),
        ("nothing-like-it", 4, &["error[E0401]", "`caraway tree` shows what app.rhai uses"]),
        ("stats@^3", 4, &["error[E0402]", "it uses stats@1.4.0 and stats@2.0.0"]),
        ("./near", 4, &["is a file, not a plugin"]),
    ] {
        folder.run(&["tree", "app.rhai", "--why", name]).gives(code, "", message);
    }
}

#[test]
fn trees_for_programs() {
    let folder = folder(&PLUGINS, &[PROGRAM]);
    let ran = folder.run(&["tree", "app.rhai", "--why", "base", "--format", "json"]);
    let value: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran}"));
    assert_eq!((&value["schema_version"], &value["root"]), (&json!(1), &json!("app.rhai")), "{ran}");
    assert_eq!(
        value["requirements"][1],
        json!({
            "name": "report", "requirement": "*", "project": false, "plugin": "report@1.2.0",
            "location": {"file": "app.rhai", "line": 2, "column": 8},
        })
    );
    let ids: Vec<&Value> = value["plugins"].as_array().unwrap().iter().map(|plugin| &plugin["id"]).collect();
    assert_eq!(ids.len(), 5, "{ran}");
    assert_eq!(value["plugins"][0]["id"], "base@1.0.0");
    assert_eq!(
        value["plugins"][1]["dependencies"],
        json!([{"name": "base", "requirement": "^1", "plugin": "base@1.0.0"}])
    );
    assert_eq!(value["why"]["plugins"], json!(["base@1.0.0"]));
    assert_eq!(value["why"]["steps"].as_array().unwrap().len(), 4, "{ran}");
}

#[test]
fn what_cannot_be_planned_is_told_as_when_it_runs() {
    let folder = folder(&["a 1.0.0 b@^2", "b 1.0.0"], &[("app.rhai", "import \"a\" as a;\n")]);
    folder.run(&["tree", "app.rhai"]).gives(4, "", &["error[E0402]", "`a`, which needs `b ^2`"]);
    folder.run(&["tree", "no.rhai"]).gives(8, "", &["error[E0801]"]);
    folder.write("app.rhai", "let x = ;");
    folder.run(&["tree", "app.rhai"]).gives(1, "", &["error[E0102]"]);
}

/// `p0` needs `p1`, which needs `p2`, ... They have nothing but manifests.
fn chain(length: usize) -> Folder {
    let folder = folder(&[], &[("app.rhai", "import \"p0\" as p;\n"), ("plugins/readme", "")]);
    for index in 0..length {
        let path = folder.path().join(format!("plugins/p{index}"));
        std::fs::create_dir(&path).unwrap();
        let need = if index + 1 < length { format!("p{} = \"*\"\n", index + 1) } else { String::new() };
        let text =
            format!("name = \"p{index}\"\nversion = \"1.0.0\"\ntype = \"module\"\n[dependencies]\n{need}");
        std::fs::write(path.join("plugin.toml"), text).unwrap();
    }
    folder
}

#[test]
fn a_long_chain_is_drawn_in_part() {
    let folder = chain(1_000);
    for (more, last) in [(&[][..], "p99 1.0.0 (...)"), (&["--why", "p999"], "p899 1.0.0 needs p900 (...)")] {
        let ran = folder.run(&[&["tree", "app.rhai"], more].concat());
        let lines: Vec<&str> = ran.shows(0, &[]).stdout.lines().collect();
        assert_eq!(lines.len(), 102, "{ran}");
        assert!(lines[100].ends_with(last), "{ran}");
        assert_eq!(lines[101], "(...) goes deeper: `--depth N` shows N levels", "{ran}");
        let asked = folder.run(&[&["tree", "app.rhai", "--depth", "300"], more].concat());
        assert_eq!(asked.shows(0, &[]).stdout.lines().count(), 301);
        assert!(!asked.stdout.contains("(...)"), "{asked}");
    }
}

#[test]
fn what_was_cut_is_drawn_where_there_is_room() {
    let plugins = ["a 1.0.0 b", "b 1.0.0 c", "c 1.0.0 d", "d 1.0.0"];
    let folder = folder(&plugins, &[("app.rhai", "import \"a\" as a;\nimport \"c\" as c;\n")]);
    let tree = "app.rhai\n|-- a 1.0.0\n|   `-- b 1.0.0\n|       `-- c 1.0.0\n`-- c 1.0.0\n    `-- d 1.0.0\n";
    folder.run(&["tree", "app.rhai", "--depth", "3"]).gives(0, tree, &[]);
}
