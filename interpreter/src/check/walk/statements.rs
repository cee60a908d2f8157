//! Statements.

use super::Walk;
use super::scope::Changes;
use crate::check::fits::fits;
use crate::check::ty::{Entries, Ty};
use caraway_loaders_core::{Code, Error};
use rhai::{ASTFlags, Expr, Position, Stmt, StmtBlock};
use std::collections::HashMap;

impl Walk<'_> {
    /// What statements give: the value of the last one, or [`Ty::Never`] if they do not come to their end.
    pub(super) fn statements(&mut self, statements: &[Stmt]) -> Ty {
        let (variables, aliases) = (self.scope.variables.len(), self.scope.aliases.len());
        let mut value = Ty::Unit;
        let mut ends = true;
        let mut imported: HashMap<&str, Position> = HashMap::new();
        for statement in statements {
            if let Stmt::Import(import, _) = statement
                && let Expr::StringConstant(path, position) = &import.0
                && let Some(first) = imported.insert(path.as_str(), *position)
            {
                let twice = Error::new(Code::ImportedTwice, format!("{path:?} is imported twice"));
                let line = first.line().unwrap_or_default();
                self.tell(
                    twice.hint(format!("the first time is in line {line}; remove one of them")),
                    *position,
                );
            }
            value = self.statement(statement);
            ends &= value != Ty::Never;
        }
        self.scope.forget(variables);
        self.scope.aliases.truncate(aliases);
        if ends { value } else { Ty::Never }
    }

    pub(super) fn block(&mut self, block: &StmtBlock) -> Ty {
        self.statements(block.statements())
    }

    fn statement(&mut self, statement: &Stmt) -> Ty {
        match statement {
            Stmt::If(parts, _) => {
                self.condition(&parts.expr);
                let then = self.branch(|walk| walk.block(&parts.body));
                let otherwise = self.branch(|walk| walk.block(&parts.branch));
                self.meet(vec![then, otherwise])
            }
            Stmt::Switch(parts, _) => {
                let (value, cases) = &**parts;
                self.expr(value);
                let mut branches = Vec::new();
                for case in &cases.expressions {
                    if !matches!(case.lhs, Expr::BoolConstant(..)) {
                        self.condition(&case.lhs);
                    }
                    branches.push(self.branch(|walk| walk.expr(&case.rhs)));
                }
                if cases.def_case.is_none() {
                    branches.push((Ty::Unit, Changes::new()));
                }
                self.meet(branches)
            }
            Stmt::While(parts, _) => {
                self.out_of_order(|walk| {
                    if !matches!(parts.expr, Expr::Unit(_)) {
                        walk.condition(&parts.expr);
                    }
                    walk.perhaps(|walk| walk.block(&parts.body));
                });
                // What `break` gives.
                Ty::Any
            }
            Stmt::Do(parts, ..) => {
                self.out_of_order(|walk| {
                    walk.perhaps(|walk| walk.block(&parts.body));
                    walk.condition(&parts.expr);
                });
                Ty::Any
            }
            Stmt::For(parts, _) => {
                let (name, counter, parts) = &**parts;
                let through = self.expr(&parts.expr);
                let item = self.item_of(&through, &parts.expr);
                self.out_of_order(|walk| {
                    walk.perhaps(|walk| {
                        let count = walk.scope.variables.len();
                        walk.declare(&name.name, item);
                        if let Some(counter) = counter {
                            walk.declare(&counter.name, Ty::Int);
                        }
                        let ty = walk.block(&parts.body);
                        walk.scope.forget(count);
                        ty
                    });
                });
                Ty::Any
            }
            Stmt::Var(parts, flags, _) => {
                let (name, value, _) = &**parts;
                let ty = self.expr(value);
                let ends = ty != Ty::Never;
                self.declare(&name.name, ty);
                if let Some(variable) = self.scope.variables.last_mut() {
                    variable.constant = flags.intersects(ASTFlags::CONSTANT);
                }
                if ends { Ty::Unit } else { Ty::Never }
            }
            Stmt::Assignment(parts) => self.assignment(&parts.0, &parts.1),
            Stmt::FnCall(call, position) => self.call(call, *position),
            Stmt::Block(block) => self.block(block),
            Stmt::TryCatch(parts, _) => {
                let one = usize::from(parts.body.len() == 1);
                self.trying += 1;
                self.trying_one += one;
                let body = self.out_of_order(|walk| walk.branch(|walk| walk.block(&parts.body)));
                self.trying -= 1;
                self.trying_one -= one;
                let caught = self.branch(|walk| {
                    let count = walk.scope.variables.len();
                    if let Expr::Variable(variable, ..) = &parts.expr {
                        walk.declare(&variable.1, Ty::Any);
                    }
                    let ty = walk.block(&parts.branch);
                    walk.scope.forget(count);
                    ty
                });
                self.meet(vec![body, caught])
            }
            Stmt::Expr(expr) => self.expr(expr),
            Stmt::BreakLoop(value, ..) => {
                if let Some(value) = value {
                    self.expr(value);
                }
                Ty::Never
            }
            Stmt::Return(value, flags, position) => {
                let ty = value.as_ref().map_or(Ty::Unit, |value| self.expr(value));
                if !flags.intersects(ASTFlags::BREAK) {
                    self.returned(ty, value.as_ref().map_or(*position, |value| value.start_position()));
                }
                Ty::Never
            }
            Stmt::Import(import, _) => {
                self.expr(&import.0);
                self.taken(import);
                if let Some(index) = self.unit.places.get(&(self.source, import.0.start_position())) {
                    self.scope.aliases.push((import.1.name.to_string(), *index));
                }
                Ty::Unit
            }
            Stmt::Export(names, _) => {
                self.variable(&names.0.name, names.0.pos);
                Ty::Unit
            }
            _ => Ty::Unit,
        }
    }

    /// An alias that is in use already, which goes on to mean what it meant: Rhai numbers imports when it parses.
    fn taken(&mut self, import: &(Expr, rhai::Ident)) {
        let (Expr::StringConstant(path, position), alias) = (&import.0, &import.1.name) else { return };
        let unit = self.unit;
        let mut same =
            self.scope.aliases.iter().filter(|(name, _)| name == alias.as_str() && !name.is_empty());
        let Some((_, first)) = same.next() else { return };
        let first = &unit.imports[*first];
        if first.path.as_deref() != Some(path.as_str()) {
            let line = first.position.line().unwrap_or_default();
            let taken =
                format!("`{alias}` is the name of another import, in line {line}, and goes on to mean that");
            let taken = Error::new(Code::AliasTaken, taken);
            self.tell(taken.hint("give one of them another name"), *position);
        }
    }

    /// A value that a function gives.
    pub(super) fn returned(&mut self, ty: Ty, position: Position) {
        let plugin = self.plugin_name();
        let Some(frame) = self.returning.last_mut() else { return };
        frame.given = std::mem::replace(&mut frame.given, Ty::Never).join(&ty);
        let Some((declared, name)) = &frame.declared else { return };
        if let Err(misfit) = fits(declared, &ty, &plugin) {
            let path = misfit.path();
            let path = if path.is_empty() { path } else { format!(" at `{path}`") };
            let wrong = format!(
                "the result of `{plugin}::{name}` must be {}, found {}{path}",
                misfit.expected, misfit.found
            );
            self.tell(
                Error::new(Code::ResultType, wrong)
                    .hint("change the manifest or the script so that both agree"),
                position,
            );
        }
    }

    /// A condition, which must be a bool.
    pub(super) fn condition(&mut self, expr: &Expr) {
        let ty = self.expr(expr);
        if !ty.is_vague() && ty != Ty::Bool {
            let wrong = format!("a condition must be bool, found {ty}");
            self.tell_of_type(Error::new(Code::ScriptFailed, wrong), expr.start_position());
        }
    }

    /// What a loop goes through.
    fn item_of(&mut self, through: &Ty, expr: &Expr) -> Ty {
        match through {
            Ty::Array(items) => items.item(),
            Ty::Range | Ty::Ints => Ty::Int,
            Ty::Floats => Ty::Float,
            Ty::String(_) => Ty::Char,
            Ty::Unit | Ty::Bool | Ty::Int | Ty::Float | Ty::Char | Ty::Fn => {
                let wrong = format!("`for` goes through arrays, strings, ranges and the like, not {through}");
                let wrong = Error::new(Code::ScriptFailed, wrong);
                let wrong = match through {
                    Ty::Int => wrong.hint("a range has two ends: `0..n`"),
                    _ => wrong,
                };
                self.tell_of_type(wrong, expr.start_position());
                Ty::Any
            }
            Ty::Map(Entries::All(_) | Entries::Each(_) | Entries::Struct(_)) => {
                let wrong = Error::new(Code::ScriptFailed, "`for` does not go through a map");
                self.tell_of_type(
                    wrong.hint("go through `map.keys()` or `map.values()`"),
                    expr.start_position(),
                );
                Ty::Any
            }
            _ => Ty::Any,
        }
    }

    fn assignment(&mut self, operator: &rhai::OpAssignment, parts: &rhai::BinaryExpr) -> Ty {
        let value = self.expr(&parts.rhs);
        let operator = operator.get_op_assignment_info().map(|(_, _, _, _, _, operator)| operator);
        match &parts.lhs {
            Expr::Variable(variable, _, position) if variable.2.is_empty() => {
                let before = self.variable(&variable.1, *position);
                let after = match operator {
                    None => value,
                    Some(_) if matches!(before, Ty::Array(_) | Ty::Map(_) | Ty::Bytes) => {
                        before.changed_inside()
                    }
                    Some(operator) => self.operate(operator, &[before, value], *position),
                };
                if let Some(slot) = self.scope.find(&variable.1) {
                    self.assign(slot, after);
                }
            }
            target => {
                if has_computed_key(target) {
                    self.put(&value);
                }
                self.expr(target);
                self.refuse_constant(target);
                self.changed_inside(target);
            }
        }
        Ty::Unit
    }

    /// Constants stay as they are, inside too.
    pub(super) fn refuse_constant(&mut self, target: &Expr) {
        let mut root = target;
        while let Expr::Dot(inner, ..) | Expr::Index(inner, ..) = root {
            root = &inner.lhs;
        }
        if let Expr::Variable(variable, _, position) = root
            && variable.2.is_empty()
            && let Some(slot) = self.scope.find(&variable.1)
            && self.scope.variables[slot].constant
            && !matches!(self.value_of(slot), Ty::Handle { .. } | Ty::Ints | Ty::Floats | Ty::Any)
        {
            let error =
                Error::new(Code::ScriptFailed, format!("the constant `{}` cannot be changed", variable.1));
            self.tell(error.hint("change a copy: `let x = ...`"), *position);
        }
    }

    /// What is at the root of `a.b[c]` is not what it was.
    pub(super) fn changed_inside(&mut self, target: &Expr) {
        let mut root = target;
        while let Expr::Dot(inner, ..) | Expr::Index(inner, ..) = root {
            root = &inner.lhs;
        }
        if let Expr::Variable(variable, ..) = root
            && variable.2.is_empty()
            && let Some(slot) = self.scope.find(&variable.1)
        {
            let changed = self.value_of(slot).changed_inside();
            self.assign(slot, changed);
        }
    }
}

/// Whether a target of an assignment has an index that is not written out.
fn has_computed_key(target: &Expr) -> bool {
    match target {
        Expr::Dot(parts, ..) => has_computed_key(&parts.lhs) || has_computed_key(&parts.rhs),
        Expr::Index(parts, ..) => match &parts.rhs {
            Expr::StringConstant(..) | Expr::IntegerConstant(..) => has_computed_key(&parts.lhs),
            _ => true,
        },
        _ => false,
    }
}
