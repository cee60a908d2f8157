//! Questions to the user, and what is said where nobody can be asked.

use super::Context;
#[cfg(feature = "install")]
use crate::diagnostic::one_line;
#[cfg(feature = "install")]
use caraway_loaders_core::capability::{Asks, quoted};
use caraway_loaders_core::{Code, Error};
use std::io::{BufRead, IsTerminal, Write};

/// Longest answer that is read, in bytes.
const MAX_ANSWER: u64 = 1 << 10;

/// Asks a question, to which the answer is yes or no; no is what anything but yes means. `None` where there is no
/// terminal to ask on: then nothing is printed.
///
/// # Errors
///
/// [`Code::Io`] if the answer cannot be read.
pub(super) fn ask(context: &Context, question: &str) -> Result<Option<bool>, Error> {
    let stdin = std::io::stdin();
    if context.options.json() || !stdin.is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(None);
    }
    let failed = |error: std::io::Error| Error::new(Code::Io, format!("cannot ask: {error}"));
    let mut stderr = std::io::stderr().lock();
    write!(stderr, "{question} [y/N] ").and_then(|()| stderr.flush()).map_err(failed)?;
    let mut answer = String::new();
    std::io::Read::take(stdin.lock(), MAX_ANSWER).read_line(&mut answer).map_err(failed)?;
    if !answer.ends_with('\n') {
        // The end of the input is not seen on a terminal.
        writeln!(stderr).map_err(failed)?;
    }
    Ok(Some(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")))
}

/// What a plugin asks for, a line each.
#[cfg(feature = "install")]
pub(super) fn listed(asks: &Asks) -> String {
    asks.iter().map(|(capability, reach)| format!("  {capability}: {}\n", one_line(&reach))).collect()
}

/// The flags, `--allow` or `--deny`, that answer all that a plugin asks for, as a shell takes them.
#[cfg(feature = "install")]
pub(super) fn flags(flag: &str, plugin: &str, asks: &Asks) -> String {
    let one = |rule: &String| format!("{flag} {}", quoted(&format!("{plugin}:{rule}")));
    asks.rules().iter().map(one).collect::<Vec<_>>().join(" ")
}
