//! The checks of `fuzz/`, on its seeds and on what is made of them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

#[path = "../../fuzz/checks/inputs.rs"]
mod inputs;
#[path = "../../fuzz/checks/scripts.rs"]
mod scripts;

#[global_allocator]
static ALLOCATOR: caraway::CountingAllocator = caraway::CountingAllocator;

#[test]
fn programs() {
    inputs::run_some("scripts", 60, scripts::check);
}
