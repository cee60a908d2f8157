//! What both keys open to a component through WASI: files, the environment, clocks; and nothing beside it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod common;

use caraway_loaders_core::capability::{Access, Asks, Grants};
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::loader::Loader;
use caraway_loaders_core::{Code, Error};
use common::{Bench, component, engine, shown, thrown};
use rhai::Engine;
use std::fs;
use std::time::{Duration, Instant};

/// Hands everything on to WASI: descriptors are numbers, error codes are thrown as numbers.
const GUEST: &str = include_str!("guests/files.wat");

/// The error code for what is not permitted, and for what is not there.
const NOT_PERMITTED: &str = "31";
const NO_ENTRY: &str = "20";

/// `fd(PATH, HOW, USES)`: the descriptor of a path in the folder that is there first.
const FD: &str = "fn dir(n) { m::directories()[n][0] }
    fn fd(path, how, uses) { m::open(dir(0), path, how, uses) }
    fn contents(path) { m::read(fd(path, 0, 1), 100, 0)[0].as_string() }
    fn put(path, text) { m::write(fd(path, 1, 2), text.to_blob(), 0) }\n";

/// A program's folder, and a component that is granted some of it.
struct Program {
    bench: Bench,
    allow: Vec<String>,
    deny: Vec<String>,
    asked: serde_json::Value,
}

