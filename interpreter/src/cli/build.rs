//! `caraway build`.

use super::Context;
use super::list::summary;
use super::manifest_edit::Edit;
use super::options::Options;
use crate::build;
use crate::count::counted;
use crate::diagnostic::{Severity, error_value, one_line};
use crate::home::{folder_of, plugin_of};
use crate::inspection::loader_here;
use crate::session::Session;
use caraway_loaders_core::capability::Request;
use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::loader::{Description, Loader};
use caraway_loaders_core::manifest::Function;
use caraway_loaders_core::{Code, Error, Location};
use clap::Args;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Build plugins, and keep their manifests and their libraries together
#[derive(Debug, Args)]
#[command(after_help = "\
Runs the manifest's `build_cmd` in the plugin's folder and looks for the binary. A library says itself which \
functions and types it has: a manifest without `functions` gets them, another one must agree. With --write, \
functions are written where they differ; descriptions stay where the library has none, and so do types that it does \
not define.

A WebAssembly component is compiled too, and kept in the cache for whoever imports it; see --wasm-cache.

The library is opened without `--allow native`: `build_cmd` has run with all of your rights already.")]
pub(super) struct Build {
    /// A plugin's folder or its manifest
    #[arg(value_name = "DIR", default_value = ".")]
    plugins: Vec<PathBuf>,
    /// Write what the library says over what the manifest says of its functions and types
    #[arg(long, conflicts_with = "check")]
    write: bool,
    /// Write nothing: a manifest without `functions` is an error
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    pub(super) options: Options,
}

/// What became of a plugin.
struct Outcome {
    plugin: Arc<Plugin>,
    /// Whether a command ran.
    built: bool,
    /// The binary and its size in bytes; `None` for kinds that have none.
    binary: Option<(PathBuf, u64)>,
    /// What the binary offers.
    functions: Vec<Function>,
    manifest: State,
}

/// A manifest beside its binary.
enum State {
    /// It does not say which functions there are.
    Silent,
    /// It says what the binary says.
    Agrees,
    /// So many were written.
    Written { functions: usize, types: usize },
}

impl State {
    fn of(plugin: &Plugin) -> Self {
        if plugin.manifest.functions.is_some() { Self::Agrees } else { Self::Silent }
    }
}

impl Build {
    pub(super) fn execute(&self, context: &Context) -> Result<u8, Error> {
        // Whoever builds a plugin runs what its author wrote.
        let runtime = context.options.runtime().allow("native").build()?;
        let session = runtime.session_in(Path::new("."))?;
        let (mut plugins, mut problems) = (Vec::new(), Vec::new());
        for path in &self.plugins {
            match self.one(path, &session) {
                Ok(outcome) if context.options.json() => plugins.push(outcome.json()),
                Ok(outcome) if !context.options.quiet => {
                    context.print(&outcome.text(context.options.verbose))?
                }
                Ok(_) => {}
                Err(error) => {
                    if !context.options.json() {
                        context.reporter.report(Severity::Error, &error);
                    }
                    problems.push(error);
                }
            }
        }
        if context.options.json() {
            let ok = problems.is_empty();
            let problems: Vec<_> = problems.iter().map(error_value).collect();
            context.print_json(json!({"ok": ok, "plugins": plugins, "problems": problems}))?;
        }
        Ok(problems.first().map_or(0, |problem| problem.code().exit_code()))
    }

    fn one(&self, path: &Path, session: &Session) -> Result<Outcome, Error> {
        let folder = folder_of(path)?;
        let (plugin, loader) = ready(&folder, session)?;
        let command = plugin.manifest.implementation.build_cmd.as_deref();
        let built = command.is_some();
        let (plugin, loader) = match command {
            Some(command) => {
                let settings = session.settings();
                build::run(&plugin, command, &settings.output, settings.notes)?;
                // The command may have written the manifest.
                ready(&folder, session)?
            }
            None => (plugin, loader),
        };
        let Some(binary) = loader.binary(&plugin) else {
            let (functions, manifest) = (Vec::new(), State::Silent);
            return Ok(Outcome { plugin, built, binary: None, functions, manifest });
        };
        build::found(&plugin, &binary)?;
        let size = binary.metadata().map_err(|error| Error::io(&binary, "read", &error))?.len();
        let (functions, manifest) = match loader.describe(&plugin)? {
            None => (loader.inspect(&plugin)?, State::of(&plugin)),
            Some(described) => {
                let manifest = self.bring_together(&plugin, &*loader, &described, path)?;
                (described.functions, manifest)
            }
        };
        Ok(Outcome { plugin, built, binary: Some((binary, size)), functions, manifest })
    }

