//! The binary `caraway`.

use std::process::ExitCode;

/// Counts what scripts allocate, so that memory limits hold.
#[global_allocator]
static ALLOCATOR: caraway::CountingAllocator = caraway::CountingAllocator;

fn main() -> ExitCode {
    caraway::cli::main()
}
