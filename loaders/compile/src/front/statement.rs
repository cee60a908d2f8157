//! Statements.

use super::arguments::Arguments;
use super::body::{Body, Place, dropped, get, named, set, unified, unit};
use super::obstacle;
use super::operator::binary;
use crate::ir::{Expr, Kind, Type};
use caraway_loaders_script::Obstacle;
use rhai::{ASTFlags, BinaryExpr, FlowControl, OpAssignment, Position, Stmt};

impl Body<'_, '_> {
    /// A statement. With `is_wanted` off its value may be of any type, or of several, and is not used.
    pub(super) fn statement(&mut self, statement: &Stmt, is_wanted: bool) -> Result<Expr, Obstacle> {
        self.session.work(statement.position())?;
        match statement {
            Stmt::Noop(_) => Ok(unit()),
            Stmt::Expr(expression) => self.arm(expression, is_wanted),
            Stmt::FnCall(call, position) => self.call(call, *position),
            Stmt::Block(block) => self.block(block.statements(), is_wanted),
            Stmt::Var(variable, flags, position) => {
                self.variable_definition(&variable.0.name, &variable.1, *flags, *position)
            }
            Stmt::Assignment(assignment) => self.assignment(&assignment.0, &assignment.1),
            Stmt::If(flow, position) => self.conditional(flow, *position, is_wanted),
            Stmt::Switch(switch, position) => self.switch(&switch.0, &switch.1, *position, is_wanted),
            Stmt::While(flow, position) => self.while_loop(flow, *position, is_wanted),
            Stmt::Do(flow, flags, position) => self.do_loop(flow, *flags, *position, is_wanted),
            Stmt::For(parts, position) => self.for_loop(parts, *position, is_wanted),
            Stmt::BreakLoop(value, flags, position) => {
                self.break_or_continue(value.as_deref(), flags.contains(ASTFlags::BREAK), *position)
            }
            Stmt::Return(value, flags, position) if flags.contains(ASTFlags::BREAK) => {
                self.throw(value.as_deref(), *position)
            }
            Stmt::Return(value, _, position) => {
                let value = value.as_deref().map_or_else(|| Ok(unit()), |value| self.expression(value))?;
                self.leave(value, *position)
            }
            Stmt::TryCatch(_, position) => Err(obstacle("`try`", *position)),
            Stmt::Import(_, position) => Err(obstacle("`import` in a function", *position)),
            Stmt::Export(_, position) => Err(obstacle("`export`", *position)),
            Stmt::Share(_) => Err(obstacle("a closure", statement.position())),
            _ => Err(obstacle("a statement of an unknown kind", statement.position())),
        }
    }

    fn variable_definition(
        &mut self,
        name: &str,
        value: &rhai::Expr,
        flags: ASTFlags,
        position: Position,
    ) -> Result<Expr, Obstacle> {
        self.room(position)?;
        let is_constant = flags.contains(ASTFlags::CONSTANT);
        let value = self.expression(value)?;
        match value.ty {
            Type::Never => return Ok(value),
            Type::Unit => return Err(obstacle(format!("`{name}` without a value"), position)),
            _ => {}
        }
        if is_constant && matches!(value.kind, Kind::Int(_) | Kind::Float(_) | Kind::Bool(_)) {
            self.declare(name, Place::Literal(value.kind, value.ty), true);
            return Ok(unit());
        }
        let local = self.local(value.ty);
        self.declare(name, Place::Local(local), is_constant);
        Ok(set(local, value))
    }

    fn assignment(&mut self, operator: &OpAssignment, sides: &BinaryExpr) -> Result<Expr, Obstacle> {
        let position = operator.position();
        let name = match &sides.lhs {
            rhai::Expr::Variable(variable, ..) if variable.2.is_empty() => &variable.1,
            rhai::Expr::Index(index, flags, at) => {
                return self.store(operator, index, *flags, *at, &sides.rhs);
            }
            other => return Err(obstacle("an assignment to a property", other.position())),
        };
        let (place, is_constant) = self.variable(name, sides.lhs.position())?;
        let Place::Local(local) = place else {
            return Err(obstacle(format!("an assignment to the constant `{name}`"), position));
        };
        if is_constant {
            return Err(obstacle(format!("an assignment to the constant `{name}`"), position));
        }
        let ty = self.type_of(local);
        let value = match operator.get_op_assignment_info() {
            None => self.expression(&sides.rhs)?,
            Some((.., token, _)) => {
                let operator = binary(token).ok_or_else(|| obstacle("an operator", position))?;
                match self.arguments([&sides.lhs, &sides.rhs], position)? {
                    Arguments::Ends(end) => return Ok(end),
                    Arguments::Values(sides) => self.operation(operator, sides, position)?,
                }
            }
        };
        match value.ty {
            Type::Never => Ok(value),
            other if other == ty => {
                self.assigned.push(local);
                Ok(set(local, value))
            }
            other => {
                let (was, is) = (named(ty), named(other));
                Err(obstacle(format!("`{name}` is {was} and becomes {is}"), position))
            }
        }
    }

    /// A condition: a bool.
    pub(super) fn condition(&mut self, expression: &rhai::Expr) -> Result<Expr, Obstacle> {
        let value = self.expression(expression)?;
        match value.ty {
            Type::Bool | Type::Never => Ok(value),
            other => Err(obstacle(format!("a condition that is {}", named(other)), expression.position())),
        }
    }

    fn conditional(
        &mut self,
        flow: &FlowControl,
        position: Position,
        is_wanted: bool,
    ) -> Result<Expr, Obstacle> {
        let condition = self.condition(&flow.expr)?;
        if condition.ty == Type::Never {
            return Ok(condition);
        }
        let then = self.block(flow.body.statements(), is_wanted)?;
        let otherwise = self.block(flow.branch.statements(), is_wanted)?;
        choice(condition, then, otherwise, position)
    }

    /// The value of a block or an expression, which is dropped unless it is wanted.
    pub(super) fn arm(&mut self, expression: &rhai::Expr, is_wanted: bool) -> Result<Expr, Obstacle> {
        match expression {
            rhai::Expr::Stmt(block) => self.block(block.statements(), is_wanted),
            other if is_wanted => self.expression(other),
            other => Ok(dropped(self.expression(other)?)),
        }
    }
}

/// One of two values.
pub(super) fn choice(
    condition: Expr,
    then: Expr,
    otherwise: Expr,
    position: Position,
) -> Result<Expr, Obstacle> {
    let ty = unified(then.ty, otherwise.ty, "a value that is", position)?;
    Ok(Expr { kind: Kind::If(Box::new(condition), Box::new(then), Box::new(otherwise)), ty })
}

/// The variable at a place, as a value.
pub(super) fn value_at(place: Place, type_of: impl FnOnce(usize) -> Type) -> Expr {
    match place {
        Place::Local(local) => get(local, type_of(local)),
        Place::Literal(kind, ty) => Expr { kind, ty },
    }
}
