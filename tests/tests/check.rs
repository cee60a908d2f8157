//! `caraway check`: finds what is wrong, and is silent about what is right.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use caraway::{Checked, Error, Output, Runtime};
use caraway_tests::{Cases, lay_out};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

fn shown(findings: &[Error]) -> String {
    let one = |error: &Error| {
        let place = error.location().map(ToString::to_string).unwrap_or_default();
        format!(
            "  {place}: {} {} (help: {})",
            error.code(),
            error.message(),
            error.hint_text().unwrap_or("-")
        )
    };
    findings.iter().map(one).collect::<Vec<_>>().join("\n")
}

/// A file of mistakes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mistakes {
    files: BTreeMap<String, String>,
    case: Vec<Mistake>,
}

/// A program with one mistake.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mistake {
    program: String,
    /// More files of plugins, and files beside the program.
    #[serde(default)]
    files: BTreeMap<String, String>,
    #[serde(default)]
    beside: BTreeMap<String, String>,
    /// The plugin that is checked instead of the program.
    plugin: Option<String>,
    code: String,
    /// `line`, or `file:line`.
    at: String,
    message: String,
    #[serde(default)]
    hint: String,
}

impl Mistake {
    fn check(&self, shared: &BTreeMap<String, String>) -> Checked {
        let folder = tempfile::tempdir().unwrap();
        lay_out(folder.path(), shared.iter().chain(&self.files), &self.beside, &self.program);
        let runtime = Runtime::builder().plugin_path(folder.path().join("plugins")).build().unwrap();
        let path = match &self.plugin {
            None => folder.path().join("app.rhai"),
            Some(plugin) => folder.path().join("plugins").join(plugin),
        };
        runtime.check(path).unwrap()
    }

    fn problem(&self, shared: &BTreeMap<String, String>) -> Option<String> {
        let checked = self.check(shared);
        let at = if self.at.contains(':') { self.at.clone() } else { format!("app.rhai:{}", self.at) };
        let fits = |error: &Error| {
            let place =
                error.location().map(|l| format!("{}:{}", l.file.display(), l.line)).unwrap_or_default();
            error.code().as_str() == self.code
                && place.ends_with(&at)
                && error.message().contains(&self.message)
                && error.hint_text().unwrap_or_default().contains(&self.hint)
        };
        let [only] = checked.findings.as_slice() else {
            return Some(format!(
                "{} findings, wanted {self:#?}:\n{}",
                checked.findings.len(),
                shown(&checked.findings)
            ));
        };
        (!fits(only)).then(|| format!("wanted {self:#?}, found\n{}", shown(&checked.findings)))
    }
}

#[test]
fn each_mistake_is_found_and_nothing_else() {
    let text = std::fs::read_to_string(root().join("tests/cases/check.toml")).unwrap();
    let mistakes: Mistakes = toml::from_str(&text).unwrap();
    assert!(mistakes.case.len() >= 60);
    let problems: Vec<String> =
        mistakes.case.iter().filter_map(|mistake| mistake.problem(&mistakes.files)).collect();
    assert!(
        problems.is_empty(),
        "{} of {}:\n{}",
        problems.len(),
        mistakes.case.len(),
        problems.join("\n---\n")
    );
}

/// Programs that other tests run, and that give a value.
#[test]
fn programs_that_run_have_no_mistakes() {
    let mut problems = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(root().join("tests/cases")).unwrap() {
        let file = entry.unwrap().path();
        let Ok(cases) = toml::from_str::<Cases>(&std::fs::read_to_string(&file).unwrap()) else { continue };
        for case in cases.case.iter().filter(|case| case.error.is_none()) {
            let folder = tempfile::tempdir().unwrap();
            lay_out(folder.path(), cases.files.iter().chain(&case.files), &case.beside, &case.program);
            let runtime = Runtime::builder().build().unwrap();
            let mut checked = runtime.check(folder.path().join("app.rhai")).unwrap();
            checked.findings.retain(|finding| !finding.code().is_warning());
            count += 1;
            let codes: Vec<&str> = checked.findings.iter().map(|finding| finding.code().as_str()).collect();
            if codes != case.check.as_deref().into_iter().collect::<Vec<_>>() {
                problems.push(format!(
                    "{}: {}\n{}\n{}",
                    file.display(),
                    case.name,
                    case.program,
                    shown(&checked.findings)
                ));
            }
        }
    }
    assert!(count > 60, "{count}");
    assert!(problems.is_empty(), "{} of {count}:\n{}", problems.len(), problems.join("\n---\n"));
}

/// Programs full of what is right and looks wrong: each runs, and nothing is said of it.
#[test]
fn nothing_is_said_of_programs_that_are_right() {
    let folder = root().join("tests/programs");
    let runtime = || Runtime::builder().output(Output::new(|_, _| {})).build().unwrap();
    let mut count = 0;
    for file in scripts_in(&folder) {
        let checked = runtime().check(&file).unwrap();
        assert!(checked.findings.is_empty(), "{}:\n{}", file.display(), shown(&checked.findings));
        let outcome = runtime().run_file(&file, &[]);
        assert!(outcome.is_ok(), "{}: {outcome:?}", file.display());
        count += 1;
    }
    assert!(count >= 7, "{count}");
}

#[test]
fn nothing_is_said_of_the_examples() {
    let plugins = root().join("examples/plugins");
    let mut files = 0;
    for file in scripts_in(&root().join("examples/programs")) {
        let checked = Runtime::builder().plugin_path(&plugins).build().unwrap().check(&file).unwrap();
        assert!(checked.findings.is_empty(), "{}", shown(&checked.findings));
        files += checked.files.len();
    }
    let checked = Runtime::builder().plugin_path(&plugins).build().unwrap().check(&plugins).unwrap();
    assert!(checked.findings.is_empty(), "{}", shown(&checked.findings));
    files += checked.files.len();
    assert!(files >= 14, "{files}");
    // Native code is not opened without a grant, and that is said.
    assert!(
        checked.unseen.iter().any(|error| error.message().contains("numeric")),
        "{}",
        shown(&checked.unseen)
    );
}

fn scripts_in(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|file| file.extension().is_some_and(|extension| extension == "rhai")).collect()
}
