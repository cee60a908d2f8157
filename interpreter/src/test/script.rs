//! Tests that are functions of a script.

use super::asserts;
use super::bench::{Bench, Stopped, run_until};
use super::report::{Failure, Outcome, TestResult};
use crate::program::{Execution, Program};
use crate::runtime::Runtime;
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::{Code, Error, Location};
use caraway_loaders_script::{engine, parse_file};
use rhai::AST;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How the names of tests begin.
const PREFIX: &str = "test_";

/// A script with tests: functions without parameters whose names begin with `test_`.
pub(super) struct Script {
    file: PathBuf,
    folder: PathBuf,
    stem: String,
    ast: AST,
    tests: Vec<Function>,
}

struct Function {
    name: String,
    description: Option<String>,
    location: Location,
}

impl Script {
    /// Reads a script; nothing is run.
    ///
    /// # Errors
    ///
    /// As a program's, and [`Code::TestFile`] for a test that takes parameters.
    pub(super) fn load(file: &Path) -> Result<Self, Error> {
        let ast = parse_file(&engine::parser(&Limits::PROGRAM), file)?;
        let name = file.to_string_lossy().into_owned();
        let mut tests = Vec::new();
        for function in ast.iter_fn_def().filter(|function| function.name.starts_with(PREFIX)) {
            let location = Location::of_position(Some(&name), function.body.start_position());
            if !function.params.is_empty() {
                let error = format!("`{}` takes parameters, and a test has nothing to give", function.name);
                return Err(Error::new(Code::TestFile, error).at(location));
            }
            let lines = function.comments.iter().flat_map(|comment| comment.lines());
            let comment = lines.map(|line| line.trim().trim_start_matches(['/', '*', '!']).trim());
            let comment = comment.collect::<Vec<_>>().join(" ");
            let description = Some(comment).filter(|text| !text.is_empty());
            tests.push(Function { name: function.name.to_string(), description, location });
        }
        tests.sort_by_key(|test| (test.location.line, test.location.column));
        let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let folder = file.parent().map(Path::to_owned).unwrap_or_default();
        Ok(Self { file: file.to_owned(), folder, stem, ast, tests })
    }

    /// The full names of its tests, in order.
    pub(super) fn names(&self) -> impl Iterator<Item = String> {
        self.tests.iter().map(|test| format!("{}::{}", self.stem, test.name))
    }

    /// The place of a test.
    pub(super) fn location(&self, index: usize) -> Option<&Location> {
        self.tests.get(index).map(|test| &test.location)
    }

    /// Runs one test, in a session of its own, after the script's top level.
    pub(super) fn run(
        &self,
        index: usize,
        runtime: &Runtime,
        capture: bool,
        timeout: Duration,
    ) -> Option<TestResult> {
        let test = self.tests.get(index)?;
        let start = Instant::now();
        let (outcome, output) = match Bench::open(runtime, &self.folder, capture) {
            Err(error) => (Err(Stopped::Failed(error)), Vec::new()),
            Ok(bench) => (self.call(test, &bench, start + timeout), bench.take_lines()),
        };
        let failure = match outcome {
            Ok(()) => None,
            Err(Stopped::Failed(error)) => Some(told(error)),
            Err(Stopped::TimedOut(error)) => Some(Failure {
                timed_out: true,
                location: error.location().cloned(),
                ..Failure::new("the test was stopped: its time was up")
            }),
            Err(Stopped::Stuck) => Some(Failure {
                timed_out: true,
                ..Failure::new("the test does not stop: its time was up, and native code goes on")
            }),
        };
        Some(TestResult {
            name: format!("{}::{}", self.stem, test.name),
            description: test.description.clone(),
            tags: Vec::new(),
            location: test.location.clone(),
            outcome: failure.map_or(Outcome::Passed, |failure| Outcome::Failed(vec![failure])),
            duration: start.elapsed(),
            output,
        })
    }

    fn call(&self, test: &Function, bench: &Bench, deadline: Instant) -> Result<(), Stopped> {
        let (session, folder, ast) = (bench.session().clone(), self.folder.clone(), self.ast.clone());
        let (name, function) = (self.file.to_string_lossy().into_owned(), test.name.clone());
        let work = move || {
            let program = Program::plan(session, ast, &name, &folder)?;
            let functions = asserts::module(program.explainer());
            let timeout = Some(deadline.saturating_duration_since(Instant::now()));
            let execution = Execution { timeout, functions: Some(functions) };
            let outcome = program.call_with(execution, &function, &[], Vec::new())?;
            match outcome.exit_code {
                // A test that ends the program has not come to its end.
                Some(code) => Err(Error::new(Code::ScriptFailed, format!("the test called `exit({code})`"))),
                None => Ok(outcome.value),
            }
        };
        run_until(deadline, work).map(drop)
    }
}

/// What an assertion says stands for itself; other errors have a code.
fn told(error: Error) -> Failure {
    let location = error.location().cloned();
    match error.code() {
        Code::ScriptFailed => {
            let message = error.message().to_owned();
            Failure { location, ..Failure::new(message) }
        }
        _ => Failure { location, error: Some(error), ..Failure::new("the test failed") },
    }
}
