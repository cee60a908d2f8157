//! The body of one function.

use super::buffer::View;
use super::module::{Layout, MAX_LEVEL_GLOBAL, count, to_word, value};
use super::restart::Restart;
use super::{Call, Helper, TOO_DEEP};
use crate::ir::{Binary, Expr, Function, Kind, Local, Program, SiteId, Type};
use std::collections::BTreeMap;
use wasm_encoder::{BlockType, BranchHint, Function as Code, InstructionSink, ValType};

/// How much of the host's stack must be left for an expression, and how much it gets where it is not.
const STACK_LEFT: usize = 64 << 10;
const STACK_PART: usize = 1 << 20;

/// The level of the call.
const LEVEL: u32 = 0;

/// A function's code, as it is written.
pub(super) struct Body<'a> {
    pub(super) code: Code,
    /// In the order of their offsets.
    pub(super) calls: Vec<Call>,
    /// Branches that are seldom taken.
    pub(super) seldom: Vec<BranchHint>,
    pub(super) layout: &'a Layout,
    pub(super) scratch: Scratch,
    /// What is known of the variables that are buffers.
    pub(super) views: BTreeMap<Local, View>,
    /// Whether a call can change what is known of buffers.
    calls_change: bool,
    /// How many blocks are open.
    labels: u32,
    /// The loops that are open, the innermost last.
    pub(super) loops: Vec<Labels>,
    /// Their turns.
    pub(super) restarts: Vec<Restart>,
}

/// Locals for operands that are used more than once. They hold nothing while an operand is evaluated.
#[derive(Clone, Copy)]
pub(super) struct Scratch {
    /// The operands.
    pub(super) x: u32,
    pub(super) y: u32,
    /// The result.
    pub(super) r: u32,
    /// What does not fit into it.
    pub(super) high: u32,
    pub(super) p: u32,
    pub(super) q: u32,
    pub(super) max: u32,
    /// Of a number in the memory.
    pub(super) place: u32,
    /// A buffer that is no variable.
    pub(super) buffer: View,
    /// What a turn was given up for.
    pub(super) asked: Asked,
}

/// Locals with a page that is not there: a buffer's number, the site, and whether the page is to be written to.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    pub(super) number: u32,
    pub(super) site: u32,
    pub(super) claims: u32,
}

/// Where `break` and `continue` go.
pub(super) struct Labels {
    pub(super) exit: u32,
    pub(super) next: u32,
}

impl<'a> Body<'a> {
    /// Writes a function.
    pub(super) fn of(function: &Function, program: &Program, layout: &'a Layout) -> Self {
        use ValType::{F64, I32, I64};

        let variables = function.locals[function.params..].iter().filter_map(|ty| value(*ty));
        let mut locals: Vec<_> = variables.collect();
        let first = 1 + count(function.locals.len());
        let of_buffer = |number, first| View { number, start: first, len: first + 1 };
        let scratch = Scratch {
            x: first,
            y: first + 1,
            r: first + 2,
            high: first + 3,
            p: first + 4,
            q: first + 5,
            max: first + 6,
            place: first + 7,
            buffer: of_buffer(first + 8, first + 9),
            asked: Asked { number: first + 11, site: first + 12, claims: first + 13 },
        };
        locals.extend([I64, I64, I64, I64, F64, F64, F64, I32, I32, I32, I64, I32, I32, I32]);
        let mut views = BTreeMap::new();
        for (local, ty) in function.locals.iter().enumerate() {
            if matches!(ty, Type::Ints | Type::Floats) {
                views.insert(local, of_buffer(index(local), count(1 + function.params + locals.len())));
                locals.extend([I32, I64]);
            }
        }
        let mut body = Body {
            code: Code::new_with_locals_types(locals),
            calls: Vec::new(),
            seldom: Vec::new(),
            layout,
            scratch,
            views,
            calls_change: !program.imports.is_empty(),
            labels: 0,
            loops: Vec::new(),
            restarts: Vec::new(),
        };
        if !is_empty(&function.body) {
            body.code().local_get(LEVEL).global_get(MAX_LEVEL_GLOBAL).i32_gt_s();
            body.fail_if(TOO_DEEP, |code| {
                code.i64_const(0).i64_const(0);
            });
        }
        let params: Vec<_> = body.views.range(..function.params).map(|(_, view)| *view).collect();
        params.into_iter().for_each(|view| body.refresh(view));
        body.expression(&function.body);
        body.code().end();
        body
    }

