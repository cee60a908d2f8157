//! How long `hello` takes as a whole process, with one plugin on the path and with a thousand.
//!
//! The gate is a ratio: with 1,000 plugins at most 8 times the time with one. Manifests are read, nothing but
//! the imported plugin is opened.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark that cannot go on fails; criterion's macros"
)]

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use std::path::Path;
use std::process::{Command, Stdio};

const PROGRAM: &str = r#"import "hello" as hello; print(hello::greet("world"));"#;

const HELLO: &str = r#"{
    "name": "hello", "version": "1.0.0", "type": "module",
    "functions": [{ "name": "greet", "params": [{ "name": "who", "type": "string" }], "returns": "string" }]
}"#;

fn other(index: usize) -> String {
    format!(
        r#"{{
    "name": "plugin-{index}", "version": "1.{index}.0", "type": "module",
    "description": "Plugin number {index} of many", "author": "Somebody", "license": "MIT",
    "capabilities": ["function", {{ "filesystem": {{ "read": ["data"] }} }}],
    "dependencies": {{ "hello": "^1" }},
    "functions": [
        {{ "name": "mean", "params": [{{ "name": "xs", "type": "array<float>" }}], "returns": "float" }},
        {{ "name": "scale", "params": [{{ "name": "x", "type": "float" }}, {{ "name": "by", "type": "float" }}], "returns": "float" }},
        {{ "name": "names", "returns": "array<string>", "description": "All names" }}
    ],
    "security": {{ "timeout": "5s" }}
}}"#
    )
}

fn plugins(folder: &Path, count: usize) {
    let add = |name: &str, manifest: &str, script: &str| {
        let plugin = folder.join(name);
        std::fs::create_dir_all(&plugin).unwrap();
        std::fs::write(plugin.join("plugin.json"), manifest).unwrap();
        std::fs::write(plugin.join("main.rhai"), script).unwrap();
    };
    add("hello", HELLO, "fn greet(who) { `hello, ${who}` }");
    for index in 1..count {
        add(&format!("plugin-{index}"), &other(index), "fn mean(xs) { 0.0 }");
    }
}

fn startup(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("startup");
    for count in [1, 10, 100, 1_000] {
        let folder = tempfile::tempdir().unwrap();
        plugins(&folder.path().join("plugins"), count);
        let program = folder.path().join("app.rhai");
        std::fs::write(&program, PROGRAM).unwrap();
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
            bencher.iter(|| {
                let status = Command::new(env!("CARGO_BIN_EXE_caraway"))
                    .arg("run")
                    .arg(&program)
                    .stdout(Stdio::null())
                    .status()
                    .unwrap();
                assert!(status.success());
            });
        });
    }
    group.finish();
}

criterion_group!(benches, startup);
criterion_main!(benches);
