//! A program that has been read and planned.

use crate::count::counted;
use crate::runtime::Settings;
use crate::session::Session;
use crate::stack::with_large_stack;
use caraway_loaders_core::bind::conform::{self, Functions};
use caraway_loaders_core::bind::{Imported, explain, imports_of};
use caraway_loaders_core::budget::{self, Meter};
use caraway_loaders_core::resolve::{Requester, Requirement, parse_import};
use caraway_loaders_core::{Code, Error, Location, Type};
use caraway_loaders_script::{ImportResolver, engine, is_file, parse_file, parse_text};
use rhai::{AST, Dynamic, Engine, EvalAltResult, Module, NativeCallContext, Position, Scope, Shared};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A program that has been read and whose imports have been planned; nothing has run yet.
///
/// ```
/// # let runtime = caraway::Runtime::builder().build()?;
/// let program = runtime.load_source("sum.rhai", "fn sum(a, b) { a + b } print(\"loaded\");")?;
/// let outcome = program.call("sum", &[], vec![1_i64.into(), 2_i64.into()])?;
/// assert_eq!(outcome.value.as_int(), Ok(3));
/// # Ok::<(), caraway::Error>(())
/// ```
pub struct Program {
    session: Arc<Session>,
    ast: AST,
    name: String,
    folder: std::path::PathBuf,
    aliases: HashMap<String, String>,
}

/// What one run of a program has beside the program's own.
#[derive(Default)]
pub(crate) struct Execution {
    /// Wall time, if it is less than that of the program's limits.
    pub(crate) timeout: Option<Duration>,
    /// Functions of the host.
    pub(crate) functions: Option<Shared<Module>>,
}

/// How a program ended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Outcome {
    /// The value of the program, or of the function that was called; `()` if it has none or called `exit`.
    pub value: Dynamic,
    /// What the program gave to `exit`, if it did.
    pub exit_code: Option<u8>,
}

/// Where `exit` leaves its code.
pub(crate) type ExitCode = Arc<Mutex<Option<u8>>>;

impl Program {
    pub(crate) fn from_file(settings: &Arc<Settings>, file: &Path) -> Result<Self, Error> {
        let folder = folder_of(file);
        let session = Session::open(settings, folder)?;
        let ast = parse_file(&engine::parser(&session.limits()), file)?;
        Self::plan(session, ast, &file.to_string_lossy(), folder)
    }

    /// Plans for a program without loading any plugin, and gives what asks for plugins.
    #[cfg(feature = "cli")]
    pub(crate) fn plan_only(
        settings: &Arc<Settings>,
        file: &Path,
    ) -> Result<(Arc<Session>, Vec<Requirement>), Error> {
        let session = Session::open(settings, folder_of(file))?;
        let ast = parse_file(&engine::parser(&session.limits()), file)?;
        let requirements = session.plan_for(requirements(&imports_of(&ast), &file.to_string_lossy())?)?;
        Ok((session, requirements))
    }

    pub(crate) fn from_source(
        settings: &Arc<Settings>,
        name: &str,
        text: &str,
        folder: &Path,
    ) -> Result<Self, Error> {
        Self::in_session(Session::open(settings, folder)?, name, text, folder)
    }

    /// Plans for a script that has been parsed.
    pub(crate) fn plan(session: Arc<Session>, ast: AST, name: &str, folder: &Path) -> Result<Self, Error> {
        let imports = imports_of(&ast);
        session.require(requirements(&imports, name)?).map_err(|error| session.shown(error))?;
        let aliases = imports.into_iter().map(|import| (import.alias, import.path)).collect();
        Ok(Self { session, ast, name: name.to_owned(), folder: folder.to_owned(), aliases })
    }

    /// Its configuration and the plugins that it can see.
    #[cfg(feature = "cli")]
    pub(crate) fn session(&self) -> &Session {
        &self.session
    }

    /// Runs the program from the top. It sees `args` as the constant `ARGS`.
    ///
    /// # Errors
    ///
    /// What the program throws, what its plugins fail with, its limits.
    pub fn run(&self, args: &[String]) -> Result<Outcome, Error> {
        self.run_with(args, Execution::default())
    }

