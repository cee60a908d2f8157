//! `caraway update`.

use super::Context;
use super::install::{Candidate, Consent, Destination, Installed, ProjectChange, Scope, settle};
use super::options::Options;
use crate::config::shown;
use crate::diagnostic::one_line;
use crate::lock::Lockfile;
use crate::runtime::Runtime;
use caraway_loaders_core::bind::suggest;
use caraway_loaders_core::{Code, Error, Location};
use caraway_package::plugin_in;
use caraway_package::source;
use caraway_package::store::{self, Locked, Store};
use clap::Args;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// Get newer versions of installed plugins from where they came from
#[derive(Debug, Args)]
#[command(
    after_help = "In a project, caraway.lock then has the highest versions that `[dependencies]` accept. A version that \
asks for more than the one before waits until you allow that: on a terminal you are asked, elsewhere --allow says it. \
Older versions stay; `caraway uninstall NAME@VERSION` removes them."
)]
pub(super) struct Update {
    /// The plugins to update [default: all]
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    pub(super) options: Options,
}

/// What became of one plugin.
enum Outcome {
    /// There is nothing newer.
    Current,
    /// The same version has other contents at the source.
    Differs,
    /// The source has an older version.
    Older(semver::Version),
    /// The source has a version that `caraway.toml` does not accept.
    Unwanted(semver::Version, semver::VersionReq),
    Updated(Installed),
    Failed(Error),
}

impl Update {
    pub(super) fn execute(&self, context: &Context) -> Result<u8, Error> {
        let destination = self.scope.destination()?;
        let runtime = context.options.runtime().build()?;
        let installed = newest(&destination);
        self.check_names(&destination, &installed)?;
        if installed.is_empty() && destination.project.is_none() {
            if context.options.json() {
                context.print_json(json!({"plugins": []}))?;
            } else if !context.options.quiet {
                context.print("nothing is installed\n")?;
            }
            return Ok(0);
        }
        let locked = destination.lock(context, "update")?;
        let mut change =
            destination.project.as_deref().map(|file| ProjectChange::new(context, file)).transpose()?;
        let mut outcomes = Vec::new();
        for (_, old) in newest(&destination).iter().filter(|(name, _)| self.is_meant(name)) {
            let outcome = update(context, &runtime, &destination.store, &locked, change.as_mut(), old)
                .unwrap_or_else(Outcome::Failed);
            outcomes.push((old.record.clone(), outcome));
        }
        let lock = match change {
            Some(mut change) => {
                self.upgraded(&destination)?.iter().for_each(|name| change.upgrade(name));
                Some(change.commit()?)
            }
            None => None,
        };
        if context.options.json() {
            context.print_json(json!({"plugins": outcomes.iter().map(value).collect::<Vec<_>>()}))?;
        } else if !context.options.quiet {
            let lines: String = outcomes.iter().map(line).collect();
            context.print(&format!("{lines}{}", lock.unwrap_or_default()))?;
        }
        let failed = outcomes.into_iter().filter_map(|(_, outcome)| match outcome {
            Outcome::Failed(error) => Some(error),
            _ => None,
        });
        Error::from_many(failed.collect::<Vec<_>>()).map_or(Ok(0), Err)
    }

    fn is_meant(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|other| other == name)
    }

    /// The plugins whose locked versions are given up.
    fn upgraded(&self, destination: &Destination) -> Result<Vec<String>, Error> {
        if !self.names.is_empty() {
            return Ok(self.names.clone());
        }
        let lock = destination.project.as_deref().map(Lockfile::beside).transpose()?.flatten();
        Ok(lock.iter().flat_map(Lockfile::entries).map(|entry| entry.name.clone()).collect())
    }

    fn check_names(
        &self,
        destination: &Destination,
        installed: &BTreeMap<String, store::Installed>,
    ) -> Result<(), Error> {
        let lock = destination.project.as_deref().map(Lockfile::beside).transpose()?.flatten();
        let locked = lock.iter().flat_map(Lockfile::entries).map(|entry| entry.name.as_str());
        let known: Vec<&str> = installed.keys().map(String::as_str).chain(locked).collect();
        let unknown = self.names.iter().filter(|name| !known.contains(&name.as_str()));
        let error = |name: &String| {
            let error = Error::new(Code::UnknownPlugin, format!("`{name}` is not installed"));
            let error = error.at(destination.location());
            match suggest(name, known.iter().copied()) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint("`caraway install SOURCE` installs it"),
            }
        };
        Error::from_many(unknown.map(error).collect::<Vec<_>>()).map_or(Ok(()), Err)
    }
}