    pub(super) fn code(&mut self) -> InstructionSink<'_> {
        self.code.instructions()
    }

    /// Ends the call if there is a 1 on the stack. `operands` puts two `i64` there, which are told.
    pub(super) fn fail_if(&mut self, site: u32, operands: impl FnOnce(&mut InstructionSink)) {
        self.seldom(|body| body.fail(site, operands));
    }

    /// Does what hardly ever needs to be done, if there is a 1 on the stack.
    pub(super) fn seldom(&mut self, inside: impl FnOnce(&mut Self)) {
        let branch_func_offset = count(self.code.byte_len());
        self.seldom.push(BranchHint { branch_func_offset, branch_hint_value: 0 });
        self.code().if_(BlockType::Empty);
        inside(self);
        self.code().end();
    }

    /// The same, for the operands in scratch.
    pub(super) fn fail_if_told(&mut self, site: SiteId) {
        let Scratch { x, y, .. } = self.scratch;
        self.fail_if(count(site), |code| {
            code.local_get(x).local_get(y);
        });
    }

    fn fail(&mut self, site: u32, operands: impl FnOnce(&mut InstructionSink)) {
        let fail = self.layout.own(Helper::Fail);
        let mut code = self.code();
        operands(&mut code);
        code.i32_const(site.cast_signed()).call(fail).unreachable();
    }

    /// Puts an expression's value on the stack, if it has one. Behind one that is `Never` nothing is reached, and
    /// WebAssembly knows.
    pub(super) fn expression(&mut self, expr: &Expr) {
        // A long chain of cases is a deep tree.
        stacker::maybe_grow(STACK_LEFT, STACK_PART, || self.any_expression(expr));
    }

    fn any_expression(&mut self, expr: &Expr) {
        match &expr.kind {
            Kind::Unit => {}
            Kind::Bool(value) => {
                self.code().i32_const(i32::from(*value));
            }
            Kind::Int(value) => {
                self.code().i64_const(*value);
            }
            Kind::Float(value) => {
                self.code().f64_const((*value).into());
            }
            Kind::Get(local) => {
                self.note_read(*local);
                self.code().local_get(index(*local));
            }
            Kind::Set(local, value) => {
                self.expression(value);
                if value.ty != Type::Never {
                    self.code().local_set(index(*local));
                    if let Some(restart) = self.restart() {
                        restart.write(*local);
                    }
                    if let Some(view) = self.views.get(local) {
                        self.refresh(*view);
                    }
                }
            }
            Kind::Binary(op, left, right, site) => self.binary(*op, left, right, *site),
            Kind::Negate(operand, site) => self.negate(operand, *site),
            Kind::Not(operand) => {
                self.expression(operand);
                self.code().i32_eqz();
            }
            Kind::And(operands) => self.and(operands),
            Kind::Or(operands) => self.or(operands),
            Kind::If(condition, yes, no) => self.branch(expr.ty, condition, yes, no),
            Kind::Seq(exprs) => exprs.iter().for_each(|expr| self.expression(expr)),
            Kind::Drop(operand) => {
                self.expression(operand);
                if value(operand.ty).is_some() {
                    self.code().drop();
                }
            }
            Kind::Loop(inner) => self.repeat(inner),
            Kind::Break => self.jump(|labels| labels.exit),
            Kind::Continue => self.jump(|labels| labels.next),
            Kind::Return(operand) => {
                self.expression(operand);
                self.code().return_();
            }
            Kind::Throw(operands, site) => self.throw(operands, *site),
            Kind::Fail(site) => self.throw(&[], *site),
            Kind::Call(function, args, site) => {
                self.code().local_get(LEVEL).i32_const(1).i32_add();
                self.call(self.layout.function(*function), args, *site);
            }
            Kind::CallImport(import, args, site) => {
                self.code().i32_const(count(*site).cast_signed());
                self.call(self.layout.import(*import), args, *site);
            }
            Kind::Math(math, args, site) => self.math(*math, args, *site),
            Kind::Fill(len, value, site) => self.fill(len, value, *site),
            Kind::Len(buffer) => self.len(buffer),
            Kind::Load(buffer, index, site) => self.load(buffer, index, *site),
            Kind::Store(buffer, index, value, site) => self.store(buffer, index, value, *site),
            Kind::LoadAt(buffer, index) => self.load_at(buffer, index),
        }
        if expr.ty == Type::Never {
            self.code().unreachable();
        }
    }

    fn call(&mut self, function: u32, args: &[Expr], site: SiteId) {
        args.iter().for_each(|arg| self.expression(arg));
        self.calls.push(Call { offset: self.code.byte_len(), site });
        self.code().call(function);
        self.prevent_restart();
        if self.calls_change {
            self.refresh_all();
        }
    }

    pub(super) fn note_read(&mut self, local: Local) {
        if let Some(restart) = self.restart() {
            restart.read(local);
        }
    }

    fn throw(&mut self, operands: &[Expr], site: SiteId) {
        for operand in operands {
            self.expression(operand);
            to_word(&mut self.code(), operand.ty).call(Helper::Tell.index());
            self.prevent_restart();
        }
        self.fail(count(site), |code| {
            code.i64_const(0).i64_const(0);
        });
    }

    /// The label of the innermost block.
    pub(super) fn label(&self) -> u32 {
        self.labels
    }

    pub(super) fn branch_to(&mut self, label: u32) {
        let outwards = self.labels - label;
        self.code().br(outwards);
    }

    /// The turn of the innermost loop.
    pub(super) fn restart(&mut self) -> Option<&mut Restart> {
        self.restarts.last_mut()
    }

    pub(super) fn prevent_restart(&mut self) {
        if let Some(restart) = self.restart() {
            restart.prevent();
        }
    }

    /// A block, with what is in it.
    pub(super) fn block(
        &mut self,
        open: impl FnOnce(&mut InstructionSink, BlockType),
        ty: Type,
        inside: impl FnOnce(&mut Self),
    ) {
        open(&mut self.code(), value(ty).map_or(BlockType::Empty, BlockType::Result));
        self.labels += 1;
        inside(self);
        self.labels -= 1;
        self.code().end();
    }

    fn branch(&mut self, ty: Type, condition: &Expr, yes: &Expr, no: &Expr) {
        self.expression(condition);
        self.when(ty, |body| body.expression(yes), |body| body.expression(no));
    }

    /// One or the other, as the bool on the stack says.
    pub(super) fn when(&mut self, ty: Type, yes: impl FnOnce(&mut Self), no: impl FnOnce(&mut Self)) {
        let open = |code: &mut InstructionSink, ty| {
            code.if_(ty);
        };
        let certain = self.restart().map(|restart| restart.certain());
        let go_back = |body: &mut Self| {
            if let (Some(restart), Some(certain)) = (body.restart(), &certain) {
                restart.go_back_to(certain);
            }
        };
        self.block(open, ty, |body| {
            yes(body);
            go_back(body);
            body.code().else_();
            no(body);
            go_back(body);
        });
    }

    fn and(&mut self, operands: &[Expr]) {
        for (number, operand) in operands.iter().enumerate() {
            if number == 0 {
                self.expression(operand);
                continue;
            }
            let no = |body: &mut Self| {
                body.code().i32_const(0);
            };
            self.when(Type::Bool, |body| body.expression(operand), no);
        }
    }

    fn or(&mut self, operands: &[Expr]) {
        for (number, operand) in operands.iter().enumerate() {
            if number == 0 {
                self.expression(operand);
                continue;
            }
            let yes = |body: &mut Self| {
                body.code().i32_const(1);
            };
            self.when(Type::Bool, yes, |body| body.expression(operand));
        }
    }

    fn binary(&mut self, op: Binary, left: &Expr, right: &Expr, site: SiteId) {
        // Behind a left side that is `Never`, only the right one has a type.
        match if left.ty == Type::Never { right.ty } else { left.ty } {
            Type::Float => self.float_binary(op, left, right),
            Type::Bool => {
                self.expression(left);
                self.expression(right);
                self.bool_binary(op);
            }
            _ => self.int_binary(op, left, right, site),
        }
    }

    fn bool_binary(&mut self, op: Binary) {
        let mut code = self.code();
        match op {
            Binary::And => code.i32_and(),
            Binary::Or => code.i32_or(),
            Binary::Equal => code.i32_eq(),
            Binary::Less => code.i32_lt_u(),
            Binary::LessEqual => code.i32_le_u(),
            Binary::Greater => code.i32_gt_u(),
            Binary::GreaterEqual => code.i32_ge_u(),
            // There are no other operators of bools.
            _ => code.i32_xor(),
        };
    }
}

/// Whether a function has nothing in it. Rhai does not enter it then, however deep the call is.
fn is_empty(body: &Expr) -> bool {
    matches!(&body.kind, Kind::Seq(exprs) if exprs.is_empty())
}

/// The index of a variable: the level comes first.
fn index(local: Local) -> u32 {
    1 + count(local)
}
