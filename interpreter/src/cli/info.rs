//! `caraway info`.

use super::Context;
use super::facts::Facts;
use super::options::Options;
use crate::inspection::Inspection;
use crate::session::Session;
use crate::shadowing::shadowed;
use caraway_loaders_core::bind::suggest;
use caraway_loaders_core::discover::{Catalog, Plugin};
use caraway_loaders_core::resolve::parse_import;
use caraway_loaders_core::{Code, Error};
use clap::Args;
use semver::VersionReq;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

/// Show all about a plugin: what it says of itself, offers, asks for and is granted
#[derive(Debug, Args)]
#[command(after_help = "With --verbose, the code is looked at even if the manifest declares its functions. \
Native code is opened only with `--allow native`.")]
pub(super) struct Info {
    /// A plugin's name or module, and which versions will do; the highest is shown
    #[arg(value_name = "NAME[@REQ]")]
    plugin: String,
    #[command(flatten)]
    pub(super) options: Options,
}

impl Info {
    pub(super) fn execute(&self, context: &Context) -> Result<u8, Error> {
        let runtime = context.options.runtime().build()?;
        let session = runtime.session_in(Path::new("."))?;
        let (name, range) = parse_import(&self.plugin)?;
        let catalog = session.catalog();
        let plugin = find(catalog, &name, &range)?;
        if context.options.strict {
            refuse_shadowing(catalog, plugin)?;
        }
        let facts = self.facts(context, plugin, &session);
        if context.options.json() {
            context.print_json(facts.json())?;
        } else {
            context.print(&facts.text())?;
        }
        match facts.inspection {
            Some(Inspection::Broken(error)) => Err(error),
            _ => Ok(0),
        }
    }

    fn facts(&self, context: &Context, plugin: &Arc<Plugin>, session: &Session) -> Facts {
        let looks = plugin.manifest.functions.is_none() || context.options.verbose;
        let catalog = session.catalog();
        let dependencies = plugin.manifest.dependencies.iter().map(|dependency| {
            let found = find(catalog, &dependency.name, &dependency.requirement);
            (dependency.clone(), found.ok().map(|found| found.manifest.version.clone()))
        });
        let shadows = catalog.shadowed.iter().filter(|shadowed| Arc::ptr_eq(&shadowed.by, plugin));
        Facts {
            plugin: plugin.clone(),
            access: session.plugin_access(plugin),
            inspection: looks.then(|| Inspection::of(plugin, session)),
            dependencies: dependencies.collect(),
            shadows: shadows.map(|shadowed| shadowed.plugin.clone()).collect(),
        }
    }
}

/// The highest version that will do of the plugin of this name, or else of this module name.
pub(super) fn find<'a>(
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
pub(super) fn broken<'a>(catalog: &'a Catalog, name: &str) -> Option<&'a Error> {
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

fn refuse_shadowing(catalog: &Catalog, plugin: &Arc<Plugin>) -> Result<(), Error> {
    let errors = shadowed(catalog).into_iter().zip(&catalog.shadowed);
    let own = errors.filter(|(_, shadowed)| Arc::ptr_eq(&shadowed.by, plugin)).map(|(error, _)| error);
    Error::from_many(own).map_or(Ok(()), Err)
}
