//! Tests through the public door: the library's and the command line's.
//!
//! Most tests are data: files in `cases/`, each a list of cases with the files of some plugins, a program, and
//! what it gives or how it fails.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

pub mod build;
pub mod native;

use caraway::worker::Workers;
use caraway::{Error, Limits, Output, Runtime};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: caraway::CountingAllocator = caraway::CountingAllocator;

/// A file of `cases/`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cases {
    /// Files that all cases share, by their path below the plugin folder.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// The cases.
    pub case: Vec<Case>,
}

/// A program, and what becomes of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What the case shows.
    pub name: String,
    /// More files, by their path below the plugin folder.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// Files beside the program.
    #[serde(default)]
    pub beside: BTreeMap<String, String>,
    /// The program.
    pub program: String,
    /// What is granted. `{dir}` is the program's folder.
    #[serde(default)]
    pub allow: Vec<String>,
    /// What is denied.
    #[serde(default)]
    pub deny: Vec<String>,
    /// Settings that the host makes, by plugin.
    #[serde(default)]
    pub config: BTreeMap<String, BTreeMap<String, String>>,
    /// Limits of the program, in milliseconds and bytes.
    pub timeout_ms: Option<u64>,
    /// Memory of the program, in bytes.
    pub memory: Option<u64>,
    /// Operations of the program.
    pub operations: Option<u64>,
    /// The value of the program, as `debug` prints it.
    pub value: Option<String>,
    /// What is printed to standard output.
    pub prints: Option<Vec<String>>,
    /// A text in what is printed to standard error.
    pub warns: Option<String>,
    /// The code of what `check` finds, where the program tries on purpose what cannot work.
    pub check: Option<String>,
    /// How it fails.
    pub error: Option<Expected>,
}

/// An error that is expected.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// Its code.
    pub code: String,
    /// A text in its message.
    #[serde(default)]
    pub message: String,
    /// Where it is: the end of `file:line:column`.
    pub at: Option<String>,
    /// A text in its hint.
    pub hint: Option<String>,
}

/// Writes plugins below `plugins`, other files, and the program `app.rhai` into a folder.
pub fn lay_out<'a>(
    folder: &Path,
    plugins: impl Iterator<Item = (&'a String, &'a String)>,
    beside: &BTreeMap<String, String>,
    program: &str,
) {
    for (path, text) in plugins {
        write(&folder.join("plugins").join(path), text);
    }
    for (path, text) in beside {
        write(&folder.join(path), text);
    }
    write(&folder.join("app.rhai"), program);
}

/// Runs one case in a new folder.
///
/// # Errors
///
/// What is not as the case says.
pub fn run_case(
    case: &Case,
    shared: &BTreeMap<String, String>,
    workers: Option<&Workers>,
) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    lay_out(folder.path(), shared.iter().chain(&case.files), &case.beside, &case.program);
    let program = folder.path().join("app.rhai");

    let lines: Arc<Mutex<[Vec<String>; 2]>> = Arc::default();
    let kept = lines.clone();
    let output = Output::new(move |stream, line| {
        kept.lock().unwrap()[usize::from(stream == caraway::Stream::Stderr)].push(line.to_owned());
    });
    let mut limits = Limits::PROGRAM;
    limits.timeout = Some(case.timeout_ms.map_or(Duration::from_secs(60), Duration::from_millis));
    limits.memory = case.memory;
    limits.operations = case.operations;
    let mut builder = Runtime::builder().output(output).program_limits(limits);
    let dir = folder.path().to_string_lossy();
    for grant in &case.allow {
        builder = builder.allow(&grant.replace("{dir}", &dir));
    }
    for grant in &case.deny {
        builder = builder.deny(&grant.replace("{dir}", &dir));
    }
    for (plugin, settings) in &case.config {
        builder = builder.config(plugin, settings.iter().map(|(name, value)| (name, value.clone())));
    }
    if let Some(workers) = workers {
        builder = builder.workers(workers.clone()).isolate(true);
    }
    let outcome = builder.build().and_then(|runtime| runtime.run_file(&program, &[]));
    let [printed, warned] = std::mem::take(&mut *lines.lock().unwrap());
    check(case, outcome, &printed, &warned.join("\n"))
}

