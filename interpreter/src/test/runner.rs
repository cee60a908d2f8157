//! Running a suite.

use super::bench::{Bench, Stopped};
use super::compare::against;
use super::expected::Expected;
use super::report::{Failure, Outcome, TestResult};
use super::shown::{shown, written};
use super::suite::{Action, Call, Step, Suite, Test};
use super::variables::{RESULT, Variables};
use crate::program::FORWARDER;
use crate::runtime::Runtime;
use caraway_loaders_core::{Code, Error, Location};
use rhai::Dynamic;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a delay goes on before it looks whether it still may.
const TICK: Duration = Duration::from_millis(20);

/// What a suite is run with.
pub(super) struct Runner<'r> {
    pub(super) runtime: &'r Runtime,
    pub(super) suite: &'r Suite,
    /// The plugin whose folder the file lies in.
    pub(super) plugin: Option<&'r str>,
    /// The folder of the file.
    pub(super) folder: &'r Path,
    pub(super) capture: bool,
    /// What each test, and each setup, may take where the file does not say.
    pub(super) timeout: Duration,
}

/// A session in which the suite's setup has been run.
struct Open {
    bench: Bench,
    variables: Variables,
    /// Why the setup did not end well.
    failure: Option<Trouble>,
}

/// What went wrong in steps, and whether the session can be used no more.
struct Trouble {
    failure: Box<Failure>,
    stuck: bool,
}

impl Trouble {
    /// The trouble of a step.
    fn within(mut self, what: &str, step: &Step) -> Self {
        *self.failure = self.failure.within(what, &step.location);
        self
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self { failure: failure.into(), stuck: false }
    }
}

