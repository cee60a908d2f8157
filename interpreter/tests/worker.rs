//! Programs whose plugins run in workers: what a shell sees of them, and that nothing of them stays.

#![cfg(all(feature = "cli", feature = "native", feature = "wasm", feature = "worker", target_os = "linux"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

#[allow(dead_code, unreachable_pub, reason = "shared with other tests")]
#[path = "../../tests/src/build.rs"]
mod build;
mod common;

use common::{Folder, Ran};
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

const COMPONENT: &str = r#"(component
    (core module $m
        (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
        (func (export "add") (param i64 i64) (result i64) (i64.add (local.get 0) (local.get 1)))
        (func (export "trap") unreachable)
        (func (export "echo") (param i32 i32) (result i32)
            (i32.store (i32.const 64) (local.get 0)) (i32.store (i32.const 68) (local.get 1)) (i32.const 64)))
    (core instance $i (instantiate $m))
    (func (export "add") (param "a" s64) (param "b" s64) (result s64) (canon lift (core func $i "add")))
    (func (export "trap") (canon lift (core func $i "trap")))
    (func (export "echo") (param "text" string) (result string)
        (canon lift (core func $i "echo") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))"#;

const SCRIPT: &str = r#"
    fn each(items, f) { items.map(|item| f.call(item)) }
    fn shout(text) { print(text.to_upper()); text.len() }
    fn fail(n) { throw #{number: n} }
"#;

const PROGRAM: &str = r#"
    import "script" as s;
    import "faults" as n;
    import "component" as c;
    print(s::each([1, 2, 3], |x| n::well(x) + c::add(x, 10)));
    print(s::shout("grüße"));
    print(c::echo("a text"));
    try { s::fail(7) } catch (e) { print(e.number) }
    try { c::trap() } catch (e) { print(e.code) }
    try { n::well("x") } catch (e) { print(e.message) }
    let f = n::fuse(0);
    print(n::is_armed(f));
    exit(3);
"#;

/// A folder with a plugin of each kind, and a program that hangs in the native one.
#[track_caller]
fn folder() -> Folder {
    let native = format!(
        "name = \"faults\"\nversion = \"1.0.0\"\ntype = \"native\"\ncapabilities = [\"native\"]\n\
         implementation = {{ entrypoint = \"{}\" }}\nsecurity = {{ sandbox = false }}\n",
        build::file_name("faults")
    );
    let folder = Folder::new(&[
        (
            "plugins/script/plugin.toml",
            "name = \"script\"\nversion = \"1.0.0\"\ntype = \"module\"\ncapabilities = [\"io\"]\n",
        ),
        ("plugins/script/main.rhai", SCRIPT),
        ("plugins/faults/plugin.toml", &native),
        (
            "plugins/component/plugin.toml",
            "name = \"component\"\nversion = \"1.0.0\"\ntype = \"wasm\"\nimplementation = { entrypoint = \"component.wasm\" }\n",
        ),
        ("app.rhai", PROGRAM),
        ("hang.rhai", "import \"faults\" as n;\nprint(n::id());\nn::doze();\n"),
        (
            "crash.rhai",
            "import \"faults\" as n;\ntry { n::segfault() } catch (e) { print(e.code) }\nprint(n::well(7));\nn::leave(0);\n",
        ),
        ("tmp/keep", ""),
    ]);
    let plugins = folder.path().join("plugins");
    std::fs::write(plugins.join("component/component.wasm"), wat::parse_str(COMPONENT).unwrap()).unwrap();
    let library = build::cc("c/worker_faults.c", &[]);
    std::fs::write(plugins.join("faults").join(build::file_name("faults")), library).unwrap();
    folder
}

fn temporary(folder: &Folder) -> PathBuf {
    folder.path().join("tmp")
}

#[track_caller]
fn run(folder: &Folder, args: &[&str]) -> Ran {
    let output = folder.command(args).env("TMPDIR", temporary(folder)).output().unwrap();
    Ran::of(args, output)
}

/// Looks again and again until it is so.
#[track_caller]
fn soon<E: std::fmt::Debug>(mut is: impl FnMut() -> Result<(), E>) {
    let end = Instant::now() + Duration::from_secs(10);
    while let Err(found) = is() {
        assert!(Instant::now() < end, "{found:#?}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Processes that run below a folder, which is where workers' own temporary folders are.
fn workers(folder: &Folder) -> Vec<String> {
    let own = temporary(folder).display().to_string();
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter_map(|entry| {
            let environment = std::fs::read(entry.path().join("environ")).ok()?;
            let command = std::fs::read(entry.path().join("cmdline")).ok()?;
            let is = String::from_utf8_lossy(&environment).contains(&own) && !command.is_empty();
            is.then(|| String::from_utf8_lossy(&command).replace('\0', " "))
        })
        .collect()
}

/// No process and no folder of a worker is left.
#[track_caller]
fn nothing_is_left(folder: &Folder, folders: usize) {
    soon(|| match workers(folder) {
        left if left.is_empty() => Ok(()),
        left => Err(left),
    });
    let left = std::fs::read_dir(temporary(folder)).unwrap();
    let left: Vec<String> = left.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(left.iter().filter(|name| name.starts_with("caraway-")).count() <= folders, "{left:?}");
}

#[test]
fn a_program_says_the_same_with_its_plugins_in_workers() {
    if !common::holds_workers() {
        return;
    }
    let folder = folder();
    let here = run(&folder, &["run", "app.rhai", "--allow", "native", "--allow", "script:io"]);
    let there = run(&folder, &["run", "app.rhai", "--isolate", "--allow", "script:io"]);
    assert_eq!((here.code, here.stderr.as_str()), (Some(3), ""), "{here}");
    assert_eq!(
        (there.code, &there.stdout, &there.stderr),
        (here.code, &here.stdout, &here.stderr),
        "{there}"
    );
    assert!(here.stdout.starts_with("[12, 14, 16]\nGRÜSSE\n"), "{here}");
    nothing_is_left(&folder, 0);
}

#[test]
fn a_crash_is_an_error_with_a_place() {
    if !common::holds_workers() {
        return;
    }
    let folder = folder();
    let ran = run(&folder, &["run", "crash.rhai", "--isolate"]);
    let texts = ["error[E0109]", "`faults::leave` ended by `exit(0)`", "crash.rhai:4:4", "help: "];
    ran.gives(1, "E0109\n7\n", &texts);
    nothing_is_left(&folder, 0);
}

/// Starts a program that hangs in a worker, in a group of its own, and gives the worker's group.
#[track_caller]
fn hang(folder: &Folder) -> (Child, i32) {
    let mut command = folder.command(&["run", "hang.rhai", "--isolate"]);
    command.env("TMPDIR", temporary(folder)).process_group(0);
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    (child, line.trim().parse().unwrap())
}

fn signal(child: &Child, signal: rustix::process::Signal) {
    let group = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process_group(group, signal).unwrap();
}

#[test]
fn ctrl_c_ends_a_call_that_hangs() {
    if !common::holds_workers() {
        return;
    }
    let folder = folder();
    let (child, worker) = hang(&folder);
    assert!(std::path::Path::new(&format!("/proc/{worker}")).exists());
    assert_eq!(workers(&folder).len(), 2);
    let start = Instant::now();
    signal(&child, rustix::process::Signal::INT);
    let ran = Ran::of(&["run", "hang.rhai"], child.wait_with_output().unwrap());
    ran.gives(130, "", &["error[E9001]"]);
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    nothing_is_left(&folder, 0);
}

/// Whoever is killed cannot remove folders.
#[test]
fn a_host_that_is_killed_leaves_no_process() {
    if !common::holds_workers() {
        return;
    }
    let folder = folder();
    let (child, worker) = hang(&folder);
    signal(&child, rustix::process::Signal::KILL);
    assert_eq!(child.wait_with_output().unwrap().status.code(), None);
    soon(|| match std::fs::read_to_string(format!("/proc/{worker}/stat")) {
        Ok(stat) if !stat.contains(") Z ") => Err(stat),
        _ => Ok(()),
    });
    nothing_is_left(&folder, 1);
}
