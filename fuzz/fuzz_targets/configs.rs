#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| caraway::fuzzing::check_config(bytes));
