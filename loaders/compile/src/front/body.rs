//! One function's body, while it is being typed.

use super::obstacle;
use super::session::{Key, Session};
use super::source::Definition;
use crate::ir::{Expr, Function, Kind, Local, SiteId, SiteKind, Type};
use caraway_loaders_script::Obstacle;
use rhai::{Position, Stmt};

/// How many buffers a function can make.
const MAX_BUFFERS: usize = 64;

/// A function that is being typed.
pub(super) struct Body<'s, 'a> {
    pub session: &'s mut Session<'a>,
    variables: Vec<Variable>,
    locals: Vec<Type>,
    pub loops: Vec<LoopScope>,
    /// What was assigned to so far, in order.
    pub assigned: Vec<Local>,
    /// What all ways out give.
    result: Type,
    is_void: bool,
    /// How many buffers a call makes.
    buffers: usize,
}

/// A variable that is in scope.
struct Variable {
    name: String,
    place: Place,
    is_constant: bool,
}

/// Where a variable's value is.
#[derive(Debug, Clone)]
pub(super) enum Place {
    Local(Local),
    /// A constant that is a literal.
    Literal(Kind, Type),
}

/// A loop around what is being typed.
pub(super) struct LoopScope {
    /// Whether the loop's value is used.
    pub is_wanted: bool,
    /// What all `break`s give; `Never` before the first.
    pub value: Type,
    /// Where they put it.
    pub local: Option<Local>,
    pub has_break: bool,
}

impl<'s, 'a> Body<'s, 'a> {
    /// Types a function.
    pub(super) fn lower(
        session: &'s mut Session<'a>,
        key: &Key,
        definition: &Definition,
    ) -> Result<Function, Obstacle> {
        let mut body = Body {
            session,
            variables: Vec::new(),
            locals: Vec::new(),
            loops: Vec::new(),
            assigned: Vec::new(),
            result: Type::Never,
            is_void: key.is_void,
            buffers: 0,
        };
        for (name, ty) in definition.params.iter().zip(&key.params) {
            let local = body.local(*ty);
            body.declare(name, Place::Local(local), false);
        }
        let end = definition.body.last().map_or(Position::NONE, Stmt::position);
        let value = match definition.body.is_empty() {
            // Rhai gives `()` without looking at anything, not even at how deep the call is.
            true => Expr { kind: Kind::Seq(Vec::new()), ty: Type::Unit },
            false => body.block(&definition.body, !key.is_void)?,
        };
        body.gives(value.ty, end)?;
        let Body { locals, result, buffers, .. } = body;
        let (name, params) = (key.name.clone(), key.params.len());
        Ok(Function { name, params, locals, result, buffers, body: value })
    }

    /// A new variable of the function.
    pub(super) fn local(&mut self, ty: Type) -> Local {
        self.locals.push(ty);
        self.locals.len() - 1
    }

    pub(super) fn type_of(&self, local: Local) -> Type {
        self.locals[local]
    }

    /// How many variables the function has so far.
    pub(super) fn count_of_locals(&self) -> usize {
        self.locals.len()
    }

    pub(super) fn site(&mut self, position: Position, kind: SiteKind) -> SiteId {
        self.session.site(position, kind)
    }

    /// Counts buffers that are made here. They stay until the call from outside ends, so there can be but few.
    pub(super) fn makes_buffers(&mut self, count: usize, position: Position) -> Result<(), Obstacle> {
        if count > 0 && !self.loops.is_empty() {
            return Err(obstacle("a buffer that is made in a loop", position));
        }
        self.buffers += count;
        if self.buffers > MAX_BUFFERS {
            return Err(obstacle(format!("more than {MAX_BUFFERS} buffers"), position));
        }
        Ok(())
    }

    /// Puts a variable into scope.
    pub(super) fn declare(&mut self, name: &str, place: Place, is_constant: bool) {
        self.variables.push(Variable { name: name.to_owned(), place, is_constant });
    }

    /// Whether one more variable is allowed.
    pub(super) fn room(&self, position: Position) -> Result<(), Obstacle> {
        // Less than Rhai allows, so that it cannot make a difference how it counts.
        if self.variables.len() + 16 > self.session.source.max_variables() {
            return Err(obstacle("too many variables", position));
        }
        Ok(())
    }

