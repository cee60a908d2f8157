//! Search paths, names, text and files that are not what they should be, through the command line and the library.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod common;

use caraway::{Output, Runtime};
use common::Folder;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

const MAIN: &str = "fn f() { 1 }";

fn manifest(name: &str, more: &str) -> String {
    format!("{{\"name\": \"{name}\", \"version\": \"1.0.0\", \"type\": \"module\"{more}}}")
}

/// A folder with script plugins, `FOLDER NAME [MODULE]`, and a program.
fn folder(plugins: &[(&str, &str, &str)], program: &str) -> Folder {
    let folder = Folder::new(&[("app.rhai", program)]);
    for (path, name, more) in plugins {
        folder.write(&format!("{path}/plugin.json"), &manifest(name, more));
        folder.write(&format!("{path}/main.rhai"), MAIN);
    }
    folder
}

/// Runs the binary, and checks its exit code and parts of all that it wrote, none of which is `never`.
#[track_caller]
fn tells(folder: &Folder, args: &[&str], code: i32, parts: &[&str], never: &[char]) {
    let ran = folder.run(args);
    let all = format!("{}{}", ran.stdout, ran.stderr);
    assert_eq!(ran.code, Some(code), "{ran}");
    for part in parts {
        assert!(all.contains(part), "{part:?} is not in what was written: {ran}");
    }
    assert!(!all.contains(never), "{all:?}");
}

#[test]
fn search_paths_that_cannot_be_read() {
    let folder = folder(&[("good/p", "p", "")], "import \"p\" as p; print(p::f());");
    folder.write("file", "");
    std::os::unix::fs::symlink("loop", folder.path().join("loop")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, folder.path().join("fifo"), 0o600.into()).unwrap();
    for (path, message) in [
        ("none", "does not exist"),
        ("file", "is not a folder"),
        ("fifo", "is not a folder"),
        ("loop", "cannot read the search path"),
    ] {
        let args = |command| ["--plugin-path", path, "--plugin-path", "good", command, "app.rhai"];
        tells(&folder, &args("run"), 0, &["1\n"], &[]);
        tells(&folder, &args("list")[..5], 0, &["p ", path, message], &[]);
    }
}

#[test]
fn programs_that_are_no_regular_files() {
    let folder = folder(&[], "import \"./pipe\" as p;");
    for name in ["pipe", "pipe.rhai"] {
        rustix::fs::mkfifoat(rustix::fs::CWD, folder.path().join(name), 0o600.into()).unwrap();
    }
    for (program, message) in [
        ("pipe", "pipe is not a regular file but a pipe"),
        ("/dev/zero", "/dev/zero is not a regular file but a device"),
    ] {
        tells(&folder, &["run", program], 8, &["error[E0801]", message], &[]);
    }
    tells(&folder, &["run", "app.rhai"], 8, &["pipe.rhai is not a regular file but a pipe"], &[]);
}

#[test]
fn characters_of_patterns_in_search_paths() {
    let path = "pl[ab]*?{x,y}";
    let folder = folder(&[(&format!("{path}/p"), "p", ""), ("pla/q", "q", "")], "import \"p\" as p;");
    tells(&folder, &["run", "app.rhai", "--plugin-path", path], 0, &[], &[]);
    folder.write("app.rhai", "import \"q\" as q;");
    tells(&folder, &["run", "app.rhai", "--plugin-path", path], 4, &["error[E0401]"], &[]);
}

#[test]
fn plugins_that_share_a_module_name() {
    let module = ", \"module\": \"tables\"";
    let plugins = [("plugins/a", "one", module), ("plugins/b", "two", module)];
    let folder = folder(&plugins, "import \"tables\" as t;");
    let parts =
        ["error[E0405]", "`tables` is the module name of several plugins: `one`, `two`", "app.rhai:1:8"];
    tells(&folder, &["run", "app.rhai"], 4, &parts, &[]);
    tells(&folder, &["tree", "app.rhai"], 4, &parts[..2], &[]);
    tells(&folder, &["list"], 0, &["one ", "two "], &[]);
    folder.write("app.rhai", "import \"one\" as a; import \"two\" as b; print(a::f() + b::f());");
    tells(&folder, &["run", "app.rhai"], 0, &["2\n"], &[]);
}

#[test]
fn nobody_takes_the_place_of_what_is_built_in() {
    let folder = folder(&[("plugins/fs", "fs", ", \"module\": \"fs\"")], "import \"std/fs\" as fs; fs::f()");
    tells(&folder, &["run", "app.rhai"], 1, &["f"], &[]);
    folder.write("plugins/fs/plugin.json", &manifest("std/fs", ""));
    tells(&folder, &["list"], 0, &["Broken", "E03"], &[]);
    tells(&folder, &["run", "app.rhai"], 1, &[], &[]);
}

