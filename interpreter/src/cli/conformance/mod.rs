//! `caraway conformance`.

mod progress;

use super::options::Options;
use super::test::plugin_folders;
use super::{Context, setting, table, terminal};
use crate::conformance::{Check, Scorecard, Verdict, check, check_telling, ended_by, find};
use crate::home::{at_home, exactly, meant_folder};
use crate::runtime::Runtime;
use caraway_loaders_core::capability::{Capability, Request};
use caraway_loaders_core::discover::has_manifest;
use caraway_loaders_core::{Code, Error, escape};
use clap::Args;
use progress::{Progress, Writer};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

/// Check that plugins keep what plugins of every kind promise: load them, and call each function in many ways
#[derive(Debug, Args)]
#[command(after_help = "\
Functions are called with extreme values, so nothing is granted but what `--allow` names; native plugins are \
called in a process of their own, and need `--allow native` if they have no sandbox. Exits with 3 if a check fails.")]
pub(super) struct Conformance {
    /// Names of plugins, built-in ones too, or folders [default: the plugin in this folder, else all]
    #[arg(value_name = "NAME[@REQ]|DIR")]
    plugins: Vec<String>,
    /// Set a setting of a plugin, whatever caraway.toml says; the value is JSON or else a string
    #[arg(long, value_name = "PLUGIN.KEY=VALUE")]
    config: Vec<String>,
    /// Check only the plugin of this index, for the process that asked for it.
    #[arg(long, hide = true, requires = "progress")]
    only: Option<usize>,
    /// The file for what is done, and for the scorecard.
    #[arg(long, hide = true, requires = "only")]
    progress: Option<PathBuf>,
    #[command(flatten)]
    pub(super) options: Options,
}

/// A plugin that is to be checked.
struct Subject {
    runtime: Runtime,
    import: String,
}

impl Conformance {
    pub(super) fn execute(&self, context: &Context) -> Result<u8, Error> {
        let mut builder = context.options.runtime();
        for capability in Capability::ALL {
            if *capability != Capability::Native && !context.options.names(capability.name()) {
                builder = builder.deny(capability.name());
            }
        }
        let runtime =
            self.config.iter().try_fold(builder, |builder, text| setting::set(builder, text))?.build()?;
        let subjects = self.subjects(&runtime)?;
        if let (Some(index), Some(file)) = (self.only, &self.progress) {
            let subject =
                subjects.get(index).ok_or_else(|| Error::new(Code::Usage, "there is no such plugin"))?;
            let progress = Writer::create(file)?;
            let writer = progress.clone();
            let telling = move |check: &str, call: &str| {
                writer.write(&Progress::Call { check: check.to_owned(), call: call.to_owned() });
            };
            progress.write(&Progress::Done(check_telling(&subject.runtime, &subject.import, telling)?));
            return Ok(0);
        }
        let mut scorecards = Vec::new();
        for (index, subject) in subjects.iter().enumerate() {
            scorecards.push(match needs_process(subject)? {
                true => in_process(index, subject)?,
                false => check(&subject.runtime, &subject.import)?,
            });
        }
        let ok = scorecards.iter().all(Scorecard::passed);
        match context.options.json() {
            true => context.print_json(json!({"ok": ok, "plugins": scorecards}))?,
            false => context.print(&text(&scorecards, context.options.verbose))?,
        }
        Ok(if ok { 0 } else { Code::LoadFailed.exit_code() })
    }

    fn subjects(&self, runtime: &Runtime) -> Result<Vec<Subject>, Error> {
        let of_folder = |folder: &Path| {
            let (runtime, plugin) = at_home(runtime, folder)?;
            Ok(Subject { runtime, import: exactly(&plugin) })
        };
        if self.plugins.is_empty() {
            if has_manifest(Path::new(".")) {
                return Ok(vec![of_folder(Path::new("."))?]);
            }
            let session = runtime.session_in(Path::new("."))?;
            let all = session.catalog().plugins.iter();
            return Ok(all
                .map(|plugin| Subject { runtime: runtime.clone(), import: exactly(plugin) })
                .collect());
        }
        let mut subjects = Vec::new();
        for name in &self.plugins {
            if Path::new(name).is_dir() || meant_folder(name).is_some() {
                for folder in plugin_folders(&[name], runtime)? {
                    subjects.push(of_folder(&folder)?);
                }
            } else {
                let plugin = find(runtime, name)?;
                subjects.push(Subject { runtime: runtime.clone(), import: exactly(&plugin) });
            }
        }
        Ok(subjects)
    }
}

