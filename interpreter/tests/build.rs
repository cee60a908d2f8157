//! `caraway build`, on plugins in C, which are built in no time.

#![cfg(all(feature = "cli", feature = "native", unix))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod common;

use common::{Folder, Ran};
use serde_json::{Value, json};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

/// A library called `probe` that exports functions of these signatures and docs.
fn library(functions: &[(&str, &str)]) -> String {
    let function = |(signature, doc): &(&str, &str)| {
        format!("{{CARAWAY_TEXT({signature:?}), CARAWAY_TEXT({doc:?}), sum, 0, 0, 0}},\n")
    };
    let functions: String = functions.iter().map(function).collect();
    format!(
        r#"#include "caraway_plugin.h"

static int32_t attach(const caraway_host_api *host) {{ return host ? CARAWAY_OK : CARAWAY_FAILED; }}
static int32_t sum(const uint64_t *args, uint64_t *out) {{
    return caraway_give_int(out, caraway_int(args[0]) + caraway_int(args[1]));
}}
static void drop_counter(uint64_t handle) {{ (void)handle; }}

static const caraway_function functions[] = {{
{functions}}};
static const caraway_class classes[] = {{{{CARAWAY_TEXT("Counter"), CARAWAY_TEXT(""), drop_counter}}}};
static const caraway_type_def point = {{CARAWAY_TEXT("struct Point {{ x: float, y: float }}"), {{0, 0}}, 0, 0}};
static const caraway_type_def *const types[] = {{&point}};
static const caraway_type_list lists[] = {{{{1, types}}}};

CARAWAY_EXPORT const caraway_plugin CARAWAY_PLUGIN = {{
    .abi_major = CARAWAY_ABI_MAJOR,
    .abi_minor = CARAWAY_ABI_MINOR,
    .size = sizeof(caraway_plugin),
    .name = CARAWAY_TEXT("probe"),
    .version = CARAWAY_TEXT("1.0.0"),
    .unwind = 1,
    .function_size = sizeof(caraway_function),
    .function_count = sizeof functions / sizeof *functions,
    .functions = functions,
    .attach = attach,
#ifdef TYPES
    .class_size = sizeof(caraway_class),
    .class_count = 1,
    .classes = classes,
    .type_list_count = 1,
    .type_lists = lists,
#endif
}};
"#
    )
}

const INCLUDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../plugin-api/include");

/// A manifest for it, which runs this command and goes on with `more`.
fn manifest(command: &[&str], more: &str) -> String {
    let command = if command.is_empty() { String::new() } else { format!("build_cmd = {command:?}\n") };
    format!(
        "name = \"probe\"\nversion = \"1.0.0\" # as in probe.c\ntype = \"native\"\n\
         capabilities = [\"function\", \"native\"]\n\n[implementation]\n{command}entrypoint = \"libprobe.so\"\n\n\
         [security]\nsandbox = false\n{more}"
    )
}

const CC: &[&str] = &["cc", "-shared", "-fPIC", "-I", INCLUDE, "-o", "libprobe.so", "probe.c"];

/// The folder `plugins/probe` with the plugin in it.
#[track_caller]
fn probe(functions: &[(&str, &str)], manifest: &str) -> Folder {
    Folder::new(&[("plugins/probe/probe.c", &library(functions)), ("plugins/probe/plugin.toml", manifest)])
}

#[track_caller]
fn read(folder: &Folder, path: &str) -> String {
    std::fs::read_to_string(folder.path().join(path)).unwrap()
}

/// Runs the binary where it finds a compiler. Sizes are not told.
#[track_caller]
fn run(folder: &Folder, args: &[&str]) -> Ran {
    run_in(folder, "", args)
}

#[track_caller]
fn run_in(folder: &Folder, directory: &str, args: &[&str]) -> Ran {
    let mut command = folder.command(args);
    let tools = format!("{}:{}", folder.path().join("bin").display(), std::env::var("PATH").unwrap());
    command.env("PATH", tools).current_dir(folder.path().join(directory));
    let mut ran = Ran::of(args, command.output().unwrap());
    if let Some((before, after)) = ran.stdout.split_once(" KB, ") {
        ran.stdout = format!("{}N KB, {after}", before.trim_end_matches(|c: char| c.is_ascii_digit()));
    }
    ran
}

const BUILDING: &str = "building probe@1.0.0: cc -shared";

const FUNCTIONS: &[(&str, &str)] =
    &[("add(a: int, b: int) -> int", "The sum."), ("more::plus(a: int, b: int) -> int", "")];

const LISTED: &str = r#"
[[functions]]
name = "add"
params = [{ name = "a", type = "int" }, { name = "b", type = "int" }]
returns = "int"
description = "The sum."

