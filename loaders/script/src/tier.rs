//! When functions of a script are compiled.
//!
//! Compiling takes most of a millisecond for a function, where the cache does not have it. What has a loop or calls
//! other functions may run for long at its first call, so it is compiled before that. The rest is compiled when it has
//! been called often enough to be worth it.

use crate::compile::{Compiled, Compiler, Script};
use crate::dispatch::dispatching;
use caraway_loaders_core::bind::Bound;
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::{Signature, Type};
use rhai::{AST, ASTNode, Engine, Expr, GlobalRuntimeState, Stmt};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

/// How often a function without loops and calls is called until it is compiled.
const MANY: u32 = 500;

/// A script's functions that can be compiled, all at once.
pub(crate) struct Tier {
    compiler: Arc<dyn Compiler>,
    ast: AST,
    limits: Limits,
    functions: Vec<Signature>,
    risen: OnceLock<Risen>,
}

/// What was compiled.
struct Risen {
    functions: Vec<Option<Arc<dyn Compiled>>>,
    /// What the rest of the script runs on, if it calls some of them.
    global: Option<GlobalRuntimeState>,
}

/// A function of a script that has a [`Tier`].
pub(crate) struct Slot {
    /// Its place among those that can be compiled.
    index: Option<usize>,
    name: String,
    params: usize,
    calls: AtomicU32,
    compiled: OnceLock<Option<Arc<dyn Compiled>>>,
}

/// What a script has left when its top level has run.
pub(crate) struct Left<'a> {
    pub engine: &'a Engine,
    pub global: &'a GlobalRuntimeState,
    pub import: &'a dyn Fn(&str) -> Option<Arc<Bound>>,
}

impl Tier {
    /// The functions among `functions` that `compiler` takes; none if something is asked that only Rhai does.
    pub(crate) fn new<'a>(
        compiler: &Arc<dyn Compiler>,
        ast: &AST,
        limits: Limits,
        functions: impl Iterator<Item = &'a Signature>,
    ) -> Option<Self> {
        // Operations are counted one by one, and what is compiled has none.
        if limits.operations.is_some() {
            return None;
        }
        let functions: Vec<_> = functions.filter(|function| compiler.takes(function)).cloned().collect();
        (!functions.is_empty()).then(|| Self {
            compiler: compiler.clone(),
            ast: ast.clone(),
            limits,
            functions,
            risen: OnceLock::new(),
        })
    }

    /// The slot of a function.
    pub(crate) fn slot(&self, signature: &Signature) -> Slot {
        Slot {
            index: self.functions.iter().position(|function| function == signature),
            name: signature.name.clone(),
            params: signature.params.len(),
            calls: AtomicU32::new(0),
            compiled: OnceLock::new(),
        }
    }

    /// What the script runs on now, if that is not what it began with.
    #[inline]
    pub(crate) fn global(&self) -> Option<&GlobalRuntimeState> {
        self.risen.get()?.global.as_ref()
    }

    #[cold]
    fn rise<'a>(&self, slot: &'a Slot, left: &Left) -> Option<&'a dyn Compiled> {
        let script = Script { ast: &self.ast, limits: self.limits, import: left.import };
        let calls = slot.calls.fetch_add(1, Ordering::Relaxed);
        let is_due = calls >= MANY || calls == 0 && is_heavy(&script, slot);
        if !is_due && self.risen.get().is_none() {
            return None;
        }
        let risen = self.risen.get_or_init(|| self.compile(&script, left));
        let compiled = slot.index.and_then(|index| risen.functions.get(index)?.clone());
        slot.compiled.get_or_init(|| compiled).as_deref()
    }

    fn compile(&self, script: &Script, left: &Left) -> Risen {
        let mut asked = self.functions.clone();
        // Where the script itself calls a function that is declared to give nothing, it gets what its code gives.
        let voids = self.functions.iter().filter(|function| function.returns == Type::Void);
        asked.extend(voids.map(|function| Signature { returns: Type::Any, ..function.clone() }));
        let outcomes = self.compiler.compile(script, &asked);
        let mut functions: Vec<_> = outcomes.into_iter().map(Result::ok).collect();
        let compiled = asked.iter().zip(&functions).filter(|(signature, _)| signature.returns != Type::Void);
        let compiled: Vec<_> =
            compiled.filter_map(|(signature, function)| Some((signature, function.clone()?))).collect();
        let global = dispatching(script, left.engine, left.global, &compiled);
        functions.truncate(self.functions.len());
        Risen { functions, global }
    }
}

impl Slot {
    /// The function, if it is compiled, or is worth it now.
    #[inline]
    pub(crate) fn compiled(&self, tier: &Tier, left: &Left) -> Option<&dyn Compiled> {
        match self.compiled.get() {
            Some(compiled) => compiled.as_deref(),
            None => tier.rise(self, left),
        }
    }
}

/// Whether a function has a loop, or calls a function of the script.
fn is_heavy(script: &Script, slot: &Slot) -> bool {
    let mut is_heavy = false;
    let functions = script.ast.shared_lib();
    script.visit(&slot.name, slot.params, &mut |path| {
        is_heavy |= match path.last() {
            Some(ASTNode::Stmt(Stmt::While(..) | Stmt::Do(..) | Stmt::For(..))) => true,
            Some(ASTNode::Stmt(Stmt::FnCall(call, _)) | ASTNode::Expr(Expr::FnCall(call, _))) => {
                functions.get_script_fn(&call.name, call.args.len()).is_some()
            }
            _ => false,
        };
        !is_heavy
    });
    is_heavy
}
