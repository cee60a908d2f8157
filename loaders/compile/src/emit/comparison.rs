//! Floats, as Rhai compares them: the difference in relation to the larger one, or to 1 if one of them is 0.
//!
//! Rhai divides. To divide by the larger one and to compare with epsilon, a power of two, gives the same as to multiply
//! the difference by 2^52, which is exact, and to compare with the larger one: two floats that differ, differ by more
//! than the quotient is rounded by. What remains is that of infinities and of what is no number, where Rhai's outcomes
//! are those of its formula.

use super::body::{Body, Scratch};
use crate::ir::{Binary, Expr, Kind};

/// The reciprocal of epsilon.
const SCALE: f64 = 1.0 / f64::EPSILON;

/// Constants that are nearer to 0 than this, and not 0, have products with other small floats that are 0.
const SMALL: f64 = 1e-10;

/// What Rhai's formula gives.
fn holds(op: Binary, x: f64, y: f64) -> bool {
    let max = if x * y == 0.0 { 1.0 } else { x.abs().max(y.abs()) };
    let zero = max == 0.0;
    match op {
        Binary::Equal => zero || (x - y).abs() / max <= f64::EPSILON,
        Binary::NotEqual => !zero && (x - y).abs() / max > f64::EPSILON,
        Binary::Less => !zero && (y - x) / max > f64::EPSILON,
        Binary::LessEqual => zero || (y - x) / max > -f64::EPSILON,
        Binary::Greater => !zero && (x - y) / max > f64::EPSILON,
        _ => zero || (x - y) / max > -f64::EPSILON,
    }
}

/// The same comparison with its sides changed.
fn mirrored(op: Binary) -> Binary {
    match op {
        Binary::Less => Binary::Greater,
        Binary::LessEqual => Binary::GreaterEqual,
        Binary::Greater => Binary::Less,
        Binary::GreaterEqual => Binary::LessEqual,
        other => other,
    }
}

/// Whether it holds for equal numbers. Then it holds for 0 and what is no number, too.
fn of_equals(op: Binary) -> bool {
    matches!(op, Binary::Equal | Binary::LessEqual | Binary::GreaterEqual)
}

/// The least and the greatest number of which a comparison with a constant holds; for `!=`, does not hold. None if it
/// is not all numbers between.
fn interval(op: Binary, constant: f64) -> Option<(f64, f64)> {
    if !constant.is_finite() || (constant != 0.0 && constant.abs() < SMALL) {
        return None;
    }
    let margin = constant.abs().max(1.0) * 1e-9;
    let (low, high) = (constant - margin, constant + margin);
    let found = |from, to| edge(from, to, |x| holds(op, x, constant) != (op == Binary::NotEqual));
    Some(match op {
        Binary::Equal | Binary::NotEqual => (found(constant, low), found(constant, high)),
        Binary::Less => (f64::MIN, found(low, constant)),
        Binary::LessEqual => (f64::MIN, found(constant, high)),
        Binary::Greater => (found(high, constant), f64::MAX),
        _ => (found(constant, low), f64::MAX),
    })
}

/// The last float from `from`, where it holds, to `to`, where it does not.
fn edge(from: f64, to: f64, holds: impl Fn(f64) -> bool) -> f64 {
    let (mut from, mut to) = (ordinal(from), ordinal(to));
    while from.abs_diff(to) > 1 {
        let middle = from.midpoint(to);
        if holds(of_ordinal(middle)) { from = middle } else { to = middle }
    }
    of_ordinal(from)
}

/// Floats in their order, as ints without gaps.
fn ordinal(float: f64) -> i64 {
    let bits = float.to_bits().cast_signed();
    if bits < 0 { i64::MIN.wrapping_sub(bits) } else { bits }
}

fn of_ordinal(ordinal: i64) -> f64 {
    let bits = if ordinal < 0 { i64::MIN.wrapping_sub(ordinal) } else { ordinal };
    f64::from_bits(bits.cast_unsigned())
}