[[functions]]
name = "more::plus"
params = [{ name = "a", type = "int" }, { name = "b", type = "int" }]
returns = "int"
"#;

#[test]
fn the_manifest_is_written_from_the_library() {
    let folder = probe(FUNCTIONS, &manifest(CC, ""));
    folder.write("a.rhai", "import \"probe\" as p;\nprint(p::add(1, p::more::plus(2, 3)));");
    run(&folder, &["build", "plugins/probe"]).gives(
        0,
        "built probe@1.0.0 (libprobe.so, N KB, 2 functions)\nwrote 2 functions to plugins/probe/plugin.toml\n",
        &[BUILDING],
    );
    assert_eq!(read(&folder, "plugins/probe/plugin.toml"), manifest(CC, LISTED));
    run(&folder, &["run", "a.rhai", "--allow", "native"]).gives(0, "6\n", &[]);

    let agrees = "built probe@1.0.0 (libprobe.so, N KB, 2 functions)\nplugins/probe/plugin.toml agrees\n";
    for args in [&["build", "plugins/probe/plugin.toml"][..], &["build", "plugins/probe", "--check"]] {
        run(&folder, args).gives(0, agrees, &[BUILDING]);
    }
    let here = "built probe@1.0.0 (libprobe.so, N KB, 2 functions)\nplugin.toml agrees\n";
    run_in(&folder, "plugins/probe", &["build"]).gives(0, here, &[BUILDING]);
    run_in(&folder, "plugins/probe", &["build", "--write"]).gives(0, here, &[BUILDING]);
    run_in(&folder, "plugins/probe", &["build", "-q"]).gives(0, "", &[]);
    run_in(&folder, "plugins/probe", &["build", "-v"]).gives(
        0,
        "built probe@1.0.0 (libprobe.so, N KB, 2 functions)\n  add(a: int, b: int) -> int\n  \
         more::plus(a: int, b: int) -> int\nplugin.toml agrees\n",
        &[BUILDING],
    );
    assert_eq!(read(&folder, "plugins/probe/plugin.toml"), manifest(CC, LISTED));
}

#[test]
fn a_mismatch_shows_both() {
    let listed = LISTED.replace("The sum.", "By hand").replace("name = \"more::plus\"", "name = \"gone\"");
    let old = manifest(CC, &listed);
    let changed = [("add(a: float, b: int) -> float", ""), ("fresh()", "Something new")];
    let folder = probe(&changed, &old);
    for args in [&["build", "plugins/probe"][..], &["build", "plugins/probe", "--check"]] {
        run(&folder, args).gives(
            3,
            "",
            &[
                BUILDING,
                "error[E0307]: the manifest declares `add(a: int, b: int) -> int`, but libprobe.so has \
                 `add(a: float, b: int) -> float`\n  --> plugins/probe/plugin.toml:13:",
                "declares `gone(a: int, b: int) -> int`, but libprobe.so has no function of that name",
                "exports `fresh()`, which the manifest does not list",
                "`caraway build --write plugins/probe` takes the library's",
            ],
        );
    }
    assert_eq!(read(&folder, "plugins/probe/plugin.toml"), old);
    run(&folder, &["build", "plugins/probe", "--write"]).gives(
        0,
        "built probe@1.0.0 (libprobe.so, N KB, 2 functions)\nwrote 2 functions to plugins/probe/plugin.toml\n",
        &[BUILDING],
    );
    let new = manifest(
        CC,
        r#"
[[functions]]
name = "add"
params = [{ name = "a", type = "float" }, { name = "b", type = "int" }]
returns = "float"
description = "By hand"

[[functions]]
name = "fresh"
description = "Something new"
"#,
    );
    assert_eq!(read(&folder, "plugins/probe/plugin.toml"), new);
}

#[test]
fn check_wants_a_list() {
    let folder = probe(FUNCTIONS, &manifest(CC, ""));
    run(&folder, &["build", "--check", "plugins/probe"]).gives(
        3,
        "",
        &[
            "error[E0307]: the manifest does not list the 2 functions of its library\n --> plugins/probe/plugin.toml\n",
            "help: `caraway build plugins/probe` writes them",
        ],
    );
    assert_eq!(read(&folder, "plugins/probe/plugin.toml"), manifest(CC, ""));
    run(&folder, &["build", "--check", "--write"]).gives(2, "", &["--write", "--check"]);
}

