//! Buffers of numbers.

use super::arguments::Arguments;
use super::body::{Body, get, int, named, sequence, set};
use super::obstacle;
use super::operator::{binary, to_float};
use crate::ir::{Binary, Expr, Kind, SiteKind, Type};
use caraway_loaders_script::Obstacle;
use rhai::{ASTFlags, BinaryExpr, OpAssignment, Position};

impl Body<'_, '_> {
    /// A buffer's length, or whether that is 0.
    pub(super) fn of_buffer(
        &mut self,
        name: &str,
        buffer: Expr,
        position: Position,
    ) -> Result<Expr, Obstacle> {
        let length = Expr { kind: Kind::Len(Box::new(buffer)), ty: Type::Int };
        if name == "len" {
            return Ok(length);
        }
        let site = self.site(position, SiteKind::Binary(Binary::Equal));
        let is_zero = Kind::Binary(Binary::Equal, Box::new(length), Box::new(int(0)), site);
        Ok(Expr { kind: is_zero, ty: Type::Bool })
    }

    /// `floats(length, number)` and `ints(length, number)`.
    pub(super) fn new_buffer(
        &mut self,
        is_floats: bool,
        mut arguments: Vec<Expr>,
        position: Position,
    ) -> Result<Expr, Obstacle> {
        self.makes_buffers(1, position)?;
        let (Some(number), Some(length)) = (arguments.pop(), arguments.pop()) else {
            return Err(obstacle("a buffer without a length", position));
        };
        let number = if is_floats && number.ty == Type::Int { to_float(number) } else { number };
        let ty = if is_floats { Type::Floats } else { Type::Ints };
        let site = self.site(position, SiteKind::Fill);
        let fill = Kind::Fill(Box::new(length), Box::new(number), site);
        let local = self.local(ty);
        Ok(sequence(vec![set(local, Expr { kind: fill, ty }), get(local, ty)]))
    }

    /// `buffer[index]`.
    pub(super) fn load(
        &mut self,
        buffer: Expr,
        mut values: Vec<Expr>,
        position: Position,
    ) -> Result<Expr, Obstacle> {
        let ty = item_of(buffer.ty, position)?;
        let index = values.swap_remove(0);
        if index.ty != Type::Int {
            return Err(obstacle(format!("an index that is {}", named(index.ty)), position));
        }
        let site = self.site(position, SiteKind::Index(buffer.ty));
        Ok(Expr { kind: Kind::Load(Box::new(buffer), Box::new(index), site), ty })
    }

    /// `buffer[index] = value`, also with an operator. Rhai evaluates the value first, then the index.
    pub(super) fn store(
        &mut self,
        operator: &OpAssignment,
        place: &BinaryExpr,
        flags: ASTFlags,
        position: Position,
        value: &rhai::Expr,
    ) -> Result<Expr, Obstacle> {
        let is_chain = matches!(place.rhs, rhai::Expr::Dot(..) | rhai::Expr::Index(..));
        if flags.contains(ASTFlags::NEGATED) || is_chain && !flags.contains(ASTFlags::BREAK) {
            return Err(obstacle("an assignment to a part of an element", position));
        }
        if let rhai::Expr::Variable(variable, ..) = &place.lhs
            && self.variable(&variable.1, position)?.1
        {
            return Err(obstacle(
                format!("an assignment to an element of the constant `{}`", variable.1),
                position,
            ));
        }
        let values = match self.arguments([value, &place.rhs, &place.lhs], position)? {
            Arguments::Ends(end) => return Ok(end),
            Arguments::Values(values) => values,
        };
        let mut parts = Vec::new();
        let mut kept = self.kept(values, &mut parts).into_iter();
        let (Some(value), Some(index), Some(buffer)) = (kept.next(), kept.next(), kept.next()) else {
            return Err(obstacle("an assignment without sides", position));
        };
        let ty = item_of(buffer.ty, position)?;
        if index.ty != Type::Int {
            return Err(obstacle(format!("an index that is {}", named(index.ty)), position));
        }
        let value = match operator.get_op_assignment_info() {
            None => value,
            Some((.., token, _)) => {
                let at = operator.position();
                let operator = binary(token).ok_or_else(|| obstacle("an operator", at))?;
                let before = self.load(buffer.clone(), vec![index.clone()], position)?;
                let sum = self.operation(operator, vec![before, value], at)?;
                let local = self.local(sum.ty);
                let ty = sum.ty;
                parts.push(set(local, sum));
                get(local, ty)
            }
        };
        let value = match (ty, value.ty) {
            (wanted, is) if wanted == is => value,
            (Type::Float, Type::Int) => to_float(value),
            (wanted, is) => {
                let (wanted, is) = (named(wanted), named(is));
                return Err(obstacle(format!("{is} where a buffer has {wanted}"), position));
            }
        };
        let site = self.site(position, SiteKind::Index(buffer.ty));
        let store = Kind::Store(Box::new(buffer), Box::new(index), Box::new(value), site);
        parts.push(Expr { kind: store, ty: Type::Unit });
        Ok(sequence(parts))
    }
}

/// What a buffer has.
fn item_of(buffer: Type, position: Position) -> Result<Type, Obstacle> {
    match buffer {
        Type::Ints => Ok(Type::Int),
        Type::Floats => Ok(Type::Float),
        other => Err(obstacle(format!("an index of {}", named(other)), position)),
    }
}
