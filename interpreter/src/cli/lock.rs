//! `caraway lock`.

use super::Context;
use super::options::Options;
use crate::config::{project_of, shown};
use crate::count::counted;
use crate::lock::{self, Entry, Lockfile, Locking};
use crate::replace::replace;
use crate::runtime::Runtime;
#[cfg(feature = "install")]
use caraway_loaders_core::checksum::Digest;
#[cfg(feature = "install")]
use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::{Code, Error, Location};
use clap::Args;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Write caraway.lock: the versions that a project uses, and what their files are
#[derive(Debug, Args)]
#[command(
    after_help = "The file lies beside caraway.toml. It has what `[dependencies]` require, what the programs import that \
were ever named here, and all that these depend on. Versions that are locked stay as long as they fit."
)]
pub(super) struct Lock {
    /// Programs whose imports are locked too
    #[arg(value_name = "PROGRAM")]
    programs: Vec<PathBuf>,
    /// Take the highest versions that fit, whatever is locked
    #[arg(long)]
    upgrade: bool,
    /// Write nothing; fail if there is something to write
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    pub(super) options: Options,
}

impl Lock {
    pub(super) fn execute(&self, context: &Context) -> Result<u8, Error> {
        let folder = match self.programs.first() {
            Some(program) => folder_of(program),
            None => Path::new("."),
        };
        let project = project_of(folder)?;
        let locking = if self.upgrade { Locking::Ignore } else { Locking::Prefer(Vec::new()) };
        let runtime = context.options.runtime().locking(locking).build()?;
        let update = Relock::new(&runtime, &project, &self.programs)?;
        // What `--locked` says elsewhere.
        let check = self.check || context.options.locked;
        if !check {
            update.write()?;
        }
        if context.options.json() {
            context.print_json(update.json())?;
        } else if !context.options.quiet {
            context.print(&update.text(check))?;
        }
        if check && update.changes() {
            let file = shown(update.new.file());
            return Err(Error::new(Code::LockFile, format!("{} is not up to date", file.display()))
                .at(Location::file(file))
                .hint("run `caraway lock`"));
        }
        Ok(0)
    }
}

fn folder_of(program: &Path) -> &Path {
    program.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A lock file that is made again.
pub(super) struct Relock {
    old: Option<Lockfile>,
    new: Lockfile,
}

impl Relock {
    /// For the project of a `caraway.toml`, the programs that are locked, and more of them.
    ///
    /// # Errors
    ///
    /// What resolution says; a file of a plugin that cannot be read.
    pub(super) fn new(runtime: &Runtime, project: &Path, programs: &[PathBuf]) -> Result<Self, Error> {
        let folder = project.parent().unwrap_or(Path::new(""));
        // One that cannot be read is replaced.
        let old = Lockfile::beside(project).unwrap_or_default();
        let mut new = Lockfile::empty(folder);
        let mut names: BTreeSet<String> = old.iter().flat_map(|old| old.programs.iter().cloned()).collect();
        names.retain(|name| folder.join(name).is_file());
        for program in programs {
            names.insert(name_in(folder, program)?);
        }
        let session = runtime.session_in(&shown_folder(folder))?;
        session.plan_for(Vec::new())?;
        lock::make(&session, &mut new, old.as_ref())?;
        for name in &names {
            let (session, _) = runtime.planned(Some(&shown(&folder.join(name))))?;
            lock::make(&session, &mut new, old.as_ref())?;
        }
        new.programs = names.into_iter().collect();
        Ok(Self { old, new })
    }

    /// Whether the new one is another.
    pub(super) fn changes(&self) -> bool {
        self.old.as_ref() != Some(&self.new)
    }

    /// Puts it in the place of the old one.
    ///
    /// # Errors
    ///
    /// [`Code::Io`].
    pub(super) fn write(&self) -> Result<(), Error> {
        if self.changes() {
            replace(self.new.file(), self.new.to_text()?.as_bytes())?;
        }
        Ok(())
    }

    /// Puts it in the place of the old one, which holds until `caraway.toml`, whose digest is now `config`, is another.
    ///
    /// # Errors
    ///
    /// [`Code::Io`].
    #[cfg(feature = "install")]
    pub(super) fn write_before(&self, config: Digest) -> Result<(), Error> {
        let both = self.new.after(self.old.as_ref(), config);
        replace(both.file(), both.to_text()?.as_bytes())
    }

    /// Changes where a plugin is from.
    #[cfg(feature = "install")]
    pub(super) fn set_source(&mut self, plugin: &Plugin, source: &str) {
        self.new.set_source(&plugin.manifest.name, &plugin.manifest.version, source);
    }

    /// Puts it in the place of whatever is there.
    ///
    /// # Errors
    ///
    /// [`Code::Io`].
    #[cfg(feature = "install")]
    pub(super) fn write_again(&self) -> Result<(), Error> {
        replace(self.new.file(), self.new.to_text()?.as_bytes())
    }

    fn different(&self) -> (Vec<&Entry>, Vec<&Entry>, Vec<&Entry>) {
        let before = |entry: &Entry| self.old.as_ref().and_then(|old| old.get(&entry.name, &entry.version));
        let (added, kept): (Vec<&Entry>, Vec<&Entry>) =
            self.new.entries().partition(|entry| before(entry).is_none());
        let changed = kept.into_iter().filter(|entry| before(entry) != Some(entry)).collect();
        let gone = |entry: &&Entry| self.new.get(&entry.name, &entry.version).is_none();
        (added, changed, self.old.iter().flat_map(Lockfile::entries).filter(gone).collect())
    }

    /// What is different, a line each.
    pub(super) fn text(&self, check: bool) -> String {
        let (added, changed, removed) = self.different();
        let line = |sign: char, entry: &Entry| format!("{sign} {} {}\n", entry.name, entry.version);
        let mut text: String = added.iter().map(|entry| line('+', entry)).collect();
        text.extend(changed.iter().map(|entry| line('~', entry)));
        text.extend(removed.iter().map(|entry| line('-', entry)));
        let plugins = counted(self.new.entries().count(), "plugin");
        let did = match (self.changes(), check) {
            (false, _) => "up to date",
            (true, true) => "to be written",
            (true, false) => "written",
        };
        text.push_str(&format!("{}: {plugins}, {did}\n", shown(self.new.file()).display()));
        text
    }

    fn json(&self) -> serde_json::Value {
        let (added, changed, removed) = self.different();
        let list = |entries: Vec<&Entry>| -> Vec<serde_json::Value> {
            entries
                .into_iter()
                .map(|entry| json!({"name": entry.name, "version": entry.version.to_string()}))
                .collect()
        };
        json!({
            "file": shown(self.new.file()),
            "changed": self.changes(),
            "plugins": list(self.new.entries().collect()),
            "added": list(added),
            "replaced": list(changed),
            "removed": list(removed),
        })
    }
}

/// The folder as somebody in the current directory would name it.
fn shown_folder(folder: &Path) -> PathBuf {
    let shown = shown(folder);
    if shown.as_os_str().is_empty() { PathBuf::from(".") } else { shown }
}

/// A program's path from the folder of the project.
fn name_in(folder: &Path, program: &Path) -> Result<String, Error> {
    let whole = std::path::absolute(program).unwrap_or_else(|_| program.to_owned());
    let inner = whole.strip_prefix(folder).map_err(|_| {
        Error::new(Code::Usage, format!("{} is not in the project {}", program.display(), folder.display()))
            .hint("a lock file is for the programs below its folder")
    })?;
    Ok(inner.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/"))
}