#[test]
fn types_come_from_the_library_too() {
    let with_types: Vec<&str> = CC.iter().copied().chain(["-DTYPES"]).collect();
    let functions = [("counter(start: int) -> Counter", "Counts"), ("norm(p: Point) -> float", "")];
    let folder = probe(&functions, &manifest(&with_types, ""));
    let wrote = "wrote 2 functions and 2 types to plugins/probe/plugin.toml\n";
    let ran = run(&folder, &["build", "plugins/probe"]);
    assert!(ran.code == Some(0) && ran.stdout.ends_with(wrote), "{ran}");
    let new = read(&folder, "plugins/probe/plugin.toml");
    for part in [
        "\n[[types]]\nname = \"Counter\"\nkind = \"handle\"\n",
        "\nkind = \"struct\"\nfields = [{ name = \"x\", type = \"float\" }, { name = \"y\", type = \"float\" }]\n",
        "\n[[functions]]\nname = \"counter\"\n",
    ] {
        assert!(new.contains(part), "{part} is not in {new}");
    }
    let turned = new.replace("\"x\"", "\"t\"").replace("\"y\"", "\"x\"").replace("\"t\"", "\"y\"");
    folder.write("plugins/probe/plugin.toml", &turned);
    let ran = run(&folder, &["build", "plugins/probe", "--write"]);
    assert!(ran.code == Some(0) && ran.stdout.ends_with("plugins/probe/plugin.toml agrees\n"), "{ran}");
    folder.write("plugins/probe/plugin.toml", &new.replace("\"y\"", "\"z\""));
    run(&folder, &["build", "plugins/probe"]).gives(
        3,
        "",
        &["struct Point { x: float, z: float }", "struct Point { x: float, y: float }", "build --write"],
    );
    assert_eq!(run(&folder, &["build", "plugins/probe", "--write"]).code, Some(0));
    assert_eq!(read(&folder, "plugins/probe/plugin.toml"), new);
}

#[test]
fn json_manifests_and_json_results() {
    let folder = Folder::new(&[
        ("probe/probe.c", &library(FUNCTIONS)),
        (
            "probe/plugin.json",
            &format!(
                "{{\n  \"name\": \"probe\", \"version\": \"1.0.0\", \"type\": \"native\",\n  \
                 \"capabilities\": [\"native\"], \"security\": {{\"sandbox\": false}},\n  \
                 \"implementation\": {{\"build_cmd\": {}, \"entrypoint\": \"libprobe.so\"}}\n}}\n",
                json!(CC)
            ),
        ),
    ]);
    let result = |args: &[&str]| -> (Option<i32>, Value) {
        let ran = run(&folder, &[&["build", "--format", "json"], args].concat());
        (ran.code, serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran}")))
    };
    let (code, mut value) = result(&["probe"]);
    let size = folder.path().join("probe/libprobe.so").metadata().unwrap().len();
    assert_eq!(value["plugins"][0]["size_bytes"].take(), json!(size));
    let entry = json!({
        "name": "probe", "version": "1.0.0", "type": "native", "module": "probe", "description": null,
        "folder": "probe", "search_path": "probe", "built": true, "binary": "probe/libprobe.so",
        "size_bytes": null, "functions": ["add(a: int, b: int) -> int", "more::plus(a: int, b: int) -> int"],
        "manifest": "written",
    });
    assert_eq!(code, Some(0));
    assert_eq!(value, json!({"schema_version": 1, "ok": true, "plugins": [entry], "problems": []}));
    let written: Value = serde_json::from_str(&read(&folder, "probe/plugin.json")).unwrap();
    assert_eq!(written["functions"][0]["description"], "The sum.");
    assert_eq!(result(&["probe"]).1["plugins"][0]["manifest"], "agrees");

    folder.write("probe/probe.c", &library(&FUNCTIONS[..1]));
    let (code, value) = result(&["probe", "nothing"]);
    assert_eq!((code, &value["ok"], &value["plugins"]), (Some(3), &json!(false), &json!([])));
    let codes: Vec<&Value> = value["problems"].as_array().unwrap().iter().map(|p| &p["code"]).collect();
    assert_eq!(codes, ["E0307", "E0801"]);
}

