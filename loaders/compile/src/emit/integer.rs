//! Operators of ints.
//!
//! Where one overflows, Rhai fails and tells the operands; so they are kept in scratch until the result is known to be
//! in order. What is known when the code is written makes that cheaper.

use super::Helper;
use super::body::{Body, Scratch};
use super::module::count;
use crate::ir::{Binary, Expr, Kind, SiteId, Type};

impl Body<'_> {
    pub(super) fn int_binary(&mut self, op: Binary, left: &Expr, right: &Expr, site: SiteId) {
        self.expression(left);
        self.expression(right);
        let constant = match right.kind {
            Kind::Int(value) => Some(value),
            _ => None,
        };
        match op {
            Binary::Add => self.add(constant, site),
            Binary::Subtract => self.subtract(constant, site),
            Binary::Multiply => self.multiply(site),
            Binary::Divide | Binary::Remainder => self.divide(op, constant, site),
            Binary::Power => self.power(constant, site),
            Binary::ShiftLeft | Binary::ShiftRight => self.shift(op, constant),
            _ => self.plain(op),
        }
    }

    /// What cannot fail.
    fn plain(&mut self, op: Binary) {
        let mut code = self.code();
        match op {
            Binary::And => code.i64_and(),
            Binary::Or => code.i64_or(),
            Binary::Xor => code.i64_xor(),
            Binary::Equal => code.i64_eq(),
            Binary::NotEqual => code.i64_ne(),
            Binary::Less => code.i64_lt_s(),
            Binary::LessEqual => code.i64_le_s(),
            Binary::Greater => code.i64_gt_s(),
            Binary::GreaterEqual => code.i64_ge_s(),
            _ => code.i64_add(),
        };
    }

    /// Puts both operands into scratch.
    fn keep_operands(&mut self) {
        let Scratch { x, y, .. } = self.scratch;
        self.code().local_set(y).local_set(x);
    }

    fn add(&mut self, constant: Option<i64>, site: SiteId) {
        let Scratch { x, y, r, .. } = self.scratch;
        self.keep_operands();
        self.code().local_get(x).local_get(y).i64_add().local_set(r);
        match constant {
            Some(0..) => self.code().local_get(r).local_get(x).i64_lt_s(),
            Some(_) => self.code().local_get(r).local_get(x).i64_gt_s(),
            // The sum has another sign than both have.
            None => self
                .code()
                .local_get(r)
                .local_get(x)
                .i64_xor()
                .local_get(r)
                .local_get(y)
                .i64_xor()
                .i64_and()
                .i64_const(0)
                .i64_lt_s(),
        };
        self.fail_if_told(site);
        self.code().local_get(r);
    }

    fn subtract(&mut self, constant: Option<i64>, site: SiteId) {
        let Scratch { x, y, r, .. } = self.scratch;
        self.keep_operands();
        self.code().local_get(x).local_get(y).i64_sub().local_set(r);
        match constant {
            Some(0..) => self.code().local_get(r).local_get(x).i64_gt_s(),
            Some(_) => self.code().local_get(r).local_get(x).i64_lt_s(),
            // The signs differ, and the difference has not the first one's.
            None => self
                .code()
                .local_get(r)
                .local_get(x)
                .i64_xor()
                .local_get(x)
                .local_get(y)
                .i64_xor()
                .i64_and()
                .i64_const(0)
                .i64_lt_s(),
        };
        self.fail_if_told(site);
        self.code().local_get(r);
    }

    fn multiply(&mut self, site: SiteId) {
        let Scratch { x, y, .. } = self.scratch;
        self.keep_operands();
        self.product(x, y, site);
    }

    /// The product of two scratch locals.
    fn product(&mut self, left: u32, right: u32, site: SiteId) {
        let Scratch { r, high, .. } = self.scratch;
        self.code().local_get(left).local_get(right).i64_mul_wide_s().local_set(high).local_set(r);
        // The upper half of what fits is the sign of the lower one.
        self.code().local_get(r).i64_const(63).i64_shr_s().local_get(high).i64_ne();
        self.fail_if_told(site);
        self.code().local_get(r);
    }

    fn divide(&mut self, op: Binary, constant: Option<i64>, site: SiteId) {
        let Scratch { x, y, .. } = self.scratch;
        if !constant.is_some_and(|value| value != 0 && value != -1) {
            self.keep_operands();
            // One comparison finds the two divisors that can fail.
            self.code().local_get(y).i64_const(1).i64_add().i64_const(2).i64_lt_u();
            self.seldom(|body| {
                body.code().local_get(y).i64_eqz().local_get(x).i64_const(i64::MIN).i64_eq().i32_or();
                body.fail_if_told(site);
            });
            self.code().local_get(x).local_get(y);
        }
        match op {
            Binary::Divide => self.code().i64_div_s(),
            _ => self.code().i64_rem_s(),
        };
    }

    fn power(&mut self, constant: Option<i64>, site: SiteId) {
        if constant == Some(2) {
            let Scratch { x, .. } = self.scratch;
            self.keep_operands();
            return self.product(x, x, site);
        }
        self.code().i32_const(count(site).cast_signed()).call(Helper::Power.index());
    }

    fn shift(&mut self, op: Binary, constant: Option<i64>) {
        let Scratch { x, y, .. } = self.scratch;
        let helper = if op == Binary::ShiftLeft { Helper::ShiftLeft } else { Helper::ShiftRight };
        let shift = |body: &mut Self| {
            match op {
                Binary::ShiftLeft => body.code().i64_shl(),
                _ => body.code().i64_shr_s(),
            };
        };
        if constant.is_some_and(|by| (0..64).contains(&by)) {
            return shift(self);
        }
        self.keep_operands();
        self.code().local_get(y).i64_const(64).i64_lt_u();
        let usual = |body: &mut Self| {
            body.code().local_get(x).local_get(y);
            shift(body);
        };
        self.when(Type::Int, usual, |body| {
            body.code().local_get(x).local_get(y).call(helper.index());
        });
    }

    /// `-x`, of ints and floats.
    pub(super) fn negate(&mut self, operand: &Expr, site: SiteId) {
        self.expression(operand);
        if operand.ty == Type::Float {
            self.code().f64_neg();
            return;
        }
        self.refuse_least(site);
        let Scratch { x, .. } = self.scratch;
        self.code().i64_const(0).local_get(x).i64_sub();
    }

    /// The absolute value of the int on the stack.
    pub(super) fn int_abs(&mut self, site: SiteId) {
        self.refuse_least(site);
        let Scratch { x, .. } = self.scratch;
        self.code().i64_const(0).local_get(x).i64_sub().local_get(x);
        self.code().local_get(x).i64_const(0).i64_lt_s().select();
    }

    /// Takes the int on the stack into scratch. The least one has no counterpart.
    fn refuse_least(&mut self, site: SiteId) {
        let Scratch { x, .. } = self.scratch;
        self.code().local_tee(x).i64_const(i64::MIN).i64_eq();
        self.fail_if(count(site), |code| {
            code.local_get(x).i64_const(0);
        });
    }
}