    /// Compares a manifest with what its library says, and writes it where that is wanted.
    fn bring_together(
        &self,
        plugin: &Plugin,
        loader: &dyn Loader,
        described: &Description,
        path: &Path,
    ) -> Result<State, Error> {
        let manifest = &plugin.manifest;
        let silent = manifest.functions.is_none();
        if silent && described.partial {
            // The library is the plugin's own.
            return loader.inspect(plugin).map(|_| State::Silent);
        }
        if silent && self.check {
            let count = counted(described.functions.len(), "function");
            let message = format!("the manifest does not list the {count} of its library");
            return Err(Error::new(Code::SignatureMismatch, message)
                .at(Location::file(manifest.file()))
                .hint(format!("`caraway build {}` writes them; keep what it writes", path.display())));
        }
        if !self.write {
            match loader.inspect(plugin) {
                Ok(_) if silent => {}
                Ok(_) => return Ok(State::Agrees),
                Err(error) if Edit::new(plugin, described).is_ok_and(|edit| edit.changes()) => {
                    let mend = format!("`caraway build --write {}` takes the library's", path.display());
                    let hint = error.hint_text().map(|hint| format!("{hint}; or {mend}")).unwrap_or(mend);
                    return Err(error.hint(hint));
                }
                Err(error) => return Err(error),
            }
        }
        let edit = Edit::new(plugin, described)?;
        let edited = edit.plugin()?;
        if let Some(error) = Error::from_many(loader.validate(&edited.manifest)) {
            return Err(error);
        }
        loader.inspect(&edited)?;
        if !edit.changes() {
            return Ok(State::Agrees);
        }
        edit.write()?;
        let listed = edited.manifest.functions.iter().flatten();
        let functions = listed.filter(|function| function.native || !described.partial).count();
        Ok(State::Written { functions, types: described.types.len() })
    }
}

/// The plugin of a folder, and its loader, which may open it.
fn ready(folder: &Path, session: &Session) -> Result<(Arc<Plugin>, Arc<dyn Loader>), Error> {
    let plugin = plugin_of(folder, &session.settings().loaders)?;
    let loader = loader_here(&plugin, session)?;
    if loader.trusted(&plugin.manifest) {
        let access = session.plugin_access(&plugin).check(&Request::Native);
        access.map_err(|refusal| refusal.at(plugin.manifest.locate("capabilities")))?;
    }
    Ok((plugin, loader))
}

impl Outcome {
    fn text(&self, verbose: bool) -> String {
        let plugin = &self.plugin;
        let Some((binary, size)) = &self.binary else {
            return match self.built {
                true => format!("built {}\n", plugin.id()),
                false => format!("{}: nothing to build\n", plugin.id()),
            };
        };
        let verb = if self.built { "built" } else { "checked" };
        let file = binary.file_name().unwrap_or_default().to_string_lossy();
        let functions = counted(self.functions.len(), "function");
        let mut text =
            format!("{verb} {} ({}, {}, {functions})\n", plugin.id(), one_line(&file), bytes(*size));
        if verbose {
            self.functions.iter().for_each(|signature| text.push_str(&format!("  {signature}\n")));
        }
        let manifest = one_line(&manifest_of(plugin));
        let _ = match self.manifest {
            State::Silent => Ok(()),
            State::Agrees => writeln!(text, "{manifest} agrees"),
            State::Written { functions, types: 0 } => {
                writeln!(text, "wrote {} to {manifest}", counted(functions, "function"))
            }
            State::Written { functions, types } => {
                let (functions, types) = (counted(functions, "function"), counted(types, "type"));
                writeln!(text, "wrote {functions} and {types} to {manifest}")
            }
        };
        text
    }

    fn json(&self) -> Value {
        let mut entry = summary(&self.plugin);
        entry["built"] = json!(self.built);
        entry["binary"] = json!(self.binary.as_ref().map(|(path, _)| path.to_string_lossy()));
        entry["size_bytes"] = json!(self.binary.as_ref().map(|(_, size)| size));
        let functions: Vec<String> = self.functions.iter().map(Function::to_string).collect();
        entry["functions"] = json!(self.binary.as_ref().map(|_| functions));
        entry["manifest"] = json!(match self.manifest {
            State::Silent => None,
            State::Agrees => Some("agrees"),
            State::Written { .. } => Some("written"),
        });
        entry
    }
}

/// The manifest's file as a user would name it.
fn manifest_of(plugin: &Plugin) -> String {
    let file = plugin.manifest.file();
    file.strip_prefix(".").unwrap_or(file).to_string_lossy().into_owned()
}

/// A size for people.
fn bytes(size: u64) -> String {
    match size {
        0..1_000 => format!("{size} bytes"),
        1_000..1_000_000 => format!("{} KB", size / 1_000),
        _ => format!("{}.{} MB", size / 1_000_000, size / 100_000 % 10),
    }
}
