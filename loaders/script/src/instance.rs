//! A script whose top level has been run.

use caraway_loaders_core::bind::conform::Functions;
use caraway_loaders_core::bind::{Bound, CallError, CallResult, Callbacks, conform, explain, imports_of};
use caraway_loaders_core::budget::{Expiry, Frame, Meter};
use caraway_loaders_core::loader::Imports;
use caraway_loaders_core::{Code, Error, Location, Signature, Type};
use rhai::{
    AST, ASTNode, Caches, Dynamic, Engine, EvalAltResult, FnAccess, FnPtr, GlobalRuntimeState,
    NativeCallContext, Position, Scope, Stmt,
};
use smallvec::SmallVec;
use std::collections::HashMap;
use std::sync::Arc;

/// A compiled script of a plugin, with the engine that it runs on.
///
/// The top level is run once, when the instance is made. What it leaves, its imports and constants, is kept and
/// given to each call, as Rhai itself does for the functions of an imported module; so `num::rem(a, b)` and
/// `global::K` mean what they mean there, and cost the same.
pub struct Instance {
    engine: Engine,
    functions: AST,
    /// What the top level left: its functions, its imports and its constants.
    global: GlobalRuntimeState,
    source: String,
    aliases: HashMap<String, String>,
    imports: Arc<dyn Imports>,
    meter: Meter,
    exports: Vec<(String, Dynamic)>,
}

/// A function of an [`Instance`], ready to be called.
pub struct Entry {
    name: String,
    /// Linked to the function by its hash: nothing is looked up by name when it is called.
    pointer: FnPtr,
    params: Vec<Type>,
    returns: Type,
    /// Whether no argument needs more than a look at its outermost type.
    plain: bool,
}