impl Body<'_> {
    pub(super) fn compare_floats(&mut self, op: Binary, left: &Expr, right: &Expr) {
        if let Kind::Float(constant) = right.kind
            && let Some(interval) = interval(op, constant)
        {
            self.expression(left);
            self.compare_with(op, constant, interval);
        } else if let Kind::Float(constant) = left.kind
            && let Some(interval) = interval(mirrored(op), constant)
        {
            self.expression(right);
            self.compare_with(mirrored(op), constant, interval);
        } else {
            self.expression(left);
            self.expression(right);
            self.compare(op);
        }
    }

    /// Compares the float on the stack with a constant.
    fn compare_with(&mut self, op: Binary, constant: f64, (low, high): (f64, f64)) {
        let Scratch { p, .. } = self.scratch;
        let mut code = self.code();
        code.local_set(p);
        if op == Binary::NotEqual {
            code.local_get(p).f64_const(low.into()).f64_lt();
            code.local_get(p).f64_const(high.into()).f64_gt().i32_or();
            code.local_get(p).f64_abs().f64_const(f64::MAX.into()).f64_le().i32_and();
            return;
        }
        code.local_get(p).f64_const(low.into()).f64_ge();
        code.local_get(p).f64_const(high.into()).f64_le().i32_and();
        if constant == 0.0 && of_equals(op) {
            code.local_get(p).local_get(p).f64_ne().i32_or();
        }
    }

    /// Compares the two floats on the stack.
    fn compare(&mut self, op: Binary) {
        let Scratch { p, q, max, .. } = self.scratch;
        let mut code = self.code();
        code.local_set(q).local_set(p);
        code.f64_const(1.0.into()).local_get(p).f64_abs().local_get(q).f64_abs().f64_max();
        code.local_get(p).local_get(q).f64_mul().f64_const(0.0.into()).f64_eq().select().local_set(max);
        let (first, second) = match op {
            Binary::Less | Binary::GreaterEqual => (q, p),
            _ => (p, q),
        };
        code.local_get(first).local_get(second).f64_sub();
        if matches!(op, Binary::Equal | Binary::NotEqual) {
            code.f64_abs();
        }
        code.f64_const(SCALE.into()).f64_mul().local_get(max);
        match op {
            Binary::Equal => code.f64_le(),
            Binary::LessEqual | Binary::GreaterEqual => code.f64_lt(),
            _ => code.f64_gt(),
        };
        if of_equals(op) {
            // Infinite by infinite is no number.
            code.local_get(max).f64_const(f64::INFINITY.into()).f64_lt().i32_and();
            // The larger one of 0 and what is no number is 0.
            code.local_get(p).local_get(p).f64_ne().local_get(q).local_get(q).f64_ne().i32_or();
            code.local_get(p).f64_const(0.0.into()).f64_eq();
            code.local_get(q).f64_const(0.0.into()).f64_eq().i32_or();
            code.i32_and().i32_or();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPS: [(&str, Binary); 6] = [
        ("==", Binary::Equal),
        ("!=", Binary::NotEqual),
        ("<", Binary::Less),
        ("<=", Binary::LessEqual),
        (">", Binary::Greater),
        (">=", Binary::GreaterEqual),
    ];

    /// Numbers of all sizes, with their neighbours.
    fn numbers() -> Vec<f64> {
        let sizes = [0.0, f64::MIN_POSITIVE, 1e-200, 1e-17, 1e-9, 0.1, 1.0, 3.0, 4.0, 1e9, 1e300, f64::MAX];
        let mut numbers = vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::EPSILON, -f64::EPSILON];
        for size in sizes {
            let (mut above, mut below) = (size, size);
            for _ in 0..4 {
                numbers.extend([above, -above, below, -below]);
                (above, below) = (above.next_up(), below.next_down());
            }
        }
        numbers
    }

    #[test]
    fn the_formula_is_that_of_rhai() {
        let engine = rhai::Engine::new();
        for (token, op) in OPS {
            let ast = engine.compile(format!("x {token} y")).unwrap();
            for x in numbers() {
                for y in numbers() {
                    let mut scope = rhai::Scope::new();
                    scope.push("x", x).push("y", y);
                    let rhai: bool = engine.eval_ast_with_scope(&mut scope, &ast).unwrap();
                    assert_eq!(holds(op, x, y), rhai, "{x:e} {token} {y:e}");
                }
            }
        }
    }

    #[test]
    fn intervals_hold_what_the_formula_holds() {
        for (token, op) in OPS {
            let mut found = 0;
            for constant in numbers() {
                let Some((low, high)) = interval(op, constant) else { continue };
                found += 1;
                for x in numbers() {
                    let inside = low <= x && x <= high;
                    let value = match op {
                        Binary::NotEqual => !inside && x.is_finite(),
                        _ => inside || (constant == 0.0 && of_equals(op) && x.is_nan()),
                    };
                    assert_eq!(value, holds(op, x, constant), "{x:e} {token} {constant:e}: {low:e} {high:e}");
                }
            }
            assert!(found > 50);
        }
    }
}
