//! Operators.

use super::body::{Body, named};
use super::obstacle;
use crate::ir::{Binary, Expr, Kind, Math, SiteKind, Type};
use caraway_loaders_script::Obstacle;
use rhai::{Position, Token};

impl Body<'_, '_> {
    /// An operator and its two operands, as Rhai's own operators take them.
    pub(super) fn operation(
        &mut self,
        operator: Binary,
        sides: Vec<Expr>,
        position: Position,
    ) -> Result<Expr, Obstacle> {
        let Ok([left, right]) = <[Expr; 2]>::try_from(sides) else {
            return Err(obstacle("an operator without two sides", position));
        };
        let types = (left.ty, right.ty);
        let refused = || {
            let (left, right) = (named(types.0), named(types.1));
            obstacle(format!("an operator between {left} and {right}"), position)
        };
        let (left, right) = match types {
            (Type::Int, Type::Float) => (to_float(left), right),
            (Type::Float, Type::Int) => (left, to_float(right)),
            (Type::Int, Type::Int) | (Type::Float, Type::Float) | (Type::Bool, Type::Bool) => (left, right),
            _ => return Err(refused()),
        };
        let of = left.ty;
        if !takes(operator, of) {
            return Err(refused());
        }
        let site = self.site(position, SiteKind::Binary(operator));
        let ty = if operator.compares() { Type::Bool } else { of };
        Ok(Expr { kind: Kind::Binary(operator, Box::new(left), Box::new(right), site), ty })
    }

    /// An operator before its operand.
    pub(super) fn unary(&mut self, token: &Token, value: Expr, position: Position) -> Result<Expr, Obstacle> {
        let ty = value.ty;
        match (token, ty) {
            (Token::UnaryMinus | Token::Minus, Type::Int | Type::Float) => {
                let site = self.site(position, SiteKind::Negate);
                Ok(Expr { kind: Kind::Negate(Box::new(value), site), ty })
            }
            (Token::UnaryPlus | Token::Plus, Type::Int | Type::Float) => Ok(value),
            (Token::Bang, Type::Bool) => Ok(Expr { kind: Kind::Not(Box::new(value)), ty }),
            _ => Err(obstacle(format!("an operator before {}", named(ty)), position)),
        }
    }
}

/// Whether there is such an operator of two values of this type.
fn takes(operator: Binary, of: Type) -> bool {
    use Binary::*;
    match of {
        Type::Int => true,
        Type::Float => {
            operator.compares() || matches!(operator, Add | Subtract | Multiply | Divide | Remainder | Power)
        }
        _ => operator.compares() || matches!(operator, And | Or | Xor),
    }
}

/// An int as a float.
pub(super) fn to_float(value: Expr) -> Expr {
    match value.kind {
        #[allow(clippy::cast_precision_loss)] // As Rhai does it.
        Kind::Int(value) => super::expression::float(value as f64),
        // Without a site of its own: it cannot fail.
        _ => Expr { kind: Kind::Math(Math::IntToFloat, vec![value], 0), ty: Type::Float },
    }
}

/// The operator that a token stands for.
pub(super) fn binary(token: &Token) -> Option<Binary> {
    Some(match token {
        Token::Plus => Binary::Add,
        Token::Minus => Binary::Subtract,
        Token::Multiply => Binary::Multiply,
        Token::Divide => Binary::Divide,
        Token::Modulo => Binary::Remainder,
        Token::PowerOf => Binary::Power,
        Token::LeftShift => Binary::ShiftLeft,
        Token::RightShift => Binary::ShiftRight,
        Token::Ampersand => Binary::And,
        Token::Pipe => Binary::Or,
        Token::XOr => Binary::Xor,
        Token::EqualsTo => Binary::Equal,
        Token::NotEqualsTo => Binary::NotEqual,
        Token::LessThan => Binary::Less,
        Token::LessThanEqualsTo => Binary::LessEqual,
        Token::GreaterThan => Binary::Greater,
        Token::GreaterThanEqualsTo => Binary::GreaterEqual,
        _ => return None,
    })
}
