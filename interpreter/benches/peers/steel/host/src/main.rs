//! Runs the Steel program that its argument names, as Steel's own command does.

use std::error::Error;
use std::path::PathBuf;
use steel::steel_vm::engine::Engine;

/// The allocator of Steel's own command.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Box<dyn Error>> {
    let path = PathBuf::from(std::env::args_os().nth(1).ok_or("which program?")?);
    let text = std::fs::read_to_string(&path)?;
    let mut engine = Engine::new();
    match engine.compile_and_run_raw_program_with_path(text, path) {
        Ok(_) => Ok(()),
        Err(error) => {
            engine.raise_error(error);
            Err("the program failed".into())
        }
    }
}
