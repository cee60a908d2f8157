//! Results for programs.

use super::report::{Failure, Outcome, Report, TestResult};
use caraway_loaders_core::{Error, Location};
use serde_json::{Value, json};

impl Report {
    /// The report as JSON: `passed`, `failed`, `ignored`, `filtered_out`, `seconds`, `tests` and `problems`.
    pub fn to_json(&self) -> Value {
        let (passed, failed, ignored) = self.counts();
        json!({
            "ok": self.passed(),
            "passed": passed,
            "failed": failed,
            "ignored": ignored,
            "filtered_out": self.filtered_out,
            "seconds": self.duration.as_secs_f64(),
            "tests": self.tests.iter().map(test).collect::<Vec<_>>(),
            "problems": self.problems.iter().flat_map(|error| std::iter::once(error).chain(error.others())).map(told).collect::<Vec<_>>(),
        })
    }
}

fn test(test: &TestResult) -> Value {
    let (outcome, failures, reason) = match &test.outcome {
        Outcome::Passed => ("passed", &[][..], None),
        Outcome::Failed(failures) => ("failed", failures.as_slice(), None),
        Outcome::Ignored(reason) => ("ignored", &[][..], Some(reason)),
    };
    json!({
        "name": test.name,
        "description": test.description,
        "tags": test.tags,
        "location": place(&test.location),
        "outcome": outcome,
        "reason": reason,
        "seconds": test.duration.as_secs_f64(),
        "failures": failures.iter().map(failure).collect::<Vec<_>>(),
        "output": test.output,
    })
}

fn failure(failure: &Failure) -> Value {
    let difference = failure.difference.as_ref();
    json!({
        "message": failure.message,
        "path": difference.map(|difference| &difference.path),
        "expected": difference.map(|difference| &difference.expected),
        "found": difference.map(|difference| &difference.found),
        "error": failure.error.as_ref().map(told),
        "location": failure.location.as_ref().map(place),
        "timed_out": failure.timed_out,
    })
}

fn told(error: &Error) -> Value {
    json!({
        "code": error.code().as_str(),
        "message": error.message(),
        "hint": error.hint_text(),
        "location": error.location().map(place),
    })
}

fn place(location: &Location) -> Value {
    json!({ "file": location.file.to_string_lossy(), "line": location.line, "column": location.column })
}