/// Whether the plugin is native code that may be run: it can end the process.
fn needs_process(subject: &Subject) -> Result<bool, Error> {
    let plugin = find(&subject.runtime, &subject.import)?;
    let session = subject.runtime.session_in(Path::new("."))?;
    let trusted = session.loader(&plugin)?.trusted(&plugin.manifest);
    Ok(trusted && session.plugin_access(&plugin).check(&Request::Native).is_ok())
}

/// Checks a plugin in a process of its own, which is this one again.
fn in_process(index: usize, subject: &Subject) -> Result<Scorecard, Error> {
    let failed =
        |error: std::io::Error| Error::new(Code::Io, format!("no process could be started: {error}"));
    let file = tempfile::NamedTempFile::new().map_err(failed)?;
    let mut args: Vec<_> = std::env::args_os().skip(1).collect();
    // Options end at `--`, if there is one.
    let at = args.iter().position(|arg| arg == "--").unwrap_or(args.len());
    let own = [format!("--only={index}").into(), "--progress".into(), file.path().into()];
    args.splice(at..at, own);
    let output =
        Command::new(std::env::current_exe().map_err(failed)?).args(args).output().map_err(failed)?;
    let mut progress = progress::read(file.path())?;
    match progress.pop() {
        Some(Progress::Done(scorecard)) => Ok(scorecard),
        Some(Progress::Call { check, call }) => {
            let how = format!("the process {} at: {call}", ended(output.status));
            let plugin = find(&subject.runtime, &subject.import)?;
            Ok(ended_by(&plugin, &check, progress.len() + 1, how))
        }
        None => {
            let told = String::from_utf8_lossy(&output.stderr);
            let what = format!("the process that checks it {}: {}", ended(output.status), told.trim());
            Err(Error::new(Code::Internal, what))
        }
    }
}

#[cfg(unix)]
fn ended(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.signal(), status.code()) {
        (Some(signal), _) => format!("was ended by signal {signal}"),
        (None, code) => format!("ended with {}", code.unwrap_or_default()),
    }
}

#[cfg(not(unix))]
fn ended(status: ExitStatus) -> String {
    format!("ended with {status}")
}

/// A table of all, and what failed in full.
fn text(scorecards: &[Scorecard], verbose: bool) -> String {
    let rows: Vec<Vec<String>> = scorecards.iter().map(row).collect();
    let width = terminal::width(&std::io::stdout());
    let mut text = table::render(&["PLUGIN", "TYPE", "SCORE", "CALLS", "NOT AS IT SHOULD BE"], &rows, width);
    for scorecard in scorecards.iter().filter(|scorecard| verbose || !scorecard.passed()) {
        text.push('\n');
        text.push_str(&escape(&scorecard.to_string()));
    }
    text
}

fn row(scorecard: &Scorecard) -> Vec<String> {
    let (passed, made) = scorecard.score();
    let mut notes: Vec<String> = scorecard
        .checks
        .iter()
        .filter(|check| matches!(check.verdict, Verdict::Failed(_)))
        .map(|check| check.name.clone())
        .collect();
    let skipped = |check: &&Check| matches!(check.verdict, Verdict::Skipped(_));
    if let Some(Check { verdict: Verdict::Skipped(reason), .. }) = scorecard.checks.iter().find(skipped)
        && notes.is_empty()
    {
        notes.push(format!("{} not checked: {reason}", scorecard.checks.iter().filter(skipped).count()));
    }
    vec![
        format!("{}@{}", scorecard.name, scorecard.version),
        scorecard.kind.clone(),
        format!("{passed} of {made}"),
        scorecard.calls.to_string(),
        escape(&notes.join(", ")),
    ]
}
