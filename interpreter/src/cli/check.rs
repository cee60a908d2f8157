//! `caraway check`.

use super::options::Options;
use super::{Context, sarif};
use crate::check::Checked;
use crate::count::counted;
use crate::diagnostic::{Severity, Texts, location_value};
use crate::home::{folder_of, with_neighbours};
use caraway_loaders_core::discover::{has_manifest, is_manifest};
use caraway_loaders_core::{Code, Error};
use clap::Args;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// How many findings are shown at most; of more the number is told. JSON and SARIF have all.
const MAX_SHOWN: usize = 200;

/// What stands for standard output.
const STDOUT: &str = "-";

/// What stands for standard input elsewhere.
const STDIN: &str = "-";

/// Look for mistakes in programs and script plugins without running them
#[derive(Debug, Args)]
#[command(
    after_help = "Imports are resolved as `caraway run` would, and calls are compared with the signatures of plugins. \
What is not certain is not reported. For a plugin, the folder that it is in is a search path too. Native code is looked \
at only with `--allow native`, or in a process of its own."
)]
pub(super) struct Check {
    /// A program, a plugin's folder or manifest, or a folder of plugins
    #[arg(required = true, value_name = "PROGRAM|PLUGIN")]
    paths: Vec<PathBuf>,
    /// Let warnings make the exit code 1
    #[arg(long)]
    deny_warnings: bool,
    /// Write what was found as SARIF 2.1.0, for code hosts and editors; `-` is standard output
    #[arg(long, value_name = "FILE")]
    sarif: Option<PathBuf>,
    #[command(flatten)]
    pub(super) options: Options,
}

impl Check {
    pub(super) fn execute(&self, context: &Context) -> Result<u8, Error> {
        if self.sarif.as_deref() == Some(Path::new(STDOUT)) && context.options.json() {
            let both = "`--sarif -` and `--format json` both write a document to standard output";
            return Err(
                Error::new(Code::Usage, both).hint("write SARIF into a file, or leave out `--format json`")
            );
        }
        let mut checked = Checked::default();
        for path in &self.paths {
            match one(context, path) {
                Ok(more) => {
                    checked.files.extend(more.files);
                    checked.findings.extend(more.findings);
                    checked.unseen.extend(more.unseen);
                }
                Err(error) => checked.findings.push(error),
            }
        }
        let mut texts = Texts::default();
        if let Some(file) = &self.sarif {
            let sarif = sarif::log(&checked.findings, &mut texts);
            if file == Path::new(STDOUT) {
                context.print(&sarif)?;
            } else {
                std::fs::write(file, sarif).map_err(|error| Error::io(file, "write", &error))?;
            }
        }
        if context.options.json() {
            context.print_json(json(&checked, &mut texts))?;
        } else {
            self.show(context, &checked)?;
        }
        let error = checked.findings.iter().find(|finding| !finding.code().is_warning());
        let warned = self.deny_warnings && !checked.findings.is_empty();
        Ok(error.map_or(u8::from(warned), |error| error.code().exit_code()))
    }

    fn show(&self, context: &Context, checked: &Checked) -> Result<(), Error> {
        for finding in checked.findings.iter().take(MAX_SHOWN) {
            context.reporter.report(severity(finding), finding);
        }
        if let Some(more) = checked.findings.len().checked_sub(MAX_SHOWN).filter(|more| *more > 0) {
            eprintln!("and {more} more");
        }
        if context.options.verbose {
            for unseen in &checked.unseen {
                context.reporter.report(Severity::Warning, unseen);
            }
        }
        if context.options.quiet || self.sarif.as_deref() == Some(Path::new(STDOUT)) {
            return Ok(());
        }
        context.print(&format!("{}\n", summary(checked)))
    }
}

fn one(context: &Context, path: &Path) -> Result<Checked, Error> {
    let metadata = path.metadata().map_err(|error| match path == Path::new(STDIN) {
        true => Error::new(Code::Usage, "standard input is not checked: what it imports is beside no file")
            .hint("write the program into a file"),
        false => Error::io(path, "read", &error),
    })?;
    let is_manifest = path.file_name().and_then(|name| name.to_str()).is_some_and(is_manifest);
    let runtime = context.options.runtime().build()?;
    if !metadata.is_dir() && !is_manifest {
        return runtime.check(path);
    }
    let folder = folder_of(path)?;
    if has_manifest(&folder) {
        return with_neighbours(&runtime, &folder).check(&folder);
    }
    runtime.with(|settings| settings.search.given.insert(0, folder.clone())).check(&folder)
}

fn severity(finding: &Error) -> Severity {
    if finding.code().is_warning() { Severity::Warning } else { Severity::Error }
}

fn counts(checked: &Checked) -> (usize, usize) {
    let warnings = checked.findings.iter().filter(|finding| finding.code().is_warning()).count();
    (checked.findings.len() - warnings, warnings)
}

fn summary(checked: &Checked) -> String {
    let (errors, warnings) = counts(checked);
    let found = match (errors, warnings) {
        (0, 0) => "no problems".to_owned(),
        (errors, 0) => counted(errors, "error"),
        (0, warnings) => counted(warnings, "warning"),
        (errors, warnings) => format!("{}, {}", counted(errors, "error"), counted(warnings, "warning")),
    };
    format!("checked {}: {found}", counted(checked.files.len(), "file"))
}

fn json(checked: &Checked, texts: &mut Texts) -> Value {
    let finding = |finding: &Error| {
        let location = finding.location();
        let mut place =
            location.map_or_else(|| json!({"file": null, "line": null, "column": null}), location_value);
        place["end_column"] = json!(location.and_then(|location| texts.end_column(location)));
        json!({
            "severity": severity(finding).to_string(),
            "code": finding.code().as_str(),
            "message": finding.message(),
            "hint": finding.hint_text(),
            "file": place["file"],
            "line": place["line"],
            "column": place["column"],
            "end_column": place["end_column"],
        })
    };
    let findings: Vec<Value> = checked.findings.iter().map(finding).collect();
    let (errors, warnings) = counts(checked);
    let unseen =
        checked.unseen.iter().map(|error| json!({"message": error.message(), "hint": error.hint_text()}));
    json!({
        "ok": errors == 0,
        "files": checked.files.iter().map(|file| file.to_string_lossy()).collect::<Vec<_>>(),
        "errors": errors,
        "warnings": warnings,
        "findings": findings,
        "not_checked": unseen.collect::<Vec<_>>(),
    })
}
