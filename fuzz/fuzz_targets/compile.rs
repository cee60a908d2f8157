#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| caraway_loaders_compile::fuzzing::check(bytes));