#[test]
fn text_of_manifests_cannot_take_over_a_terminal() {
    let evil = "\\u001b[2J\\u202e\\u009b1m\\r\\nforged";
    let more = format!(
        ", \"description\": \"{evil}\", \"author\": \"{evil}\", \"license\": \"MIT\", \"functions\": \
         [{{\"name\": \"f\", \"returns\": \"int\", \"description\": \"{evil}\"}}]"
    );
    let folder = folder(&[("plugins/\u{1b}[31m\u{202e}", "p", &more)], "import \"p\" as p;");
    let never = ['\u{1b}', '\u{202e}', '\u{9b}', '\r'];
    for args in [
        &["list"][..],
        &["list", "-v"],
        &["info", "p"],
        &["info", "p", "-v"],
        &["tree", "app.rhai"],
        &["tree", "app.rhai", "-v"],
        &["tree", "app.rhai", "--why", "p"],
        &["list", "--format", "json"],
        &["info", "p", "--format", "json"],
        &["tree", "app.rhai", "--format", "json"],
    ] {
        tells(&folder, args, 0, &["p"], &never);
        let ran = folder.run(args);
        assert!(!ran.stdout.contains("\nforged"), "{ran}");
    }
}

/// What a program prints, and its result, where what it prints first is told to `swap`.
fn swapped(folder: &Folder, program: &str, swap: impl Fn(&Path) + Send + Sync + 'static) -> Vec<String> {
    let printed: Arc<Mutex<Vec<String>>> = Arc::default();
    let (lines, path): (_, PathBuf) = (printed.clone(), folder.path().join("plugins"));
    let output = Output::new(move |_, line| match line {
        "swap" => swap(&path),
        _ => lines.lock().unwrap().push(line.to_owned()),
    });
    let runtime = Runtime::builder().folder(folder.path()).plugin_path(folder.path().join("plugins"));
    let _ = runtime.output(output).build().unwrap().eval(program).unwrap();
    let printed = printed.lock().unwrap();
    printed.clone()
}

#[test]
fn a_script_that_is_swapped_while_it_is_loaded() {
    let program = "import \"p\" as a; print(a::f()); print(\"swap\"); print(a::f());\n\
        import \"p\" as b; print(b::f());";
    for (what, text) in [("another", "fn f() { 2 }"), ("broken", "fn f() {"), ("nothing", "")] {
        let folder = folder(&[("plugins/p", "p", "")], "");
        let printed = swapped(&folder, program, move |plugins| {
            std::fs::write(plugins.join("p/main.rhai"), text).unwrap();
        });
        assert_eq!(printed, ["1", "1", "1"], "{what}");
    }
}

#[test]
fn a_script_that_is_swapped_before_it_is_loaded() {
    let program = "import \"p\" as p; print(p::f()); print(\"swap\"); import \"q\" as q; print(q::f());";
    let folder = folder(&[("plugins/p", "p", ""), ("plugins/q", "q", "")], "");
    let printed = swapped(&folder, program, |plugins| {
        std::fs::write(plugins.join("next"), "fn f() { 2 }").unwrap();
        std::fs::rename(plugins.join("next"), plugins.join("q/main.rhai")).unwrap();
    });
    assert!([["1", "1"], ["1", "2"]].iter().any(|whole| printed == whole), "{printed:?}");
}

#[cfg(feature = "wasm")]
#[test]
fn a_component_that_is_swapped_while_it_is_loaded() {
    let module = |result: i64| {
        wat::parse_str(format!(r#"(module (func (export "f") (result i64) i64.const {result}))"#)).unwrap()
    };
    let program = "import \"p\" as a; print(a::f()); print(\"swap\"); print(a::f());\n\
        import \"p\" as b; print(b::f());";
    for bytes in [module(2), module(1)[..20].to_vec(), b"(module)".to_vec(), Vec::new()] {
        let folder = Folder::new(&[]);
        std::fs::create_dir(folder.path().join("plugins")).unwrap();
        std::fs::write(folder.path().join("plugins/p.wasm"), module(1)).unwrap();
        let printed = swapped(&folder, program, move |plugins| {
            std::fs::write(plugins.join("p.wasm"), &bytes).unwrap();
        });
        assert_eq!(printed, ["1", "1", "1"]);
    }
}
