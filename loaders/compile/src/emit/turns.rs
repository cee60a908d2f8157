//! How often a loop is written.
//!
//! At the head of each loop there is a look at the epoch, and what the loop carries is in memory meanwhile, since
//! another function may have to be called. In a short loop that is most of the time. So short ones are written several
//! times over, each with its own conditions, and go round through the head less often.

use crate::ir::{Expr, Kind, Loop};

/// How often a short loop is written.
const TURNS: usize = 4;

/// How many expressions there may be in a short one.
const SHORT: usize = 48;

/// How often this one is.
pub(super) fn turns(inner: &Loop) -> usize {
    let mut left = SHORT;
    let parts = [inner.condition.as_ref(), Some(&inner.body), inner.tail.as_ref(), inner.step.as_ref()];
    let is_short = parts.into_iter().flatten().all(|part| fits(part, &mut left));
    if is_short { TURNS } else { 1 }
}

/// Whether an expression has no more than so many in it, and no loops or calls, beside which a head does not matter.
fn fits(expr: &Expr, left: &mut usize) -> bool {
    let Some(rest) = left.checked_sub(1) else { return false };
    *left = rest;
    match &expr.kind {
        Kind::Unit
        | Kind::Bool(_)
        | Kind::Int(_)
        | Kind::Float(_)
        | Kind::Get(_)
        | Kind::Break
        | Kind::Continue
        | Kind::Fail(_) => true,
        Kind::Set(_, operand)
        | Kind::Negate(operand, _)
        | Kind::Not(operand)
        | Kind::Drop(operand)
        | Kind::Return(operand)
        | Kind::Len(operand) => fits(operand, left),
        Kind::Binary(_, a, b, _) | Kind::Load(a, b, _) | Kind::LoadAt(a, b) => fits(a, left) && fits(b, left),
        Kind::If(a, b, c) | Kind::Store(a, b, c, _) => fits(a, left) && fits(b, left) && fits(c, left),
        Kind::And(operands)
        | Kind::Or(operands)
        | Kind::Seq(operands)
        | Kind::Math(_, operands, _)
        | Kind::Throw(operands, _) => operands.iter().all(|operand| fits(operand, left)),
        Kind::Fill(..) | Kind::Loop(_) | Kind::Call(..) | Kind::CallImport(..) => false,
    }
}
