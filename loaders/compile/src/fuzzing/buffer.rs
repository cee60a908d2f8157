//! Reading and writing buffers.

use super::body::Body;
use super::types::Type::{self, Float, Floats, Int, Ints};

impl Body<'_, '_> {
    /// A number of a buffer, or its length.
    pub(super) fn item(&mut self, ty: Type, depth: u32) -> Option<String> {
        if ty == Int && self.choices.one_in(3) {
            let kind = self.choices.pick(&[Ints, Floats]);
            let buffer = self.variable(kind, false)?;
            return Some(format!("{buffer}.len{}", self.choices.pick(&["()", ""])));
        }
        let buffer = self.variable(ty.buffer()?, false)?;
        Some(format!("{buffer}[{}]", self.index(&buffer, depth)))
    }

    /// A buffer of a few numbers, all the same.
    pub(super) fn new_buffer(&mut self, ty: Type) -> String {
        self.makes = true;
        let (name, item) = match ty {
            Floats if self.choices.one_in(5) => ("floats", Int),
            Floats => ("floats", Float),
            _ => ("ints", Int),
        };
        let len = match self.choices.below(16) {
            0..=11 => self.choices.below(6).to_string(),
            12 => "600".to_owned(),
            13 => "-1".to_owned(),
            _ => self.small(1),
        };
        format!("{name}({len}, {})", self.leaf(item))
    }

    /// An index that is in a buffer, in most cases.
    fn index(&mut self, buffer: &str, depth: u32) -> String {
        match self.choices.below(16) {
            0..=5 => self.choices.below(4).to_string(),
            6..=8 => format!("-{}", 1 + self.choices.below(4)),
            9..=11 => self.small(depth),
            // An error for one that is empty.
            12..=14 => format!("{} % {buffer}.len()", self.expression(Int, depth)),
            _ => self.expression(Int, depth),
        }
    }

    /// Sets a number of a buffer.
    pub(super) fn item_assignment(&mut self) -> Option<String> {
        let kind = self.choices.pick(&[Ints, Floats]);
        // Rhai lets nobody change an element of a constant.
        let to_write = !self.choices.one_in(24);
        let buffer = self.variable(kind, to_write)?;
        let index = self.index(&buffer, 2);
        let item = kind.item()?;
        // An int becomes a float there.
        let given = if item == Float && self.choices.one_in(6) { Int } else { item };
        let operator = match self.choices.below(3) {
            0 => "=",
            _ => self.assignment_operator(item),
        };
        let value = self.assigned(operator, item, given, 2);
        Some(format!("{buffer}[{index}] {operator} {value};\n"))
    }
}
