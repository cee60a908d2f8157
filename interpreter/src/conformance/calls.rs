//! Calls of a plugin's functions with any values.

use super::promise::Promise;
use super::values::ordinary;
use crate::program::{Execution, FORWARD, FORWARDER, Program};
use crate::session::Session;
use crate::test::{Stopped, run_until, shown};
use caraway_loaders_core::bind::Bound;
use caraway_loaders_core::{Code, Error, Signature, Type};
use rhai::{Dynamic, Map};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a call may take: many are made, and functions that wait take all of it.
const TIMEOUT: Duration = Duration::from_millis(250);

/// How long the plugin may take to be loaded.
const LOADING: Duration = Duration::from_secs(60);

/// How many handles are made to make a handle.
const MAX_DEPTH: usize = 3;

/// A loaded plugin, and how its functions are called: by a script, as always.
pub(super) struct Calls {
    session: Arc<Session>,
    folder: PathBuf,
    import: String,
    pub(super) bound: Arc<Bound>,
    count: AtomicUsize,
    check: Mutex<Promise>,
    tell: Tell,
    programs: Mutex<BTreeMap<String, Arc<Program>>>,
}

/// Hears of calls before they are made: the check that they are for, and the call.
pub(super) type Tell = Arc<dyn Fn(&str, &str) + Send + Sync>;

/// What came of a call.
pub(super) type Answer = Result<Dynamic, Stopped>;

impl Calls {
    /// Loads the plugin in a session, for a check.
    pub(super) fn load(
        session: Arc<Session>,
        import: &str,
        folder: &Path,
        check: Promise,
        tell: Tell,
    ) -> Result<Self, Stopped> {
        tell(check.name(), &format!("import {import:?}"));
        let (loading, text) = (session.clone(), format!("import {import:?} as plugin;"));
        let inside = folder.to_owned();
        let loaded = run_until(Instant::now() + LOADING, move || {
            let program = Program::in_session(loading, FORWARDER, &text, &inside)?;
            program.run_with(&[], Execution { timeout: Some(LOADING), ..Execution::default() })?;
            Ok(Dynamic::UNIT)
        });
        loaded.map(drop)?;
        let bound = session.view().import(import).map_err(Stopped::Failed)?;
        Ok(Self {
            session,
            folder: folder.to_owned(),
            import: import.to_owned(),
            bound,
            count: AtomicUsize::default(),
            check: Mutex::new(check),
            tell,
            programs: Mutex::default(),
        })
    }

    /// The calls that follow are for this check.
    pub(super) fn begin(&self, check: Promise) {
        *self.check.lock().unwrap_or_else(PoisonError::into_inner) = check;
    }

    /// How many calls were made.
    pub(super) fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Calls a function with these arguments. Those that are `None` are a function of the script, of the parameter's type.
    pub(super) fn call(&self, signature: &Signature, args: Vec<Option<Dynamic>>) -> Answer {
        self.count.fetch_add(1, Ordering::Relaxed);
        let check = *self.check.lock().unwrap_or_else(PoisonError::into_inner);
        (self.tell)(check.name(), called(signature, &args, "").trim_end());
        let mut names = Vec::new();
        let mut passed = Vec::new();
        let mut values = Vec::new();
        for (index, arg) in args.into_iter().enumerate() {
            match arg {
                Some(value) => {
                    names.push(format!("a{index}"));
                    passed.push(format!("a{index}"));
                    values.push(value);
                }
                None => passed.push(callback(signature.params.get(index).map(|param| &param.ty))),
            }
        }
        let text = format!(
            "import {:?} as plugin;\nfn {FORWARD}({}) {{ plugin::{}({}) }}",
            self.import,
            names.join(", "),
            signature.name,
            passed.join(", ")
        );
        let program = self.program(text).map_err(Stopped::Failed)?;
        run_until(Instant::now() + TIMEOUT, move || {
            let execution = Execution { timeout: Some(TIMEOUT), ..Execution::default() };
            program.call_with(execution, FORWARD, &[], values).map(|outcome| outcome.value)
        })
    }

