//! `switch`, as a statement and as an expression.

use super::body::Body;
use super::types::Type::{self, Bool, Int};

impl Body<'_, '_> {
    /// One that gives a value of type `gives`, or nothing.
    pub(super) fn switch(&mut self, gives: Option<Type>, depth: u32) -> String {
        if self.choices.one_in(6) {
            return self.switch_of_bool(gives, depth);
        }
        let subject =
            if self.choices.one_in(3) { self.expression(Int, depth) } else { self.around_zero(depth) };
        let mut cases = Vec::new();
        for _ in 0..=self.choices.below(4) {
            let count = 1 + usize::from(self.choices.one_in(3));
            let values: Vec<String> = (0..count).map(|_| self.case_value()).collect();
            cases.push(values.join(" | "));
        }
        // Numbers have to come before ranges.
        for _ in 0..self.choices.below(3) {
            let start = self.choices.below(12) as i64 - 6;
            let end = start + self.choices.below(8) as i64;
            cases.push(format!("{start}..{}{end}", self.choices.pick(&["", "="])));
        }
        let mut text = format!("switch {subject} {{\n");
        for case in cases {
            let guard =
                if self.choices.one_in(4) { format!(" if {}", self.condition(depth)) } else { String::new() };
            text += &format!("{case}{guard} => {},\n", self.arm(gives, depth));
        }
        if gives.is_some() || self.choices.one_in(2) {
            text += &format!("_ => {},\n", self.arm(gives, depth));
        }
        text + "}"
    }

    fn switch_of_bool(&mut self, gives: Option<Type>, depth: u32) -> String {
        let subject = self.expression(Bool, depth);
        let (first, second) = self.choices.pick(&[("true", "_"), ("false", "_"), ("true", "false")]);
        let (one, other) = (self.arm(gives, depth), self.arm(gives, depth));
        // Without a default, nothing tells that there is always a value.
        let default = match (gives, second) {
            (Some(_), "false") => format!("_ => {},\n", self.arm(gives, depth)),
            _ => String::new(),
        };
        format!("switch {subject} {{\n{first} => {one},\n{second} => {other},\n{default}}}")
    }

    fn around_zero(&mut self, depth: u32) -> String {
        format!("({} % {})", self.expression(Int, depth), 2 + self.choices.below(8))
    }

    fn case_value(&mut self) -> String {
        match self.choices.below(12) {
            0..=7 => self.choices.below(6).to_string(),
            8..=10 => format!("-{}", 1 + self.choices.below(5)),
            _ => self.choices.pick(&["9223372036854775807", "64", "1000"]).to_owned(),
        }
    }

    fn arm(&mut self, gives: Option<Type>, depth: u32) -> String {
        match gives {
            Some(ty) if ty.item().is_none() && self.may_nest() && self.choices.one_in(5) => {
                let inside = self.operand(|body| {
                    let statements = body.statements(1);
                    format!("{statements}{}", body.expression(ty, depth))
                });
                format!("{{\n{inside}\n}}")
            }
            Some(ty) => self.expression(ty, depth),
            None => self.block(2),
        }
    }
}
