//! `caraway conformance`.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod common;

use caraway::bind::Bound;
use caraway::conformance::{Verdict, check};
use caraway::loader::{LoadRequest, Loader, PluginFile};
use caraway::manifest::{Function, Manifest};
use caraway::{Error, Plugin, Runtime};
use common::Folder;
use serde_json::Value;

use std::sync::Arc;

const MANIFEST: (&str, &str) = (
    "plugins/demo/plugin.toml",
    r#"
name = "demo"
version = "1.0.0"
type = "module"
functions = [
    { name = "half", params = [{ name = "x", type = "float" }], returns = "float" },
    { name = "first", params = [{ name = "of", type = "array<string>" }], returns = "string" },
    { name = "each", params = [{ name = "of", type = "array<int>" }, { name = "do", type = "fn(int) -> int" }], returns = "array<int>" },
    { name = "loops", params = [{ name = "on", type = "bool" }] },
]
"#,
);

const GOOD: &str = "
fn half(x) { x / 2 }
fn first(of) { of[0] }
fn each(of, f) { of.map(|x| f.call(x)) }
fn loops(on) { while !on { } }
";

/// The checks of the first plugin in a result that failed.
#[track_caller]
fn failed(folder: &Folder, args: &[&str]) -> Vec<String> {
    let ran = folder.run(&[&["conformance", "--format", "json"], args].concat());
    let value: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran}"));
    let checks = value["plugins"][0]["checks"].as_array().unwrap();
    assert_eq!(value["ok"] == true, ran.code == Some(0), "{ran}");
    checks
        .iter()
        .filter(|check| check["verdict"].get("failed").is_some())
        .map(|check| check["name"].as_str().unwrap().to_owned())
        .collect()
}

fn with(script: &str) -> Folder {
    Folder::new(&[MANIFEST, ("plugins/demo/main.rhai", script)])
}

#[test]
fn what_holds_and_what_does_not() {
    let none: [&str; 0] = [];
    assert_eq!(failed(&with(GOOD), &["demo"]), none);
    assert_eq!(failed(&with(&GOOD.replace("x / 2", "if x > 1e300 { 1 } else { x }")), &["demo"]), none);
    for (from, to, checks) in [
        ("x / 2", "if x > 1e300 { \"much\" } else { x }", &["results"][..]),
        ("of[0]", "#{}", &["results"]),
        ("fn first(of)", "fn first(of, more)", &["code"]),
        ("fn half(x)", "throw \"top level\"; fn half(x)", &["load"]),
        ("fn half(x)", "fn (", &["code"]),
    ] {
        assert_eq!(failed(&with(&GOOD.replace(from, to)), &["demo"]), checks, "{to}");
    }
    assert_eq!(failed(&Folder::new(&[MANIFEST]), &["demo"]), ["files"]);
}

#[test]
fn all_that_is_built_in_conforms() {
    let folder = Folder::new(&[]);
    let ran = folder.run(&["conformance"]);
    ran.shows(0, &["PLUGIN ", "std/json@", "std/fs@", "std/time@", "14 of 14"]);
    ran.gives_no("FAILED");
    assert!(ran.stdout.lines().count() > 8, "{ran}");
}

#[test]
fn plugins_are_named_or_found() {
    let folder = with(GOOD);
    for name in ["demo", "demo@^1", "plugins/demo", "plugins"] {
        let ran = folder.run(&["conformance", name]);
        ran.shows(0, &["demo@1.0.0  module  14 of 14  "]);
        assert_eq!(ran.stdout.lines().count(), 2, "{ran}");
    }
    folder.run(&["conformance"]).shows(0, &["demo@1.0.0 ", "std/json@"]);
    folder
        .run(&["conformance", "demo", "-v"])
        .shows(0, &["  ok      threads     calls from several threads"]);
    folder.run(&["conformance", "dem"]).gives(4, "", &["E0401", "did you mean `demo`?"]);
}

