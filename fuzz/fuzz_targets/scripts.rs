#![no_main]

#[path = "../checks/scripts.rs"]
mod scripts;

#[global_allocator]
static ALLOCATOR: caraway::CountingAllocator = caraway::CountingAllocator;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| scripts::check(bytes));
