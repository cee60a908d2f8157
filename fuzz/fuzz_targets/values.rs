#![no_main]

#[path = "../checks/values.rs"]
mod values;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| values::check(bytes));
