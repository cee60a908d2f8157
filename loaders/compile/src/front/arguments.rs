//! Operands and arguments: several values, of which each is evaluated before it is known what is done with them.

use super::body::{Body, dropped, get, sequence, set};
use super::obstacle;
use crate::ir::{Expr, Kind, Type};
use caraway_loaders_script::Obstacle;
use rhai::Position;

/// Values that were evaluated, or what ends before they are.
pub(super) enum Arguments {
    Values(Vec<Expr>),
    /// A [`Type::Never`].
    Ends(Expr),
}

impl Body<'_, '_> {
    /// The values of expressions, from left to right. None may assign to a variable: Rhai reads some of the others
    /// before and some after.
    pub(super) fn arguments<'e>(
        &mut self,
        expressions: impl IntoIterator<Item = &'e rhai::Expr>,
        position: Position,
    ) -> Result<Arguments, Obstacle> {
        let (assigned, locals) = (self.assigned.len(), self.count_of_locals());
        let mut values = Vec::new();
        for expression in expressions {
            let value = self.expression(expression)?;
            if value.ty == Type::Unit {
                return Err(obstacle("an operand that is ()", expression.position()));
            }
            let ends = value.ty == Type::Never;
            values.push(value);
            if ends {
                break;
            }
        }
        if self.assigned[assigned..].iter().any(|local| *local < locals) {
            return Err(obstacle("an operand that assigns to a variable", position));
        }
        Ok(Arguments::of(values))
    }

    /// Puts values where they can be used later than other things are done, which then come first.
    pub(super) fn kept(&mut self, values: Vec<Expr>, first: &mut Vec<Expr>) -> Vec<Expr> {
        let mut keep = |value: Expr| {
            if is_at_hand(&value) {
                return value;
            }
            let (ty, local) = (value.ty, self.local(value.ty));
            first.push(set(local, value));
            get(local, ty)
        };
        values.into_iter().map(&mut keep).collect()
    }
}

impl Arguments {
    /// The same values, unless one of them ends.
    pub(super) fn of(values: Vec<Expr>) -> Self {
        let Some(end) = values.iter().position(|value| value.ty == Type::Never) else {
            return Self::Values(values);
        };
        let parts = values.into_iter().take(end + 1).map(dropped).collect();
        Self::Ends(sequence(parts))
    }
}

/// Whether a value is the same whenever it is evaluated, and costs nothing.
fn is_at_hand(value: &Expr) -> bool {
    matches!(value.kind, Kind::Int(_) | Kind::Float(_) | Kind::Bool(_) | Kind::Get(_))
}
