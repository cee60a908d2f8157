//! A host that does not count memory: limits of memory are refused, and scripts are held to sizes of single values.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use caraway::{Code, Error, Runtime};
use std::path::Path;

fn runtime(folder: &Path) -> Runtime {
    Runtime::builder().folder(folder).plugin_path(folder.join("plugins")).build().unwrap()
}

fn plugin(folder: &Path, security: &str) {
    let plugin = folder.join("plugins/greedy");
    std::fs::create_dir_all(&plugin).unwrap();
    let manifest = format!("name = \"greedy\"\nversion = \"1.0.0\"\ntype = \"module\"\n{security}\n");
    std::fs::write(plugin.join("plugin.toml"), manifest).unwrap();
    std::fs::write(plugin.join("main.rhai"), "fn ok() { 1 }").unwrap();
}

#[track_caller]
fn refused(folder: &Path, script: &str) -> Error {
    let error = runtime(folder).eval(script).unwrap_err();
    assert_eq!(error.code(), Code::NotEnforced, "{error}");
    assert!(error.message().contains("does not count memory"), "{error}");
    assert!(error.location().is_some() && error.hint_text().is_some(), "{error:?}");
    error
}

#[test]
fn limits_of_memory_are_refused_and_not_ignored() {
    let folder = tempfile::tempdir().unwrap();
    plugin(folder.path(), "security = { max_memory = \"10MB\" }");
    refused(folder.path(), "import \"greedy\" as g; g::ok()");
    plugin(folder.path(), "");
    assert_eq!(runtime(folder.path()).eval("import \"greedy\" as g; g::ok()").unwrap().as_int(), Ok(1));
    std::fs::write(folder.path().join("caraway.toml"), "[limits]\nmemory = \"1GiB\"\n").unwrap();
    refused(folder.path(), "1");
}

#[test]
fn single_values_stay_small() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = runtime(folder.path());
    for script in [
        "let s = \"x\"; loop { s += s; }",
        "let s = \"x\"; s.pad(1000000000000, \"y\");",
        "blob(1000000000000)",
        "let a = []; a.pad(1000000000000, 1);",
        "let b = blob(10000000); let a = []; a.pad(1000000, b);",
        "let s = \"x\"; s.pad(1000000, \"y\"); let a = []; a.pad(100000, s); `${a}`.len()",
        "let s = \"x\"; s.pad(1000000, \"y\"); let a = []; a.pad(100000, s); #{ a: a }.to_json()",
    ] {
        let error = runtime.eval(script).map(drop).unwrap_err();
        assert_eq!(error.code(), Code::Memory, "{script}: {error}");
    }
}
