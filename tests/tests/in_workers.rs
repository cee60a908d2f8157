//! What script plugins do in the host's process, they do in a process of their own.

#![cfg(target_os = "linux")]

use caraway::worker::Workers;

#[track_caller]
fn same(file: &str) {
    caraway_tests::run_cases_in(file, Some(&Workers::program(env!("CARGO_BIN_EXE_caraway-worker"))));
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
