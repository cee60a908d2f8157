//! A script whose top level has been run.

use crate::compile::Compiler;
use crate::tier::{Left, Slot, Tier};
use caraway_loaders_core::bind::conform::Functions;
use caraway_loaders_core::bind::{
    Bound, CallError, CallResult, Callbacks, conform, explain, imports_of, leaving,
};
use caraway_loaders_core::budget::{Expiry, Frame, Meter};
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::loader::Imports;
use caraway_loaders_core::manifest::Function;
use caraway_loaders_core::observe;
use caraway_loaders_core::{Code, Error, Location, Signature, Type};
use rhai::{
    AST, ASTNode, Caches, Dynamic, Engine, EvalAltResult, EvalContext, FnAccess, GlobalRuntimeState,
    NativeCallContext, Position, Scope, Stmt,
};
use std::collections::HashMap;
use std::mem::take;
use std::sync::{Arc, Mutex};

/// The level of a function that is called from outside, as Rhai counts them there.
const FIRST_LEVEL: usize = 2;

/// A compiled script of a plugin, with the engine that it runs on.
///
/// The top level is run once, when the instance is made. What it leaves, its imports and constants, is kept and
/// given to each call, as Rhai itself does for the functions of an imported module; so `num::rem(a, b)` and
/// `global::K` mean what they mean there, and cost the same.
pub struct Instance {
    engine: Engine,
    /// What the top level left: its functions, its imports and its constants.
    global: GlobalRuntimeState,
    /// A state for calls to use in turn. A call that comes while another has it makes one of its own.
    state: Mutex<State>,
    /// The plugin's name.
    plugin: String,
    source: String,
    aliases: HashMap<String, String>,
    imports: Arc<dyn Imports>,
    meter: Meter,
    exports: Vec<(String, Dynamic)>,
    /// What can be compiled of it.
    tier: Option<Tier>,
}

/// A function of an [`Instance`], ready to be called.
pub struct Entry {
    name: String,
    /// The types, and the name that messages use.
    signature: Signature,
    slot: Option<Slot>,
}

/// What a call changes and leaves as it was, unless it fails.
struct State {
    global: GlobalRuntimeState,
    /// Which functions the script's calls resolved to.
    caches: Caches,
    /// Empty between calls; kept for the room that it has.
    scope: Scope<'static>,
    /// Whether what was compiled takes the place of functions in it.
    is_risen: bool,
}

impl Instance {
    /// Runs the top level of `ast`, the script of `plugin`, on `engine`, under `meter`.
    ///
    /// # Errors
    ///
    /// What the top level throws, with its place in the plugin.
    pub fn new(
        plugin: &str,
        engine: Engine,
        ast: &AST,
        imports: Arc<dyn Imports>,
        meter: Meter,
    ) -> Result<Self, Error> {
        let source = ast.source().unwrap_or_default().to_owned();
        let aliases: HashMap<_, _> = imports_of(ast).into_iter().map(|i| (i.alias, i.path)).collect();
        let mut scope = Scope::new();
        let mut global = engine.new_global_runtime_state();
        global.source = Some(source.as_str().into());
        global.lib.push(ast.shared_lib().clone());
        global.embedded_module_resolver = None;
        let outcome = {
            let _frame = meter.enter()?;
            #[allow(deprecated)] // The only way to keep what the top level imported; the version is pinned.
            let outcome =
                engine.eval_statements_raw(&mut global, &mut Caches::new(), &mut scope, ast.statements());
            outcome.map(drop).map_err(|error| match *error {
                EvalAltResult::Return(_, position) | EvalAltResult::Exit(_, position) => {
                    Error::new(Code::PluginFailed, "the top level of a plugin cannot return or exit")
                        .at(Location::of_position(Some(&source), position))
                }
                _ => explain(&error, &source, &|alias| imports.import(aliases.get(alias)?).ok())
                    .as_failure_of_plugin(),
            })
        };
        outcome?;
        let exports = exported(ast)
            .into_iter()
            .filter_map(|(name, alias)| Some((alias, scope.get(&name)?.flatten_clone())))
            .collect();
        let state =
            State { global: global.clone(), caches: Caches::new(), scope: Scope::new(), is_risen: false };
        Ok(Self {
            plugin: plugin.to_owned(),
            engine,
            global,
            state: Mutex::new(state),
            source,
            aliases,
            imports,
            meter,
            exports,
            tier: None,
        })
    }

    /// The same with those of its functions compiled that `compiler` takes and that are worth it. `ast` is what the
    /// instance was made of, `limits` those of its engine.
    #[must_use]
    pub fn compiled_by(
        mut self,
        compiler: &Arc<dyn Compiler>,
        ast: &AST,
        limits: Limits,
        functions: &[Function],
    ) -> Self {
        // What is compiled has Rhai's own operators in it.
        if self.engine.fast_operators() {
            self.tier = Tier::new(compiler, ast, limits, functions.iter().map(|f| &f.signature));
        }
        self
    }

