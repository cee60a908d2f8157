//! Looks for mistakes in programs and script plugins without running anything.
//!
//! A program or plugin is read with all files that it imports (`unit`), its imports are resolved as running it would,
//! and what other plugins offer is looked at as far as that is allowed (`module`). Then all of it is gone through
//! (`walk`), with what is known of each value (`ty`), which is compared with signatures (`fits`) and with what the engine
//! has (`natives`). What is not certain is not reported.

mod bodies;
mod fits;
mod module;
mod natives;
mod source;
mod ty;
mod unit;
mod walk;

use crate::inspection::Inspection;
use crate::runtime::Settings;
use crate::session::Session;
use crate::stack::with_large_stack;
use caraway_loaders_core::discover::{Origin, Plugin, SearchPath, discover};
use caraway_loaders_core::resolve::{Requester, Requirement, parse_import};
use caraway_loaders_core::{Code, Error, Location};
use caraway_loaders_script::script_of_plugin;
use natives::Natives;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use unit::Reader;
use walk::Walk;

/// What was found in a program or plugin.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Checked {
    /// The scripts that were read, in the order in which they were reached.
    pub files: Vec<PathBuf>,
    /// What is wrong, sorted by place; a [`Code`] that [is a warning](Code::is_warning) tells those apart.
    pub findings: Vec<Error>,
    /// Why the code of plugins that are imported was not looked at; calls into them are checked as far as their
    /// manifests say.
    pub unseen: Vec<Error>,
}

/// Checks a program.
pub(crate) fn program(settings: &Arc<Settings>, file: &Path) -> Result<Checked, Error> {
    let folder = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    file.metadata().map_err(|error| Error::io(file, "read", &error))?;
    let session = Session::open(settings, folder)?;
    with_large_stack(|| {
        let natives = Natives::new(&settings.standard);
        Ok(finish(&natives, &mut Reader::new(&session), file, folder, None))
    })
}

/// Checks all plugins of a folder, or the one that it is.
pub(crate) fn plugins(settings: &Arc<Settings>, folder: &Path) -> Result<Checked, Error> {
    let session = Session::open(settings, folder)?;
    let catalog = discover(&[SearchPath::explicit(folder, "PATH")], &settings.loaders);
    let found: Vec<Arc<Plugin>> =
        catalog.plugins.iter().filter(|plugin| plugin.origin != Origin::BuiltIn).cloned().collect();
    if found.is_empty() && catalog.errors.is_empty() {
        return Err(Error::new(Code::EntryPoint, format!("{} holds no plugin", folder.display()))
            .hint("name a program, or a folder with a plugin.json or a plugin.toml"));
    }
    with_large_stack(|| {
        let natives = Natives::new(&settings.standard);
        let mut checked = Checked::default();
        let mut reader = Reader::new(&session);
        catalog.errors.iter().for_each(|error| reader.tell(error));
        checked.findings.append(&mut reader.findings);
        for plugin in &found {
            let one = self::plugin(&natives, &session, plugin);
            checked.files.extend(one.files);
            checked.findings.extend(one.findings);
            checked.unseen.extend(one.unseen);
        }
        Ok(checked)
    })
}

fn plugin(natives: &Natives, session: &Session, plugin: &Arc<Plugin>) -> Checked {
    let mut reader = Reader::new(session);
    let inspection = Inspection::of(plugin, session);
    reader.unseen.extend(inspection.unseen().cloned());
    if let Inspection::Broken(error) = inspection {
        reader.tell(&error);
    }
    // What it imports is what its manifest selects.
    let wanted = parse_import(&format!("{}@={}", plugin.manifest.name, plugin.manifest.version));
    let planned = wanted.and_then(|(path, range)| {
        let from = Requester::Program { location: Location::file(plugin.manifest.file()) };
        session.plan_for(vec![Requirement { path, range, from }])
    });
    if let Err(error) = planned {
        reader.tell(&error);
        return Checked { findings: reader.findings, unseen: reader.unseen, ..Checked::default() };
    }
    match script_of_plugin(plugin) {
        Some(file) => finish(natives, &mut reader, &file, &plugin.root, Some(plugin.clone())),
        None => Checked { findings: reader.findings, unseen: reader.unseen, ..Checked::default() },
    }
}

fn finish(
    natives: &Natives,
    reader: &mut Reader<'_>,
    file: &Path,
    folder: &Path,
    plugin: Option<Arc<Plugin>>,
) -> Checked {
    let unit = reader.read(file, folder, plugin);
    let mut findings = std::mem::take(&mut reader.findings);
    findings.extend(Walk::through(&unit, natives));
    let place = |error: &Error| {
        let location = error.location().cloned().unwrap_or_default();
        let file = unit.sources.iter().position(|source| Path::new(&source.name) == location.file);
        (file, location.line, location.column)
    };
    findings.sort_by_cached_key(place);
    findings
        .dedup_by(|a, b| a.code() == b.code() && a.location() == b.location() && a.message() == b.message());
    Checked {
        files: unit.sources.iter().map(|source| PathBuf::from(&source.name)).collect(),
        findings,
        unseen: std::mem::take(&mut reader.unseen),
    }
}
