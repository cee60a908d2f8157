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
    if parts(inner).all(|part| fits(part, &mut left)) { TURNS } else { 1 }
}

/// Whether a loop uses numbers of buffers, other than in loops within it.
pub(super) fn uses_buffers(inner: &Loop) -> bool {
    parts(inner).any(uses)
}

fn parts(inner: &Loop) -> impl Iterator<Item = &Expr> {
    let parts = [inner.condition.as_ref(), Some(&inner.body), inner.tail.as_ref(), inner.step.as_ref()];
    parts.into_iter().flatten()
}

/// Whether an expression has no more than so many in it, and no loops or calls, beside which a head does not matter.
fn fits(expr: &Expr, left: &mut usize) -> bool {
    let Some(rest) = left.checked_sub(1) else { return false };
    *left = rest;
    let is_long = matches!(expr.kind, Kind::Fill(..) | Kind::Loop(_) | Kind::Call(..) | Kind::CallImport(..));
    !is_long && operands(expr).into_iter().all(|operand| fits(operand, left))
}

fn uses(expr: &Expr) -> bool {
    let here = matches!(expr.kind, Kind::Load(..) | Kind::LoadAt(..) | Kind::Store(..));
    here || operands(expr).into_iter().any(uses)
}

/// What an expression is made of, but for loops.
fn operands(expr: &Expr) -> Vec<&Expr> {
    match &expr.kind {
        Kind::Unit
        | Kind::Bool(_)
        | Kind::Int(_)
        | Kind::Float(_)
        | Kind::Get(_)
        | Kind::Break
        | Kind::Continue
        | Kind::Fail(_)
        | Kind::Loop(_) => Vec::new(),
        Kind::Set(_, a)
        | Kind::Negate(a, _)
        | Kind::Not(a)
        | Kind::Drop(a)
        | Kind::Return(a)
        | Kind::Len(a) => vec![a],
        Kind::Binary(_, a, b, _) | Kind::Load(a, b, _) | Kind::LoadAt(a, b) | Kind::Fill(a, b, _) => {
            vec![a, b]
        }
        Kind::If(a, b, c) | Kind::Store(a, b, c, _) => vec![a, b, c],
        Kind::And(all)
        | Kind::Or(all)
        | Kind::Seq(all)
        | Kind::Math(_, all, _)
        | Kind::Call(_, all, _)
        | Kind::CallImport(_, all, _)
        | Kind::Throw(all, _) => all.iter().collect(),
    }
}
