//! Functions of the standard package, and the arithmetic of floats.
//!
//! What WebAssembly has to the last bit is written as that; for the rest the host calls what Rhai calls.

use super::Helper;
use super::body::{Body, Scratch};
use super::module::count;
use crate::ir::{Binary, Expr, Math, SiteId};

/// The float before one half: what is rounded away from zero by cutting off, once this is added.
const ALMOST_HALF: f64 = 0.5_f64.next_down();

impl Body<'_> {
    pub(super) fn float_binary(&mut self, op: Binary, left: &Expr, right: &Expr) {
        if op.compares() {
            return self.compare_floats(op, left, right);
        }
        self.expression(left);
        self.expression(right);
        let mut code = self.code();
        match op {
            Binary::Subtract => code.f64_sub(),
            Binary::Multiply => code.f64_mul(),
            Binary::Divide => code.f64_div(),
            Binary::Remainder => code.call(Helper::FloatRemainder.index()),
            Binary::Power => code.call(Helper::FloatPower.index()),
            _ => code.f64_add(),
        };
    }

    pub(super) fn math(&mut self, math: Math, args: &[Expr], site: SiteId) {
        args.iter().for_each(|arg| self.expression(arg));
        match math {
            Math::AbsInt => self.int_abs(site),
            Math::FloatToInt => self.float_to_int(site),
            Math::SignFloat => self.float_sign(site),
            _ if Helper::ALL.contains(&Helper::Unary(math)) => {
                self.code().call(Helper::Unary(math).index());
            }
            _ if Helper::ALL.contains(&Helper::Binary(math)) => {
                self.code().call(Helper::Binary(math).index());
            }
            _ => self.instructions_of(math),
        }
    }

    fn instructions_of(&mut self, math: Math) {
        let Scratch { x, y, p, q, .. } = self.scratch;
        let mut code = self.code();
        match math {
            Math::IntToFloat => code.f64_convert_i64_s(),
            Math::SignInt => {
                code.local_tee(x).i64_const(63).i64_shr_s();
                code.local_get(x).i64_const(0).i64_gt_s().i64_extend_i32_u().i64_or()
            }
            Math::MinInt => {
                code.local_set(y).local_tee(x).local_get(y);
                code.local_get(x).local_get(y).i64_le_s().select()
            }
            Math::MaxInt => {
                code.local_set(y).local_tee(x).local_get(y);
                code.local_get(x).local_get(y).i64_ge_s().select()
            }
            Math::MinFloat => {
                code.local_set(q).local_tee(p).local_get(q);
                code.local_get(p).local_get(q).f64_le().select()
            }
            Math::MaxFloat => {
                code.local_set(q).local_tee(p).local_get(q);
                code.local_get(p).local_get(q).f64_ge().select()
            }
            Math::AbsFloat => code.f64_abs(),
            Math::Sqrt => code.f64_sqrt(),
            Math::Floor => code.f64_floor(),
            Math::Ceiling => code.f64_ceil(),
            Math::Truncate => code.f64_trunc(),
            Math::Round => {
                code.local_tee(p).f64_const(ALMOST_HALF.into());
                code.local_get(p).f64_copysign().f64_add().f64_trunc()
            }
            Math::Fraction => code.local_tee(p).local_get(p).f64_trunc().f64_sub(),
            Math::IsZeroFloat => code.f64_const(0.0.into()).f64_eq(),
            Math::IsNan => code.local_tee(p).local_get(p).f64_ne(),
            Math::IsFinite => code.f64_abs().f64_const(f64::INFINITY.into()).f64_lt(),
            Math::IsInfinite => code.f64_abs().f64_const(f64::INFINITY.into()).f64_eq(),
            // All others are the host's.
            _ => code.unreachable(),
        };
    }

    /// What is no number is 0; what lies outside of the ints is refused, but for 2^63.
    fn float_to_int(&mut self, site: SiteId) {
        let Scratch { p, .. } = self.scratch;
        let mut code = self.code();
        code.local_tee(p).f64_const((i64::MAX as f64).into()).f64_gt();
        code.local_get(p).f64_const((i64::MIN as f64).into()).f64_lt().i32_or();
        self.fail_if(count(site), |code| {
            code.local_get(p).i64_reinterpret_f64().i64_const(0);
        });
        self.code().local_get(p).i64_trunc_sat_f64_s();
    }

    fn float_sign(&mut self, site: SiteId) {
        let Scratch { p, .. } = self.scratch;
        self.code().local_tee(p).local_get(p).f64_ne();
        self.fail_if(count(site), |code| {
            code.i64_const(0).i64_const(0);
        });
        let mut code = self.code();
        code.local_get(p).f64_const(0.0.into()).f64_gt();
        code.local_get(p).f64_const(0.0.into()).f64_lt().i32_sub().i64_extend_i32_s();
    }
}
