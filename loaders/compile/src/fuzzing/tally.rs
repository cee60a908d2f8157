//! What has been compared.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::AddAssign;

/// Counts, by what was seen.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    pub programs: u64,
    /// Programs that do not parse, which the generator should not make.
    pub unparsed: BTreeMap<String, u64>,
    /// Functions with declared types, and how many of them were compiled.
    pub functions: u64,
    pub compiled: u64,
    /// Calls that were made on both sides.
    pub calls: u64,
    /// Calls that were given up, since they take too long.
    pub given_up: u64,
    pub differences: u64,
    /// Calls that ended with an error, by its kind.
    pub errors: BTreeMap<String, u64>,
    /// Functions that were not compiled, by the reason.
    pub refusals: BTreeMap<String, u64>,
}

impl Tally {
    pub(crate) fn unparsed(&mut self, why: &str) {
        *self.unparsed.entry(why.to_owned()).or_default() += 1;
    }

    pub(crate) fn error(&mut self, error: &str) {
        *self.errors.entry(kind(error)).or_default() += 1;
    }

    pub(crate) fn refusal(&mut self, what: &str) {
        *self.refusals.entry(what.to_owned()).or_default() += 1;
    }

    /// The calls that ended with an error.
    pub fn failed(&self) -> u64 {
        self.errors.values().sum()
    }
}

impl AddAssign<&Tally> for Tally {
    fn add_assign(&mut self, other: &Tally) {
        self.programs += other.programs;
        self.functions += other.functions;
        self.compiled += other.compiled;
        self.calls += other.calls;
        self.given_up += other.given_up;
        self.differences += other.differences;
        for (sum, counts) in [
            (&mut self.unparsed, &other.unparsed),
            (&mut self.errors, &other.errors),
            (&mut self.refusals, &other.refusals),
        ] {
            for (kind, count) in counts {
                *sum.entry(kind.clone()).or_default() += count;
            }
        }
    }
}

/// What an error is about, without its numbers: the innermost one's name and the first words that it says.
fn kind(error: &str) -> String {
    let frames = error.matches("ErrorInFunctionCall").count();
    let inner = error.rsplit("ErrorInFunctionCall(").next().unwrap_or(error);
    let inner = inner.find("Error").map_or(inner, |at| &inner[at..]);
    let (name, rest) = inner.split_once('(').unwrap_or((inner, ""));
    let said = rest.split('"').nth(1).unwrap_or_default();
    let said = said.split([':', '(']).next().unwrap_or_default();
    let words: Vec<&str> =
        said.split_whitespace().take_while(|word| !word.contains(|c: char| c.is_ascii_digit())).collect();
    let nested = if frames > 1 { ", in nested calls" } else { "" };
    format!("{name} {}{nested}", words.join(" "))
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |part: u64, whole: u64| 100.0 * part as f64 / whole.max(1) as f64;
        let Self { programs, functions, compiled, calls, given_up, differences, .. } = self;
        writeln!(f, "{programs} programs")?;
        writeln!(
            f,
            "{compiled} of {functions} functions compiled ({:.1} %)",
            percent(*compiled, *functions)
        )?;
        let failed = self.failed();
        writeln!(f, "{calls} calls compared, {failed} of them errors ({:.1} %)", percent(failed, *calls))?;
        writeln!(f, "{given_up} calls given up")?;
        let counted =
            [("not parsed", &self.unparsed), ("errors", &self.errors), ("refusals", &self.refusals)];
        for (title, counts) in counted {
            let mut sorted: Vec<_> = counts.iter().collect();
            sorted.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
            writeln!(f, "{title}:")?;
            for (kind, count) in sorted {
                writeln!(f, "  {count:>10}  {kind}")?;
            }
        }
        write!(f, "{differences} differences")
    }
}
