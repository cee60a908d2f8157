//! Numbers in buffers.
//!
//! The module's memory has room for the numbers of all buffers of a call, one buffer after the other, and the host
//! copies a page of them there when the first one of it is used. So a call costs as much as it uses, however long the
//! buffers are. [`Memory`] says where what is; each number has a place in it from which the rest follows.
//!
//! What is loaded of the table is kept in locals: it changes in calls of imported functions alone.

use super::Helper;
use super::body::{Body, Scratch};
use super::module::{count, to_word};
use crate::ir::{Expr, Kind, SiteId, Type};
use wasm_encoder::MemArg;

/// The module's memory. It is exported by this name.
pub(crate) const MEMORY: &str = "memory";

/// Where what is in the memory.
pub(crate) struct Memory;

impl Memory {
    /// How many numbers a page has: as many as fit into one of the system's.
    pub(crate) const PAGE: usize = 1 << Self::PAGE_BITS;
    const PAGE_BITS: u32 = 9;

    /// How many numbers there is room for: 512 MiB of them.
    pub(crate) const NUMBERS: usize = 64 << 20;

    /// An entry for each buffer: its first place, an `i32`, and 8 bytes later its length, an `i64`.
    pub(crate) const ENTRY: usize = 1 << Self::ENTRY_BITS;
    const ENTRY_BITS: u32 = 4;
    pub(crate) const LEN_IN_ENTRY: usize = 8;

    /// A byte for each page: 0 if it is not there, [`PRESENT`](Self::PRESENT), or [`CLAIMED`](Self::CLAIMED).
    pub(crate) const PAGES: usize = 4 << 10;
    pub(crate) const PRESENT: u8 = 1;
    /// It may be written to.
    pub(crate) const CLAIMED: u8 = 2;

    /// A byte for each number: 1 if it was set.
    pub(crate) const SET: usize = 1 << 20;

    /// The numbers.
    pub(crate) const DATA: usize = Self::SET + Self::NUMBERS;
}

/// Locals with what the table says of a buffer.
#[derive(Clone, Copy)]
pub(super) struct View {
    /// The buffer's number.
    pub(super) number: u32,
    pub(super) start: u32,
    pub(super) len: u32,
}

fn at(offset: usize, align: u32) -> MemArg {
    MemArg { offset: offset as u64, align, memory_index: 0 }
}