#[test]
fn nothing_is_granted_that_is_not_named() {
    let manifest = "name = \"demo\"\nversion = \"1.0.0\"\ntype = \"module\"\ndependencies = [\"std/fs\"]\n\
                    capabilities = [{ filesystem = { write = [\"out\"] } }]\n\
                    functions = [{ name = \"put\", params = [{ name = \"text\", type = \"string\" }] }]\n";
    let script = "import \"std/fs\" as fs; fn put(text) { fs::write_text(\"out/file\", text); }";
    let folder = Folder::new(&[
        ("plugins/demo/plugin.toml", manifest),
        ("plugins/demo/main.rhai", script),
        ("out/other", ""),
        ("home/.config/caraway/caraway.toml", "security = \"relaxed\"\n"),
    ]);
    folder.run(&["conformance", "demo"]).shows(0, &["14 of 14"]);
    assert!(!folder.path().join("out/file").exists());
    folder.run(&["conformance", "demo", "--allow", "demo:filesystem=write:out"]).shows(0, &["14 of 14"]);
    assert!(folder.path().join("out/file").exists());
}

/// A native plugin in C that follows a null pointer.
#[cfg(all(feature = "native", unix))]
#[test]
fn a_plugin_that_ends_the_process_has_a_scorecard() {
    let folder = Folder::new(&[
        (
            "plugins/empty/plugin.toml",
            "name = \"empty\"\nversion = \"1.0.0\"\ntype = \"native\"\ncapabilities = [\"native\"]\n\
             [implementation]\nentrypoint = \"empty.so\"\n[security]\nsandbox = false\n",
        ),
        ("plugins/empty/empty.c", NULL),
    ]);
    let include = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugin-api/include");
    for (define, check, at) in [
        ("ENDS_FOR_ZERO", "extremes", "f(0 (int))"),
        ("ENDS_WHEN_OPENED", "code", "opening it"),
        ("ENDS_WHEN_CALLED", "calls", "f("),
    ] {
        let built = std::process::Command::new("cc")
            .args(["-shared", "-fPIC", "-O0", "-o", "empty.so", "empty.c", "-D", define, "-I"])
            .arg(&include)
            .current_dir(folder.path().join("plugins/empty"))
            .output()
            .unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        let refused = folder.run(&["conformance", "empty"]);
        refused.shows(0, &["2 of 2", "12 not checked: `empty` is native code", "--allow native"]);
        let ran = folder.run(&["conformance", "--allow", "native", "empty"]);
        ran.shows(
            3,
            &[&format!("the process was ended by signal 11 at: {at}"), &format!("  FAILED  {check} ")],
        );
    }
}

#[cfg(all(feature = "native", unix))]
const NULL: &str = include_str!("conformance/empty.c");

/// A kind that does not load what it offers.
struct Forgetful;

impl Loader for Forgetful {
    fn kind(&self) -> &'static str {
        "forgetful"
    }

    fn description(&self) -> &'static str {
        "a plugin that forgets"
    }

    fn validate(&self, _: &Manifest) -> Vec<Error> {
        Vec::new()
    }

    fn provided(&self) -> Vec<Manifest> {
        vec![Manifest::new("forgets", "1.0.0".parse().unwrap(), "forgetful")]
    }

    fn files(&self, _: &Plugin) -> Result<Vec<PluginFile>, Error> {
        Ok(Vec::new())
    }

    fn inspect(&self, _: &Plugin) -> Result<Vec<Function>, Error> {
        let function = |text: &str| Function::documented(text.parse().unwrap(), "");
        Ok(vec![function("there(x: int) -> int"), function("gone()")])
    }

    fn load(&self, request: &LoadRequest) -> Result<Bound, Error> {
        let mut binder = request.binder();
        let mut calls = 0_i64;
        let calls = std::sync::Mutex::new(move || {
            calls += 1;
            calls
        });
        binder.function("there(x: int) -> int".parse().unwrap(), move |_, _| {
            let count = (calls.lock().unwrap())();
            // From the third call on it is out of memory.
            match count {
                1 | 2 => Ok(count.into()),
                _ => Err(Error::new(caraway::Code::Memory, "all is used up").into()),
            }
        })?;
        Ok(binder.finish())
    }
}

#[test]
fn every_kind_is_checked() {
    let runtime = Runtime::builder().loader(Arc::new(Forgetful)).build().unwrap();
    let scorecard = check(&runtime, "forgets").unwrap();
    let failed = scorecard.checks.iter().filter(|check| matches!(check.verdict, Verdict::Failed(_)));
    let failed: Vec<&str> = failed.map(|check| check.name.as_str()).collect();
    assert_eq!(failed, ["exports", "recovery", "threads"], "{scorecard}");
    assert_eq!(scorecard.score(), (11, 14));
}
