//! Calling the functions of a loaded module by their numbers.

use crate::wire::{Function, Module};
use caraway_loaders_core::bind::Bound;
use caraway_loaders_core::{Code, Error};
use rhai::{AST, Dynamic, Engine, EvalAltResult, Position, Scope};
use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

/// The source of the calls that [`Exports`] makes: a place that means nothing to anybody else.
pub(crate) const HERE: &str = "<worker>";

/// A module whose functions the other side may call.
pub(crate) struct Exports {
    bound: Arc<Bound>,
    engine: Engine,
    calls: Vec<OnceLock<AST>>,
}

impl Exports {
    pub(crate) fn new(bound: Arc<Bound>) -> Self {
        let mut engine = Engine::new_raw();
        engine.set_optimization_level(rhai::OptimizationLevel::None);
        engine.register_static_module("plugin", bound.module.clone());
        let calls = bound.signatures.iter().map(|_| OnceLock::new()).collect();
        Self { bound, engine, calls }
    }

    /// Whether it is this very module.
    pub(crate) fn is_of(&self, bound: &Arc<Bound>) -> bool {
        Arc::ptr_eq(&self.bound, bound)
    }

    /// What the other side is told of it.
    pub(crate) fn describe(&self) -> Module {
        let function = |signature: &Arc<caraway_loaders_core::Signature>| Function {
            signature: (**signature).clone(),
            getter: self.bound.getters.contains(&signature.name),
        };
        Module {
            name: self.bound.name.clone(),
            functions: self.bound.signatures.iter().map(function).collect(),
            aliases: self.bound.aliases.clone(),
            constants: self
                .bound
                .module
                .iter_var()
                .map(|(name, value)| (name.to_owned(), value.clone()))
                .collect(),
        }
    }

    /// Calls the function of this number.
    pub(crate) fn call(&self, function: usize, args: Vec<Dynamic>) -> Result<Dynamic, Box<EvalAltResult>> {
        let known = self.bound.signatures.get(function).zip(self.calls.get(function));
        let Some((signature, call)) = known.filter(|(signature, _)| signature.params.len() == args.len())
        else {
            let message = format!("`{}` has no function {function} like that", self.bound.name);
            return Err(Error::new(Code::Internal, message).raise(Position::NONE));
        };
        let ast = match call.get() {
            Some(ast) => ast,
            None => {
                let ast = self.compile(&signature.name, args.len())?;
                call.get_or_init(|| ast)
            }
        };
        let mut scope = Scope::new();
        for (index, arg) in args.into_iter().enumerate() {
            scope.push_dynamic(format!("x{index}"), arg);
        }
        self.engine.eval_ast_with_scope(&mut scope, ast)
    }

    fn compile(&self, name: &str, params: usize) -> Result<AST, Box<EvalAltResult>> {
        let mut text = format!("plugin::{name}(");
        for index in 0..params {
            // Writing to a string does not fail.
            let _ = write!(text, "{}x{index}", if index > 0 { ", " } else { "" });
        }
        text.push(')');
        let mut ast = self.engine.compile(text)?;
        ast.set_source(HERE);
        Ok(ast)
    }
}