/// The highest version of each installed plugin.
pub(super) fn newest(destination: &Destination) -> BTreeMap<String, store::Installed> {
    let installed = destination.store.installed().plugins;
    // They come by name and version.
    installed.into_iter().map(|installed| (installed.record.name.clone(), installed)).collect()
}

fn update(
    context: &Context,
    runtime: &Runtime,
    store: &Store,
    locked: &Locked,
    change: Option<&mut ProjectChange<'_>>,
    old: &store::Installed,
) -> Result<Outcome, Error> {
    let place = || Location::file(shown(store.folder()));
    let source = source::parse(&old.record.source, Path::new("/"), runtime.loaders()).map_err(|error| {
        let message = format!("`{}` cannot be updated: {}", old.record.id(), error.message());
        Error::new(error.code(), message)
            .at(place())
            .hint("install it from where it is now with `caraway install SOURCE`")
    })?;
    let candidate = Candidate::fetch(context, runtime, locked, &*source)?;
    let manifest = &candidate.plugin.manifest;
    if manifest.name != old.record.name {
        let message = format!(
            "{} has `{}` by now, and not `{}`",
            candidate.source(),
            candidate.title(),
            old.record.name
        );
        return Err(Error::new(Code::Integrity, message)
            .at(place())
            .hint("`caraway install SOURCE` installs what there is"));
    }
    let before = plugin_in(&old.folder, runtime.loaders())?;
    if manifest.version == old.record.version {
        let same = candidate.content(runtime)?.total() == before.content(&**runtime.loader_of(&before)?)?;
        return Ok(if same { Outcome::Current } else { Outcome::Differs });
    }
    if manifest.version < old.record.version {
        return Ok(Outcome::Older(manifest.version.clone()));
    }
    if let Some(range) = change.as_ref().and_then(|change| change.requirement(&manifest.name))
        && !range.matches(&manifest.version)
    {
        return Ok(Outcome::Unwanted(manifest.version.clone(), range.clone()));
    }
    let consent = Consent::obtain(context, runtime, store, &candidate, Some(&before)).map_err(|error| {
        let message = format!("`{}` stays: {}", old.record.id(), error.message());
        let hint = error.hint_text().unwrap_or("say yes to have it").to_owned();
        Error::new(error.code(), message).at(place()).hint(hint)
    })?;
    let (plugin, content) = (candidate.plugin.clone(), candidate.content(runtime)?.total());
    let installed = settle(runtime, store, locked, candidate, &consent, false)?;
    if let Some(change) = change {
        change.grant(&plugin, content, &consent)?;
    }
    Ok(Outcome::Updated(installed))
}

fn line((old, outcome): &(store::Record, Outcome)) -> String {
    let (name, version) = (one_line(&old.name), &old.version);
    match outcome {
        Outcome::Current => format!("{name} {version}: nothing newer\n"),
        Outcome::Differs => format!(
            "{name} {version}: its source has other contents under the same version; \
             `caraway install --replace {}` takes them\n",
            one_line(&old.source)
        ),
        Outcome::Older(found) => format!("{name} {version}: its source has {found}, which is older\n"),
        Outcome::Unwanted(found, range) => {
            format!(
                "{name} {version}: its source has {found}, which `{range}` in caraway.toml does not accept\n"
            )
        }
        Outcome::Updated(installed) => format!("{name} {version} -> {}\n", installed.version),
        Outcome::Failed(_) => format!("{name} {version}: stays\n"),
    }
}

fn value((old, outcome): &(store::Record, Outcome)) -> Value {
    let (what, version) = match outcome {
        Outcome::Current => ("current", None),
        Outcome::Differs => ("differs", None),
        Outcome::Older(found) => ("older", Some(found)),
        Outcome::Unwanted(found, _) => ("unwanted", Some(found)),
        Outcome::Updated(installed) => ("updated", Some(&installed.version)),
        Outcome::Failed(_) => ("failed", None),
    };
    json!({
        "name": old.name,
        "version": old.version.to_string(),
        "source": old.source,
        "outcome": what,
        "found": version.map(ToString::to_string),
    })
}
