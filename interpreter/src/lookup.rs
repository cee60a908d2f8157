//! A plugin by the name that somebody gave.

use caraway_loaders_core::bind::suggest;
use caraway_loaders_core::discover::{Catalog, Plugin};
use caraway_loaders_core::{Code, Error};
use semver::VersionReq;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

/// The highest version that will do of the plugin of this name, or else of this module name.
pub(crate) fn find<'a>(
    catalog: &'a Catalog,
    name: &str,
    range: &VersionReq,
) -> Result<&'a Arc<Plugin>, Error> {
    let plugins = &catalog.plugins;
    let mut versions: Vec<&Arc<Plugin>> = plugins.iter().filter(|p| p.manifest.name == name).collect();
    if versions.is_empty() {
        versions = plugins.iter().filter(|p| p.manifest.module == name).collect();
    }
    versions.sort_by(|a, b| b.manifest.version.cmp(&a.manifest.version));
    let Some(first) = versions.first() else { return Err(unknown(catalog, name)) };
    if let Some(other) = versions.iter().find(|other| other.manifest.name != first.manifest.name) {
        let (a, b) = (&first.manifest.name, &other.manifest.name);
        return Err(Error::new(Code::Ambiguous, format!("`{name}` is the module of `{a}` and of `{b}`"))
            .hint("say which plugin by its name"));
    }
    let fits = |plugin: &&&Arc<Plugin>| range.matches(&plugin.manifest.version);
    if let Some(found) = versions.iter().find(fits) {
        return Ok(found);
    }
    let there: Vec<String> = versions.iter().map(|plugin| plugin.manifest.version.to_string()).collect();
    // With only pre-releases there, `*` means one of them.
    match *range == VersionReq::STAR {
        true => Ok(first),
        false => Err(Error::new(Code::NoVersion, format!("no version of `{name}` satisfies `{range}`"))
            .hint(format!("there are {}", there.join(", ")))),
    }
}

/// What is wrong with the plugin in the folder of this name.
pub(crate) fn broken<'a>(catalog: &'a Catalog, name: &str) -> Option<&'a Error> {
    catalog.errors.iter().find(|error| {
        let folder = error.location().and_then(|location| location.file.parent()).and_then(Path::file_name);
        folder == Some(OsStr::new(name))
    })
}

/// There is no such plugin: perhaps it is there and broken, perhaps it is called something else.
fn unknown(catalog: &Catalog, name: &str) -> Error {
    if let Some(broken) = broken(catalog, name) {
        return broken.clone();
    }
    let error = Error::new(Code::UnknownPlugin, format!("no plugin is called `{name}`"));
    let names = catalog.plugins.iter().flat_map(|p| [p.manifest.name.as_str(), p.manifest.module.as_str()]);
    match suggest(name, names) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("`caraway list` shows those that there are; `--plugin-path DIR` adds a folder"),
    }
}
