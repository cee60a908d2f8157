//! `caraway list`.

#[cfg(feature = "install")]
use super::install::outdated;
use super::options::Options;
use super::{Context, table, terminal};
#[cfg(feature = "install")]
use crate::config::Config;
use crate::diagnostic::{Severity, error_value, flatten, one_line};
use crate::shadowing::shadowed;
use caraway_loaders_core::Error;
use caraway_loaders_core::discover::{Origin, Plugin};
use clap::Args;
use serde_json::{Value, json};
#[cfg(feature = "install")]
use std::path::Path;
use std::sync::Arc;

const HEADER: [&str; 5] = ["NAME", "VERSION", "TYPE", "WHERE", "DESCRIPTION"];

/// Where the column of modules is, if there is one.
const MODULE: usize = 3;

/// List the plugins that a program in this folder can import, and what is wrong with others
#[derive(Debug, Args)]
pub(super) struct List {
    /// List the installed plugins of which there is something newer, here or where they came from
    #[cfg(feature = "install")]
    #[arg(long)]
    outdated: bool,
    #[command(flatten)]
    pub(super) options: Options,
}

impl List {
    pub(super) fn execute(&self, context: &Context) -> Result<u8, Error> {
        let runtime = context.options.runtime().build()?;
        let catalog = runtime.catalog()?;
        #[cfg(feature = "install")]
        if self.outdated {
            let project = Config::project(Path::new("."))?.file;
            outdated::print(context, &runtime, &catalog, project.as_deref())?;
            return Ok(0);
        }
        let shadowed = shadowed(&catalog);
        if context.options.json() {
            context.print_json(json!({
                "plugins": catalog.plugins.iter().map(|plugin| summary(plugin)).collect::<Vec<_>>(),
                "broken": catalog.errors.iter().map(error_value).collect::<Vec<_>>(),
                "shadowed": catalog.shadowed.iter().map(|shadowed| {
                    let mut entry = summary(&shadowed.plugin);
                    entry["shadowed_by"] = json!(place(&shadowed.by));
                    entry
                }).collect::<Vec<_>>(),
            }))?;
        } else {
            let width = terminal::width(&std::io::stdout());
            let mut text = table(&catalog.plugins, width);
            if !context.options.quiet && !context.options.verbose {
                text.push_str(&problems("Broken:", &catalog.errors));
                text.push_str(&problems("Shadowed:", &shadowed));
            }
            context.print(&text)?;
            if context.options.verbose {
                for error in catalog.errors.iter().chain(&shadowed) {
                    context.reporter.report(Severity::Warning, error);
                }
            }
        }
        match Error::from_many(shadowed) {
            Some(error) if context.options.strict => Err(error),
            _ => Ok(0),
        }
    }
}

/// Where a plugin is, for people.
pub(super) fn place_of(plugin: &Plugin) -> String {
    place(plugin).map_or_else(|| "built-in".to_owned(), |place| one_line(&place))
}

/// The folder of a plugin; `None` for built-ins.
pub(super) fn place(plugin: &Plugin) -> Option<String> {
    (plugin.origin != Origin::BuiltIn).then(|| plugin.root.to_string_lossy().into_owned())
}

/// What JSON says of every plugin.
pub(super) fn summary(plugin: &Plugin) -> Value {
    let manifest = &plugin.manifest;
    let search_path = match &plugin.origin {
        Origin::SearchPath(path) => Some(path.to_string_lossy()),
        Origin::BuiltIn => None,
    };
    json!({
        "name": manifest.name,
        "version": manifest.version.to_string(),
        "type": manifest.kind,
        "module": manifest.module,
        "description": manifest.description,
        "folder": place(plugin),
        "search_path": search_path,
    })
}

/// A row for each plugin; its module only if that is not what its name makes of it.
fn table(plugins: &[Arc<Plugin>], width: Option<usize>) -> String {
    let other = |plugin: &Plugin| plugin.manifest.module != plugin.manifest.name.replace('-', "_");
    let modules = plugins.iter().any(|plugin| other(plugin));
    let row = |plugin: &Arc<Plugin>| {
        let manifest = &plugin.manifest;
        let mut row = vec![
            one_line(&manifest.name),
            manifest.version.to_string(),
            one_line(&manifest.kind),
            place_of(plugin),
            one_line(manifest.description.as_deref().unwrap_or_default()),
        ];
        if modules {
            row.insert(MODULE, if other(plugin) { one_line(&manifest.module) } else { String::new() });
        }
        row
    };
    let rows: Vec<Vec<String>> = plugins.iter().map(row).collect();
    let mut header = HEADER.to_vec();
    if modules {
        header.insert(MODULE, "MODULE");
    }
    table::render(&header, &rows, width)
}

/// A line for each problem, below a title; nothing where there are none.
fn problems(title: &str, errors: &[Error]) -> String {
    let mut all = Vec::new();
    errors.iter().for_each(|error| flatten(error, &mut all));
    let line = |error: &&Error| {
        let place = error.location().map(|location| format!("  {}:", one_line(&location.to_string())));
        format!("  {}{} {}\n", error.code(), place.unwrap_or_default(), one_line(error.message()))
    };
    match all.is_empty() {
        true => String::new(),
        false => format!("\n{title}\n{}", all.iter().map(line).collect::<String>()),
    }
}
