//! When wasmtime's engine is made. In a process of its own, whose threads tell.

#![cfg(all(feature = "wasm", target_os = "linux"))]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use caraway::Runtime;
use std::path::Path;

/// The threads that a loader of components starts with its engine. Linux keeps 15 bytes of a name.
fn tickers() -> usize {
    let tasks = Path::new("/proc/self/task").read_dir().unwrap();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).ok());
    names.filter(|name| name.trim_end() == "caraway-wasm-ti").count()
}

#[test]
fn a_run_that_meets_no_component_makes_no_engine() {
    let plugins = tempfile::tempdir().unwrap();
    let other = plugins.path().join("other");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("plugin.toml"), "name = \"other\"\nversion = \"1.0.0\"\ntype = \"module\"")
        .unwrap();
    std::fs::write(other.join("main.rhai"), "fn one() { 1 }").unwrap();
    let component =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/plugins/htmlreport/htmlreport.wasm");
    std::fs::copy(component, plugins.path().join("page.wasm")).unwrap();

    let runtime = Runtime::builder().plugin_path(plugins.path()).build().unwrap();
    assert_eq!(runtime.eval(r#"import "other" as other; other::one()"#).unwrap().as_int(), Ok(1));
    assert!(runtime.catalog().unwrap().plugins.iter().any(|plugin| plugin.manifest.name == "page"));
    assert_eq!(tickers(), 0);
    let escaped = runtime.eval(r#"import "page" as page; page::escape("<")"#).unwrap();
    assert_eq!(escaped.into_string().unwrap(), "&lt;");
    assert_eq!(tickers(), 1);
    drop(runtime);
    assert_eq!(tickers(), 0);
}