    fn program(&self, text: String) -> Result<Arc<Program>, Error> {
        let mut programs = self.programs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(program) = programs.get(&text) {
            return Ok(program.clone());
        }
        let program = Arc::new(Program::in_session(self.session.clone(), FORWARDER, &text, &self.folder)?);
        programs.insert(text, program.clone());
        Ok(program)
    }

    /// Ordinary arguments of a function, with new handles; `None` if one of them cannot be had.
    pub(super) fn ordinary(&self, signature: &Signature) -> Option<Vec<Option<Dynamic>>> {
        self.ordinary_at(signature, 0)
    }

    fn ordinary_at(&self, signature: &Signature, depth: usize) -> Option<Vec<Option<Dynamic>>> {
        let argument = |ty: &Type| match ty {
            Type::Fn(..) => Some(None),
            Type::Handle(_) => self.handle(ty, depth).map(Some),
            ty => ordinary(ty).map(Some),
        };
        signature.params.iter().map(|param| argument(&param.ty)).collect()
    }

    /// A new handle, from a function that makes one of ordinary values.
    fn handle(&self, ty: &Type, depth: usize) -> Option<Dynamic> {
        if depth >= MAX_DEPTH {
            return None;
        }
        let makers = self.bound.signatures.iter().filter(|signature| signature.returns == *ty);
        makers.into_iter().find_map(|signature| {
            let args = self.ordinary_at(signature, depth + 1)?;
            self.call(signature, args).ok()
        })
    }
}

/// A function of a script of this type, which gives back something ordinary.
fn callback(ty: Option<&Type>) -> String {
    let Some(Type::Fn(params, returns)) = ty else { return "|| ()".to_owned() };
    let names: Vec<String> = (0..params.len()).map(|index| format!("p{index}")).collect();
    let value = ordinary(returns).unwrap_or(Dynamic::UNIT);
    format!("|{}| {}", names.join(", "), literal(&value))
}

/// An ordinary value as a script writes it.
fn literal(value: &Dynamic) -> String {
    if let Some(map) = value.read_lock::<Map>() {
        let entries: Vec<String> =
            map.iter().map(|(key, item)| format!("{:?}: {}", key.as_str(), literal(item))).collect();
        return format!("#{{{}}}", entries.join(", "));
    }
    format!("{value:?}")
}

/// What is wrong with an answer, whatever was asked; `None` if it is a value or an error as there should be.
pub(super) fn fault(answer: &Answer) -> Option<String> {
    match answer {
        Ok(_) | Err(Stopped::TimedOut(_)) => None,
        Err(Stopped::Stuck) => Some("does not stop when its time is up".to_owned()),
        Err(Stopped::Failed(error)) if matches!(error.code(), Code::PluginCrashed | Code::Internal) => {
            Some(format!("crashes: {} {}", error.code(), error.message()))
        }
        Err(Stopped::Failed(_)) => None,
    }
}

/// The code of what an answer failed with.
pub(super) fn code(answer: &Answer) -> Option<Code> {
    match answer {
        Ok(_) => None,
        Err(Stopped::Failed(error) | Stopped::TimedOut(error)) => Some(error.code()),
        Err(Stopped::Stuck) => Some(Code::Deadline),
    }
}

/// A call with what came of it.
pub(super) fn called(signature: &Signature, args: &[Option<Dynamic>], what: &str) -> String {
    let args: Vec<String> = args
        .iter()
        .map(|arg| arg.as_ref().map_or("a function".to_owned(), |arg| shortened(&shown(arg))))
        .collect();
    format!("{}({}) {what}", signature.name, args.join(", "))
}

/// The beginning of a text.
pub(super) fn shortened(text: &str) -> String {
    const MAX: usize = 60;
    match text.char_indices().nth(MAX) {
        Some((end, _)) => format!("{} ...", &text[..end]),
        None => text.to_owned(),
    }
}