    /// The same with what only this run has.
    pub(crate) fn run_with(&self, args: &[String], execution: Execution) -> Result<Outcome, Error> {
        self.execute(args, execution, |engine, scope, ast| engine.eval_ast_with_scope::<Dynamic>(scope, ast))
    }

    /// Runs the program from the top, then calls one of its functions and gives its result.
    ///
    /// # Errors
    ///
    /// As [`run`](Program::run), and [`Code::UnknownFunction`] if the program has no such function.
    pub fn call(&self, function: &str, args: &[String], values: Vec<Dynamic>) -> Result<Outcome, Error> {
        self.call_with(Execution::default(), function, args, values)
    }

    /// The same with what only this run has.
    pub(crate) fn call_with(
        &self,
        execution: Execution,
        function: &str,
        args: &[String],
        values: Vec<Dynamic>,
    ) -> Result<Outcome, Error> {
        self.has_function(function, values.len())?;
        self.execute(args, execution, |engine, scope, ast| {
            engine.call_fn::<Dynamic>(scope, ast, function, values)
        })
    }

    /// The error of the program's engine as one that names plugins, signatures and places.
    pub(crate) fn explainer(&self) -> impl Fn(&EvalAltResult) -> Error + Send + Sync + 'static {
        let (session, name, aliases) = (self.session.clone(), self.name.clone(), self.aliases.clone());
        move |error| {
            let error = explain(error, &name, &|alias| {
                let path = aliases.get(alias).filter(|path| !is_file(path))?;
                session.view().import(path).ok()
            });
            session.shown(error).leaving()
        }
    }

    fn has_function(&self, name: &str, count: usize) -> Result<(), Error> {
        let mut same: Vec<String> = Vec::new();
        for function in self.ast.iter_functions() {
            if function.name == name && function.params.len() == count {
                return Ok(());
            }
            if function.name == name {
                same.push(function.to_string());
            }
        }
        let here = Location::file(&self.name);
        if let Some(function) = same.first() {
            let wrong = format!("`{name}` does not take {}", counted(count, "argument"));
            return Err(Error::new(Code::UnknownFunction, wrong)
                .at(here)
                .hint(format!("it is `fn {function}`")));
        }
        let error =
            Error::new(Code::UnknownFunction, format!("the program has no function `{name}`")).at(here);
        let names: Vec<&str> =
            self.ast.iter_functions().map(|f| f.name).filter(|name| !name.starts_with("anon$")).collect();
        Err(match caraway_loaders_core::bind::suggest(name, names.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None if names.is_empty() => error.hint("it defines no functions"),
            None => error.hint(format!("it has: {}", names.join(", "))),
        })
    }

    fn execute(
        &self,
        args: &[String],
        execution: Execution,
        work: impl FnOnce(&Engine, &mut Scope, &AST) -> Result<Dynamic, Box<EvalAltResult>> + Send,
    ) -> Result<Outcome, Error> {
        let exit = ExitCode::default();
        let mut engine = engine_for(&self.session, &self.folder, args, &exit);
        if let Some(functions) = execution.functions {
            engine.register_global_module(functions);
        }
        let mut limits = self.session.limits();
        limits.timeout = limits.timeout.into_iter().chain(execution.timeout).min();
        let meter = Meter::program(&limits, self.session.settings().cancel.clone());
        with_large_stack(|| {
            let _frame = meter.enter()?;
            let outcome = work(&engine, &mut Scope::new(), &self.ast);
            let outcome = outcome.and_then(|value| {
                budget::check().map_err(|expiry| expiry.terminate(Position::NONE))?;
                Ok(value)
            });
            let code = *exit.lock().unwrap_or_else(PoisonError::into_inner);
            if code.is_some() && outcome.is_ok() {
                return Ok(Outcome { value: Dynamic::UNIT, exit_code: code });
            }
            let value = outcome.map_err(|error| self.explainer()(&error))?;
            // What leaves this thread is dropped on a smaller stack.
            let value = conform::conform(&Type::Any, value, Functions::Refuse)
                .map_err(|error| error.said_of("the value of the program"))?;
            Ok(Outcome { value, exit_code: None })
        })
    }

    /// Calls a function of a plugin as a program of its own would.
    pub(crate) fn call_plugin(
        settings: &Arc<Settings>,
        plugin: &str,
        function: &str,
        args: Vec<Dynamic>,
    ) -> Result<Dynamic, Error> {
        let session = Session::open(settings, &settings.folder)?;
        let program = Self::forwarding(session, plugin, function, args.len(), &settings.folder)?;
        program.call(FORWARD, &[], args).map(|outcome| outcome.value)
    }

    /// A program of one function, [`FORWARD`], which calls one of a plugin with this many arguments.
    pub(crate) fn forwarding(
        session: Arc<Session>,
        plugin: &str,
        function: &str,
        count: usize,
        folder: &Path,
    ) -> Result<Self, Error> {
        if function.split("::").any(|part| !rhai::is_valid_function_name(part)) {
            return Err(Error::new(
                Code::UnknownFunction,
                format!("`{plugin}` has no function `{function}`"),
            ));
        }
        let names: Vec<String> = (0..count).map(|index| format!("a{index}")).collect();
        let names = names.join(", ");
        let text =
            format!("import {plugin:?} as plugin;\nfn {FORWARD}({names}) {{ plugin::{function}({names}) }}");
        Self::in_session(session, FORWARDER, &text, folder)
    }

    /// A program in a session that is there already.
    pub(crate) fn in_session(
        session: Arc<Session>,
        name: &str,
        text: &str,
        folder: &Path,
    ) -> Result<Self, Error> {
        let ast = parse_text(&engine::parser(&session.limits()), text, name)?;
        Self::plan(session, ast, name, folder)
    }
}

