#![no_main]

#[path = "../checks/archives.rs"]
mod archives;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| archives::check(bytes));