impl Instance {
    /// Runs the top level of `ast` on `engine`, under `meter`.
    ///
    /// # Errors
    ///
    /// What the top level throws, with its place in the plugin.
    pub fn new(engine: Engine, ast: &AST, imports: Arc<dyn Imports>, meter: Meter) -> Result<Self, Error> {
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
                _ => explain(&error, &source, &|alias| imports.import(aliases.get(alias)?).ok()),
            })
        };
        outcome?;
        let exports = exported(ast)
            .into_iter()
            .filter_map(|(name, alias)| Some((alias, scope.get(&name)?.flatten_clone())))
            .collect();
        // Each call counts its own operations.
        global.num_operations = 0;
        let functions = ast.clone_functions_only();
        Ok(Self { engine, functions, global, source, aliases, imports, meter, exports })
    }

    /// The public functions of a script, each parameter and result `any`.
    pub fn public_functions(ast: &AST) -> Vec<Signature> {
        let mut signatures: Vec<Signature> = ast
            .iter_functions()
            .filter(|f| f.access == FnAccess::Public && f.this_type.is_none() && !f.name.starts_with("anon$"))
            .map(|f| Signature::new(f.name, f.params.iter().map(|p| (*p, Type::Any)), Type::Any))
            .collect();
        signatures.sort_by(|a, b| (&a.name, a.params.len()).cmp(&(&b.name, b.params.len())));
        signatures
    }

    /// The variables that the top level exported.
    pub fn exports(&self) -> &[(String, Dynamic)] {
        &self.exports
    }

    /// Prepares the calls of a function of this name and these types.
    ///
    /// # Errors
    ///
    /// [`Code::SignatureMismatch`] if the script has none with that many parameters.
    pub fn entry(&self, signature: &Signature) -> Result<Entry, Error> {
        let params: Vec<Type> = signature.params.iter().map(|p| p.ty.clone()).collect();
        let plain = params.iter().all(is_plain);
        let name = signature.name.clone();
        let pointer = self.link(&name, params.len()).ok_or_else(|| {
            Error::new(Code::SignatureMismatch, format!("the script has no function `{signature}`"))
                .at(Location::file(&self.source))
        })?;
        Ok(Entry { name, pointer, params, returns: signature.returns.clone(), plain })
    }

    /// A pointer that holds the function's hash. Rhai gives one to whoever names a function as a value.
    fn link(&self, name: &str, params: usize) -> Option<FnPtr> {
        let mut only = self.functions.clone_functions_only();
        only.retain_functions(|_, _, other, count| other == name && count == params);
        let named = self.engine.compile_expression(name).ok()?;
        self.engine.eval_ast::<FnPtr>(&only.merge(&named)).ok()
    }

    /// Calls a function, with the arguments that [`Binder`](caraway_loaders_core::bind::Binder) promises.
    ///
    /// # Errors
    ///
    /// What the function throws, its limits, and a result of another type than declared.
    pub fn call(&self, entry: &Entry, context: &NativeCallContext, args: &mut [&mut Dynamic]) -> CallResult {
        let frame = self.meter.enter()?;
        let mut values: SmallVec<[Dynamic; 4]> = SmallVec::with_capacity(args.len());
        for (index, arg) in args.iter_mut().enumerate() {
            // Argument 0 may be the caller's variable; the others are copies already.
            values.push(if index == 0 { arg.clone() } else { std::mem::take(*arg) });
        }
        let callbacks = Callbacks::new(context);
        if !entry.plain {
            for (index, (value, ty)) in values.iter_mut().zip(&entry.params).enumerate() {
                if !is_plain(ty) {
                    *value = conform::conform(ty, std::mem::take(value), Functions::Bind(&callbacks))
                        .map_err(|error| error.about_argument(index))?;
                }
            }
        }
        let at_home = NativeCallContext::new_with_all_fields(
            &self.engine,
            &entry.name,
            Some(&self.source),
            &self.global,
            Position::NONE,
        );
        let result = entry.pointer.call_raw(&at_home, None, &mut values);
        match result {
            Ok(value) if is_plain(&entry.returns) && fits(&entry.returns, &value) => Ok(value),
            Ok(value) => self.checked(entry, value),
            Err(error) => Err(self.passed_on(entry, &frame, error, context)),
        }
    }

    fn checked(&self, entry: &Entry, value: Dynamic) -> CallResult {
        if entry.returns == Type::Void {
            // The value of a script function's last statement, which its author did not mean to give back.
            return Ok(Dynamic::UNIT);
        }
        conform::conform(&entry.returns, value, Functions::Refuse).map_err(|error| {
            CallError::Error(match error.code() {
                Code::ArgumentType => Error::new(
                    Code::ResultType,
                    format!("the result of `{}` {}", entry.name, error.message()),
                )
                .at(Location::file(&self.source))
                .hint("the plugin's manifest and its code disagree: tell its author"),
                _ => error.at(Location::file(&self.source)),
            })
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
        let error = match *error {
            EvalAltResult::ErrorInFunctionCall(name, _, inner, _) if name == entry.name => inner,
            other => Box::new(other),
        };
        if let Some(expiry) = Expiry::of(&error).filter(|_| !frame.owns(&error)) {
            return CallError::Expired(expiry);
        }
        let thrown = matches!(error.unwrap_inner(), EvalAltResult::ErrorRuntime(..))
            && Error::raised_in(&error).is_none();
        if thrown {
            // As Rhai itself wraps it: `catch` gives the value, and the place is kept.
            return CallError::Rhai(Box::new(EvalAltResult::ErrorInFunctionCall(
                entry.name.clone(),
                self.source.clone(),
                error,
                context.call_position(),
            )));
        }
        CallError::Error(explain(&error, &self.source, &|alias| self.module(alias)))
    }

    fn module(&self, alias: &str) -> Option<Arc<Bound>> {
        self.imports.import(self.aliases.get(alias)?).ok()
    }
}

/// Whether a value of this type needs no look inside.
fn is_plain(ty: &Type) -> bool {
    matches!(ty, Type::Int | Type::Float | Type::Bool | Type::Char | Type::String | Type::Bytes)
}

fn fits(ty: &Type, value: &Dynamic) -> bool {
    !value.is_shared() && conform::top_level(ty, value) == conform::Passing::AsItIs
}

/// The names and aliases of a script's exported variables.
fn exported(ast: &AST) -> Vec<(String, String)> {
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