#[test]
fn what_cannot_be_built() {
    let folder = probe(FUNCTIONS, "");
    let told = |command: &[&str], stderr: &[&str]| {
        folder.write("plugins/probe/plugin.toml", &manifest(command, ""));
        run(&folder, &["build", "plugins/probe"]).gives(3, "", stderr);
    };
    told(
        &["false"],
        &["error[E0310]: `false` of probe@1.0.0 failed: exit status: 1\n", "plugin.toml:7:13\n"],
    );
    told(
        &["no-such-tool"],
        &["error[E0310]: `no-such-tool` of probe@1.0.0 cannot be run", "install `no-such-tool`"],
    );
    told(
        &["true"],
        &["error[E0310]: `true` of probe@1.0.0 made no libprobe.so\n", "must name the same file"],
    );
    told(&[], &["error[E0306]: libprobe.so of probe@1.0.0 does not exist\n", "`implementation.build_cmd`"]);
    told(&["cc", "-c", "probe.c"], &["caraway_plugin.h", "error[E0310]", "what it printed stands above"]);
    told(&["cp", "probe.c", "libprobe.so"], &["error[E0308]: libprobe.so is no library"]);
    folder.write("plugins/probe/probe.c", &library(FUNCTIONS).replace("1.0.0", "1.0.1"));
    told(CC, &["error[E0307]: libprobe.so is version 1.0.1 of `probe`; the manifest says 1.0.0", "version"]);
}

#[test]
fn what_cargo_made_elsewhere_is_told() {
    let folder = probe(FUNCTIONS, &manifest(&["cargo", "build"], ""));
    let cargo = |made: &str| {
        folder.write("bin/cargo", &format!("#!/bin/sh\nmkdir -p $(dirname {made}) && : > {made}\n"));
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder.path().join("bin/cargo"), executable).unwrap();
    };
    let told = |stderr: &str| {
        run(&folder, &["build", "plugins/probe"]).gives(
            3,
            "",
            &["`cargo build` of probe@1.0.0 made no", stderr],
        );
    };
    cargo("../../target/release/libprobe.so");
    told("/target/release/libprobe.so, where the plugin's workspace is: write `[workspace]`");
    cargo("target/release/libprone.so");
    told("cargo made target/release/libprone.so: name it in the manifest's `implementation`");
    cargo("target/release/libprobe.so");
    told("cargo made target/release/libprobe.so: name it");
}

#[test]
fn what_is_no_plugin() {
    let script = "name = \"greet\"\nversion = \"1.2.0\"\ntype = \"module\"\n";
    let folder = Folder::new(&[
        ("plugins/greet/plugin.toml", script),
        ("plugins/greet/main.rhai", "fn f() { 1 }"),
        ("plugins/broken/plugin.toml", "name = \"broken\"\n"),
        ("empty/readme.txt", ""),
    ]);
    run(&folder, &["build", "plugins/greet"]).gives(0, "greet@1.2.0: nothing to build\n", &[]);
    run(&folder, &["build", "plugins"]).gives(
        3,
        "",
        &["error[E0306]: plugins is no plugin", "there are plugins in it: plugins/greet\n"],
    );
    run(&folder, &["build", "empty"]).gives(
        3,
        "",
        &["error[E0306]: empty is no plugin", "write a plugin.toml"],
    );
    run(&folder, &["build"]).gives(3, "", &["error[E0306]: . is no plugin"]);
    run(&folder, &["build", "plugins/broken", "plugins/greet"]).gives(
        3,
        "greet@1.2.0: nothing to build\n",
        &["error[E0303]", "plugins/broken/plugin.toml"],
    );
    run(&folder, &["build", "nothing"]).gives(8, "", &["error[E0801]: cannot read nothing"]);
}

#[test]
fn native_code_must_be_asked_for_and_not_denied() {
    let folder = probe(FUNCTIONS, &manifest(CC, ""));
    run(&folder, &["build", "plugins/probe", "--deny", "native"]).gives(5, "", &["error[E0501]"]);
    let silent = manifest(CC, "").replace(", \"native\"]", "]");
    folder.write("plugins/probe/plugin.toml", &silent);
    run(&folder, &["build", "plugins/probe"]).gives(5, "", &["error[E0501]", "plugins/probe/plugin.toml:4:"]);
    assert!(!folder.path().join("plugins/probe/libprobe.so").exists());
}

