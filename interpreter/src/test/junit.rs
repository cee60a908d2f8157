//! Results as JUnit writes them, which continuous integration reads.

use super::report::{Outcome, Report, TestResult};
use std::fmt::Write;

/// The reports of plugins, each with its name, as one JUnit file. A file of tests that is wrong is an error in it.
pub fn junit<'r>(reports: impl IntoIterator<Item = (&'r str, &'r Report)>) -> String {
    let mut suites = String::new();
    let (mut tests, mut failures, mut errors, mut seconds) = (0, 0, 0, 0.0);
    for (name, report) in reports {
        let (passed, failed, ignored) = report.counts();
        let (count, wrong) = (passed + failed + ignored + report.problems.len(), report.problems.len());
        let took = report.duration.as_secs_f64();
        tests += count;
        failures += failed;
        errors += wrong;
        seconds += took;
        let _ = writeln!(
            suites,
            "  <testsuite name=\"{}\" tests=\"{count}\" failures=\"{failed}\" errors=\"{wrong}\" skipped=\"{ignored}\" time=\"{took:.3}\">",
            escaped(name)
        );
        report.tests.iter().for_each(|test| case(test, &mut suites));
        for problem in &report.problems {
            let file = problem.location().map(|place| place.to_string()).unwrap_or_default();
            let _ = writeln!(
                suites,
                "    <testcase name=\"{}\" classname=\"file\"><error type=\"{}\" message=\"{}\"/></testcase>",
                escaped(&file),
                problem.code(),
                escaped(problem.message())
            );
        }
        suites.push_str("  </testsuite>\n");
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"caraway\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" time=\"{seconds:.3}\">\n{suites}</testsuites>\n"
    )
}

fn case(test: &TestResult, into: &mut String) {
    let (class, name) = test.name.rsplit_once("::").unwrap_or(("", &test.name));
    let _ = write!(
        into,
        "    <testcase name=\"{}\" classname=\"{}\" file=\"{}\" line=\"{}\" time=\"{:.3}\"",
        escaped(name),
        escaped(class),
        escaped(&test.location.file.to_string_lossy()),
        test.location.line,
        test.duration.as_secs_f64()
    );
    let output = test.output.join("\n");
    let mut inside = String::new();
    match &test.outcome {
        Outcome::Passed => {}
        Outcome::Ignored(reason) => {
            let _ = writeln!(inside, "      <skipped message=\"{}\"/>", escaped(reason));
        }
        Outcome::Failed(failures) => {
            for failure in failures {
                let _ = writeln!(
                    inside,
                    "      <failure type=\"{}\" message=\"{}\">{}</failure>",
                    if failure.timed_out { "timeout" } else { "failure" },
                    escaped(&failure.message),
                    escaped(&failure.to_string())
                );
            }
        }
    }
    if !output.is_empty() {
        let _ = writeln!(inside, "      <system-out>{}</system-out>", escaped(&output));
    }
    if inside.is_empty() {
        into.push_str("/>\n");
    } else {
        let _ = write!(into, ">\n{inside}    </testcase>\n");
    }
}

/// Text for attributes and elements. What XML cannot hold in any form is shown as an escape.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}