    /// The public functions of a script, each parameter and result `any`.
    pub fn public_functions(ast: &AST) -> Vec<Function> {
        let mut functions: Vec<Function> = ast
            .iter_functions()
            .filter(|f| f.access == FnAccess::Public && f.this_type.is_none() && !f.name.starts_with("anon$"))
            .map(|f| {
                let signature = Signature::new(f.name, f.params.iter().map(|p| (*p, Type::Any)), Type::Any);
                Function::documented(signature, &doc_text(&f.comments))
            })
            .collect();
        functions.sort_by_key(|f| (f.signature.name.clone(), f.signature.params.len()));
        functions
    }

    /// The variables that the top level exported.
    pub fn exports(&self) -> &[(String, Dynamic)] {
        &self.exports
    }

    /// Prepares the calls of a function of this name and these types.
    pub fn entry(&self, signature: &Signature) -> Entry {
        let shown = format!("{}::{}", self.plugin, signature.name);
        let slot = self.tier.as_ref().map(|tier| tier.slot(signature));
        Entry {
            name: signature.name.clone(),
            signature: Signature { name: shown, ..signature.clone() },
            slot,
        }
    }

    fn fresh(&self) -> State {
        let risen = self.tier.as_ref().and_then(Tier::global);
        let global = risen.unwrap_or(&self.global).clone();
        State { global, caches: Caches::new(), scope: Scope::new(), is_risen: risen.is_some() }
    }

    /// Calls a function by name, on the kept state if no other call has it.
    fn run(&self, name: &str, args: &mut [&mut Dynamic]) -> Result<Dynamic, Box<EvalAltResult>> {
        let mut run = |state: &mut State| {
            // Each call counts for itself.
            state.global.num_operations = 0;
            state.global.num_modules_loaded = 0;
            state.global.always_search_scope = false;
            EvalContext::new(&self.engine, &mut state.global, &mut state.caches, &mut state.scope, None)
                .call_fn_raw(name, false, false, args)
        };
        match self.state.try_lock() {
            Ok(mut state) => {
                if !state.is_risen && self.tier.as_ref().is_some_and(|tier| tier.global().is_some()) {
                    *state = self.fresh();
                }
                let result = run(&mut state);
                if result.is_err() {
                    *state = self.fresh();
                }
                result
            }
            Err(_) => run(&mut self.fresh()),
        }
    }

    /// Calls a function, as it was compiled or by name.
    #[inline]
    fn invoke(&self, entry: &Entry, args: &mut [&mut Dynamic]) -> Result<Dynamic, Box<EvalAltResult>> {
        let import = |alias: &str| self.imported(alias);
        let left = Left { engine: &self.engine, global: &self.global, import: &import };
        if let (Some(slot), Some(tier)) = (&entry.slot, &self.tier)
            && let Some(compiled) = slot.compiled(tier, &left)
            && let Some(outcome) = compiled.call(args, FIRST_LEVEL)
        {
            return outcome;
        }
        self.run(&entry.name, args)
    }

    /// What the top level imported by this name.
    fn imported(&self, alias: &str) -> Option<Arc<Bound>> {
        self.global.find_import(alias)?;
        self.module(alias)
    }

    /// Calls a function, with the arguments that [`Binder`](caraway_loaders_core::bind::Binder) promises.
    ///
    /// # Errors
    ///
    /// What the function throws, its limits, and a result of another type than declared.
    pub fn call(&self, entry: &Entry, context: &NativeCallContext, args: &mut [&mut Dynamic]) -> CallResult {
        // Argument 0 may be the caller's variable; the others are copies already. They live in arrays of
        // their number, so that nothing is allocated for a call.
        match args {
            [] => self.call_with(entry, context, []),
            [a] => self.call_with(entry, context, [a.clone()]),
            [a, b] => self.call_with(entry, context, [a.clone(), take(b)]),
            [a, b, c] => self.call_with(entry, context, [a.clone(), take(b), take(c)]),
            [a, b, c, d] => self.call_with(entry, context, [a.clone(), take(b), take(c), take(d)]),
            [a, rest @ ..] => {
                let rest = rest.iter_mut().map(|arg| take(&mut **arg));
                self.call_with(entry, context, std::iter::once(a.clone()).chain(rest).collect::<Vec<_>>())
            }
        }
    }

