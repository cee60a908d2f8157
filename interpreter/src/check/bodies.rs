//! The statements of functions.
//!
//! Rhai shows a function's body only to [`AST::walk`], one statement after the other and without saying whose it is. The
//! places tell: bodies lie inside one another or apart.

use rhai::{AST, ASTNode, Position, ScriptFuncDef, Stmt};
use std::collections::{HashMap, HashSet};

/// The statements of each function, by its address; shared ones are the same for as long as the AST is there.
pub(super) struct Bodies(HashMap<*const ScriptFuncDef, Vec<Stmt>>);

impl Bodies {
    pub(super) fn of(ast: &AST) -> Self {
        let outermost: HashSet<*const Stmt> = ast.statements().iter().map(std::ptr::from_ref).collect();
        let mut statements: Vec<(Position, Stmt)> = Vec::new();
        ast.walk(&mut |path| {
            if let [ASTNode::Stmt(statement)] = path
                && !outermost.contains(&std::ptr::from_ref(*statement))
                // That a variable is captured shows in the closure, and its place is there.
                && !matches!(statement, Stmt::Share(_))
            {
                statements.push((statement.position(), (*statement).clone()));
            }
            true
        });
        // A body that is one expression has no end.
        let mut points: HashMap<Position, *const ScriptFuncDef> = HashMap::new();
        let mut ranges: Vec<(Position, Position, *const ScriptFuncDef)> = Vec::new();
        for function in ast.iter_fn_def() {
            let (start, end) = (function.body.start_position(), function.body.end_position());
            let address = std::sync::Arc::as_ptr(function);
            match end.is_none() {
                true => drop(points.insert(start, address)),
                false => ranges.push((start, end, address)),
            }
        }
        ranges.sort_unstable();
        statements.sort_by_key(|(position, _)| *position);
        let mut bodies: HashMap<*const ScriptFuncDef, Vec<Stmt>> = HashMap::new();
        let mut open: Vec<(Position, *const ScriptFuncDef)> = Vec::new();
        let mut next = ranges.into_iter().peekable();
        for (position, statement) in statements {
            while let Some((_, end, address)) = next.next_if(|(start, ..)| *start <= position) {
                open.retain(|(other, _)| *other >= end);
                open.push((end, address));
            }
            while open.last().is_some_and(|(end, _)| *end < position) {
                open.pop();
            }
            let owner = points.get(&position).copied().or_else(|| open.last().map(|(_, address)| *address));
            if let Some(owner) = owner {
                bodies.entry(owner).or_default().push(statement);
            }
        }
        Self(bodies)
    }

    /// The statements of a function of the AST.
    pub(super) fn statements(&self, function: &ScriptFuncDef) -> &[Stmt] {
        self.0.get(&std::ptr::from_ref(function)).map_or(&[], Vec::as_slice)
    }
}
