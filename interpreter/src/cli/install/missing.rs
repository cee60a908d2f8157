//! What a lock file lists and is not there.

use super::{Candidate, Consent, Destination, Installed, report, settle};
use crate::cli::Context;
use crate::config::shown;
use crate::lock::{self, Entry, Lockfile};
use crate::runtime::Runtime;
use caraway_loaders_core::{Code, Error, Location};
use caraway_package::source;
use std::path::Path;

/// Installs every plugin of the project's lock file that no search path has, from where it was locked, if it is what
/// was locked.
///
/// # Errors
///
/// No project, no lock file; [`Code::Integrity`] for a source that has something else by now.
pub(super) fn install(context: &Context, runtime: &Runtime, destination: &Destination) -> Result<u8, Error> {
    let Some(project) = &destination.project else {
        return Err(Error::new(Code::Usage, "there is no project here, so what to install?")
            .hint("name a folder, an archive or a URL: `caraway install SOURCE`"));
    };
    let lock = Lockfile::beside(project)?.ok_or_else(|| lock::absent(Some(project)))?;
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
    for entry in &missing {
        let title = format!("{} {}", entry.name, entry.version);
        let file = shown(lock.file());
        let text = entry.source.as_deref().ok_or_else(|| {
            Error::new(Code::LockFile, format!("{} does not say where `{title}` is from", file.display()))
                .at(Location::file(&file))
        })?;
        let source = source::parse(text, root, runtime.loaders()).map_err(|error| {
            Error::new(error.code(), format!("`{title}` is locked and not here: {}", error.message()))
                .at(Location::file(&file))
                .hint("put it back, or install it from elsewhere with `caraway install SOURCE`")
        })?;
        let candidate = Candidate::fetch(context, runtime, &locked, &*source)?;
        let manifest = &candidate.plugin.manifest;
        if manifest.name != entry.name || manifest.version != entry.version {
            let found = candidate.title();
            return Err(Error::new(
                Code::Integrity,
                format!("{text} has `{found}` by now, and not `{title}`"),
            )
            .at(Location::file(&file))
            .hint("`caraway install SOURCE` takes what there is, and locks it"));
        }
        let expected = entry.checksums(&file);
        candidate.content(runtime)?.iter().try_for_each(|(path, digest)| {
            expected.check_digest(path, digest).map_err(|error| error.at(Location::file(text)))
        })?;
        let consent = Consent::obtain(context, runtime, &candidate, None)?;
        let installed: Installed = settle(runtime, &locked, candidate, &consent, false)?;
        report(context, &installed, &consent, None)?;
    }
    if missing.is_empty() && !context.options.quiet && !context.options.json() {
        context.print("all that is locked is there\n")?;
    }
    Ok(0)
}
