//! `caraway test`.

use super::options::Options;
use super::run::stop_when_interrupted;
use super::{Context, setting};
use crate::config;
use crate::count::counted;
use crate::diagnostic::Severity;
use crate::home::meant_folder;
use crate::lookup::find;
use crate::runtime::Runtime;
use crate::test::{Filter, Harness, Outcome, Report, TestResult, junit};
use caraway_loaders_core::budget::Cancel;
use caraway_loaders_core::discover::{Origin, has_manifest};
use caraway_loaders_core::resolve::parse_import;
use caraway_loaders_core::{Code, Error, Location, escape};
use clap::Args;
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Run the tests of plugins: suites in JSON and TOML, and `test_*` functions of scripts, in their folder `tests`
#[derive(Debug, Args)]
#[command(after_help = "\
Exits with 1 if a test fails and with 3 if a test file is wrong. Nothing is granted that `--allow` does not grant; native \
plugins need `--allow native`.")]
#[command(mut_arg("format", |format| format.hide_possible_values(true).help(
    "How results and errors are printed: `text`, `json`, or `junit`, the XML that continuous integration reads \
     [default: text]"
)))]
pub(super) struct Test {
    /// Folders or names of plugins, or test files [default: the plugin in this folder, else each one in `plugins`, and
    /// `tests` beside caraway.toml]
    #[arg(value_name = "NAME[@REQ]|DIR|FILE")]
    plugins: Vec<String>,
    /// Run only tests with one of these texts in their names
    #[arg(long, value_name = "TEXT")]
    filter: Vec<String>,
    /// `--filter` is the whole name, with or without that of its suite
    #[arg(long, requires = "filter")]
    exact: bool,
    /// Run only tests with one of these tags
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Leave out tests with one of these texts in their names
    #[arg(long, value_name = "TEXT")]
    skip: Vec<String>,
    /// How many suites are run at a time [default: as many as there are processors]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
    /// What a test may take that does not say so itself, for example `10s` [default: 1m]
    #[arg(long, value_name = "TIME", value_parser = caraway_loaders_core::manifest::parse_duration)]
    timeout: Option<std::time::Duration>,
    /// List the tests and run none
    #[arg(long)]
    list: bool,
    /// Let tests print at once, those that pass too
    #[arg(long)]
    nocapture: bool,
    /// Build plugins whose binary is missing or older than its sources, with the command of their manifest
    #[arg(long)]
    build: bool,
    /// Set a setting of a plugin, whatever caraway.toml says; the value is JSON or else a string
    #[arg(long, value_name = "PLUGIN.KEY=VALUE")]
    config: Vec<String>,
    #[command(flatten)]
    pub(super) options: Options,
}

impl Test {
    pub(super) fn execute(&self, context: &Context) -> Result<u8, Error> {
        let cancel = Cancel::default();
        let builder = context.options.runtime().cancel(cancel.clone()).build_plugins(self.build);
        let runtime =
            self.config.iter().try_fold(builder, |builder, text| setting::set(builder, text))?.build()?;
        let harnesses = self.harnesses(&runtime)?;
        if self.list {
            return self.list(context, &harnesses);
        }
        stop_when_interrupted(cancel)?;
        let mut reports = Vec::new();
        for harness in &harnesses {
            let report = self.run(context, harness)?;
            let interrupted = report.interrupted;
            reports.push((harness.subject(), report));
            if interrupted {
                break;
            }
        }
        self.write(context, &reports)?;
        Ok(exit_code(&reports))
    }

    fn harnesses(&self, runtime: &Runtime) -> Result<Vec<Harness>, Error> {
        let (files, named): (Vec<&String>, Vec<&String>) =
            self.plugins.iter().partition(|name| Path::new(name).is_file() && meant_folder(name).is_none());
        let mut harnesses = Vec::new();
        if files.is_empty() || !named.is_empty() {
            for folder in plugin_folders(&named, runtime)? {
                harnesses.push(match has_manifest(&folder) || !folder.join("tests").is_dir() {
                    true => Harness::new(runtime, folder)?,
                    false => Harness::project(runtime, folder)?,
                });
            }
        }
        for file in files {
            harnesses.push(Harness::file(runtime, file)?);
        }
        // Of several plugins, those without tests would only be in the way.
        if harnesses.iter().any(|harness| !harness.files().is_empty()) {
            harnesses.retain(|harness| !harness.files().is_empty());
        }
        Ok(harnesses.into_iter().map(|harness| self.harness(harness)).collect())
    }

    fn harness(&self, harness: Harness) -> Harness {
        let mut filter = Filter::default();
        filter.names.clone_from(&self.filter);
        filter.exact = self.exact;
        filter.tags.clone_from(&self.tag);
        filter.skip.clone_from(&self.skip);
        let mut harness = harness.filter(filter).capture(!self.nocapture);
        if let Some(jobs) = self.jobs {
            harness = harness.jobs(jobs.into());
        }
        if let Some(timeout) = self.timeout {
            harness = harness.timeout(timeout);
        }
        harness
    }

    fn list(&self, context: &Context, harnesses: &[Harness]) -> Result<u8, Error> {
        let mut tests: Vec<(String, Location)> = Vec::new();
        for harness in harnesses {
            tests.extend(harness.list()?);
        }
        if context.options.json() {
            let tests = tests.iter().map(|(name, place)| {
                json!({"name": name, "file": place.file.to_string_lossy(), "line": place.line, "column": place.column})
            });
            context.print_json(json!({"tests": tests.collect::<Vec<_>>()}))?;
        } else {
            let lines: String = tests.iter().map(|(name, _)| format!("{}: test\n", escape(name))).collect();
            context.print(&lines)?;
        }
        Ok(0)
    }

