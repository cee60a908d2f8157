//! Random programs with declared types, walked by Rhai and compiled: each call has to come to the same, to the last bit
//! and the last word of an error. For a test, for the target `compile` of `fuzz/`, and for long runs by hand.
//!
//! A program is made of bytes, so that a fuzzer can change it and a difference can be made smaller.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `choices` | decisions, made of bytes; and random bytes |
//! | `types`, `number` | types, and numbers at which something changes |
//! | `program` | whole scripts; `outline`, what can be called in them |
//! | `body` | the body of a function; `statement`, `repetition`, `switch`, `expression`, `math`, `buffer` write it |
//! | `helper` | functions without declared types |
//! | `arguments` | what is passed |
//! | `case` | scripts that were written by hand |
//! | `walker` | calls by Rhai |
//! | `outcome` | what a call comes to |
//! | `differential` | both sides of each call; `difference`, `tally` tell what was found |

mod arguments;
mod body;
mod buffer;
mod case;
mod choices;
mod difference;
mod differential;
mod expression;
mod helper;
mod math;
mod number;
mod outcome;
mod outline;
#[cfg(test)]
mod pretender;
mod program;
mod repetition;
mod statement;
mod switch;
mod tally;
mod types;
mod walker;

pub use case::Case;
pub use difference::Difference;
pub use differential::Differential;
pub use tally::Tally;

use crate::ScriptCompiler;
use std::cell::RefCell;
use std::sync::Arc;

/// How often a fuzzer's programs call each function.
const CALLS: usize = 6;

/// Checks one input of a fuzzer.
///
/// # Panics
///
/// If a compiled function does not do what Rhai does.
pub fn check(bytes: &[u8]) {
    thread_local!(static DIFFERENTIAL: RefCell<Differential> =
        RefCell::new(Differential::new(Arc::new(ScriptCompiler::default()), CALLS)));
    let difference = DIFFERENTIAL.with_borrow_mut(|differential| differential.check(bytes));
    if let Some(difference) = difference {
        std::panic::resume_unwind(Box::new(difference.to_string()));
    }
}

#[cfg(test)]
#[path = "../../../../fuzz/checks/inputs.rs"]
mod inputs;

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_compiled_does_what_rhai_does() {
        super::inputs::run_some("compile", 10, super::check);
    }
}