    fn call_with(
        &self,
        entry: &Entry,
        context: &NativeCallContext,
        mut values: impl AsMut<[Dynamic]>,
    ) -> CallResult {
        let frame = self.meter.enter()?;
        let values = values.as_mut();
        let result = Callbacks::scope(context, &entry.signature, |callbacks| {
            for (index, (value, param)) in values.iter_mut().zip(&entry.signature.params).enumerate() {
                if !conform::passes(&param.ty, value) {
                    *value = conform::conform(&param.ty, take(value), Functions::Bind(callbacks, index))
                        .map_err(|error| error.about_argument(index))?;
                }
            }
            Ok::<_, CallError>(observe::body(|| match values {
                [] => self.invoke(entry, &mut []),
                [a] => self.invoke(entry, &mut [a]),
                [a, b] => self.invoke(entry, &mut [a, b]),
                [a, b, c] => self.invoke(entry, &mut [a, b, c]),
                many => self.invoke(entry, &mut many.iter_mut().collect::<Vec<_>>()),
            }))
        })?;
        let result = result.and_then(|value| {
            frame.finish().map_err(|expiry| expiry.terminate(Position::NONE))?;
            Ok(value)
        });
        match result {
            Ok(value) if conform::passes(&entry.signature.returns, &value) => Ok(value),
            Ok(value) => self.checked(entry, value),
            Err(error) => Err(self.passed_on(entry, &frame, error, context)),
        }
    }

    fn checked(&self, entry: &Entry, value: Dynamic) -> CallResult {
        if entry.signature.returns == Type::Void {
            // The value of a script function's last statement, which its author did not mean to give back.
            return Ok(Dynamic::UNIT);
        }
        conform::conform(&entry.signature.returns, value, Functions::Refuse).map_err(|error| {
            let wrong = error.code() == Code::ArgumentType;
            let mut error = error.said_of(&format!("the result of `{}`", entry.signature.name));
            if wrong {
                error = Error::new(Code::ResultType, error.message())
                    .hint("the plugin's manifest and its code disagree: tell its author");
            }
            CallError::Error(error.at(Location::file(&self.source)))
        })
    }

    #[cold]
    fn passed_on(
        &self,
        entry: &Entry,
        frame: &Frame,
        error: Box<EvalAltResult>,
        context: &NativeCallContext,
    ) -> CallError {
        if matches!(*error, EvalAltResult::Exit(..)) {
            // A plugin cannot exit: a callback of the program did.
            return CallError::Rhai(error);
        }
        // The function's own frame is the one that its caller adds.
        let own = matches!(&*error, EvalAltResult::ErrorInFunctionCall(name, ..) if *name == entry.name);
        let error = if own { inner(*error) } else { error };
        if let Some(expiry) = Expiry::of(&error).filter(|_| !frame.owns(&error)) {
            return CallError::Expired(expiry);
        }
        let thrown = matches!(error.unwrap_inner(), EvalAltResult::ErrorRuntime(..))
            && Error::raised_in(&error).is_none();
        if thrown {
            // As Rhai itself wraps it: `catch` gives the value, and the place is kept.
            return CallError::Rhai(Box::new(EvalAltResult::ErrorInFunctionCall(
                entry.signature.name.clone(),
                self.source.clone(),
                leaving(error),
                context.call_position(),
            )));
        }
        CallError::Error(explain(&error, &self.source, &|alias| self.module(alias)).as_failure_of_plugin())
    }

    fn module(&self, alias: &str) -> Option<Arc<Bound>> {
        self.imports.import(self.aliases.get(alias)?).ok()
    }
}

/// What a called function failed with.
fn inner(error: EvalAltResult) -> Box<EvalAltResult> {
    match error {
        EvalAltResult::ErrorInFunctionCall(_, _, inner, _) => inner,
        other => Box::new(other),
    }
}

/// The names and aliases of a script's exported variables.
pub fn exported(ast: &AST) -> Vec<(String, String)> {
    let mut found = Vec::new();
    ast.walk(&mut |path| {
        match path {
            [ASTNode::Stmt(Stmt::Export(names, _))] => {
                let alias = if names.1.name.is_empty() { &names.0.name } else { &names.1.name };
                found.push((names.0.name.to_string(), alias.to_string()));
            }
            [ASTNode::Stmt(Stmt::Var(var, flags, _))] if flags.intersects(rhai::ASTFlags::EXPORTED) => {
                found.push((var.0.name.to_string(), var.0.name.to_string()));
            }
            _ => {}
        }
        true
    });
    found
}

/// The text of Rhai's doc comments, `/// ...` and `/** ... */`.
fn doc_text(comments: &[&str]) -> String {
    let mut text = String::new();
    for line in comments.iter().flat_map(|comment| comment.lines()) {
        let line = line.trim();
        let line = line.strip_prefix("///").or_else(|| line.strip_prefix("/**")).unwrap_or(line);
        text.push_str(line.strip_suffix("*/").unwrap_or(line));
        text.push('\n');
    }
    text
}