fn check(
    case: &Case,
    outcome: Result<caraway::Outcome, Error>,
    printed: &[String],
    warned: &str,
) -> Result<(), String> {
    let differs = |what: &str, found: &dyn std::fmt::Debug, wanted: &dyn std::fmt::Debug| {
        Err(format!("{what} is {found:#?}, should be {wanted:#?}"))
    };
    match (&case.error, outcome) {
        (Some(wanted), Ok(outcome)) => return differs("the value", &outcome.value, wanted),
        (None, Err(error)) => {
            return Err(format!("failed: {} {}", describe(&error), error.hint_text().unwrap_or("")));
        }
        (None, Ok(outcome)) => {
            let value = format!("{:?}", outcome.value);
            if case.value.as_ref().is_some_and(|wanted| *wanted != value) {
                return differs("the value", &value, &case.value);
            }
        }
        (Some(wanted), Err(error)) => {
            let all: Vec<&Error> = std::iter::once(&error).chain(error.others()).collect();
            let fits = |error: &Error| {
                error.code().as_str() == wanted.code
                    && error.message().contains(&wanted.message)
                    && wanted.at.as_ref().is_none_or(|at| {
                        error.location().is_some_and(|location| location.to_string().ends_with(at.as_str()))
                    })
                    && wanted
                        .hint
                        .as_ref()
                        .is_none_or(|hint| error.hint_text().is_some_and(|text| text.contains(hint)))
            };
            if !all.iter().any(|error| fits(error)) {
                let all: Vec<String> = all
                    .iter()
                    .map(|error| format!("{} (help: {})", describe(error), error.hint_text().unwrap_or("-")))
                    .collect();
                return differs("the error", &all, wanted);
            }
        }
    }
    if case.prints.as_ref().is_some_and(|wanted| wanted != printed) {
        return differs("the output", &printed, &case.prints);
    }
    if case.warns.as_ref().is_some_and(|wanted| !warned.contains(wanted.as_str())) {
        return differs("the warnings", &warned, &case.warns);
    }
    Ok(())
}

fn describe(error: &Error) -> String {
    let place = error.location().map(|location| format!(" at {location}")).unwrap_or_default();
    format!("{}{place}: {}", error.code(), error.message())
}

fn write(path: &Path, text: &str) {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).unwrap();
    }
    std::fs::write(path, text).unwrap();
}

/// Whether the kernel can hold plugins in workers. Where it cannot, what needs that is not tried: `caraway doctor` tells
/// what is lacking.
pub fn workers_hold() -> bool {
    let lacks = caraway::worker::lacking();
    lacks.iter().for_each(|lack| eprintln!("not tried: {lack}"));
    lacks.is_empty()
}

/// Runs all cases of a file of `cases/`, and fails with the list of those that are not as they say.
#[track_caller]
pub fn run_cases(file: &str) {
    run_cases_in(file, None);
}

/// The same, with each plugin in a worker, if there are such.
#[track_caller]
pub fn run_cases_in(file: &str, workers: Option<&Workers>) {
    let workers = workers.filter(|_| workers_hold());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases").join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    let cases: Cases = toml::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
    let failures: Vec<String> = cases
        .case
        .iter()
        .filter_map(|case| {
            let problem = run_case(case, &cases.files, workers).err()?;
            Some(format!("--- {}\n{problem}", case.name))
        })
        .collect();
    assert!(
        failures.is_empty(),
        "{} of {} cases:\n{}",
        failures.len(),
        cases.case.len(),
        failures.join("\n")
    );
}
