//! The library: runtimes that do not see each other, from many threads.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use caraway::{Cancel, Code, Runtime};
use std::path::Path;

fn plugin(folder: &Path, name: &str, script: &str) {
    let plugin = folder.join(name);
    std::fs::create_dir_all(&plugin).unwrap();
    let manifest = format!("name = \"{name}\"\nversion = \"1.0.0\"\ntype = \"module\"\n");
    std::fs::write(plugin.join("plugin.toml"), manifest).unwrap();
    std::fs::write(plugin.join("main.rhai"), script).unwrap();
}

#[test]
fn a_runtime_goes_anywhere() {
    fn anywhere<T: Send + Sync + Clone + 'static>() {}
    anywhere::<Runtime>();
    anywhere::<Cancel>();
}

#[test]
fn two_runtimes_do_not_see_each_other() {
    let [one, two] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    plugin(one.path(), "who", "fn am_i() { 1 }");
    plugin(two.path(), "who", "fn am_i() { 2 }");
    plugin(two.path(), "other", "fn f() { 0 }");
    let runtime = |folder: &Path| Runtime::builder().folder(folder).plugin_path(folder).build().unwrap();
    let (one, two) = (runtime(one.path()), runtime(two.path()));
    let ask = |runtime: &Runtime| runtime.eval(r#"import "who" as w; w::am_i()"#).unwrap().as_int();
    assert_eq!((ask(&one), ask(&two), ask(&one)), (Ok(1), Ok(2), Ok(1)));
    assert!(two.eval(r#"import "other" as o;"#).is_ok());
    assert_eq!(one.eval(r#"import "other" as o;"#).unwrap_err().code(), Code::UnknownPlugin);
}

#[test]
fn threads_share_an_engine_with_plugins() {
    let folder = tempfile::tempdir().unwrap();
    plugin(
        folder.path(),
        "sums",
        "const ONE = 1; fn add(a, b) { helper(a) + b } fn helper(x) { x + global::ONE - 1 }",
    );
    let mut engine = rhai::Engine::new();
    let runtime = Runtime::builder().folder(folder.path()).plugin_path(folder.path()).build().unwrap();
    runtime.install(&mut engine).unwrap();
    let program = r#"import "sums" as s; let n = 0; for i in 0..1000 { n = s::add(n, i); } n"#;
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| engine.eval::<i64>(program).unwrap())).collect();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), 499_500);
        }
    });
}

#[test]
fn a_run_is_cancelled_from_another_thread() {
    let cancel = Cancel::default();
    let stop = cancel.clone();
    let output = caraway::Output::new(move |_, _| stop.cancel());
    let runtime = Runtime::builder().cancel(cancel).output(output).build().unwrap();
    let error = runtime.eval("print(\"started\"); try { loop { } } catch { 1 }").unwrap_err();
    assert_eq!(error.code(), Code::Interrupted);
}

#[test]
fn functions_of_plugins_are_called_from_rust() {
    let folder = tempfile::tempdir().unwrap();
    plugin(folder.path(), "sums", "fn add(a, b) { a + b }");
    let runtime = Runtime::builder().plugin_path(folder.path()).build().unwrap();
    let call = |function: &str, args: Vec<rhai::Dynamic>| runtime.call("sums@1", function, args);
    assert_eq!(call("add", vec![1_i64.into(), 2_i64.into()]).unwrap().as_int(), Ok(3));
    assert_eq!(call("sub", vec![]).unwrap_err().code(), Code::UnknownFunction);
    assert_eq!(call("add); exit(3); (", vec![]).unwrap_err().code(), Code::UnknownFunction);
    assert_eq!(runtime.call("nowhere", "f", vec![]).unwrap_err().code(), Code::UnknownPlugin);
}
