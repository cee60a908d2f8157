//! `caraway install`, and what `update` and `uninstall` share with it.

mod candidate;
mod consent;
mod destination;
mod missing;
pub(super) mod outdated;
mod progress;
mod project;

pub(super) use candidate::{Candidate, highest};
pub(super) use consent::Consent;
pub(super) use destination::{Destination, Scope};
pub(super) use project::ProjectChange;

use super::Context;
use super::options::Options;
use super::prompt::flags;
use crate::config::shown;
use crate::diagnostic::{Severity, one_line};
use crate::runtime::Runtime;
use crate::trust::Trust;
use caraway_loaders_core::resolve::{Requester, Requirement, parse_import};
use caraway_loaders_core::{Error, Location};
use caraway_package::source::{self, Source};
use caraway_package::store::{Locked, Outcome, Placed, Store};
use clap::Args;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::Path;

/// Install a plugin from a folder, an archive or a URL
#[derive(Debug, Args)]
#[command(
    after_help = "In a project, which has a caraway.toml, the plugin goes into its `plugins` folder, into \
`[dependencies]` and into caraway.lock; elsewhere into the user's data directory. Without SOURCE, what caraway.lock \
lists and is not there is installed. What the plugin asks for is shown, and granted if you say yes or with --allow; \
--deny installs it without."
)]
pub(super) struct Install {
    /// A plugin's folder, a .tar.gz, .tar.zst or .zip file, or the http(s) URL of one, which may end in #sha256=HEX
    source: Option<String>,
    #[command(flatten)]
    scope: Scope,
    /// Take the place of the same version with other contents
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    pub(super) options: Options,
}

impl Install {
    pub(super) fn execute(&self, context: &Context) -> Result<u8, Error> {
        let destination = self.scope.destination()?;
        let runtime = context.options.runtime().build()?;
        match &self.source {
            Some(text) => {
                let here =
                    std::env::current_dir().map_err(|error| Error::io(Path::new("."), "find", &error))?;
                let source = source::parse(text, &here, runtime.loaders())?;
                let locked = destination.lock(context, "install")?;
                self.install(context, &runtime, &destination, &locked, &*source)
            }
            None => missing::install(context, &runtime, &destination),
        }
    }

    fn install(
        &self,
        context: &Context,
        runtime: &Runtime,
        destination: &Destination,
        locked: &Locked,
        source: &dyn Source,
    ) -> Result<u8, Error> {
        let candidate = Candidate::fetch(context, runtime, locked, source)?;
        let before = highest(&destination.store, runtime, &candidate.plugin.manifest.name);
        let consent = Consent::obtain(context, runtime, &destination.store, &candidate, before.as_deref())?;
        let mut change =
            destination.project.as_deref().map(|file| ProjectChange::new(context, file)).transpose()?;
        match &mut change {
            Some(change) => {
                let content = candidate.content(runtime)?.total();
                change.depend(&candidate.plugin, content, &consent)?;
                change.check(&candidate.plugin.manifest.name, candidate.folder())?;
            }
            None => warn_of_missing(context, &candidate),
        }
        if let Some(change) = &change
            && self.replace
            && candidate.is_in(&destination.store)
        {
            change.announce(&candidate.plugin, candidate.source())?;
        }
        let installed = settle(runtime, &destination.store, locked, candidate, &consent, self.replace)?;
        let lock = change.map(|change| change.commit_as_far_as_possible(true)).transpose()?;
        report(context, &installed, &consent, lock.as_deref())?;
        Ok(0)
    }
}

/// A plugin that was installed.
pub(super) struct Installed {
    pub(super) title: String,
    pub(super) name: String,
    pub(super) version: semver::Version,
    pub(super) source: String,
    pub(super) placed: Placed,
}

/// Remembers what a plugin may do, then shows it in the store.
///
/// # Errors
///
/// As [`Candidate::place`]; the answer cannot be kept.
pub(super) fn settle(
    runtime: &Runtime,
    store: &Store,
    locked: &Locked,
    candidate: Candidate,
    consent: &Consent,
    replace: bool,
) -> Result<Installed, Error> {
    let trusted = candidate.trusted(runtime, store, consent.rules.clone())?;
    if !Trust::read()?.knows(&trusted) {
        Trust::change(|trust| trust.allow(trusted)).map_err(|error| {
            let name = &candidate.plugin.manifest.name;
            let denials = flags("--deny", name, &consent.asks);
            error.hint(format!("install it without: {denials}; and grant it with `--allow` at each run"))
        })?;
    }
    let manifest = &candidate.plugin.manifest;
    let (name, version) = (manifest.name.clone(), manifest.version.clone());
    let (title, source) = (candidate.title(), candidate.source().to_owned());
    let placed = candidate.place(locked, replace).map_err(|error| match error.code() {
        caraway_loaders_core::Code::Integrity => error.hint(
            "a version that was published does not change: ask its author; `--replace` takes the new contents",
        ),
        _ => error,
    })?;
    Ok(Installed { title, name, version, source, placed })
}

/// Tells what was installed, what it asks for and what it gets.
pub(super) fn report(
    context: &Context,
    installed: &Installed,
    consent: &Consent,
    lock: Option<&str>,
) -> Result<(), Error> {
    if context.options.json() {
        return context.print_json(value(installed, consent));
    }
    if context.options.quiet {
        return Ok(());
    }
    let mut text = String::new();
    let folder = one_line(&shown(&installed.placed.folder).to_string_lossy());
    let _ = writeln!(text, "{} {} in {folder}", outcome(installed.placed.outcome), installed.title);
    if !consent.asks.is_empty() {
        let granted = if consent.rules.is_empty() { "nothing".to_owned() } else { consent.rules.join(", ") };
        let _ = writeln!(
            text,
            "  asks for {}; granted: {}",
            one_line(&consent.asks.to_string()),
            one_line(&granted)
        );
    }
    text.push_str(lock.unwrap_or_default());
    context.print(&text)
}

/// The same for programs.
fn value(installed: &Installed, consent: &Consent) -> Value {
    json!({
        "name": installed.name,
        "version": installed.version.to_string(),
        "source": installed.source,
        "folder": installed.placed.folder,
        "outcome": match installed.placed.outcome {
            Outcome::Added => "installed",
            Outcome::Replaced => "replaced",
            Outcome::Unchanged => "unchanged",
        },
        "asks": consent.asks.rules(),
        "new": consent.new.rules(),
        "granted": consent.rules,
    })
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Added => "installed",
        Outcome::Replaced => "replaced",
        Outcome::Unchanged => "already there:",
    }
}

/// Warns of dependencies that a plugin will not find. They can still be installed.
fn warn_of_missing(context: &Context, candidate: &Candidate) {
    let found = || -> Result<(), Error> {
        let runtime = context.options.runtime().plugin_path(candidate.folder()).build()?;
        let manifest = &candidate.plugin.manifest;
        let (path, range) = parse_import(&format!("{}@={}", manifest.name, manifest.version))?;
        let from = Requester::Program { location: Location::default() };
        let session = runtime.session_in(Path::new("."))?;
        session.plan_for(vec![Requirement { path, range, from }]).map(drop)
    };
    if let Err(error) = found()
        && !context.options.quiet
    {
        let error = Error::new(error.code(), error.message());
        let title = candidate.title();
        let hint = format!("`{title}` is installed all the same; install what it needs, too");
        context.reporter.report(Severity::Warning, &error.hint(hint));
    }
}
