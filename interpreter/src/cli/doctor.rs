//! `caraway doctor`.

use super::list::place_of;
use super::options::Options;
use super::{Context, terminal};
use crate::config::{Config, shown};
use crate::count::counted;
use crate::diagnostic::{Severity, error_value, one_line};
use crate::inspection::Inspection;
use crate::lock::Lockfile;
use crate::runtime::Runtime;
use crate::session::Session;
use crate::shadowing::shadowed;
use crate::trust::Trust;
use caraway_loaders_core::budget::memory_is_counted;
use caraway_loaders_core::discover::{Origin, Plugin};
use caraway_loaders_core::{Code, Error, TARGET};
use clap::Args;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;

/// Look at everything that a program in this folder would use, and say what is wrong and how to mend it
#[derive(Debug, Args)]
#[command(after_help = "\
Configuration, search paths, plugins, lock file and answers are looked at; nothing is run or changed, and native code is \
opened only with `--allow native`, or in a process of its own. The exit code is that of the first problem.")]
pub(super) struct Doctor {
    #[command(flatten)]
    pub(super) options: Options,
}

/// What was found.
#[derive(Default)]
struct Findings {
    /// What was looked at, and what is there.
    lines: Vec<(&'static str, String)>,
    /// What does not work.
    problems: Vec<Error>,
    /// What may not be meant.
    warnings: Vec<Error>,
}

impl Doctor {
    pub(super) fn execute(&self, context: &Context) -> Result<u8, Error> {
        let runtime = context.options.runtime().build()?;
        let mut found = Findings::default();
        found.host(&runtime);
        if found.configuration() {
            let session = runtime.session_in(Path::new("."))?;
            found.say("security", session.level().shown());
            found.search_paths(&session);
            found.plugins(&session);
            found.lock_file(&session);
        }
        found.print(context)?;
        Ok(found.problems.first().map_or(0, |problem| problem.code().exit_code()))
    }
}

impl Findings {
    fn say(&mut self, about: &'static str, what: impl AsRef<str>) {
        self.lines.push((about, one_line(what.as_ref())));
    }

    fn host(&mut self, runtime: &Runtime) {
        self.say("caraway", format!("{} for {TARGET}", env!("CARGO_PKG_VERSION")));
        for loader in runtime.loaders() {
            self.say("kind", format!("{}: {}", loader.kind(), loader.description()));
        }
        self.workers();
        match memory_is_counted() {
            true => self.say("memory", "is counted, so its limits hold"),
            false => self.say("memory", "is not counted by this host, so limits on it are refused"),
        }
    }

    /// Whether this kernel holds plugins in processes of their own, and what it lacks for that.
    #[cfg(feature = "worker")]
    fn workers(&mut self) {
        let lacks = caraway_loaders_worker::confine::lacking();
        if lacks.is_empty() {
            self.say("workers", "are held to files, ports, programs and memory by this kernel");
        }
        for lack in lacks {
            self.say("workers", lack.to_string());
            self.warnings.push(Error::new(Code::NotEnforced, lack.to_string()).hint(lack.help));
        }
    }

    #[cfg(not(feature = "worker"))]
    fn workers(&mut self) {
        self.say("workers", "are not in this build, so native plugins that want a sandbox are refused");
    }

    /// Looks at the files that everything else depends on, and says whether they can be read.
    fn configuration(&mut self) -> bool {
        let before = self.problems.len();
        for (about, config) in [("user", Config::user()), ("project", Config::project(Path::new(".")))] {
            match config {
                Ok(Config { file: Some(file), .. }) => self.say(about, shown(&file).to_string_lossy()),
                Ok(_) => self.say(about, "no caraway.toml"),
                Err(error) => self.problems.push(error),
            }
        }
        match Trust::read() {
            Ok(trust) => {
                let (plugins, projects) = (trust.plugins.len(), trust.projects.len());
                let (plugins, projects) = (counted(plugins, "plugin"), counted(projects, "project"));
                self.say("answers", format!("for {plugins} and {projects}"));
            }
            Err(error) => self.problems.push(error),
        }
        self.problems.len() == before
    }

