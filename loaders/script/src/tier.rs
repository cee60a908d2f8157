//! When functions of a script are compiled.
//!
//! Compiling takes a third of a millisecond for a function, and as much again for the first of a program. What has
//! a loop or calls other functions may run for long at its first call, so it is compiled before that. The rest is
//! compiled when it has been called often enough to be worth it.

use crate::compile::{Compiled, Compiler, Script};
use caraway_loaders_core::Signature;
use caraway_loaders_core::bind::Bound;
use caraway_loaders_core::limits::Limits;
use rhai::{AST, ASTNode, Expr, Stmt};
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
    compiled: OnceLock<Vec<Option<Arc<dyn Compiled>>>>,
}

/// One of the functions of a [`Tier`].
pub(crate) struct Slot {
    index: usize,
    calls: AtomicU32,
    compiled: OnceLock<Option<Arc<dyn Compiled>>>,
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
            compiled: OnceLock::new(),
        })
    }

    /// The slot of a function, if it is one of these.
    pub(crate) fn slot(&self, signature: &Signature) -> Option<Slot> {
        let index = self.functions.iter().position(|function| function == signature)?;
        Some(Slot { index, calls: AtomicU32::new(0), compiled: OnceLock::new() })
    }

    #[cold]
    fn rise(&self, slot: &Slot, import: &dyn Fn(&str) -> Option<Arc<Bound>>) -> Option<Arc<dyn Compiled>> {
        let script = Script { ast: &self.ast, limits: self.limits, import };
        let calls = slot.calls.fetch_add(1, Ordering::Relaxed);
        let is_due = calls >= MANY || calls == 0 && is_heavy(&script, &self.functions[slot.index]);
        if !is_due && self.compiled.get().is_none() {
            return None;
        }
        let compile = || {
            let outcomes = self.compiler.compile(&script, &self.functions);
            outcomes.into_iter().map(Result::ok).collect()
        };
        let all = self.compiled.get_or_init(compile);
        slot.compiled.get_or_init(|| all.get(slot.index).cloned().flatten()).clone()
    }
}

impl Slot {
    /// The function, if it is compiled, or is worth it now.
    #[inline]
    pub(crate) fn compiled(
        &self,
        tier: &Tier,
        import: &dyn Fn(&str) -> Option<Arc<Bound>>,
    ) -> Option<Arc<dyn Compiled>> {
        match self.compiled.get() {
            Some(compiled) => compiled.clone(),
            None => tier.rise(self, import),
        }
    }
}

/// Whether a function has a loop, or calls a function of the script.
fn is_heavy(script: &Script, signature: &Signature) -> bool {
    let mut is_heavy = false;
    let names: Vec<&str> = script.ast.iter_functions().map(|function| function.name).collect();
    script.visit(&signature.name, signature.params.len(), &mut |path| {
        is_heavy |= match path.last() {
            Some(ASTNode::Stmt(Stmt::While(..) | Stmt::Do(..) | Stmt::For(..))) => true,
            Some(ASTNode::Stmt(Stmt::FnCall(call, _)) | ASTNode::Expr(Expr::FnCall(call, _))) => {
                names.contains(&call.name.as_str())
            }
            _ => false,
        };
        !is_heavy
    });
    is_heavy
}
