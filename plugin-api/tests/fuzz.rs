//! The checks of `fuzz/`, on its seeds and on what is made of them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

#[path = "../../fuzz/checks/inputs.rs"]
mod inputs;
#[path = "../../fuzz/checks/texts.rs"]
mod texts;
#[path = "../../fuzz/checks/values.rs"]
mod values;

#[test]
fn encoded_values() {
    inputs::run("values", values::check);
}

#[test]
fn types_and_signatures() {
    inputs::run("texts", texts::check);
}