    /// Whether results are told as they come, for people.
    fn tells(&self, context: &Context) -> bool {
        !context.options.json() && !context.options.junit()
    }

    fn run(&self, context: &Context, harness: &Harness) -> Result<Report, Error> {
        let tells = self.tells(context);
        let quiet = context.options.quiet;
        let color = context.options.colors(&std::io::stdout());
        let say = |text: String| {
            // Whoever closed it has seen enough; the exit code says the rest.
            let _ = std::io::stdout().lock().write_all(text.as_bytes());
        };
        let begins = |count: usize| {
            if tells && !quiet {
                say(format!("testing {}\nrunning {}\n", harness.subject(), counted(count, "test")));
            }
        };
        let ended = |result: &TestResult| {
            if tells && !quiet {
                say(line(result, color));
            }
        };
        let report = harness.run_telling(&begins, &ended)?;
        if tells {
            if !quiet {
                report
                    .warnings
                    .iter()
                    .for_each(|warning| context.reporter.report(Severity::Warning, warning));
            }
            report.problems.iter().for_each(|problem| context.reporter.report(Severity::Error, problem));
            let shown = Report { problems: Vec::new(), ..report.clone() };
            let failures = shown.failures();
            let failures = if failures.is_empty() { failures } else { format!("\nfailures:\n{failures}") };
            context
                .print(&format!("{failures}\n{}\n\n", painted(&report.summary(), report.passed(), color)))?;
        }
        Ok(report)
    }

    fn write(&self, context: &Context, reports: &[(String, Report)]) -> Result<(), Error> {
        if context.options.junit() {
            return context.print(&junit(reports.iter().map(|(name, report)| (name.as_str(), report))));
        }
        if !context.options.json() {
            return Ok(());
        }
        let plugins: Vec<Value> = reports
            .iter()
            .map(|(name, report)| {
                let mut value = report.to_json();
                value["plugin"] = json!(name);
                value
            })
            .collect();
        let ok = reports.iter().all(|(_, report)| report.passed());
        context.print_json(json!({"ok": ok, "plugins": plugins}))
    }
}

/// The folders of plugins that are named, or those of this folder.
///
/// # Errors
///
/// [`Code::UnknownPlugin`], [`Code::Usage`] for one without a folder or where nothing is named and nothing is there.
pub(super) fn plugin_folders(named: &[&String], runtime: &Runtime) -> Result<Vec<PathBuf>, Error> {
    if !named.is_empty() {
        let folders: Result<Vec<_>, Error> = named.iter().map(|name| folders_of(name, runtime)).collect();
        return folders.map(|folders| folders.into_iter().flatten().collect());
    }
    if has_manifest(Path::new(".")) {
        return Ok(vec![PathBuf::from(".")]);
    }
    let mut folders = plugins_below(Path::new("plugins"));
    if Path::new(config::FILE_NAME).is_file() && Path::new("tests").is_dir() {
        folders.push(PathBuf::from("."));
    }
    if folders.is_empty() {
        return Err(Error::new(
            Code::Usage,
            "there is no plugin here: neither in this folder nor in `plugins`",
        )
        .hint("name the plugin or its folder; `caraway new` makes one"));
    }
    Ok(folders)
}

fn folders_of(name: &str, runtime: &Runtime) -> Result<Vec<PathBuf>, Error> {
    let meant = meant_folder(name);
    let mut folders = match &meant {
        Some(folder) if has_manifest(folder) => vec![folder.clone()],
        _ => plugins_below(Path::new(name)),
    };
    // What is wrong with a folder that holds no plugin is told by whoever uses it.
    if folders.is_empty() {
        folders.extend(meant);
    }
    if !folders.is_empty() {
        return Ok(folders);
    }
    let session = runtime.session_in(Path::new("."))?;
    let (wanted, range) = parse_import(name)?;
    let plugin = find(session.catalog(), &wanted, &range)?;
    if plugin.origin == Origin::BuiltIn {
        return Err(Error::new(Code::Usage, format!("`{name}` is built in, and has no folder with tests"))
            .hint("`caraway conformance` checks built-in plugins"));
    }
    Ok(vec![plugin.root.clone()])
}

fn plugins_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|path| has_manifest(path)).collect();
    folders.sort();
    folders
}

fn line(result: &TestResult, color: bool) -> String {
    let outcome = match &result.outcome {
        Outcome::Ignored(_) => result.outcome.to_string(),
        outcome => painted(&outcome.to_string(), matches!(outcome, Outcome::Passed), color),
    };
    format!("test {} ... {outcome}\n", escape(&result.name).replace('\n', " "))
}

/// The words `ok` and `FAILED` in green and red.
fn painted(text: &str, good: bool, color: bool) -> String {
    let (word, code) = if good { ("ok", 32) } else { ("FAILED", 31) };
    match color {
        true => text.replacen(word, &format!("\u{1b}[{code}m{word}\u{1b}[0m"), 1),
        false => text.to_owned(),
    }
}

fn exit_code(reports: &[(String, Report)]) -> u8 {
    if reports.iter().any(|(_, report)| report.interrupted) {
        return Code::Interrupted.exit_code();
    }
    let problem = reports.iter().find_map(|(_, report)| report.problems.first());
    match problem {
        Some(problem) => problem.code().exit_code(),
        None if reports.iter().all(|(_, report)| report.passed()) => 0,
        None => Code::ScriptFailed.exit_code(),
    }
}
