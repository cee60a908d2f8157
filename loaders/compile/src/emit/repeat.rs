//! Loops.

use super::Helper;
use super::body::{Body, Labels, Scratch};
use super::restart::Restart;
use super::turns::{turns, uses_buffers};
use crate::ir::{Expr, Loop, Type};
use wasm_encoder::{BlockType, InstructionSink};

fn block(code: &mut InstructionSink, ty: BlockType) {
    code.block(ty);
}

fn again(code: &mut InstructionSink, ty: BlockType) {
    code.loop_(ty);
}

impl Body<'_> {
    pub(super) fn repeat(&mut self, inner: &Loop) {
        self.prevent_restart();
        self.block(block, Type::Unit, |body| {
            let exit = body.label();
            if uses_buffers(inner) {
                body.repeat_with_pages(inner, exit);
            } else {
                body.rounds(inner, exit, None);
            }
        });
    }

    /// A loop, and behind it what is done when a page is not there.
    fn repeat_with_pages(&mut self, inner: &Loop, exit: u32) {
        self.block(again, Type::Unit, |body| {
            let head = body.label();
            body.block(block, Type::Unit, |body| {
                let missing = body.label();
                body.rounds(inner, exit, Some(missing));
            });
            body.ask_behind();
            body.branch_to(head);
        });
    }

    fn rounds(&mut self, inner: &Loop, exit: u32, missing: Option<u32>) {
        self.block(again, Type::Unit, |body| {
            let head = body.label();
            for _ in 0..turns(inner) {
                body.restarts.push(Restart::new(missing));
                body.turn(inner, exit);
                body.restarts.pop();
            }
            body.branch_to(head);
        });
    }

    /// Once through a loop.
    fn turn(&mut self, inner: &Loop, exit: u32) {
        if let Some(condition) = &inner.condition {
            self.leave_unless(condition, exit);
        }
        self.block(block, Type::Unit, |body| {
            let next = body.label();
            body.loops.push(Labels { exit, next });
            body.expression(&inner.body);
            body.loops.pop();
            if let Some(tail) = &inner.tail {
                body.leave_unless(tail, exit);
            }
        });
        if let Some(step) = &inner.step {
            self.expression(step);
        }
    }

    fn leave_unless(&mut self, condition: &Expr, exit: u32) {
        self.expression(condition);
        let exit = self.label() - exit;
        self.code().i32_eqz().br_if(exit);
    }

    /// Goes to where one of the innermost loop's labels is.
    pub(super) fn jump(&mut self, to: impl FnOnce(&Labels) -> u32) {
        if let Some(label) = self.loops.last().map(to) {
            self.branch_to(label);
        }
    }

    /// Lets the host copy the page that a turn was given up for.
    fn ask_behind(&mut self) {
        let Scratch { place, asked, .. } = self.scratch;
        for (helper, flag) in [(Helper::Fetch, 0), (Helper::Claim, 1)] {
            let helper = self.layout.own(helper);
            self.code().local_get(asked.claims).i32_const(flag).i32_eq();
            self.seldom(|body| {
                body.code().local_get(asked.number);
                body.page(place);
                body.code().local_get(asked.site).call(helper);
            });
        }
    }
}
