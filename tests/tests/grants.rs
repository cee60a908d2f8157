//! Capabilities, as programs and plugins meet them.

#[test]
fn grants_and_denials() {
    caraway_tests::run_cases("grants.toml");
}