/// The name of the function of a [forwarding](Program::forwarding) program.
pub(crate) const FORWARD: &str = "forward";

/// The name of a [forwarding](Program::forwarding) program in messages.
pub(crate) const FORWARDER: &str = "call";

/// An engine for the program's own code: what it imports is looked for in `folder` and asked of the session.
pub(crate) fn engine_for(session: &Arc<Session>, folder: &Path, args: &[String], exit: &ExitCode) -> Engine {
    let mut engine = engine::engine(&session.limits(), &session.settings().standard);
    engine::print_to(&mut engine, session.settings().output.clone(), session.access().clone());
    let resolver = ImportResolver::new(folder.to_owned(), session.view());
    engine.set_module_resolver(resolver.limited(session.limits()));
    let args: rhai::Array = args.iter().map(|arg| Dynamic::from(arg.clone())).collect();
    engine::constant(&mut engine, "ARGS", args.into());
    let stored = exit.clone();
    engine.register_fn("exit", move |context: NativeCallContext| exit_with(&stored, 0, &context));
    let stored = exit.clone();
    engine
        .register_fn("exit", move |context: NativeCallContext, code: i64| exit_with(&stored, code, &context));
    let refused = |context: NativeCallContext, code: Dynamic| -> Result<(), Box<EvalAltResult>> {
        let (found, position) = (conform::type_name(&code), context.call_position());
        Err(Error::new(Code::ScriptFailed, format!("`exit` takes a code from 0 to 255, not {found}"))
            .at(Location::of_position(context.call_source(), position))
            .raise(position))
    };
    engine.register_fn("exit", refused);
    engine
}

fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// What a program asks for at its top level.
pub(crate) fn requirements(imports: &[Imported], name: &str) -> Result<Vec<Requirement>, Error> {
    let top_level = imports.iter().filter(|import| import.top_level && !is_file(&import.path));
    let requirement = |import: &Imported| {
        let location = Location::of_position(Some(name), import.position);
        let (path, range) = parse_import(&import.path).map_err(|error| error.at(location.clone()))?;
        Ok(Requirement { path, range, from: Requester::Program { location } })
    };
    top_level.map(requirement).collect()
}

fn exit_with(stored: &ExitCode, code: i64, context: &NativeCallContext) -> Result<(), Box<EvalAltResult>> {
    let position = context.call_position();
    let Ok(code) = u8::try_from(code) else {
        return Err(Error::new(Code::ScriptFailed, format!("`exit` takes a code from 0 to 255, not {code}"))
            .at(Location::of_position(context.call_source(), position))
            .raise(position));
    };
    *stored.lock().unwrap_or_else(PoisonError::into_inner) = Some(code);
    Err(Box::new(EvalAltResult::Exit(Dynamic::UNIT, position)))
}
