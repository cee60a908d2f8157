//! Where tests run: a session, and what is printed in it.

use super::fitted::fitted;
use super::watched::{Watched, watched};
use crate::program::{Execution, FORWARD, FORWARDER, Program};
use crate::runtime::Runtime;
use crate::session::Session;
use caraway_loaders_core::bind::Bound;
use caraway_loaders_core::output::Output;
use caraway_loaders_core::resolve::parse_import;
use caraway_loaders_core::{Code, Error};
use rhai::Dynamic;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The lines that were printed and not taken yet.
pub(super) type Lines = Arc<Mutex<Vec<String>>>;

/// Most lines that are kept of one test.
const MAX_LINES: usize = 10_000;

/// A session for tests, with programs that call functions of plugins.
pub(super) struct Bench {
    session: Arc<Session>,
    folder: PathBuf,
    lines: Lines,
    programs: Programs,
    loaded: Loaded,
}

/// What was loaded, by the import.
type Loaded = Arc<Mutex<HashMap<String, Arc<Bound>>>>;

/// The forwarding programs, by plugin, function and number of arguments.
type Programs = Arc<Mutex<HashMap<(String, String, usize), Arc<Program>>>>;

/// Why there is no value.
#[derive(Debug, Clone)]
pub(crate) enum Stopped {
    Failed(Error),
    /// The time of the test is up.
    TimedOut(Error),
    /// The time is up, and it goes on: native code.
    Stuck,
}

impl Bench {
    /// A new session for a test file in `folder`. Without `capture`, what is printed goes where the runtime prints to.
    pub(super) fn open(runtime: &Runtime, folder: &Path, capture: bool) -> Result<Self, Error> {
        let lines = Lines::default();
        let runtime = if capture {
            let kept = lines.clone();
            let output = Output::new(move |_, line| {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                if kept.len() < MAX_LINES {
                    kept.push(line.to_owned());
                }
            });
            runtime.with(|settings| settings.output = output)
        } else {
            runtime.clone()
        };
        let session = Session::open(runtime.settings(), folder)?;
        Ok(Self {
            session,
            folder: folder.to_owned(),
            lines,
            programs: Programs::default(),
            loaded: Loaded::default(),
        })
    }

    pub(super) fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// Takes what was printed.
    pub(super) fn take_lines(&self) -> Vec<String> {
        std::mem::take(&mut *self.lines.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Calls a function of a plugin as a program would.
    pub(super) fn call(
        &self,
        plugin: &str,
        function: &str,
        args: Vec<Dynamic>,
        deadline: Instant,
    ) -> Result<Dynamic, Stopped> {
        let (session, folder, programs) = (self.session.clone(), self.folder.clone(), self.programs.clone());
        let (plugin, function, loaded) = (plugin.to_owned(), function.to_owned(), self.loaded.clone());
        run_until(deadline, move || {
            let known = loaded.lock().unwrap_or_else(PoisonError::into_inner).get(&plugin).cloned();
            let bound = match known {
                Some(bound) => bound,
                None => {
                    let bound = bound(&session, &plugin, &folder, deadline)?;
                    loaded
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .insert(plugin.clone(), bound.clone());
                    bound
                }
            };
            let function = name_in(&bound, &session, &plugin, &function);
            let args = fitted(&bound, &function, args);
            let key = (plugin.clone(), function.clone(), args.len());
            let known = programs.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
            let program = match known {
                Some(program) => program,
                None => {
                    let program =
                        Arc::new(Program::forwarding(session, &plugin, &function, args.len(), &folder)?);
                    programs.lock().unwrap_or_else(PoisonError::into_inner).insert(key, program.clone());
                    program
                }
            };
            let execution = Execution { timeout: Some(left(deadline)), ..Execution::default() };
            program.call_with(execution, FORWARD, &[], args).map(|outcome| outcome.value)
        })
    }
}

/// Does something that keeps to a deadline, but for native code.
pub(crate) fn run_until(
    deadline: Instant,
    work: impl FnOnce() -> Result<Dynamic, Error> + Send + 'static,
) -> Result<Dynamic, Stopped> {
    let limit = left(deadline);
    if limit.is_zero() {
        return Err(Stopped::TimedOut(Error::new(Code::Deadline, "there was no time left for it")));
    }
    match watched(limit, work) {
        Ok(Watched::Done(Ok(value))) => Ok(value),
        Ok(Watched::Done(Err(error))) if error.code() == Code::Deadline && left(deadline).is_zero() => {
            Err(Stopped::TimedOut(error))
        }
        Ok(Watched::Done(Err(error))) | Err(error) => Err(Stopped::Failed(error)),
        Ok(Watched::Stuck) => Err(Stopped::Stuck),
    }
}

fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

/// The plugin, loaded under the limits of a program.
fn bound(
    session: &Arc<Session>,
    plugin: &str,
    folder: &Path,
    deadline: Instant,
) -> Result<Arc<Bound>, Error> {
    parse_import(plugin)?;
    let program =
        Program::in_session(session.clone(), FORWARDER, &format!("import {plugin:?} as plugin;"), folder)?;
    program.run_with(&[], Execution { timeout: Some(left(deadline)), ..Execution::default() })?;
    session.view().import(plugin)
}

/// The name of a function in its plugin, which test files may write with the plugin's.
fn name_in(bound: &Bound, session: &Session, plugin: &str, written: &str) -> String {
    let has = |name: &str| bound.signatures.iter().any(|signature| signature.name == name);
    let plain = written.replace('.', "::");
    let plain = plain.trim_end_matches("()");
    if has(plain) {
        return plain.to_owned();
    }
    let Some((first, rest)) = plain.rsplit_once("::").and_then(|_| plain.split_once("::")) else {
        return plain.to_owned();
    };
    let name = plugin.split('@').next().unwrap_or(plugin);
    let module = session.catalog().plugins.iter().find(|other| other.manifest.name == bound.name);
    let module = module.map_or(name, |plugin| plugin.manifest.module.as_str());
    let short = name.rsplit('/').next().unwrap_or(name);
    // `std/json::parse` is as good as `json::parse`.
    let is_plugin = [name, &bound.name, module, short, "plugin"].contains(&first);
    if is_plugin { rest.to_owned() } else { plain.to_owned() }
}