    fn search_paths(&mut self, session: &Session) {
        for path in session.search_paths() {
            let of_path = Origin::SearchPath(path.path.clone());
            let count = session.catalog().plugins.iter().filter(|plugin| plugin.origin == of_path).count();
            let what = match path.path.is_dir() {
                true => counted(count, "plugin"),
                false => "not there".to_owned(),
            };
            self.say("search path", format!("{} ({}): {what}", path.path.display(), path.label));
            #[cfg(feature = "install")]
            self.problems.extend(caraway_package::store::Store::new(&path.path).installed().errors);
        }
        self.problems.extend(session.catalog().errors.iter().cloned());
        self.warnings.extend(shadowed(session.catalog()));
    }

    fn plugins(&mut self, session: &Session) {
        let all: Vec<&Arc<Plugin>> =
            session.catalog().plugins.iter().filter(|plugin| plugin.origin != Origin::BuiltIn).collect();
        for plugin in all {
            let state = match Inspection::of(plugin, session) {
                Inspection::Offers(functions) => counted(functions.len(), "function"),
                Inspection::NotChecked(refusal) => match refusal.hint_text() {
                    Some(hint) => format!("not checked: {hint}"),
                    None => "not checked".to_owned(),
                },
                Inspection::NotBuilt(error) => {
                    self.problems.push(error);
                    "not built".to_owned()
                }
                Inspection::Broken(error) => {
                    self.problems.push(error);
                    "broken".to_owned()
                }
            };
            let open = plugin.manifest.asks.iter().filter(|(capability, _)| {
                session.needs_grant(plugin, *capability)
                    && session.plugin_access(plugin).granted(*capability).is_none()
            });
            let open: Vec<String> = open.map(|(capability, _)| capability.to_string()).collect();
            let open = match open.is_empty() {
                true => String::new(),
                false => format!("; asks for {}, not granted", open.join(", ")),
            };
            self.say("plugin", format!("{} in {}: {state}{open}", plugin.id(), place_of(plugin)));
            if let Ok(loader) = session.loader(plugin) {
                self.warnings.extend(session.authority().voided(plugin, &*loader));
            }
        }
        self.warnings.extend(session.authority().unanswered());
    }

    /// Compares what is locked with what is there.
    fn lock_file(&mut self, session: &Session) {
        let Some(project) = session.project_file() else { return };
        let lock = match Lockfile::beside(&project) {
            Ok(Some(lock)) => lock,
            Ok(None) => return self.say("lock file", "none"),
            Err(error) => return self.problems.push(error),
        };
        let lock = lock.for_plugins(&session.catalog().plugins);
        let file = shown(lock.file());
        self.say("lock file", format!("{}: {}", file.display(), counted(lock.entries().count(), "plugin")));
        for entry in lock.entries() {
            let same = |plugin: &&Arc<Plugin>| {
                plugin.manifest.name == entry.name && plugin.manifest.version == entry.version
            };
            let Some(plugin) = session.catalog().plugins.iter().find(same) else {
                let title = format!("{}@{}", entry.name, entry.version);
                let missing = format!("`{title}` is in {} and nowhere else", file.display());
                self.problems
                    .push(Error::new(Code::UnknownPlugin, missing).hint("`caraway install` gets it"));
                continue;
            };
            let expected = entry.checksums(&file);
            let now = session.loader(plugin).and_then(|loader| plugin.checksums_now(&*loader, "", ""));
            let checked = now.and_then(|now| {
                now.iter().try_for_each(|(path, digest)| {
                    let place = caraway_loaders_core::Location::file(plugin.root.join(path));
                    expected.check_digest(path, digest).map_err(|error| error.at(place))
                })
            });
            self.problems.extend(checked.err());
        }
    }

    fn print(&self, context: &Context) -> Result<(), Error> {
        if context.options.json() {
            let lines = self.lines.iter().map(|(about, what)| json!({"about": about, "found": what}));
            return context.print_json(json!({
                "ok": self.problems.is_empty(),
                "findings": lines.collect::<Vec<_>>(),
                "problems": self.problems.iter().map(error_value).collect::<Vec<_>>(),
                "warnings": self.warnings.iter().map(error_value).collect::<Vec<_>>(),
            }));
        }
        if !context.options.quiet {
            let rows: Vec<Vec<String>> =
                self.lines.iter().map(|(about, what)| vec![(*about).to_owned(), what.clone()]).collect();
            context.print(&super::table::render(
                &["WHAT", "FOUND"],
                &rows,
                terminal::width(&std::io::stdout()),
            ))?;
            self.warnings.iter().for_each(|warning| context.reporter.report(Severity::Warning, warning));
        }
        self.problems.iter().for_each(|problem| context.reporter.report(Severity::Error, problem));
        Ok(())
    }
}
