//! What runs functions of a script faster than Rhai does.

use caraway_loaders_core::bind::Bound;
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::{Location, Signature};
use rhai::{AST, ASTNode, Dynamic, EvalAltResult, Module, Position, Stmt};
use std::fmt;
use std::sync::Arc;

/// Compiles functions of scripts; `caraway-loaders-compile` has one. Without a compiler, and for all that it does
/// not compile, Rhai walks the script's tree.
pub trait Compiler: Send + Sync {
    /// Whether functions of such types can be compiled at all: a quick look, without their code.
    fn takes(&self, signature: &Signature) -> bool;

    /// Compiles `functions` of a script, as far as it can. The outcomes are in the order of the functions.
    fn compile(&self, script: &Script, functions: &[Signature]) -> Vec<Result<Arc<dyn Compiled>, Obstacle>>;

    /// Why functions of a script would not be compiled, without compiling them; `None` for those that would.
    fn obstacles(&self, script: &Script, functions: &[Signature]) -> Vec<Option<Obstacle>>;
}

/// A script whose functions can be compiled.
pub struct Script<'a> {
    /// What Rhai parsed, with its source's name.
    pub ast: &'a AST,
    /// What holds for each call.
    pub limits: Limits,
    /// What the script imports by this alias.
    pub import: &'a dyn Fn(&str) -> Option<Arc<Bound>>,
}

impl Script<'_> {
    /// The statements of a function of this name with so many parameters, of which there must be one.
    pub fn body(&self, name: &str, params: usize) -> Vec<Stmt> {
        let mut body = Vec::new();
        self.visit(name, params, &mut |path| {
            if let [ASTNode::Stmt(statement)] = path {
                body.push((*statement).clone());
            }
            true
        });
        body
    }

    /// Visits all statements and expressions of a function, each with those that it is in; until `on_node` says
    /// false.
    pub(crate) fn visit(&self, name: &str, params: usize, on_node: &mut dyn FnMut(&[ASTNode]) -> bool) {
        // A definition's body is of a type that Rhai does not export. But the nodes of a syntax tree can be
        // visited, and in one with no other function, those at the top are its statements.
        if let Some(function) = self.ast.shared_lib().get_script_fn(name, params) {
            let mut one = Module::new();
            one.set_script_fn(function.clone());
            AST::new_from_module(one).walk(on_node);
        }
    }
}

/// A compiled function.
pub trait Compiled: Send + Sync {
    /// Calls it. The outcome is to the last bit what Rhai's own call of the function gives, an error with the
    /// function's own frame around it. `None`, with nothing done, if the arguments have other types than it was
    /// compiled for. `level` is the one that the function's code runs at, of which there are as many as
    /// [`Limits::call_depth`] says. The arguments are left as they are.
    fn call(&self, args: &mut [&mut Dynamic], level: usize) -> Option<Result<Dynamic, Box<EvalAltResult>>>;
}

/// Why a function is not compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// What stands in the way: `a string`, `try`.
    pub what: String,
    /// Where, in the script.
    pub position: Position,
}

impl Obstacle {
    /// The place in a script of this name.
    pub fn location(&self, source: &str) -> Location {
        Location::of_position(Some(source), self.position)
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}