impl Runner<'_> {
    /// Runs the tests of these indices, in order.
    pub(super) fn run(&self, selected: &[usize], emit: &mut dyn FnMut(TestResult)) {
        let mut open: Option<Open> = None;
        for test in selected.iter().filter_map(|index| self.suite.tests.get(*index)) {
            if self.runtime.settings().cancel.is_cancelled() {
                break;
            }
            let start = Instant::now();
            if let Some(reason) = &test.ignored {
                emit(self.result(test, Outcome::Ignored(reason.clone()), start, Vec::new()));
                continue;
            }
            let session = match open.take() {
                Some(session) => Ok(session),
                None => self.open(),
            };
            let session = match session {
                Ok(session) => session,
                Err(error) => {
                    let failure =
                        Failure { error: Some(error), ..Failure::new("no session could be opened") };
                    emit(self.result(test, Outcome::Failed(vec![failure]), start, Vec::new()));
                    continue;
                }
            };
            let (mut failures, stuck) = self.test(test, &session);
            if self.suite.isolated && !stuck {
                failures.extend(self.close(&session));
            }
            let outcome = if failures.is_empty() { Outcome::Passed } else { Outcome::Failed(failures) };
            emit(self.result(test, outcome, start, session.bench.take_lines()));
            if !stuck && !self.suite.isolated {
                open = Some(session);
            }
        }
        let Some(session) = open else { return };
        let start = Instant::now();
        let failures = self.close(&session);
        if !failures.is_empty() {
            emit(TestResult {
                name: format!("{}::teardown", self.suite.name),
                description: None,
                tags: Vec::new(),
                location: self.suite.location.clone(),
                outcome: Outcome::Failed(failures),
                duration: start.elapsed(),
                output: session.bench.take_lines(),
            });
        }
    }

    fn result(&self, test: &Test, outcome: Outcome, start: Instant, output: Vec<String>) -> TestResult {
        TestResult {
            name: format!("{}::{}", self.suite.name, test.name),
            description: test.description.clone(),
            tags: test.tags.clone(),
            location: test.location.clone(),
            outcome,
            duration: start.elapsed(),
            output,
        }
    }

    fn open(&self) -> Result<Open, Error> {
        let bench = Bench::open(self.runtime, self.folder, self.capture)?;
        let mut variables = Variables::default();
        let deadline = Instant::now() + self.timeout;
        let failure =
            self.steps("setup of the suite", &self.suite.setup, &bench, &mut variables, deadline).err();
        Ok(Open { bench, variables, failure })
    }

    /// The suite's teardown. What a setup that failed has not made cannot be taken down.
    fn close(&self, open: &Open) -> Vec<Failure> {
        if open.failure.as_ref().is_some_and(|trouble| trouble.stuck) {
            return Vec::new();
        }
        let (teardown, failed) = (&self.suite.teardown, open.failure.is_some());
        self.all_steps("teardown of the suite", teardown, &open.bench, &mut open.variables.clone(), failed).0
    }

    /// Runs a test; gives its failures, and whether the session is lost. One whose setup does not end is kept, so that the
    /// tests that are left fail at once.
    fn test(&self, test: &Test, open: &Open) -> (Vec<Failure>, bool) {
        if let Some(failure) = &open.failure {
            return (vec![Failure::clone(&failure.failure)], false);
        }
        let mut variables = open.variables.clone();
        let deadline = Instant::now() + test.timeout.unwrap_or(self.timeout);
        let outcome = self
            .steps("setup", &test.setup, &open.bench, &mut variables, deadline)
            .and_then(|()| self.call_of(test, &open.bench, &mut variables, deadline));
        let mut failures = Vec::new();
        if let Err(trouble) = outcome {
            failures.push(*trouble.failure);
            if trouble.stuck {
                return (failures, true);
            }
        }
        let failed = !failures.is_empty();
        let (more, stuck) = self.all_steps("cleanup", &test.cleanup, &open.bench, &mut variables, failed);
        failures.extend(more);
        (failures, stuck)
    }

    /// The test's own call, and whether it comes to what is expected.
    fn call_of(
        &self,
        test: &Test,
        bench: &Bench,
        variables: &mut Variables,
        deadline: Instant,
    ) -> Result<(), Trouble> {
        let args = self.args(&test.call, variables)?;
        let told = told(&test.call.function, &args);
        let outcome = self.call(&test.call, args, bench, deadline);
        let missed =
            |what: String, difference| Failure { difference, ..Failure::new(format!("{told} {what}")) };
        match (&test.expected, outcome) {
            (Expected::Error(expected), Err(Stopped::Failed(error) | Stopped::TimedOut(error)))
                if expected.fits(&error) =>
            {
                Ok(())
            }
            (Expected::Error(expected), Err(Stopped::Failed(error))) => {
                let failure = missed(format!("should fail with {expected}, and fails otherwise"), None);
                Err(Failure { error: Some(unplaced(error)), ..failure }.into())
            }
            (Expected::Error(expected), Ok(value)) => {
                variables.set(RESULT, value.clone());
                Err(missed(format!("should fail with {expected}, and gives {}", shown(&value)), None).into())
            }
            (Expected::Success, Ok(value)) => {
                variables.set(RESULT, value);
                Ok(())
            }
            (Expected::Value(expected), Ok(value)) => {
                let found = against(expected, &value, variables);
                variables.set(RESULT, value);
                match found {
                    Ok(None) => Ok(()),
                    Ok(difference) => Err(missed("gives another value".to_owned(), difference).into()),
                    Err(error) => {
                        Err(Failure { error: Some(error), ..missed("has no comparison".to_owned(), None) }
                            .into())
                    }
                }
            }
            (_, Err(stopped)) => Err(trouble(&told, stopped)),
        }
    }

    fn args(&self, call: &Call, variables: &Variables) -> Result<Vec<Dynamic>, Trouble> {
        let args: Result<Vec<_>, Error> = call.args.iter().map(|arg| arg.evaluate(variables)).collect();
        args.map_err(|error| {
            let failure = Failure::new(format!("{} cannot be called", call.function));
            Failure { error: Some(error), ..failure }.into()
        })
    }

    fn call(
        &self,
        call: &Call,
        args: Vec<Dynamic>,
        bench: &Bench,
        deadline: Instant,
    ) -> Result<Dynamic, Stopped> {
        let plugin = call.plugin.as_deref().or(self.suite.plugin.as_deref()).or(self.plugin);
        let plugin = plugin.ok_or_else(|| {
            Stopped::Failed(
                Error::new(Code::TestFile, "the suite does not say which plugin it tests")
                    .hint("give it a `plugin`, or put it into the folder `tests` of one"),
            )
        })?;
        bench.call(plugin, &call.function, args, deadline)
    }

    /// Takes steps until one fails.
    fn steps(
        &self,
        what: &str,
        steps: &[Step],
        bench: &Bench,
        variables: &mut Variables,
        deadline: Instant,
    ) -> Result<(), Trouble> {
        for step in steps {
            self.step(step, bench, variables, deadline).map_err(|trouble| trouble.within(what, step))?;
        }
        Ok(())
    }

    /// Takes all steps, whatever becomes of those before, each in its own time. Where something failed before them,
    /// steps that need what was not made are passed over. Gives also whether the session is lost.
    fn all_steps(
        &self,
        what: &str,
        steps: &[Step],
        bench: &Bench,
        variables: &mut Variables,
        lenient: bool,
    ) -> (Vec<Failure>, bool) {
        let mut failures = Vec::new();
        for step in steps {
            let Err(trouble) = self.step(step, bench, variables, Instant::now() + self.timeout) else {
                continue;
            };
            let missing = trouble.failure.error.as_ref().is_some_and(|error| error.code() == Code::TestFile);
            let stuck = trouble.stuck;
            if !(lenient && missing) {
                failures.push(*trouble.within(what, step).failure);
            }
            if stuck {
                return (failures, true);
            }
        }
        (failures, false)
    }

    fn step(
        &self,
        step: &Step,
        bench: &Bench,
        variables: &mut Variables,
        deadline: Instant,
    ) -> Result<(), Trouble> {
        match &step.action {
            Action::Call { call, assign } => {
                let args = self.args(call, variables)?;
                let told = told(&call.function, &args);
                let value =
                    self.call(call, args, bench, deadline).map_err(|stopped| trouble(&told, stopped))?;
                if let Some(name) = assign {
                    variables.set(name, value);
                }
            }
            Action::Assign { name, value } => {
                let value = value.evaluate(variables).map_err(|error| {
                    let failure = Failure::new(format!("`{name}` cannot be assigned"));
                    Trouble::from(Failure { error: Some(error), ..failure })
                })?;
                variables.set(name, value);
            }
            Action::Delay(duration) => self.delay(*duration, deadline)?,
        }
        Ok(())
    }

    fn delay(&self, duration: Duration, deadline: Instant) -> Result<(), Trouble> {
        let end = Instant::now() + duration;
        loop {
            let now = Instant::now();
            let left = end.saturating_duration_since(now);
            if left.is_zero() || self.runtime.settings().cancel.is_cancelled() {
                return Ok(());
            }
            if now >= deadline {
                return Err(
                    Failure { timed_out: true, ..Failure::new("the time was up during a delay") }.into()
                );
            }
            std::thread::sleep(left.min(deadline.saturating_duration_since(now)).min(TICK));
        }
    }
}

/// Why a call gave no value.
fn trouble(told: &str, stopped: Stopped) -> Trouble {
    match stopped {
        Stopped::Failed(error) => {
            Failure { error: Some(unplaced(error)), ..Failure::new(format!("{told} fails")) }.into()
        }
        Stopped::TimedOut(_) => {
            Failure { timed_out: true, ..Failure::new(format!("{told} was stopped: its time was up")) }.into()
        }
        Stopped::Stuck => {
            let message =
                format!("{told} does not stop: its time was up, and it is native code, which goes on");
            let failure = Failure { timed_out: true, ..Failure::new(message) };
            Trouble { failure: failure.into(), stuck: true }
        }
    }
}

/// The error without a place in the program that passed the call on, which nobody wrote.
fn unplaced(error: Error) -> Error {
    match error.location() {
        Some(Location { file, .. }) if file == Path::new(FORWARDER) => error.without_location(),
        _ => error,
    }
}

/// A call as people write it.
fn told(function: &str, args: &[Dynamic]) -> String {
    let args: Vec<String> = args.iter().map(written).collect();
    format!("{function}({})", args.join(", "))
}
