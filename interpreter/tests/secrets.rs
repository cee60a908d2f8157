//! Secrets of plugins: where they come from, and where they never appear.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod common;

use common::{Folder, Ran};

const TOKEN: &str = "s3cr3t \"token\"";

const FETCH: &str = r#"
name = "fetch"
version = "1.0.0"
type = "module"
dependencies = { "std/log" = "*", "std/path" = "*" }
capabilities = ["io"]
[config]
token = { type = "string", secret = true, required = true, description = "What the service knows us by" }
spare = { type = "string?", secret = true }
url = { type = "string", default = "https://example.com" }
"#;

const SCRIPT: &str = r#"
import "std/log" as log;
fn length() { CONFIG.token.len() }
fn spare() { CONFIG.spare }
fn leak_to_log() { log::info(`token is ${CONFIG.token}`); log::warn(CONFIG.to_string()); debug(CONFIG); 0 }
fn leak_to_error() { throw `no access with ${CONFIG.token}` }
fn leak_a_value() { throw #{ why: "no access", token: CONFIG.token } }
fn leak_by_accident() { parse_int(CONFIG.token) }
fn give() { CONFIG.token }
"#;

fn folder() -> Folder {
    Folder::new(&[
        ("plugins/fetch/plugin.toml", FETCH),
        ("plugins/fetch/main.rhai", SCRIPT),
        ("call.rhai", "import \"fetch\" as f; fn length() { f::length() }"),
        ("length.rhai", "import \"fetch\" as f; print(f::length());"),
        ("spare.rhai", "import \"fetch\" as f; print(f::spare());"),
        ("log.rhai", "import \"fetch\" as f; f::leak_to_log();"),
        ("error.rhai", "import \"fetch\" as f; f::leak_to_error();"),
        ("value.rhai", "import \"fetch\" as f; f::leak_a_value();"),
        ("accident.rhai", "import \"fetch\" as f; f::leak_by_accident();"),
        ("rethrow.rhai", "import \"fetch\" as f; throw `again: ${f::give()}`;"),
        ("wrong.rhai", "import \"fetch\" as f; import \"std/path\" as path; path::stem([f::give()]);"),
        ("other.rhai", "import \"other\" as o; print(o::settings());"),
        ("plugins/other/plugin.toml", "name = \"other\"\nversion = \"1.0.0\"\ntype = \"module\"\n"),
        ("plugins/other/main.rhai", "fn settings() { CONFIG.len() }"),
        ("token.txt", "s3cr3t \"token\"\n"),
        ("caraway.toml", ""),
    ])
}

#[track_caller]
fn with_token(folder: &Folder, args: &[&str]) -> Ran {
    let source = ["--config", r#"fetch.token={"env":"API_TOKEN"}"#];
    let args: Vec<&str> = ["run"].into_iter().chain(source).chain(args.iter().copied()).collect();
    let output = folder.command(&args).env("API_TOKEN", TOKEN).output().unwrap();
    Ran::of(&args, output)
}

#[test]
fn secrets_come_from_the_environment_or_a_file() {
    let folder = folder();
    with_token(&folder, &["length.rhai"]).gives(0, "14\n", &[]);
    with_token(&folder, &["spare.rhai"]).gives(0, "\n", &[]);
    let file = ["run", "--config", r#"fetch.token={"file":"token.txt"}"#, "length.rhai"];
    folder.run(&file).gives(0, "14\n", &[]);
    folder.write("home/.config/caraway/caraway.toml", "[config.fetch]\ntoken = { file = \"t\" }\n");
    folder.write("home/.config/caraway/t", "of the user\r\n");
    folder.run(&["run", "length.rhai"]).gives(0, "11\n", &[]);
}

#[test]
fn a_secret_that_is_not_there_is_an_error() {
    let folder = folder();
    rustix::fs::mkfifoat(rustix::fs::CWD, folder.path().join("pipe"), 0o600.into()).unwrap();
    folder.write("long.txt", &"x".repeat(65537));
    let source = r#"fetch.token={"env":"API_TOKEN"}"#;
    for (args, parts) in [
        (&["length.rhai"][..], &["`fetch` needs the secret `token`", "--config 'fetch.token="][..]),
        (&["--config", source, "length.rhai"], &["the environment variable `API_TOKEN`, which is not set"]),
        (&["--config", r#"fetch.token={"file":"no.txt"}"#, "length.rhai"], &["no.txt, which cannot be read"]),
        (&["--config", r#"fetch.token={"file":"plugins"}"#, "length.rhai"], &["plugins, which is no file"]),
        (
            &["--config", r#"fetch.token={"file":"pipe"}"#, "length.rhai"],
            &["pipe, which is no file but a pipe"],
        ),
        (
            &["--config", r#"fetch.token={"file":"long.txt"}"#, "length.rhai"],
            &["which is larger than 65536 bytes"],
        ),
        (
            &["--config", "fetch.token=written", "length.rhai"],
            &["is not to be written down", "{ env = \"NAME\" }"],
        ),
    ] {
        let args: Vec<&str> = ["run"].iter().chain(args).copied().collect();
        folder.run(&args).gives(2, "", &[&["E0202"], parts].concat());
    }
}

#[test]
fn a_project_cannot_send_for_secrets() {
    let folder = folder();
    for line in ["token = { env = \"HOME\" }", "token = { file = \"/etc/hostname\" }"] {
        folder.write("caraway.toml", &format!("[config.fetch]\n{line}\n"));
        folder.run(&["run", "length.rhai"]).gives(
            2,
            "",
            &["E0202", "a project cannot say where `fetch` gets the secret", "caraway.toml:2:9"],
        );
    }
    folder.write("caraway.toml", "[config.fetch]\ntoken = \"written down\"\n");
    folder.run(&["run", "length.rhai"]).gives(2, "", &["is not to be written down", "caraway.toml:2:9"]);
}

#[test]
fn they_reach_no_message() {
    let folder = folder();
    let hidden = |file: &str, code: i32, parts: &[&str]| {
        for args in [&[file][..], &["--format", "json", file], &["-v", file], &["--plugin-debug", file]] {
            let ran = with_token(&folder, &[&["--allow", "io"], args].concat());
            assert_eq!(ran.code, Some(code), "{ran}");
            assert!(!ran.stdout.contains("s3cr3t") && !ran.stderr.contains("s3cr3t"), "{ran}");
            for part in parts {
                assert!(ran.stderr.contains(part), "{part}: {ran}");
            }
        }
    };
    hidden("log.rhai", 0, &["[info] fetch: token is [secret]"]);
    hidden("error.rhai", 1, &["no access with [secret]"]);
    hidden("value.rhai", 1, &["no access"]);
    hidden("accident.rhai", 1, &["[secret]"]);
    hidden("rethrow.rhai", 1, &["again: [secret]"]);
    hidden("wrong.rhai", 1, &["E0104"]);
    let source = ["--config", r#"fetch.token={"env":"API_TOKEN"}"#];
    for command in [&["info", "fetch"][..], &["audit", "length.rhai"], &["doctor"], &["list", "-v"]] {
        for format in ["text", "json"] {
            let args = [command, &["--format", format]].concat();
            let ran = Ran::of(&args, folder.command(&args).env("API_TOKEN", TOKEN).output().unwrap());
            assert!(!ran.stdout.contains("s3cr3t") && !ran.stderr.contains("s3cr3t"), "{ran}");
        }
    }
    folder.run(&["info", "fetch"]).shows(0, &["token: string (secret, required)", "spare: string? (secret)"]);
    let args = ["run", source[0], source[1], "other.rhai"];
    let ran = Ran::of(&args, folder.command(&args).env("API_TOKEN", TOKEN).output().unwrap());
    // Only the plugin has it.
    ran.gives(0, "0\n", &[]);
}
