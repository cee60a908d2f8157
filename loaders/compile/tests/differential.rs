//! Compiled functions do what Rhai does: random programs, and scripts that were written by hand.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

use caraway_loaders_compile::ScriptCompiler;
use caraway_loaders_compile::fuzzing::{Case, Differential};
use std::path::Path;
use std::sync::Arc;

/// Rhai recurses over what it walks, in a debug build with large frames.
const STACK: usize = 256 << 20;

const PROGRAMS: u64 = 500;

/// Why a function that the generator makes may be refused.
const REFUSALS: &[&str] = &[
    "an operand that assigns to a variable",
    "a condition that leaves",
    "a guard that leaves",
    "the function gives () or",
    "a value that is",
    "an assignment to an element of the constant",
    "a buffer that is made in a loop",
    "which calls itself and makes buffers",
];

fn differential(calls: usize) -> Differential {
    Differential::new(Arc::new(ScriptCompiler::default()), calls)
}

fn on_large_stack(test: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, test).unwrap();
        if let Err(panic) = thread.join() {
            std::panic::resume_unwind(panic);
        }
    });
}

#[test]
fn random_programs_come_to_the_same() {
    on_large_stack(|| {
        let mut differential = differential(8);
        for seed in 0..PROGRAMS {
            if let Some(difference) = differential.check_seed(seed) {
                panic!("seed {seed}:\n{difference}");
            }
        }
        let tally = &differential.tally;
        println!("{tally}");
        assert!(tally.unparsed.is_empty(), "{tally}");
        for reason in tally.refusals.keys() {
            assert!(REFUSALS.iter().any(|known| reason.contains(known)), "{reason}\n{tally}");
        }
        assert!(tally.compiled * 10 > tally.functions * 9, "{tally}");
        let failed = tally.failed() as f64 / tally.calls as f64;
        assert!((0.2..0.6).contains(&failed), "{tally}");
    });
}

#[test]
fn scripts_written_by_hand_come_to_the_same() {
    on_large_stack(|| {
        let mut files: Vec<_> = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        assert!(!files.is_empty());
        let mut wrong = String::new();
        for file in files {
            let case = Case::parse(&std::fs::read_to_string(&file).unwrap());
            let mut differential = differential(0);
            let said = match case.and_then(|case| case.check(&mut differential)) {
                Ok(None) => continue,
                Ok(Some(difference)) => difference.to_string(),
                Err(error) => error,
            };
            wrong += &format!("{}: {said}\n", file.display());
        }
        assert!(wrong.is_empty(), "{wrong}");
    });
}
