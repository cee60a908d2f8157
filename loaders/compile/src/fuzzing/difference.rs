//! A call that does not come to the same on both sides.

use super::outcome::Outcome;
use std::fmt;

#[derive(Debug, Clone)]
pub struct Difference {
    pub(crate) text: String,
    pub(crate) signature: String,
    pub(crate) depth: usize,
    pub(crate) args: String,
    /// What the walked one came to; `None` if no function was compiled.
    pub(crate) walked: Option<Outcome>,
    /// What the compiled function did, or why it did nothing.
    pub(crate) compiled: Result<Outcome, String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        writeln!(f, "{}, at most {} calls deep, with {}", self.signature, self.depth, self.args)?;
        if let Some(outcome) = &self.walked {
            writeln!(f, "  walked:   {}", Shown(outcome))?;
        }
        match &self.compiled {
            Ok(outcome) => write!(f, "  compiled: {}", Shown(outcome)),
            Err(why) => write!(f, "  compiled: {why}"),
        }
    }
}

/// An outcome with only the beginnings of long buffers.
struct Shown<'a>(&'a Outcome);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.result {
            Ok(value) => write!(f, "{value:?}")?,
            Err(error) => write!(f, "{error}")?,
        }
        for buffer in &self.0.buffers {
            let shown: Vec<String> = buffer.iter().take(10).map(|bits| format!("{bits:x}")).collect();
            write!(f, ", {} numbers [{}]", buffer.len(), shown.join(" "))?;
        }
        Ok(())
    }
}
