//! The checks of `fuzz/`, on its seeds and on what is made of them.
#![cfg(feature = "archive")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

#[path = "../../fuzz/checks/archives.rs"]
mod archives;
#[path = "../../fuzz/checks/inputs.rs"]
mod inputs;

#[test]
fn archives() {
    inputs::run_some("archives", 50, archives::check);
}
