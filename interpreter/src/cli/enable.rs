//! `caraway enable` and `caraway disable`.

use super::Context;
use super::config_edit::Edit;
use super::options::Options;
use crate::config::{self, Config, shown};
use crate::diagnostic::{Severity, one_line};
use caraway_loaders_core::bind::suggest;
use caraway_loaders_core::{Code, Error};
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Take a plugin out of `[plugins] disabled`, of the project's caraway.toml or your own
#[derive(Debug, Args)]
pub(super) struct Enable {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    pub(super) options: Options,
}

/// Put a plugin into `[plugins] disabled`, of the project's caraway.toml or your own: no version of it is used
#[derive(Debug, Args)]
pub(super) struct Disable {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    pub(super) options: Options,
}

#[derive(Debug, Args)]
struct Which {
    /// The plugin's name
    name: String,
    /// Change your own caraway.toml, which is for all programs, and not the project's, the nearest one upward
    #[arg(long)]
    user: bool,
}

impl Enable {
    pub(super) fn execute(&self, context: &Context) -> Result<u8, Error> {
        let Which { name, user } = &self.which;
        let (file, mut edit) = self.which.open()?;
        let changed = edit.enable(name)?;
        if changed {
            edit.write()?;
        } else if !context.options.quiet {
            warn_of_slip(context, &edit, name);
        }
        let other = still_disabled(name, *user)?;
        self.which.tell(context, &file, changed, ("enabled", "is not disabled"), other.as_deref())
    }
}

impl Disable {
    pub(super) fn execute(&self, context: &Context) -> Result<u8, Error> {
        let (file, mut edit) = self.which.open()?;
        let changed = edit.disable(&self.which.name)?;
        edit.write()?;
        if changed && !context.options.quiet {
            self.which.warn_of_unknown(context)?;
        }
        self.which.tell(context, &file, changed, ("disabled", "is disabled already"), None)
    }
}

impl Which {
    /// The configuration file to change.
    fn open(&self) -> Result<(PathBuf, Edit), Error> {
        let file = match self.user {
            true => config::user_file().ok_or_else(|| {
                Error::new(Code::Usage, "you have no configuration directory")
                    .hint("set HOME or XDG_CONFIG_HOME, or leave `--user` out in a project")
            })?,
            false => config::project_of(Path::new(".")).map_err(|error| {
                error.hint(
                    "make one beside the programs, which may be empty; or change your own with `--user`",
                )
            })?,
        };
        let edit = Edit::open(&file)?;
        Ok((file, edit))
    }

    /// A name that no plugin has may be a slip, or of a plugin that is to come.
    fn warn_of_unknown(&self, context: &Context) -> Result<(), Error> {
        let catalog = context.options.runtime().build()?.catalog()?;
        let there = || catalog.plugins.iter().map(|plugin| plugin.manifest.name.as_str());
        if there().any(|other| other == self.name) {
            return Ok(());
        }
        let warning = Error::new(Code::UnknownPlugin, format!("no plugin is called `{}`", self.name));
        let by_module = catalog.plugins.iter().find(|plugin| plugin.manifest.module == self.name);
        let near =
            by_module.map(|plugin| plugin.manifest.name.as_str()).or_else(|| suggest(&self.name, there()));
        let warning = match near {
            Some(near) => warning.hint(format!("did you mean `{near}`?")),
            None => warning.hint("it will be disabled when there is one"),
        };
        context.reporter.report(Severity::Warning, &warning);
        Ok(())
    }

    fn tell(
        &self,
        context: &Context,
        file: &Path,
        changed: bool,
        (done, nothing): (&str, &str),
        other: Option<&Path>,
    ) -> Result<u8, Error> {
        if let Some(other) = other
            && !context.options.quiet
        {
            let found = format!("`{}` is still disabled by {}", self.name, shown(other).display());
            let flag = if self.user { "without" } else { "with" };
            let hint = format!("run this {flag} `--user`, too");
            context.reporter.report(Severity::Warning, &Error::new(Code::Unavailable, found).hint(hint));
        }
        if context.options.json() {
            let file = file.to_string_lossy();
            context.print_json(json!({"name": self.name, "file": file, "changed": changed}))?;
        } else if !context.options.quiet {
            let (name, file) = (one_line(&self.name), one_line(&shown(file).to_string_lossy()));
            context.print(&match changed {
                true => format!("{done} {name} in {file}\n"),
                false => format!("{name} {nothing} in {file}\n"),
            })?;
        }
        Ok(0)
    }
}

/// A name that is not disabled may be a slip for one that is.
fn warn_of_slip(context: &Context, edit: &Edit, name: &str) {
    let disabled = edit.disabled_names();
    if let Some(near) = suggest(name, disabled.iter().map(String::as_str)) {
        let found = format!("`{name}` is not in `disabled`");
        let warning = Error::new(Code::Usage, found).hint(format!("did you mean `{near}`?"));
        context.reporter.report(Severity::Warning, &warning);
    }
}

/// The other configuration file, project's or user's, if it disables the plugin too.
fn still_disabled(name: &str, user: bool) -> Result<Option<PathBuf>, Error> {
    let other = if user { Config::project(Path::new("."))? } else { Config::user()? };
    Ok(other.file.filter(|_| other.disabled.contains(name)))
}
