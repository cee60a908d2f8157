//! `caraway info`.

use super::Context;
#[cfg(feature = "compile")]
use super::compilations::Compilations;
use super::facts::Facts;
use super::options::Options;
use crate::home::meant;
use crate::inspection::Inspection;
use crate::lookup::find;
use crate::session::Session;
use crate::shadowing::shadowed;
use caraway_loaders_core::Error;
use caraway_loaders_core::capability::Capability;
use caraway_loaders_core::discover::{Catalog, Plugin};
use caraway_loaders_core::resolve::parse_import;
use clap::Args;
use std::path::Path;
use std::sync::Arc;

/// Show all about a plugin: what it says of itself, offers, asks for and is granted
#[derive(Debug, Args)]
#[command(after_help = "With --verbose, the code is looked at even if the manifest declares its functions. \
Native code is opened only with `--allow native`, or in a process of its own.")]
pub(super) struct Info {
    /// A plugin's name or module and which versions will do, of which the highest is shown; or its folder
    #[arg(value_name = "NAME[@REQ]|DIR")]
    plugin: String,
    /// Show which functions of a script are compiled, and what stands in the way of the others
    #[cfg(feature = "compile")]
    #[arg(long)]
    compiled: bool,
    #[command(flatten)]
    pub(super) options: Options,
}

impl Info {
    pub(super) fn execute(&self, context: &Context) -> Result<u8, Error> {
        let (runtime, import) = meant(&context.options.runtime().build()?, &self.plugin)?;
        let session = runtime.session_in(Path::new("."))?;
        let (name, range) = parse_import(&import)?;
        let catalog = session.catalog();
        let plugin = find(catalog, &name, &range)?;
        if context.options.strict {
            refuse_shadowing(catalog, plugin)?;
        }
        #[cfg(feature = "compile")]
        if self.compiled {
            let compilations = Compilations::of(plugin, &session)?;
            return if context.options.json() {
                context.print_json(compilations.json()).map(|()| 0)
            } else {
                context.print_wrapped(&compilations.text()).map(|()| 0)
            };
        }
        let facts = self.facts(context, plugin, &session);
        if context.options.json() {
            context.print_json(facts.json())?;
        } else {
            context.print_wrapped(&facts.text())?;
        }
        match facts.inspection {
            Some(Inspection::Broken(error) | Inspection::NotBuilt(error)) => Err(error),
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
        let loader = session.loader(plugin).ok();
        let shadows = catalog.shadowed.iter().filter(|shadowed| Arc::ptr_eq(&shadowed.by, plugin));
        Facts {
            plugin: plugin.clone(),
            access: session.plugin_access(plugin),
            isolated: loader.is_some_and(|loader| loader.isolates(&plugin.manifest)),
            trusted: session.needs_grant(plugin, Capability::Native),
            inspection: looks.then(|| Inspection::of(plugin, session)),
            dependencies: dependencies.collect(),
            shadows: shadows.map(|shadowed| shadowed.plugin.clone()).collect(),
        }
    }
}

fn refuse_shadowing(catalog: &Catalog, plugin: &Arc<Plugin>) -> Result<(), Error> {
    let errors = shadowed(catalog).into_iter().zip(&catalog.shadowed);
    let own = errors.filter(|(_, shadowed)| Arc::ptr_eq(&shadowed.by, plugin)).map(|(error, _)| error);
    Error::from_many(own).map_or(Ok(()), Err)
}
