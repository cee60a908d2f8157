//! What came of tests.

use super::compare::Difference;
use caraway_loaders_core::{Error, Location, escape};
use std::fmt;
use std::time::Duration;

/// What came of the tests of a plugin. [`Display`](fmt::Display) prints it as `caraway test` does.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Report {
    /// The tests that were run or ignored, in the order of their files.
    pub tests: Vec<TestResult>,
    /// What is wrong with test files, whose tests were not run.
    pub problems: Vec<Error>,
    /// What is odd in test files.
    pub warnings: Vec<Error>,
    /// How many tests were left out by a filter.
    pub filtered_out: usize,
    /// How long it took.
    pub duration: Duration,
    /// Whether it was interrupted, and tests are missing.
    pub interrupted: bool,
}

/// One test.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TestResult {
    /// `suite::test`, or `script::test_function`.
    pub name: String,
    /// What it says it shows.
    pub description: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Where it stands.
    pub location: Location,
    /// What came of it.
    pub outcome: Outcome,
    /// How long it took, its own setup and cleanup included.
    pub duration: Duration,
    /// What was printed meanwhile, to standard output and error.
    pub output: Vec<String>,
}

/// How a test ended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Outcome {
    /// As it should.
    Passed,
    /// Otherwise: the first failure, and those of the steps that were run nevertheless.
    Failed(Vec<Failure>),
    /// It was not run; why, if the file says so.
    Ignored(String),
}

/// What is not as it should be.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Failure {
    /// What was done: ``mean([1, 2])``, or `setup`.
    pub message: String,
    /// Where a value differs from the expected one.
    pub difference: Option<Difference>,
    /// The error that it failed with.
    pub error: Option<Error>,
    /// The step or the assertion, if it is not the test's own call.
    pub location: Option<Location>,
    /// Whether the time was up.
    pub timed_out: bool,
}

impl Failure {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), difference: None, error: None, location: None, timed_out: false }
    }

    /// The failure of a step.
    pub(super) fn within(mut self, what: &str, location: &Location) -> Self {
        self.message = format!("{what}: {}", self.message);
        self.location.get_or_insert_with(|| location.clone());
        self
    }
}

impl Report {
    /// Whether all files are right and no test failed.
    pub fn passed(&self) -> bool {
        self.problems.is_empty() && !self.interrupted && self.failed().next().is_none()
    }

    /// The tests that failed.
    pub fn failed(&self) -> impl Iterator<Item = &TestResult> {
        self.tests.iter().filter(|test| matches!(test.outcome, Outcome::Failed(_)))
    }

    /// How many passed, failed and were ignored.
    pub fn counts(&self) -> (usize, usize, usize) {
        self.tests.iter().fold((0, 0, 0), |(passed, failed, ignored), test| match test.outcome {
            Outcome::Passed => (passed + 1, failed, ignored),
            Outcome::Failed(_) => (passed, failed + 1, ignored),
            Outcome::Ignored(_) => (passed, failed, ignored + 1),
        })
    }

    /// Fails a test of your own if a test did, with what `caraway test` would print.
    ///
    /// # Panics
    ///
    /// If a file is wrong, a test failed, or there are no tests at all.
    #[track_caller]
    #[allow(clippy::panic, reason = "this is how a test fails")]
    pub fn assert_passed(&self) {
        if !self.passed() {
            panic!("tests of a plugin failed\n{self}");
        }
        if self.tests.is_empty() {
            panic!("there are no tests: a plugin's lie in its folder `tests`");
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for test in &self.tests {
            writeln!(f, "{test}")?;
        }
        self.failures().fmt(f)?;
        writeln!(f, "\n{}", self.summary())
    }
}

impl Report {
    /// The failures, one below the other; empty if there are none.
    pub(crate) fn failures(&self) -> String {
        use fmt::Write;
        let mut text = String::new();
        for problem in &self.problems {
            for error in std::iter::once(problem).chain(problem.others()) {
                let place = error.location().map(|place| format!("{place}: ")).unwrap_or_default();
                let _ = writeln!(text, "\n{place}{} {}", error.code(), error.message());
                let _ = error.hint_text().map(|hint| writeln!(text, "  help: {hint}"));
            }
        }
        for test in self.failed() {
            let _ = writeln!(text, "\n---- {} ({})", test.name, test.location);
            let Outcome::Failed(failures) = &test.outcome else { continue };
            failures.iter().for_each(|failure| text.push_str(&failure.to_string()));
            if !test.output.is_empty() {
                text.push_str("printed:\n");
                test.output.iter().for_each(|line| text.push_str(&format!("  {}\n", line)));
            }
        }
        escape(&text)
    }

    /// The last line: `test result: ok. 5 passed; ...`.
    pub(crate) fn summary(&self) -> String {
        let (passed, failed, ignored) = self.counts();
        let word = if self.passed() { "ok" } else { "FAILED" };
        let filtered = self.filtered_out;
        let took = self.duration.as_secs_f64();
        format!(
            "test result: {word}. {passed} passed; {failed} failed; {ignored} ignored; {filtered} filtered out; finished in {took:.2}s"
        )
    }
}

/// `test NAME ... ok`.
impl fmt::Display for TestResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "test {} ... {}", escape(&self.name).replace('\n', " "), self.outcome)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Passed => f.write_str("ok"),
            Outcome::Failed(failures) if failures.first().is_some_and(|failure| failure.timed_out) => {
                f.write_str("FAILED (timed out)")
            }
            Outcome::Failed(_) => f.write_str("FAILED"),
            Outcome::Ignored(reason) if reason.is_empty() => f.write_str("ignored"),
            Outcome::Ignored(reason) => write!(f, "ignored, {}", escape(reason)),
        }
    }
}

/// Several lines, each with its end.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.message)?;
        if let Some(Difference { path, expected, found }) = &self.difference {
            if !path.is_empty() {
                writeln!(f, "        at: {path}")?;
            }
            writeln!(f, "  expected: {expected}\n     found: {found}")?;
        }
        if let Some(error) = &self.error {
            writeln!(f, "     error: {} {}", error.code(), error.message())?;
            if let Some(hint) = error.hint_text() {
                writeln!(f, "      help: {hint}")?;
            }
        }
        if let Some(location) = &self.location {
            writeln!(f, "        in: {location}")?;
        }
        let raised = self
            .error
            .as_ref()
            .and_then(Error::location)
            .filter(|place| Some(*place) != self.location.as_ref());
        if let Some(place) = raised {
            writeln!(f, "    raised: {place}")?;
        }
        Ok(())
    }
}
