//! The checks of `fuzz/`, on its seeds and on what is made of them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

#[path = "../../../fuzz/checks/grants.rs"]
mod grants;
#[path = "../../../fuzz/checks/inputs.rs"]
mod inputs;
#[path = "../../../fuzz/checks/manifests.rs"]
mod manifests;
#[path = "../../../fuzz/checks/places.rs"]
mod places;

#[test]
fn manifests() {
    inputs::run("manifests", manifests::check);
}

#[test]
fn flags_that_grant() {
    inputs::run("grants", grants::check);
}
