//! What came of the checks.

use crate::count::counted;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What came of the checks of one plugin. [`Display`](fmt::Display) prints a line for each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Scorecard {
    /// The plugin's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its kind.
    pub kind: String,
    /// How many calls were made.
    pub calls: usize,
    /// The checks, in the order in which they were made.
    pub checks: Vec<Check>,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Check {
    /// Its name, one word or two.
    pub name: String,
    /// What holds if it passes.
    pub promise: String,
    /// What came of it.
    pub verdict: Verdict,
}

/// What came of a [`Check`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Verdict {
    /// It holds.
    Passed,
    /// It does not, as these show.
    Failed(Vec<String>),
    /// It could not be checked, for this reason.
    Skipped(String),
}

impl Scorecard {
    /// Whether nothing failed.
    pub fn passed(&self) -> bool {
        !self.checks.iter().any(|check| matches!(check.verdict, Verdict::Failed(_)))
    }

    /// How many checks passed, and how many were made: those that were skipped were not.
    pub fn score(&self) -> (usize, usize) {
        let count =
            |test: fn(&Verdict) -> bool| self.checks.iter().filter(|check| test(&check.verdict)).count();
        (
            count(|verdict| *verdict == Verdict::Passed),
            count(|verdict| !matches!(verdict, Verdict::Skipped(_))),
        )
    }
}

impl fmt::Display for Scorecard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (passed, made) = self.score();
        writeln!(
            f,
            "{} {} ({}): {passed} of {made}, {}",
            self.name,
            self.version,
            self.kind,
            counted(self.calls, "call")
        )?;
        let width = self.checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
        for Check { name, promise, verdict } in &self.checks {
            match verdict {
                Verdict::Passed => writeln!(f, "  ok      {name:width$}  {promise}")?,
                Verdict::Skipped(reason) => writeln!(f, "  -       {name:width$}  not checked: {reason}")?,
                Verdict::Failed(reasons) => {
                    writeln!(f, "  FAILED  {name:width$}  {promise}")?;
                    reasons.iter().try_for_each(|reason| writeln!(f, "            {reason}"))?;
                }
            }
        }
        Ok(())
    }
}