impl Program {
    /// With the files `data/a.txt`, `data/deep/b.txt` and `secret/c.txt`.
    fn new(asked: serde_json::Value, allow: &[&str]) -> Self {
        let bench = Bench::new();
        for (file, text) in [("data/a.txt", "alpha"), ("data/deep/b.txt", "beta"), ("secret/c.txt", "gamma")]
        {
            let file = bench.folder.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        Self { bench, allow: allow.iter().map(|&text| text.to_owned()).collect(), deny: Vec::new(), asked }
    }

    fn denied(mut self, text: &str) -> Self {
        self.deny.push(text.to_owned());
        self
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.bench.folder.path().join(name)
    }

    fn access(&self) -> Access {
        let folder = self.bench.folder.path();
        let (mut asks, mut grants) = (Asks::default(), Grants::new(folder));
        for (name, detail) in self.asked.as_object().unwrap() {
            asks.add(name, (!detail.is_null()).then_some(detail)).unwrap();
        }
        self.allow.iter().for_each(|text| grants.allow(text, folder).unwrap());
        self.deny.iter().for_each(|text| grants.deny(text, folder).unwrap());
        Access::plugin("m", &asks, &grants, folder)
    }

    fn load(&self) -> Result<Engine, Error> {
        let plugin = self.bench.plugin("m", GUEST);
        let mut limits = Limits::PLUGIN;
        limits.timeout = Some(Duration::from_secs(5));
        Ok(engine(&self.bench.load_with(plugin, limits, self.access())?))
    }

    /// What a script gives, or what it throws.
    #[track_caller]
    fn gives(&self, script: &str, expected: &str) {
        let engine = self.load().unwrap_or_else(|error| panic!("{error}"));
        let body = format!("{FD} let out = (); try {{ out = {{ {script} }} }} catch (e) {{ out = e }} out");
        assert_eq!(shown(&engine, &body), expected, "{script}");
    }
}

fn read_write() -> Program {
    Program::new(
        serde_json::json!({"filesystem": {"read": ["data"], "write": ["data"]}}),
        &["filesystem=data"],
    )
}

#[test]
fn folders_are_there_as_far_as_both_keys_say() {
    use serde_json::json;
    let names = "m::directories().map(|d| d[1]).reduce(|a, b| `${a} ${b}`, \"\")";
    let data = || json!({"filesystem": {"read": ["data"], "write": ["out"]}});
    for (asked, allow, expected) in [
        (json!({}), &["filesystem"][..], ""),
        (data(), &[], ""),
        (data(), &["filesystem=secret"], ""),
        (data(), &["filesystem"], " data out"),
        (data(), &["m:filesystem=data"], " data"),
        (data(), &["n:filesystem=data"], ""),
        (data(), &["filesystem=data/deep"], " data/deep"),
        (json!({"filesystem": {"read": ["nowhere", "data"]}}), &["filesystem"], " data"),
        (json!({"filesystem": null}), &["filesystem=read:data"], " data"),
    ] {
        let program = Program::new(asked, allow);
        program.gives(names, &format!("{expected:?}"));
        let writable = expected.contains("out");
        assert_eq!(program.path("out").is_dir(), writable, "what may be written is made");
        assert!(!program.path("nowhere").exists());
    }
}

#[test]
fn a_folder_is_read_and_written_as_far_as_it_is_granted() {
    use serde_json::json;
    let both = json!({"filesystem": {"read": ["data"], "write": ["data"]}});
    let read = "contents(\"a.txt\")";
    let write = "put(\"a.txt\", \"ALPHA\"); put(\"new.txt\", \"new\")";
    for (allow, can_read, can_write) in [
        ("filesystem=data", true, true),
        ("filesystem=read:data", true, false),
        ("filesystem=write:data", false, true),
    ] {
        let program = Program::new(both.clone(), &[allow]);
        program.gives(read, if can_read { "\"alpha\"" } else { NOT_PERMITTED });
        program.gives(write, if can_write { "3" } else { NOT_PERMITTED });
        assert_eq!(program.path("data/new.txt").exists(), can_write, "{allow}");
        let changed = fs::read_to_string(program.path("data/a.txt")).unwrap();
        assert_eq!(changed, if can_write { "ALPHA" } else { "alpha" });
        program.gives("m::create_dir(dir(0), \"sub\")", if can_write { "()" } else { NOT_PERMITTED });
        program.gives("m::unlink(dir(0), \"a.txt\")", if can_write { "()" } else { NOT_PERMITTED });
        program.gives("m::readlink(dir(0), \"deep\")", if can_read { "12" } else { NOT_PERMITTED });
        program.gives(
            "m::open(dir(0), \"deep\", 2, 1); contents(\"deep/b.txt\")",
            if can_read { "\"beta\"" } else { NOT_PERMITTED },
        );
    }
}

#[test]
fn streams_read_and_append() {
    let program = read_write();
    program.gives(
        "let s = m::reader(fd(\"a.txt\", 0, 1), 1); let a = m::stream_read(s, 3).as_string();
         let b = m::stream_read(s, 9).as_string(); let end = (); try { m::stream_read(s, 9) } catch (e) { end = e[0] }
         [a, b, end]",
        r#"["lph", "a", 1]"#,
    );
    program.gives(
        "let s = m::appender(fd(\"a.txt\", 0, 2)); m::stream_write(s, \"-1\".to_blob());
         m::stream_write(s, \"-2\".to_blob()); contents(\"a.txt\")",
        r#""alpha-1-2""#,
    );
    program.gives("fd(\"a.txt\", 8, 2); contents(\"a.txt\")", "\"\"");
}

#[test]
fn nothing_leads_out_of_a_folder() {
    use std::os::unix::fs::symlink;
    let program = read_write();
    symlink(program.path("secret"), program.path("data/absolute")).unwrap();
    symlink("../secret/c.txt", program.path("data/relative")).unwrap();
    symlink("deep/b.txt", program.path("data/inside")).unwrap();
    fs::hard_link(program.path("secret/c.txt"), program.path("data/another-name")).unwrap();
    let secret = program.path("secret/c.txt");
    for path in
        ["../secret/c.txt", "deep/../../secret/c.txt", secret.to_str().unwrap(), "absolute/c.txt", "relative"]
    {
        program.gives(&format!("contents({path:?})"), NOT_PERMITTED);
        program.gives(&format!("put({path:?}, \"x\")"), NOT_PERMITTED);
        program.gives(
            &format!("m::rename(dir(0), \"a.txt\", dir(0), {path:?})"),
            if path == "relative" { "()" } else { NOT_PERMITTED },
        );
        let _ = fs::write(program.path("data/a.txt"), "alpha");
        let _ = fs::remove_file(program.path("data/relative"));
        symlink("../secret/c.txt", program.path("data/relative")).unwrap();
    }
    program.gives("contents(\"inside\")", "\"beta\"");
    program.gives("put(\"another-name\", \"x\")", NOT_PERMITTED);
    program.gives("fd(\"another-name\", 8, 2)", NOT_PERMITTED);
    program.gives("m::link(dir(0), \"a.txt\", dir(0), \"b.txt\")", NOT_PERMITTED);
    for target in ["../secret", "/etc", "deep/../.."] {
        program.gives(&format!("m::symlink(dir(0), {target:?}, \"trap\")"), NOT_PERMITTED);
    }
    program.gives("m::symlink(dir(0), \"a.txt\", \"good\"); contents(\"good\")", "\"alpha\"");
    program.gives("contents(\"nothing\")", NO_ENTRY);
    assert_eq!(fs::read_to_string(secret).unwrap(), "gamma");
}

#[test]
fn a_folder_that_is_swapped_for_a_link_leads_nowhere_else() {
    let program = read_write();
    let engine = program.load().unwrap();
    fs::rename(program.path("data"), program.path("moved")).unwrap();
    std::os::unix::fs::symlink("secret", program.path("data")).unwrap();
    assert_eq!(shown(&engine, &format!("{FD} contents(\"a.txt\")")), "\"alpha\"");
    assert_eq!(thrown(&engine, "m::open(m::directories()[0][0], \"c.txt\", 0, 1)"), NO_ENTRY);
}

#[test]
fn what_is_asked_for_below_a_grant_is_reached_through_no_link() {
    let program =
        Program::new(serde_json::json!({"filesystem": {"read": ["data/link"]}}), &["filesystem=data"]);
    std::os::unix::fs::symlink("../secret", program.path("data/link")).unwrap();
    let error = program.load().err().unwrap();
    assert_eq!(error.code(), Code::Io, "{error}");
    assert!(error.message().starts_with("cannot open the granted folder `data/link`"), "{error}");
}

#[test]
fn only_files_and_folders_are_opened() {
    let program = read_write();
    let fifo = program.path("data/fifo");
    rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, rustix::fs::Mode::RWXU).unwrap();
    let start = Instant::now();
    for uses in ["1", "2", "3"] {
        program.gives(&format!("fd(\"fifo\", 0, {uses})"), NOT_PERMITTED);
    }
    assert!(start.elapsed() < Duration::from_secs(4), "nobody is at the other end");
    let program = Program::new(
        serde_json::json!({"filesystem": {"read": ["/dev", "/proc"]}}),
        &["filesystem=read:/dev,read:/proc"],
    );
    program.gives("m::directories().map(|d| d[1])", r#"["/dev", "/proc"]"#);
    program.gives("m::open(dir(0), \"zero\", 0, 1)", NOT_PERMITTED);
    for path in ["self/environ", "version", "self"] {
        program.gives(&format!("m::open(dir(1), {path:?}, 0, 1)"), NOT_PERMITTED);
    }
}

#[test]
fn what_is_denied_is_reached_by_no_name() {
    let inside = read_write().denied("filesystem=read:data/deep");
    let error = inside.load().err().unwrap();
    assert_eq!(error.code(), Code::Denied, "{error}");
    assert!(error.message().contains("a component is given whole folders"), "{error}");

    let linked = read_write().denied("filesystem=link");
    std::os::unix::fs::symlink("data/deep", linked.path("link")).unwrap();
    assert_eq!(linked.load().err().unwrap().code(), Code::Denied, "another name for what lies inside");

    let hard = read_write().denied("filesystem=secret/c.txt");
    fs::hard_link(hard.path("secret/c.txt"), hard.path("data/c.txt")).unwrap();
    hard.gives("contents(\"c.txt\")", NOT_PERMITTED);

    let all = read_write().denied("filesystem");
    all.gives("m::directories()", "[]");
}

#[test]
fn a_file_is_no_folder() {
    let program = Program::new(serde_json::json!({"filesystem": {"read": ["data/a.txt"]}}), &["filesystem"]);
    let error = program.load().err().unwrap();
    assert_eq!(error.code(), Code::EntryPoint, "{error}");
    assert!(error.message().contains("`data/a.txt` is a file"), "{error}");
}

#[test]
fn variables_are_there_as_far_as_both_keys_say() {
    use serde_json::json;
    // Cargo sets these for tests.
    let (name, version) = ("CARGO_PKG_NAME", "CARGO_PKG_VERSION");
    let asked = || json!({"env": {"names": [name, "NO_SUCH_VARIABLE"]}});
    let pair = format!("[[{name:?}, {:?}]]", env!("CARGO_PKG_NAME"));
    for (asked, allow, deny, expected) in [
        (json!({}), "env", "", "[]"),
        (asked(), "filesystem", "", "[]"),
        (asked(), "env", "", pair.as_str()),
        (asked(), "env=CARGO_PKG_NAME", "", pair.as_str()),
        (asked(), "env=CARGO_PKG_VERSION", "", "[]"),
        (json!({"env": null}), "env=CARGO_PKG_NAME", "", pair.as_str()),
        (asked(), "env", "env", "[]"),
    ] {
        let mut program = Program::new(asked, &[allow]);
        if !deny.is_empty() {
            program = program.denied(deny);
        }
        program.gives("m::variables()", expected);
    }
    let program = Program::new(json!({"env": {"names": [name, version]}}), &["env"]);
    program.gives("m::variables().len()", "2");
}

#[test]
fn clocks_tell_milliseconds() {
    let program = Program::new(serde_json::json!({}), &[]);
    program.gives("m::resolution()", "1000000");
    let engine = program.load().unwrap();
    let start = Instant::now();
    let mut seen = std::collections::BTreeSet::new();
    while seen.len() < 3 && start.elapsed() < Duration::from_secs(5) {
        seen.insert(engine.eval::<i64>("m::now()").unwrap());
    }
    assert!(seen.len() == 3 && seen.iter().all(|now| now % 1_000_000 == 0), "{seen:?}");
}

#[test]
fn files_need_no_runtime_and_stand_one() {
    let program = read_write();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        program.gives("contents(\"a.txt\")", "\"alpha\"");
        program.gives(
            "let s = m::reader(fd(\"a.txt\", 0, 1), 0); m::stream_read(s, 9).as_string()",
            "\"alpha\"",
        );
    });
}

#[test]
fn what_is_not_persistent_has_no_state() {
    let bench = Bench::new();
    let count = "(result i64) (global.set $count (i32.add (global.get $count) (i32.const 1)))
        (i64.extend_i32_u (global.get $count))";
    let text = component("", &[("count", "(result s64)", count)]);
    for (persistent, expected) in [(true, "[1, 2, 3]"), (false, "[1, 1, 1]")] {
        let mut plugin = bench.plugin("m", &text);
        plugin.manifest.runtime.persistent = persistent;
        assert!(bench.loader.validate(&plugin.manifest).is_empty());
        let engine = engine(&bench.load(plugin, Limits::PLUGIN).unwrap());
        assert_eq!(shown(&engine, "[m::count(), m::count(), m::count()]"), expected);
    }
}

#[test]
fn a_guest_cannot_use_up_the_descriptors_of_the_process() {
    // "quota" is the seventh error code.
    let open = "let n = 0; let code = (); try { loop { fd(\"a.txt\", 0, 1); n += 1 } } catch (e) { code = e } [n, code]";
    read_write().gives(open, "[128, 6]");
}
