//! What script plugins do in the host's process, they do in a process of their own.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use caraway::worker::Workers;
use caraway::{Runtime, conformance};
use caraway_tests::build;
use caraway_tests::native::Native;
use std::path::Path;

const WORKER: &str = env!("CARGO_BIN_EXE_caraway-worker");

#[track_caller]
fn same(file: &str) {
    caraway_tests::run_cases_in(file, Some(&Workers::program(WORKER)));
}

#[test]
fn calls_and_types() {
    same("script_calls.toml");
}

#[test]
fn files_dependencies_and_privacy() {
    same("script_imports.toml");
}

#[test]
fn callbacks() {
    same("script_callbacks.toml");
}

#[test]
fn buffers() {
    same("buffers.toml");
}

#[test]
fn handles() {
    same("handles.toml");
}

#[test]
fn limits() {
    same("script_limits.toml");
}

#[test]
fn values() {
    same("script_values.toml");
}

#[test]
fn settings() {
    same("settings.toml");
}

#[test]
fn stores() {
    same("stores.toml");
}

#[test]
fn hostile_scripts() {
    same("script_hostile.toml");
}

/// The same scorecard, in which so many checks are not well.
#[track_caller]
fn conforms(name: &str, here: &Runtime, there: &Runtime, flaws: usize) {
    let [here, there] = [here, there].map(|runtime| conformance::check(runtime, name).unwrap());
    assert_eq!(here.to_string(), there.to_string());
    let (held, all) = there.score();
    assert_eq!(held + flaws, all, "{there}");
}

#[test]
fn plugins_of_every_kind_conform() {
    if !caraway_tests::workers_hold() {
        return;
    }
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/plugins");
    let builder = || Runtime::builder().plugin_path(&examples);
    let here = builder().build().unwrap();
    let there = builder().workers(Workers::program(WORKER)).isolate(true).build().unwrap();
    for name in ["csv", "hello", "htmlreport", "stats", "table"] {
        conforms(name, &here, &there, 0);
    }
    let library = build::cargo("native-bench", "bench", &[]);
    let native = || Native::new("bench", "1.0.0", &library, "");
    // Without optimisation, it panics where a sum overflows.
    conforms("bench", native().runtime(), native().in_worker(Some(WORKER)).runtime(), 1);
}
