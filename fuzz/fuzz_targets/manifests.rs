#![no_main]

#[path = "../checks/manifests.rs"]
mod manifests;
#[path = "../checks/places.rs"]
mod places;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| manifests::check(bytes));
