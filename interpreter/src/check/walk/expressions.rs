//! Expressions.

use super::{Returning, Walk};
use crate::check::ty::Ty;
use caraway_loaders_core::bind::suggest;
use caraway_loaders_core::{Code, Error};
use rhai::{Expr, FnPtr, Position};
use std::collections::BTreeMap;

/// The constants that hosts put into engines: for programs, and for plugins.
const CONSTANTS: [&str; 2] = ["ARGS", "CONFIG"];

impl Walk<'_> {
    /// What an expression gives.
    pub(super) fn expr(&mut self, expr: &Expr) -> Ty {
        match expr {
            Expr::BoolConstant(..) => Ty::Bool,
            Expr::IntegerConstant(..) => Ty::Int,
            Expr::FloatConstant(..) => Ty::Float,
            Expr::CharConstant(..) => Ty::Char,
            Expr::StringConstant(text, _) => Ty::String(Some(text.as_str().into())),
            Expr::Unit(_) => Ty::Unit,
            Expr::InterpolatedString(parts, _) => {
                parts.iter().for_each(|part| drop(self.expr(part)));
                Ty::TEXT
            }
            Expr::Array(items, _) => Ty::array_of(items.iter().map(|item| self.expr(item)).collect()),
            Expr::Map(parts, _) => {
                let entry = |(key, value): &(rhai::Ident, Expr)| (key.name.to_string(), self.expr(value));
                Ty::map_of(parts.0.iter().map(entry).collect::<BTreeMap<_, _>>())
            }
            Expr::DynamicConstant(value, _) => match value.read_lock::<FnPtr>() {
                Some(function) => {
                    let name = function.fn_name().to_owned();
                    drop(function);
                    self.closure(&name, 0);
                    Ty::Fn
                }
                None => Ty::Any,
            },
            Expr::Variable(variable, _, position) if variable.2.is_empty() => {
                self.variable(&variable.1, *position)
            }
            Expr::Variable(variable, _, position) => {
                self.qualified_variable(&variable.2, &variable.1, *position)
            }
            Expr::Stmt(block) => self.block(block),
            Expr::FnCall(call, position) => self.call(call, *position),
            Expr::Dot(..) | Expr::Index(..) => self.chain(expr),
            Expr::And(operands, _) | Expr::Or(operands, _) => {
                for (index, operand) in operands.iter().enumerate() {
                    match index {
                        0 => self.condition(operand),
                        _ => drop(self.perhaps(|walk| {
                            walk.condition(operand);
                            Ty::Bool
                        })),
                    }
                }
                Ty::Bool
            }
            Expr::Coalesce(operands, _) => self.coalesce(operands),
            Expr::Custom(custom, _) => {
                custom.inputs.iter().for_each(|input| drop(self.expr(input)));
                Ty::Any
            }
            _ => Ty::Any,
        }
    }

    fn coalesce(&mut self, operands: &[Expr]) -> Ty {
        let mut given = Ty::Unit;
        for (index, operand) in operands.iter().enumerate() {
            let next = match index {
                0 => self.expr(operand),
                _ => self.perhaps(|walk| walk.expr(operand)),
            };
            given = match given {
                Ty::Unit => next,
                Ty::Maybe(known) => (*known).clone().join(&next),
                Ty::Any => Ty::Any,
                known => known,
            };
        }
        given
    }

    /// A closure where it is made; the first `captured` of its parameters are variables around it.
    pub(super) fn closure(&mut self, name: &str, captured: usize) {
        let source = &self.unit.sources[self.source];
        let Some(function) = source.closures.get(name) else { return };
        let count = self.scope.variables.len();
        let aliases = self.scope.aliases.len();
        self.scope.depth += 1;
        self.returning.push(Returning { given: Ty::Never, declared: None });
        self.out_of_order(|walk| {
            walk.perhaps(|walk| {
                for name in function.params.iter().skip(captured) {
                    walk.declare(name, Ty::Any);
                }
                let ty = walk.statements(source.bodies.statements(function));
                walk.scope.forget(count);
                ty
            })
        });
        self.returning.pop();
        self.scope.depth -= 1;
        self.scope.aliases.truncate(aliases);
    }

    /// A variable that is read.
    pub(super) fn variable(&mut self, name: &str, position: Position) -> Ty {
        if let Some(slot) = self.scope.find(name) {
            return self.value_of(slot);
        }
        if self.is_host_constant(name) {
            return if name == "ARGS" { Ty::array() } else { Ty::map() };
        }
        let unit = self.unit;
        let source = &unit.sources[self.source];
        let is_function = unit.sources.iter().any(|source| source.functions.contains_key(name));
        if is_function {
            return Ty::Fn;
        }
        if unit.is_dynamic() || source.asked_for.contains(name) {
            return Ty::Any;
        }
        let error = Error::new(Code::ScriptFailed, format!("there is no variable `{name}` here"));
        let error = if self.scope.depth > 0 && source.constants.contains(name) {
            error.hint(format!("a function sees constants of the top level as `global::{name}`"))
        } else {
            let names = self.scope.variables.iter().map(|variable| variable.name.as_str());
            match suggest(name, names.chain(unit.plugin.is_none().then_some("ARGS"))) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None if self.has_alias(name) => error.hint(format!("`{name}` is a module: `{name}::...`")),
                None if self.scope.depth > 0 => {
                    error.hint("a function sees its parameters and what it declares itself")
                }
                None => error,
            }
        };
        self.tell(error, position);
        Ty::Any
    }

    fn is_host_constant(&self, name: &str) -> bool {
        CONSTANTS[usize::from(self.unit.plugin.is_some())] == name
    }

    /// What an operator gives.
    pub(super) fn operate(&mut self, operator: &str, operands: &[Ty], position: Position) -> Ty {
        if let Some(ty) = self.natives.operator(operator, operands) {
            return ty;
        }
        let operands: Vec<String> = operands.iter().map(ToString::to_string).collect();
        let wrong = match operands.as_slice() {
            [one] => format!("there is no `{operator}` for {one}"),
            [left, right] => format!("there is no `{operator}` for {left} and {right}"),
            _ => return Ty::Any,
        };
        self.tell_of_type(Error::new(Code::ScriptFailed, wrong), position);
        Ty::Any
    }
}
