//! Script plugins: what authors and importers can rely on.

#[test]
fn calls_and_types() {
    caraway_tests::run_cases("script_calls.toml");
}

#[test]
fn files_dependencies_and_privacy() {
    caraway_tests::run_cases("script_imports.toml");
}

#[test]
fn callbacks() {
    caraway_tests::run_cases("script_callbacks.toml");
}

#[test]
fn buffers() {
    caraway_tests::run_cases("buffers.toml");
}

#[test]
fn handles() {
    caraway_tests::run_cases("handles.toml");
}

#[test]
fn limits() {
    caraway_tests::run_cases("script_limits.toml");
}

#[test]
fn values() {
    caraway_tests::run_cases("script_values.toml");
}

#[test]
fn settings() {
    caraway_tests::run_cases("settings.toml");
}

#[test]
fn stores() {
    caraway_tests::run_cases("stores.toml");
}

#[test]
fn hostile_scripts() {
    caraway_tests::run_cases("script_hostile.toml");
}