    /// A variable and whether it is a constant.
    pub(super) fn variable(&self, name: &str, position: Position) -> Result<(Place, bool), Obstacle> {
        let found = self.variables.iter().rev().find(|variable| variable.name == name);
        let variable = found
            .ok_or_else(|| obstacle(format!("`{name}`, which the function does not define"), position))?;
        Ok((variable.place.clone(), variable.is_constant))
    }

    /// What `of` gives with the variables that it declares out of scope again.
    pub(super) fn scoped<T>(
        &mut self,
        of: impl FnOnce(&mut Self) -> Result<T, Obstacle>,
    ) -> Result<T, Obstacle> {
        let before = self.variables.len();
        let outcome = of(self);
        self.variables.truncate(before);
        outcome
    }

    /// Statements in a scope of their own. The value is that of the last one; with `is_wanted` off it is dropped.
    pub(super) fn block(&mut self, statements: &[Stmt], is_wanted: bool) -> Result<Expr, Obstacle> {
        self.scoped(|body| {
            let mut parts = Vec::with_capacity(statements.len());
            for (index, statement) in statements.iter().enumerate() {
                let is_last = index + 1 == statements.len();
                let part = body.statement(statement, is_wanted && is_last)?;
                let ends = part.ty == Type::Never;
                parts.push(if is_wanted && is_last { part } else { dropped(part) });
                if ends {
                    break;
                }
            }
            Ok(sequence(parts))
        })
    }

    /// Notes what one way out of the function gives.
    pub(super) fn gives(&mut self, ty: Type, position: Position) -> Result<(), Obstacle> {
        self.result = unified(self.result, ty, "the function gives", position)?;
        Ok(())
    }

    /// Leaves the function with a value.
    pub(super) fn leave(&mut self, value: Expr, position: Position) -> Result<Expr, Obstacle> {
        if value.ty == Type::Never {
            return Ok(value);
        }
        if self.is_void {
            self.gives(Type::Unit, position)?;
            let leave = Expr { kind: Kind::Return(Box::new(unit())), ty: Type::Never };
            return Ok(sequence(vec![dropped(value), leave]));
        }
        self.gives(value.ty, position)?;
        Ok(Expr { kind: Kind::Return(Box::new(value)), ty: Type::Never })
    }
}

/// The type of what is of one of two types.
pub(super) fn unified(a: Type, b: Type, what: &str, position: Position) -> Result<Type, Obstacle> {
    match (a, b) {
        (Type::Never, other) | (other, Type::Never) => Ok(other),
        (a, b) if a == b => Ok(a),
        (a, b) => Err(obstacle(format!("{what} {} or {}", named(a), named(b)), position)),
    }
}

/// What a type is called in messages.
pub(super) fn named(ty: Type) -> &'static str {
    match ty {
        Type::Never => "nothing",
        Type::Unit => "()",
        Type::Bool => "a bool",
        Type::Int => "an int",
        Type::Float => "a float",
        Type::Ints => "ints",
        Type::Floats => "floats",
    }
}

pub(super) fn unit() -> Expr {
    Expr { kind: Kind::Unit, ty: Type::Unit }
}

pub(super) fn int(value: i64) -> Expr {
    Expr { kind: Kind::Int(value), ty: Type::Int }
}

pub(super) fn get(local: Local, ty: Type) -> Expr {
    Expr { kind: Kind::Get(local), ty }
}

/// Sets a local.
pub(super) fn set(local: Local, value: Expr) -> Expr {
    let ty = if value.ty == Type::Never { Type::Never } else { Type::Unit };
    Expr { kind: Kind::Set(local, Box::new(value)), ty }
}

/// The same for its effects alone.
pub(super) fn dropped(value: Expr) -> Expr {
    match value.ty {
        Type::Unit | Type::Never => value,
        _ => Expr { kind: Kind::Drop(Box::new(value)), ty: Type::Unit },
    }
}

/// One after the other; all but the last give nothing.
pub(super) fn sequence(mut parts: Vec<Expr>) -> Expr {
    match parts.len() {
        0 => unit(),
        1 => parts.swap_remove(0),
        _ => {
            let ty = parts.last().map_or(Type::Unit, |last| last.ty);
            Expr { kind: Kind::Seq(parts), ty }
        }
    }
}
