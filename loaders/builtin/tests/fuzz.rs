//! The checks of `fuzz/`, on its seeds and on what is made of them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

#[path = "../../../fuzz/checks/inputs.rs"]
mod inputs;
#[path = "../../../fuzz/checks/json.rs"]
mod json;

#[test]
fn json_texts() {
    inputs::run("json", json::check);
}
