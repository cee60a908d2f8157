//! Plugins whose binary is not there, as a fresh checkout has them.

#![cfg(all(feature = "cli", feature = "native", feature = "wasm"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod common;

use common::Folder;

const PROGRAM: &str = "import \"probe\" as p;\nprint(p::sum(1, 2));\n";

/// A folder with a plugin of this kind, which declares a function, and a program that calls it.
#[track_caller]
fn unbuilt(kind: &str, binary: &str, more: &str) -> Folder {
    let manifest = format!(
        "name = \"probe\"\nversion = \"1.0.0\"\ntype = \"{kind}\"\n{more}\n\
         functions = [{{ name = \"sum\", params = [{{ name = \"a\", type = \"int\" }}, {{ name = \"b\", type = \"int\" }}], \
         returns = \"int\"{} }}]\n[implementation]\nbuild_cmd = \"make probe\"\n{binary}\n",
        if kind == "hybrid" { ", native = true" } else { "" }
    );
    Folder::new(&[("plugins/probe/plugin.toml", &manifest), ("app.rhai", PROGRAM)])
}

const NATIVE: &str = "capabilities = [\"native\"]\nsecurity = { sandbox = false }";

/// The kind, how it names its binary, what else its manifest says, and its script.
const KINDS: [(&str, &str, &str, Option<&str>); 3] = [
    ("native", "entrypoint = \"libprobe.so\"", NATIVE, None),
    ("hybrid", "binaries = [\"libprobe.so\"]", NATIVE, Some("plugins/probe/main.rhai")),
    ("wasm", "entrypoint = \"probe.wasm\"", "", None),
];

#[test]
fn what_is_not_built_is_told_with_the_command_that_builds_it() {
    let told =
        ["error[E0306]: ", " of `probe` does not exist", "`caraway build plugins/probe` runs `make probe`"];
    for (kind, binary, more, script) in KINDS {
        let folder = unbuilt(kind, binary, more);
        if let Some(script) = script {
            let both = ["main.rhai of `probe` does not exist", told[1], told[2]];
            folder.run(&["validate", "plugins/probe"]).gives(3, "", &both);
            folder.write(script, "fn twice(n) { native::sum(n, n) }\n");
        }
        folder.run(&["validate", "plugins/probe"]).gives(3, "", &told);
        folder.run(&["validate", "plugins/probe", "--allow", "native"]).gives(3, "", &told);
        folder.run(&["load", "probe", "--allow", "native"]).gives(3, "", &told);
        let doctor = folder.run(&["doctor"]);
        assert!(doctor.code == Some(3) && doctor.stdout.contains("not built"), "{kind}: {doctor}");
    }
}

#[test]
fn what_is_not_built_is_known_by_what_it_declares() {
    for (kind, binary, more, script) in KINDS {
        let folder = unbuilt(kind, binary, more);
        if let Some(script) = script {
            folder.write(script, "");
        }
        for grants in [&[][..], &["--allow", "native"]] {
            let with = |args: &[&str]| folder.run(&[args, grants].concat());
            with(&["doc", "probe::sum"]).gives(0, "probe::sum(a: int, b: int) -> int\n", &[]);
            with(&["definitions", "probe"]).gives(0, "wrote 1 file to .rhai/definitions\n", &[]);
            let file = folder.path().join(".rhai/definitions/probe.d.rhai");
            let written = std::fs::read_to_string(&file).unwrap();
            assert!(written.contains("fn sum(a: int, b: int) -> int;"), "{kind}: {written}");
            std::fs::remove_file(file).unwrap();
            with(&["info", "probe"]).shows(0, &["  probe::sum(a: int, b: int) -> int"]);
            with(&["check", "app.rhai"]).gives(0, "checked 1 file: no problems\n", &[]);
        }
        folder.write("app.rhai", "import \"probe\" as p;\nprint(p::sums(1, 2));\n");
        folder.run(&["check", "app.rhai"]).gives(1, "checked 1 file: 1 error\n", &["did you mean `sum`?"]);
    }
}