#[test]
fn hybrids_keep_their_script() {
    let hybrid = |more: &str| {
        manifest(CC, more).replace("\"native\"\n", "\"hybrid\"\n").replace(
            "entrypoint = \"libprobe.so\"",
            "entrypoint = \"main.rhai\"\nbinaries = [\"libprobe.so\"]",
        )
    };
    let folder = probe(FUNCTIONS, &hybrid(""));
    folder.write("plugins/probe/main.rhai", "fn twice(x) { native::add(x, x) }");
    let built = "built probe@1.0.0 (libprobe.so, N KB, 2 functions)\n";
    for args in [&["build", "plugins/probe"][..], &["build", "plugins/probe", "--check"]] {
        run(&folder, args).gives(0, built, &[BUILDING]);
    }
    assert_eq!(read(&folder, "plugins/probe/plugin.toml"), hybrid(""));

    let listed = |returns: &str| {
        hybrid(&format!(
            "\n[[functions]]\nname = \"twice\"\nparams = [{{ name = \"x\", type = \"int\" }}]\nreturns = \"any\"\n\n\
             [[functions]]\nname = \"add\"\nnative = true\n\
             params = [{{ name = \"a\", type = \"int\" }}, {{ name = \"b\", type = \"int\" }}]\n\
             returns = \"{returns}\"\ndescription = \"The sum.\"\n"
        ))
    };
    folder.write("plugins/probe/plugin.toml", &listed("float"));
    run(&folder, &["build", "plugins/probe"]).gives(
        3,
        "",
        &["`add(a: int, b: int) -> float`", "build --write"],
    );
    let wrote = format!("{built}wrote 1 function to plugins/probe/plugin.toml\n");
    run(&folder, &["build", "plugins/probe", "--write"]).gives(0, &wrote, &[BUILDING]);
    assert_eq!(read(&folder, "plugins/probe/plugin.toml"), listed("int"));
}

#[test]
fn the_file_is_replaced_and_stays_what_it_was() {
    let silent = manifest(CC, "");
    let folder = probe(FUNCTIONS, &silent);
    let path = |name: &str| folder.path().join("plugins/probe").join(name);
    let link = |target: &Path| {
        std::fs::remove_file(path("plugin.toml")).unwrap();
        symlink(target, path("plugin.toml")).unwrap();
    };
    folder.write("outside.toml", &silent);
    link(&folder.path().join("outside.toml"));
    run(&folder, &["build", "plugins/probe"]).gives(
        8,
        "",
        &[
            "error[E0801]: the manifest is a link that leads out of the plugin's folder",
            "plugins/probe/plugin.toml",
        ],
    );
    assert_eq!(read(&folder, "outside.toml"), silent);

    folder.write("plugins/probe/real/manifest", &silent);
    std::fs::set_permissions(path("real/manifest"), std::fs::Permissions::from_mode(0o640)).unwrap();
    link(Path::new("real/manifest"));
    assert_eq!(run(&folder, &["build", "plugins/probe"]).code, Some(0));
    assert_eq!(read(&folder, "plugins/probe/real/manifest"), manifest(CC, LISTED));
    assert!(path("plugin.toml").is_symlink());
    assert_eq!(path("real/manifest").metadata().unwrap().permissions().mode() & 0o777, 0o640);
    let left: Vec<_> = path("real").read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["manifest"]);
}

#[test]
fn what_cannot_stand_in_a_manifest_is_not_written() {
    let folder = probe(&[("f(_: int) -> int", "")], &manifest(CC, ""));
    run(&folder, &["build", "plugins/probe"]).gives(3, "", &["error[E03"]);
    assert_eq!(read(&folder, "plugins/probe/plugin.toml"), manifest(CC, ""));
}

#[test]
fn a_manifest_that_the_command_writes_is_the_one_that_counts() {
    let folder = probe(FUNCTIONS, "");
    let command = format!("{} && printf '[runtime]\\nlazy = false\\n' >> plugin.toml", CC.join(" "));
    folder.write("plugins/probe/plugin.toml", &manifest(&["sh", "-c", &command], ""));
    assert_eq!(run(&folder, &["build", "plugins/probe"]).code, Some(0));
    let written = read(&folder, "plugins/probe/plugin.toml");
    assert!(written.ends_with(&format!("[runtime]\nlazy = false\n{LISTED}")), "{written}");
}

#[cfg(feature = "wasm")]
#[test]
fn components_are_looked_at() {
    let folder = Folder::new(&[]);
    let plugin = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/plugins/htmlreport");
    run(&folder, &["build", &plugin.to_string_lossy()]).gives(
        0,
        &format!(
            "checked htmlreport@1.0.0 (htmlreport.wasm, N KB, 4 functions)\n{}/plugin.toml agrees\n",
            plugin.display()
        ),
        &[],
    );
}

/// Real crates, built where the other tests build them.
#[test]
fn the_manifests_of_the_examples_agree() {
    let folder = Folder::new(&[]);
    let plugins = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/plugins");
    for name in ["numeric", "textplot", "zlib"] {
        let plugin = plugins.join(name);
        let args = ["build", "--check", &plugin.to_string_lossy()];
        let mut command = folder.command(&args);
        for variable in ["PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME"] {
            command.envs(std::env::var_os(variable).map(|value| (variable, value)));
        }
        let ran = Ran::of(&args, command.output().unwrap());
        assert!(ran.code == Some(0) && ran.stdout.ends_with("plugin.toml agrees\n"), "{ran}");
    }
}
