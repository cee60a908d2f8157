//! Installed plugins of which there is something newer.

use super::progress::Bar;
use crate::cli::{Context, table, terminal};
use crate::diagnostic::{Severity, one_line};
use crate::lock::Lockfile;
use crate::runtime::Runtime;
use caraway_loaders_core::discover::{Catalog, Plugin};
use caraway_loaders_core::{Error, Location};
use caraway_package::store::Record;
use caraway_package::{plugin_in, source};
use semver::Version;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;

const HEADER: [&str; 5] = ["NAME", "VERSION", "ON SEARCH PATHS", "AT ITS SOURCE", "SOURCE"];

/// A plugin of which there is something newer.
struct Row {
    name: String,
    version: Version,
    /// The highest version on the search paths, if that is newer.
    here: Option<Version>,
    /// What it was installed from, and what is there now, if that is newer.
    source: Option<String>,
    there: Option<Version>,
}

/// Prints what is newer than the versions that are locked, or than the highest that are installed. What a plugin was
/// installed from is fetched to see; what cannot be fetched is a warning.
///
/// # Errors
///
/// A lock file that cannot be used; standard output that cannot be written.
pub(in crate::cli) fn print(
    context: &Context,
    runtime: &Runtime,
    catalog: &Catalog,
    project: Option<&Path>,
) -> Result<(), Error> {
    let lock = project.map(Lockfile::beside).transpose()?.flatten();
    let mut used: BTreeMap<&str, Version> = BTreeMap::new();
    for plugin in catalog.plugins.iter().filter(|plugin| is_installed(plugin)) {
        raise(&mut used, &plugin.manifest.name, &plugin.manifest.version);
    }
    let mut locked: BTreeMap<&str, Version> = BTreeMap::new();
    lock.iter().flat_map(Lockfile::entries).for_each(|entry| raise(&mut locked, &entry.name, &entry.version));
    used.extend(locked);
    let mut rows = Vec::new();
    for (name, version) in used {
        let of_name = || catalog.plugins.iter().filter(|plugin| plugin.manifest.name == name);
        let here = of_name().map(|plugin| &plugin.manifest.version).filter(|v| v.pre.is_empty()).max();
        let newest =
            of_name().filter(|plugin| is_installed(plugin)).max_by_key(|plugin| &plugin.manifest.version);
        let source = newest.and_then(|plugin| Record::read(&plugin.root).ok()?).map(|record| record.source);
        let there = source.as_deref().and_then(|source| {
            let found = version_at(context, runtime, source).map_err(|error| {
                context.reporter.report(Severity::Warning, &error.at(Location::file(source)));
            });
            found.ok().filter(|(found, _)| found == name).map(|(_, found)| found)
        });
        let row = Row {
            name: name.to_owned(),
            here: here.filter(|here| **here > version).cloned(),
            there: there.filter(|there| *there > version),
            source,
            version,
        };
        rows.extend(Some(row).filter(|row| row.here.is_some() || row.there.is_some()));
    }
    show(context, &rows)
}

fn is_installed(plugin: &Plugin) -> bool {
    Record::read(&plugin.root).is_ok_and(|record| record.is_some())
}

fn raise<'a>(versions: &mut BTreeMap<&'a str, Version>, name: &'a str, version: &Version) {
    let highest = versions.entry(name).or_insert_with(|| version.clone());
    if version > highest {
        *highest = version.clone();
    }
}

/// The name and version of the plugin that a source has now.
fn version_at(context: &Context, runtime: &Runtime, text: &str) -> Result<(String, Version), Error> {
    let source = source::parse(text, Path::new("/"), runtime.loaders())?;
    let staging =
        tempfile::tempdir().map_err(|error| Error::io(&std::env::temp_dir(), "write to", &error))?;
    let fetched = source.fetch(staging.path(), &Bar::new(context, text));
    let plugin = fetched.and_then(|fetched| plugin_in(&fetched.folder, runtime.loaders()));
    let plugin = plugin.map_err(|error| error.moved(staging.path(), Path::new(text)))?;
    Ok((plugin.manifest.name.clone(), plugin.manifest.version.clone()))
}

fn show(context: &Context, rows: &[Row]) -> Result<(), Error> {
    let text = |version: &Option<Version>| version.as_ref().map(Version::to_string);
    if context.options.json() {
        let value = |row: &Row| {
            json!({
                "name": row.name,
                "version": row.version.to_string(),
                "on_search_paths": text(&row.here),
                "at_source": text(&row.there),
                "source": row.source,
            })
        };
        return context.print_json(json!({"outdated": rows.iter().map(value).collect::<Vec<_>>()}));
    }
    if rows.is_empty() {
        return if context.options.quiet { Ok(()) } else { context.print("nothing is outdated\n") };
    }
    let cell = |version: &Option<Version>| text(version).unwrap_or_default();
    let cells = |row: &Row| {
        let source = one_line(row.source.as_deref().unwrap_or_default());
        vec![one_line(&row.name), row.version.to_string(), cell(&row.here), cell(&row.there), source]
    };
    let rows: Vec<Vec<String>> = rows.iter().map(cells).collect();
    context.print(&table::render(&HEADER, &rows, terminal::width(&std::io::stdout())))
}
