//! Where plugins are installed.

use crate::cli::Context;
use crate::config::{Config, shown};
use crate::replace::remove_leftovers;
use crate::trust::Trust;
use caraway_loaders_core::{Code, Error, Location};
use caraway_package::store::{Locked, Store};
use clap::Args;
use std::path::{Path, PathBuf};

/// Which plugins a command is about: those of a project, of the user, or of a folder.
#[derive(Debug, Clone, Args)]
#[group(multiple = false)]
pub(in crate::cli) struct Scope {
    /// The user's plugins, in a project too
    #[arg(long)]
    user: bool,
    /// The plugins of this folder; neither caraway.toml nor caraway.lock is touched
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
}

/// The store that a command works on, and the project that it belongs to.
pub(in crate::cli) struct Destination {
    pub(in crate::cli) store: Store,
    /// The `caraway.toml` of the project.
    pub(in crate::cli) project: Option<PathBuf>,
    /// Whether it is the user's.
    users: bool,
}

impl Scope {
    /// The place that is meant, which need not exist: `--into`, else the project that the current directory is in, else
    /// the user's plugins.
    ///
    /// # Errors
    ///
    /// [`Code::Io`] if it is the user's, who has no home.
    pub(in crate::cli) fn destination(&self) -> Result<Destination, Error> {
        if let Some(folder) = &self.into {
            return Ok(Destination { store: Store::new(folder), project: None, users: false });
        }
        let project = if self.user { None } else { Config::project(Path::new("."))?.file };
        if let Some(project) = project {
            let folder = project.parent().unwrap_or(Path::new("")).join("plugins");
            return Ok(Destination {
                store: Store::new(shown(&folder)),
                project: Some(project),
                users: false,
            });
        }
        match dirs::data_dir() {
            Some(data) => {
                let store = Store::new(data.join("caraway").join("plugins"));
                Ok(Destination { store, project: None, users: true })
            }
            None => Err(Error::new(Code::Io, "there is no home folder to install into")
                .hint("set HOME or XDG_DATA_HOME; or name a folder with `--into DIR`")),
        }
    }
}

impl Destination {
    /// The store, for this command alone. Who has to wait is told for whom.
    ///
    /// # Errors
    ///
    /// [`Code::Io`].
    pub(in crate::cli) fn lock(&self, context: &Context, command: &str) -> Result<Locked, Error> {
        let holder = format!("caraway {command} (process {})", std::process::id());
        let quiet = context.options.quiet || context.options.json();
        let mut waiting = |other: &str| {
            if !quiet {
                // Whoever closed it does not want to know.
                let _ = std::io::Write::write_all(
                    &mut std::io::stderr(),
                    format!(
                        "caraway: waiting for {other}, which is changing {}\n",
                        self.store.folder().display()
                    )
                    .as_bytes(),
                );
            }
        };
        let locked = self.store.lock(&holder, &mut waiting).map_err(|error| match error.hint_text() {
            Some(hint) if self.users && hint.ends_with("another folder for plugins") => {
                let hint = format!("{hint} with `--into DIR`; programs see it with `--plugin-path DIR`");
                error.hint(hint)
            }
            _ => error,
        })?;
        // What killed processes have left elsewhere.
        Trust::tidy();
        if let Some(folder) = self.project.as_deref().and_then(Path::parent) {
            remove_leftovers(folder);
        }
        Ok(locked)
    }

    /// The folder, as messages name it.
    pub(in crate::cli) fn location(&self) -> Location {
        Location::file(self.store.folder())
    }
}
