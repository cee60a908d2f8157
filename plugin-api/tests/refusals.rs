//! What the compiler says of plugins that cannot be.

#[test]
fn refusals_say_what_is_supported() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
