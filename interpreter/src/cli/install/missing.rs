//! What a lock file lists and is not there.

use super::{Candidate, Consent, Destination, report, settle, value};
use crate::cli::Context;
use crate::config::shown;
use crate::lock::{Entry, FILE_NAME, Lockfile};
use crate::runtime::Runtime;
use caraway_loaders_core::{Code, Error, Location};
use caraway_package::source;
use caraway_package::store::Locked;
use serde_json::json;
use std::path::Path;

/// Installs every plugin of the project's lock file that no search path has, from where it was locked, if all of them
/// are what was locked.
///
/// # Errors
///
/// No project, no lock file; [`Code::Integrity`] for a source that has something else by now.
pub(super) fn install(context: &Context, runtime: &Runtime, destination: &Destination) -> Result<u8, Error> {
    let Some(project) = &destination.project else {
        return Err(Error::new(Code::Usage, "there is no project here, so what to install?")
            .hint("name a folder, an archive or a URL: `caraway install SOURCE`"));
    };
    let lock = Lockfile::beside(project)?.ok_or_else(|| {
        let file = shown(&project.with_file_name(FILE_NAME));
        Error::new(Code::LockFile, format!("there is no {}, so what to install?", file.display()))
            .hint("name a folder, an archive or a URL: `caraway install SOURCE`")
    })?;
    let root = project.parent().unwrap_or(Path::new("."));
    let locked = destination.lock(context, "install")?;
    let session = runtime.session_in(root)?;
    let there = |entry: &&Entry| {
        let same = |plugin: &caraway_loaders_core::discover::Plugin| {
            plugin.manifest.name == entry.name && plugin.manifest.version == entry.version
        };
        session.catalog().plugins.iter().any(|plugin| same(plugin))
    };
    let missing: Vec<&Entry> = lock.entries().filter(|entry| !there(entry)).collect();
    let mut found = Vec::new();
    for entry in missing {
        let candidate = fetch(context, runtime, &locked, &lock, root, entry)?;
        let consent = Consent::obtain(context, runtime, &destination.store, &candidate, None)?;
        found.push((candidate, consent));
    }
    let (json, quiet) = (context.options.json(), context.options.quiet);
    if found.is_empty() && !quiet && !json {
        context.print("all that is locked is there\n")?;
    }
    let mut values = Vec::new();
    for (candidate, consent) in found {
        let installed = settle(runtime, &destination.store, &locked, candidate, &consent, false)?;
        match json {
            true => values.push(value(&installed, &consent)),
            false => report(context, &installed, &consent, None)?,
        }
    }
    if json {
        context.print_json(json!({"plugins": values}))?;
    }
    Ok(0)
}

/// Fetches a plugin from where it was locked, and checks that it is the one.
fn fetch(
    context: &Context,
    runtime: &Runtime,
    locked: &Locked,
    lock: &Lockfile,
    root: &Path,
    entry: &Entry,
) -> Result<Candidate, Error> {
    let title = format!("{} {}", entry.name, entry.version);
    let file = shown(lock.file());
    let text = entry.source.as_deref().ok_or_else(|| {
        Error::new(Code::LockFile, format!("{} does not say where `{title}` is from", file.display()))
            .at(Location::file(&file))
            .hint("install it with `caraway install SOURCE`")
    })?;
    let source = source::parse(text, root, runtime.loaders()).map_err(|error| {
        Error::new(error.code(), format!("`{title}` is locked and not here: {}", error.message()))
            .at(Location::file(&file))
            .hint("put it back, or install it from elsewhere with `caraway install SOURCE`")
    })?;
    let candidate = Candidate::fetch(context, runtime, locked, &*source)?;
    let manifest = &candidate.plugin.manifest;
    if manifest.name != entry.name || manifest.version != entry.version {
        let found = candidate.title();
        return Err(Error::new(Code::Integrity, format!("{text} has `{found}` by now, and not `{title}`"))
            .at(Location::file(&file))
            .hint("`caraway install SOURCE` takes what there is, and locks it"));
    }
    let expected = entry.checksums(&file);
    candidate
        .content(runtime)?
        .iter()
        .try_for_each(|(path, digest)| expected.check_digest(path, digest))
        .map_err(|error| error.at(Location::file(text)))?;
    Ok(candidate)
}
