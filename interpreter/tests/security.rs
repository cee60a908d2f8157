//! `--security`: presets of grants, denials and limits; and the rate of calls into `std/...`.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod common;

use common::Folder;

const READER: &str = r#"
name = "reader"
version = "1.0.0"
type = "module"
dependencies = { "std/fs" = "*", "std/env" = "*", "std/path" = "*" }
capabilities = [{ filesystem = { read = ["data"] } }, { env = { names = ["HOME"] } }]
"#;

const SCRIPT: &str = r#"
import "std/fs" as fs;
import "std/env" as env;
import "std/path" as path;
fn read(file) { fs::read_text(file) }
fn home() { env::get("HOME") != () }
fn often(n) { for i in 0..n { path::stem("a.b"); } n }
fn spin() { loop { } }
"#;

fn folder() -> Folder {
    Folder::new(&[
        ("plugins/reader/plugin.toml", READER),
        ("plugins/reader/main.rhai", SCRIPT),
        ("data/a.txt", "text"),
        ("secret.txt", "secret"),
        ("read.rhai", "import \"reader\" as r; print(r::read(ARGS[0]));"),
        ("home.rhai", "import \"reader\" as r; print(r::home());"),
        ("own.rhai", "import \"std/fs\" as fs; print(fs::read_text(\"secret.txt\"));"),
        ("often.rhai", "import \"reader\" as r; print(r::often(parse_int(ARGS[0])));"),
        ("spin.rhai", "import \"reader\" as r; r::spin();"),
    ])
}

#[test]
fn relaxed_grants_what_is_asked_for() {
    let folder = folder();
    folder.run(&["run", "read.rhai", "data/a.txt"]).gives(5, "", &["E0501", "it is not granted"]);
    folder.run(&["run", "--security", "relaxed", "read.rhai", "data/a.txt"]).gives(0, "text\n", &[]);
    folder.run(&["run", "--security", "relaxed", "read.rhai", "secret.txt"]).gives(
        5,
        "",
        &["E0501", "its manifest does not ask for it"],
    );
    // A program asks for everything.
    folder.run(&["--security", "relaxed", "run", "own.rhai"]).gives(0, "secret\n", &[]);
    folder.run(&["run", "--security", "relaxed", "--deny", "filesystem=secret.txt", "own.rhai"]).gives(
        5,
        "",
        &["`--deny filesystem=secret.txt` forbids it"],
    );
}

#[test]
fn strict_and_paranoid_deny_whatever_is_granted() {
    let folder = folder();
    folder.run(&["lock", "--quiet", "read.rhai"]);
    let native = "name = \"n\"\nversion = \"1.0.0\"\ntype = \"native\"\nsecurity = { sandbox = false }\n\
                  [implementation]\nentrypoint = \"libn.so\"\n";
    folder.write("plugins/n/plugin.toml", native);
    folder.write("native.rhai", "import \"n\" as n;");
    folder.run(&["run", "--security", "strict", "--allow", "native=n", "native.rhai"]).gives(
        5,
        "",
        &["E0501", "`--security strict` forbids it", "leave out `--security strict`"],
    );
    let read = ["run", "--allow", "filesystem=read:data", "--allow", "env", "--security"];
    let run = |level: &str, rest: &[&str]| folder.run(&[&read[..], &[level], rest].concat());
    run("strict", &["read.rhai", "data/a.txt"]).gives(0, "text\n", &[]);
    run("strict", &["home.rhai"]).gives(0, "true\n", &[]);
    run("paranoid", &["home.rhai"]).gives(6, "", &["E0602", "paranoid` implies it"]);
    folder.write("caraway.toml", "[dependencies]\nreader = \"*\"\n\"std/fs\" = \"*\"\n");
    folder.run(&["lock", "--quiet"]).gives(0, "", &[]);
    run("paranoid", &["home.rhai"]).gives(5, "", &["`--security paranoid` forbids it"]);
    run("paranoid", &["read.rhai", "data/a.txt"]).gives(0, "text\n", &[]);
    run("paranoid", &["spin.rhai"]).gives(7, "", &["E0701", "its limit of 2s"]);
}

#[test]
fn the_user_says_a_level_and_a_flag_another() {
    let folder = folder();
    folder.write(
        "home/.config/caraway/caraway.toml",
        "security = \"paranoid\"\n[grants.reader]\nallow = [\"env\"]\n",
    );
    folder.run(&["run", "home.rhai"]).gives(6, "", &["E0602"]);
    folder.run(&["run", "--security", "default", "home.rhai"]).gives(0, "true\n", &[]);
    folder.write(
        "home/.config/caraway/caraway.toml",
        "security = \"strict\"\n[grants.reader]\nallow = [\"env\"]\n",
    );
    folder.run(&["run", "home.rhai"]).gives(0, "true\n", &[]);
    folder.run(&["doctor"]).shows(0, &["security", "strict, by ", "caraway.toml"]);
    folder
        .run(&["audit", "home.rhai", "--allow", "process"])
        .shows(0, &["reader@1.0.0  env"])
        .gives_no("the program   process");
    folder.write("home/.config/caraway/caraway.toml", "security = \"safe\"\n");
    folder.run(&["run", "home.rhai"]).gives(
        2,
        "",
        &["E0202", "`security` is \"safe\"; known are `relaxed`, `default`, `strict`, `paranoid`"],
    );
    folder.write("home/.config/caraway/caraway.toml", "");
    folder.write("caraway.toml", "security = \"relaxed\"\n");
    folder.run(&["run", "home.rhai"]).gives(
        2,
        "",
        &["E0202", "is the user's to say, not a project's", "caraway.toml:1:12"],
    );
}

#[test]
fn calls_into_std_have_a_rate() {
    let folder = folder();
    folder.run(&["run", "often.rhai", "20000"]).gives(0, "20000\n", &[]);
    let exceeded = "plugin `reader` calls `std/...` more than 10000 times a second";
    folder.run(&["run", "--security", "strict", "often.rhai", "1000000"]).gives(
        7,
        "",
        &["E0703", exceeded, "or leave out `--security strict`"],
    );
    folder.write("home/.config/caraway/caraway.toml", "security = \"strict\"\n");
    folder.run(&["run", "often.rhai", "1000000"]).gives(
        7,
        "",
        &["E0703", exceeded, "or run with `--security default`"],
    );
    folder.write("home/.config/caraway/caraway.toml", "");
    folder.write("caraway.toml", "[limits.plugins]\nstd_calls = 5\n");
    folder.run(&["run", "often.rhai", "5"]).gives(0, "5\n", &[]);
    let tight = &["more than 5 times a second", "main.rhai:7:", "raise `std_calls` in `[limits.plugins]`"];
    for security in ["default", "strict"] {
        folder.run(&["run", "--security", security, "often.rhai", "1000"]).gives(7, "", tight);
    }
    folder.write("caraway.toml", "[limits]\nstd_calls = 1\n");
    folder.write("two.rhai", "import \"std/path\" as p; import \"std/time\" as t; t::now(); p::stem(\"a\");");
    folder.run(&["run", "two.rhai"]).gives(
        7,
        "",
        &["the program calls `std/...` more than 1 times a second", "raise `std_calls` in `[limits]`"],
    );
    folder.write("caraway.toml", "[limits]\nstd_calls = 0\n");
    folder.run(&["run", "two.rhai"]).gives(2, "", &["`std_calls` must be at least 1"]);
}