impl Body<'_> {
    /// Looks into the table again.
    pub(super) fn refresh(&mut self, View { number, start, len }: View) {
        let mut code = self.code();
        let entry = Memory::ENTRY_BITS.cast_signed();
        code.local_get(number).i32_const(entry).i32_shl().i32_load(at(0, 2)).local_set(start);
        code.local_get(number).i32_const(entry).i32_shl().i64_load(at(Memory::LEN_IN_ENTRY, 3));
        code.local_set(len);
    }

    /// A new buffer, which does not change what is known of the others.
    pub(super) fn fill(&mut self, len: &Expr, value: &Expr, site: SiteId) {
        self.code().i32_const(i32::from(value.ty == Type::Float));
        self.expression(len);
        self.expression(value);
        to_word(&mut self.code(), value.ty).i32_const(count(site).cast_signed()).call(Helper::Fill.index());
        self.prevent_restart();
    }

    /// After a call that may have changed them.
    pub(super) fn refresh_all(&mut self) {
        for view in self.views.clone().into_values() {
            self.refresh(view);
        }
    }

    /// The view of a buffer that is a variable.
    fn view_of(&self, buffer: &Expr) -> Option<View> {
        match buffer.kind {
            Kind::Get(local) => self.views.get(&local).copied(),
            _ => None,
        }
    }

    /// Puts a buffer on the stack, unless it is a variable.
    fn begin(&mut self, buffer: &Expr) {
        match buffer.kind {
            Kind::Get(local) if self.views.contains_key(&local) => self.note_read(local),
            _ => self.expression(buffer),
        }
    }

    /// Takes it from there.
    fn view(&mut self, buffer: &Expr) -> View {
        if let Some(view) = self.view_of(buffer) {
            return view;
        }
        let spare = self.scratch.buffer;
        self.code().local_set(spare.number);
        self.refresh(spare);
        spare
    }

    pub(super) fn len(&mut self, buffer: &Expr) {
        self.begin(buffer);
        let View { len, .. } = self.view(buffer);
        self.code().local_get(len);
    }

    pub(super) fn load(&mut self, buffer: &Expr, index: &Expr, site: SiteId) {
        let Scratch { x, .. } = self.scratch;
        self.begin(buffer);
        self.expression(index);
        self.code().local_set(x);
        let view = self.view(buffer);
        self.place(view, index, site);
        self.fetch(view, site);
        self.load_number(buffer.ty);
    }

    /// Without a look at the length. A fault has no place of its own.
    pub(super) fn load_at(&mut self, buffer: &Expr, index: &Expr) {
        let Scratch { x, .. } = self.scratch;
        self.begin(buffer);
        self.expression(index);
        self.code().local_set(x);
        let view = self.view(buffer);
        self.set_place(view, x);
        self.fetch(view, usize::MAX);
        self.load_number(buffer.ty);
    }

    pub(super) fn store(&mut self, buffer: &Expr, index: &Expr, value: &Expr, site: SiteId) {
        let Scratch { x, r, p, place, .. } = self.scratch;
        self.begin(buffer);
        self.expression(index);
        self.expression(value);
        let kept = if buffer.ty == Type::Floats { p } else { r };
        self.code().local_set(kept).local_set(x);
        let view = self.view(buffer);
        self.place(view, index, site);
        self.claim(view, site);
        let mut code = self.code();
        code.local_get(place).i32_const(3).i32_shl().local_get(kept);
        match buffer.ty {
            Type::Floats => code.f64_store(at(Memory::DATA, 3)),
            _ => code.i64_store(at(Memory::DATA, 3)),
        };
        code.local_get(place).i32_const(1).i32_store8(at(Memory::SET, 0));
        self.prevent_restart();
    }

    fn load_number(&mut self, ty: Type) {
        let Scratch { place, .. } = self.scratch;
        let mut code = self.code();
        code.local_get(place).i32_const(3).i32_shl();
        match ty {
            Type::Floats => code.f64_load(at(Memory::DATA, 3)),
            _ => code.i64_load(at(Memory::DATA, 3)),
        };
    }

    /// Puts the place of the index in scratch there, too. Negative ones count from the end.
    fn place(&mut self, view: View, index: &Expr, site: SiteId) {
        let Scratch { x, y, .. } = self.scratch;
        let within = if matches!(index.kind, Kind::Int(0..)) {
            x
        } else {
            let mut code = self.code();
            code.local_get(x).i64_const(63).i64_shr_s().local_get(view.len).i64_and();
            code.local_get(x).i64_add().local_set(y);
            y
        };
        self.code().local_get(within).local_get(view.len).i64_ge_u();
        self.fail_if(count(site), |code| {
            code.local_get(x).local_get(view.len);
        });
        self.set_place(view, within);
    }

    fn set_place(&mut self, view: View, index: u32) {
        let Scratch { place, .. } = self.scratch;
        self.code().local_get(index).i32_wrap_i64().local_get(view.start).i32_add().local_set(place);
    }

    /// Lets the host copy the page of the place, unless it is there.
    fn fetch(&mut self, view: View, site: SiteId) {
        self.page_state();
        self.code().i32_eqz();
        self.ask(Helper::Fetch, view, site);
    }

    /// The same, to write to it.
    fn claim(&mut self, view: View, site: SiteId) {
        self.page_state();
        self.code().i32_const(i32::from(Memory::CLAIMED)).i32_ne();
        self.ask(Helper::Claim, view, site);
    }

    fn page_state(&mut self) {
        let Scratch { place, .. } = self.scratch;
        self.page(place);
        self.code().i32_load8_u(at(Memory::PAGES, 0));
    }

    fn ask(&mut self, helper: Helper, view: View, site: SiteId) {
        let Scratch { place, asked, .. } = self.scratch;
        let site = count(site).cast_signed();
        let behind = self.restart().filter(|restart| restart.is_possible()).map(|restart| restart.label);
        if let Some(label) = behind {
            let claims = i32::from(helper == Helper::Claim);
            let outwards = self.label() - label + 1;
            self.seldom(|body| {
                let mut code = body.code();
                code.local_get(view.number).local_set(asked.number);
                code.i32_const(site).local_set(asked.site).i32_const(claims).local_set(asked.claims);
                code.br(outwards);
            });
            return;
        }
        let helper = self.layout.own(helper);
        self.seldom(|body| {
            body.code().local_get(view.number);
            body.page(place);
            body.code().i32_const(site).call(helper);
        });
    }

    /// Puts the page of a place on the stack.
    pub(super) fn page(&mut self, place: u32) {
        self.code().local_get(place).i32_const(Memory::PAGE_BITS.cast_signed()).i32_shr_u();
    }
}
