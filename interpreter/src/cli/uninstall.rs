//! `caraway uninstall`.

use super::Context;
use super::install::{Destination, ProjectChange, Scope};
use super::options::Options;
use crate::config::shown;
use crate::runtime::Runtime;
use crate::trust::Trust;
use caraway_loaders_core::bind::suggest;
use caraway_loaders_core::resolve::parse_import;
use caraway_loaders_core::{Code, Error, Location};
use caraway_package::plugin_in;
use caraway_package::store::Installed;
use clap::Args;
use serde_json::json;

/// Remove an installed plugin
#[derive(Debug, Args)]
#[command(
    after_help = "In a project, a plugin of which no version is left is taken out of `[dependencies]` and `[grants]`, too, \
and caraway.lock is written again."
)]
pub(super) struct Uninstall {
    /// The plugin's name, and which versions of it [default: all]
    #[arg(value_name = "NAME[@REQ]")]
    plugin: String,
    #[command(flatten)]
    scope: Scope,
    /// Remove it even if other installed plugins or the project need it
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    pub(super) options: Options,
}

impl Uninstall {
    pub(super) fn execute(&self, context: &Context) -> Result<u8, Error> {
        let (name, range) = parse_import(&self.plugin).map_err(|error| {
            let message = error.message().replacen("the import ", "", 1);
            Error::new(Code::Usage, message).hint("for example `stats`, `stats@1.2.0` or `stats@^1`")
        })?;
        let destination = self.scope.destination()?;
        let runtime = context.options.runtime().build()?;
        let not_there = |all: &[Installed]| {
            let folder = shown(destination.store.folder());
            let folder = folder.display();
            let error =
                Error::new(Code::UnknownPlugin, format!("`{}` is not installed in {folder}", self.plugin))
                    .at(destination.location());
            let of_name: Vec<String> = all
                .iter()
                .filter(|installed| installed.record.name == name)
                .map(|installed| installed.record.version.to_string())
                .collect();
            match suggest(&name, all.iter().map(|installed| installed.record.name.as_str())) {
                _ if !of_name.is_empty() => error.hint(format!("there is {}", of_name.join(", "))),
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint("`caraway list` shows where a plugin is"),
            }
        };
        if !destination.store.folder().is_dir() {
            return Err(not_there(&[]));
        }
        let locked = destination.lock(context, "uninstall")?;
        let all = destination.store.installed().plugins;
        let is_meant = |installed: &Installed| {
            let any = range.comparators.is_empty();
            installed.record.name == name && (any || range.matches(&installed.record.version))
        };
        let (removed, kept): (Vec<Installed>, Vec<Installed>) = all.iter().cloned().partition(is_meant);
        if removed.is_empty() {
            return Err(by_hand(&destination, &runtime, &name, &all).unwrap_or_else(|| not_there(&all)));
        }
        if !self.force {
            for installed in &kept {
                let Ok(plugin) = plugin_in(&installed.folder, runtime.loaders()) else { continue };
                for needed in plugin.manifest.dependencies.iter().filter(|needed| needed.name == name) {
                    let left = kept.iter().any(|other| {
                        other.record.name == name && needed.requirement.matches(&other.record.version)
                    });
                    if !left {
                        let message = format!("`{}` needs `{name} {}`", plugin.id(), needed.requirement);
                        return Err(Error::new(Code::Conflict, message)
                            .at(Location::file(&installed.folder))
                            .hint(format!("uninstall `{}` first, or use `--force`", plugin.manifest.name)));
                    }
                }
            }
        }
        let mut change =
            destination.project.as_deref().map(|file| ProjectChange::new(context, file)).transpose()?;
        if let Some(change) = &mut change
            && !kept.iter().any(|installed| installed.record.name == name)
        {
            change.undepend(&name)?;
        }
        let lock = match &mut change {
            Some(change) => {
                change.without(removed.iter().map(|installed| installed.folder.clone()));
                Some(change.commit_as_far_as_possible(self.force)?)
            }
            None => None,
        };
        let store = destination.store.folder();
        for Installed { record, .. } in &removed {
            locked.remove(&record.name, &record.version)?;
            if Trust::read()?.of_plugin(&record.name, &record.version, store).next().is_some() {
                Trust::change(|trust| trust.forget(&record.name, &record.version, store))?;
            }
        }
        let ids: Vec<String> = removed.iter().map(|installed| installed.record.id()).collect();
        if context.options.json() {
            context.print_json(json!({"removed": ids}))?;
        } else if !context.options.quiet {
            context.print(&format!("removed {}\n{}", ids.join(", "), lock.unwrap_or_default()))?;
        }
        Ok(0)
    }
}

/// The error for a plugin that lies in the store's folder and was not installed.
fn by_hand(
    destination: &Destination,
    runtime: &Runtime,
    name: &str,
    installed: &[Installed],
) -> Option<Error> {
    let entries = std::fs::read_dir(destination.store.folder()).ok()?;
    let folders = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir());
    let folders = folders.filter(|path| installed.iter().all(|installed| installed.folder != *path));
    let mut plugins = folders.filter_map(|folder| plugin_in(&folder, runtime.loaders()).ok());
    let plugin = plugins.find(|plugin| plugin.manifest.name == name)?;
    let folder = shown(&plugin.root);
    let message = format!("`{}` was put there by hand, not installed", plugin.id());
    Some(
        Error::new(Code::Unavailable, message)
            .at(Location::file(&folder))
            .hint(format!("delete its folder by hand: {}", folder.display())),
    )
}
