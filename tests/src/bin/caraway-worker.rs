//! The program that workers of the tests are: test binaries cannot be started again as one.

use std::process::ExitCode;

/// What plugins of scripts allocate in a worker is counted there.
#[global_allocator]
static ALLOCATOR: caraway::CountingAllocator = caraway::CountingAllocator;

fn main() -> ExitCode {
    // Whoever is no worker has nothing to do.
    match caraway::worker::maybe_run() {
        Ok(_) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
