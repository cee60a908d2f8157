//! Expressions of a wanted type.

use super::body::Body;
use super::number;
use super::types::Type::{self, Bool, Float, Floats, Int, Ints, Unit};

/// What an expression can be, beside the operators of its type.
#[derive(Debug, Clone, Copy)]
enum Form {
    Leaf,
    Operation,
    Math,
    Item,
    Call,
    If,
    Switch,
    Block,
    Loop,
}

const FORMS: &[(usize, Form)] = &[
    (20, Form::Leaf),
    (44, Form::Operation),
    (12, Form::Math),
    (8, Form::Item),
    (12, Form::Call),
    (6, Form::If),
    (4, Form::Switch),
    (5, Form::Block),
    (3, Form::Loop),
];

const COMPARISONS: &[&str] = &["<", "<=", ">", ">=", "==", "!="];

impl Body<'_, '_> {
    /// An expression that stands where any other one could.
    pub(super) fn expression(&mut self, ty: Type, depth: u32) -> String {
        if depth == 0 || !self.spend() {
            return self.leaf(ty);
        }
        let depth = depth - 1;
        match self.choices.weighted(FORMS) {
            Form::Leaf => self.leaf(ty),
            Form::Operation => self.operation(ty, depth),
            Form::Math => self.math(ty, depth).unwrap_or_else(|| self.leaf(ty)),
            Form::Item => self.item(ty, depth).unwrap_or_else(|| self.leaf(ty)),
            Form::Call => self.call(ty, depth.min(1)).unwrap_or_else(|| self.leaf(ty)),
            Form::If => self.conditional(ty, depth),
            Form::Switch => format!("({})", self.switch(Some(ty), depth)),
            Form::Block if self.may_nest() && !self.is_buffer(ty) => {
                let inside = self.operand(|body| {
                    let statements = body.statements(2);
                    format!("{statements}{}", body.expression(ty, depth))
                });
                format!("({{\n{inside}\n}})")
            }
            Form::Loop if self.may_loop() && self.may_nest() && !self.is_buffer(ty) => {
                format!("({})", self.operand(|body| body.endless(Some(ty))))
            }
            Form::Block | Form::Loop => self.leaf(ty),
        }
    }

    /// An expression that a method can be called on.
    pub(super) fn receiver(&mut self, ty: Type, depth: u32) -> String {
        let text = self.expression(ty, depth);
        if text.starts_with(|first: char| first.is_ascii_digit()) { format!("({text})") } else { text }
    }

    fn is_buffer(&self, ty: Type) -> bool {
        ty.item().is_some()
    }

    /// A variable, a constant or a literal.
    pub(super) fn leaf(&mut self, ty: Type) -> String {
        if self.is_buffer(ty) {
            let is_new = self.choices.one_in(6) && self.may_make();
            let known = if is_new { None } else { self.variable(ty, false) };
            return known.unwrap_or_else(|| self.new_buffer(ty));
        }
        if !self.choices.one_in(3)
            && let Some(name) = self.variable(ty, false)
        {
            return name;
        }
        if self.choices.one_in(5) {
            let constants = &self.outline.constants;
            let found: Vec<_> = constants.iter().filter(|constant| constant.ty == ty).collect();
            if !found.is_empty() {
                return format!("global::{}", found[self.choices.below(found.len())].name);
            }
        }
        match ty {
            Int => number::int_text(number::int(self.choices)),
            Float => number::float_text(number::float(self.choices)),
            Bool => self.choices.pick(&["false", "true"]).to_owned(),
            Unit | Ints | Floats => "()".to_owned(),
        }
    }

    fn conditional(&mut self, ty: Type, depth: u32) -> String {
        let mut text = format!("(if {} {{ {} }}", self.condition(depth), self.expression(ty, depth));
        while self.choices.one_in(4) {
            let condition = self.condition(depth);
            text += &format!(" else if {condition} {{ {} }}", self.expression(ty, depth));
        }
        text += &format!(" else {{ {} }})", self.expression(ty, depth));
        text
    }

    /// A bool that is no constant, in most cases.
    pub(super) fn condition(&mut self, depth: u32) -> String {
        if self.choices.one_in(12) { self.leaf(Bool) } else { self.operation(Bool, depth) }
    }

    fn operation(&mut self, ty: Type, depth: u32) -> String {
        match ty {
            Int => self.int_operation(depth),
            Float => self.float_operation(depth),
            Bool => self.bool_operation(depth),
            Unit | Ints | Floats => self.leaf(ty),
        }
    }

    /// An int that is close to 0, in most cases, so that not every product is too large.
    fn tame(&mut self, depth: u32) -> String {
        match self.choices.below(8) {
            0 | 1 => self.expression(Int, depth),
            2 => self.choices.below(10).to_string(),
            3 | 4 => {
                format!("({} % {})", self.expression(Int, depth), self.choices.pick(&[3, 10, 100, 1000]))
            }
            5 => self.small(depth),
            _ => format!("({} & {})", self.expression(Int, depth), self.choices.pick(&[1, 7, 63, 255])),
        }
    }

    /// An int to divide by, which is not 0 in most cases.
    fn divisor(&mut self, depth: u32) -> String {
        match self.choices.below(8) {
            0..=3 => (1 + self.choices.below(12)).to_string(),
            4 => format!("(-{})", 1 + self.choices.below(3)),
            5 | 6 => format!("({} | 1)", self.expression(Int, depth)),
            _ => self.expression(Int, depth),
        }
    }

    fn int_operation(&mut self, depth: u32) -> String {
        let any = |body: &mut Self| body.expression(Int, depth);
        let operator = self.choices.weighted(&[
            (10, "+"),
            (8, "-"),
            (6, "*"),
            (4, "/"),
            (5, "%"),
            (2, "**"),
            (2, "<<"),
            (2, ">>"),
            (3, "&"),
            (3, "|"),
            (3, "^"),
            (2, "negate"),
            (1, "plus"),
        ]);
        let (left, right) = match operator {
            "negate" => return format!("(-{})", any(self)),
            "plus" => return format!("(+{})", any(self)),
            "+" | "-" | "*" if self.choices.one_in(3) => (any(self), any(self)),
            "+" | "-" | "*" => (self.tame(depth), self.tame(depth)),
            "/" | "%" => (any(self), self.divisor(depth)),
            "**" => (self.tame(depth), if self.choices.one_in(6) { any(self) } else { self.small(depth) }),
            "<<" | ">>" => (any(self), if self.choices.one_in(2) { any(self) } else { self.tame(depth) }),
            _ => (any(self), any(self)),
        };
        format!("({left} {operator} {right})")
    }

    /// The types of two operands of which one is a float.
    fn with_float(&mut self) -> (Type, Type) {
        self.choices.weighted(&[(3, (Float, Float)), (1, (Int, Float)), (1, (Float, Int))])
    }

    fn float_operation(&mut self, depth: u32) -> String {
        let operator = self.choices.weighted(&[
            (5, "+"),
            (5, "-"),
            (5, "*"),
            (4, "/"),
            (2, "%"),
            (2, "**"),
            (2, "negate"),
            (1, "plus"),
        ]);
        if matches!(operator, "negate" | "plus") {
            let sign = if operator == "negate" { '-' } else { '+' };
            return format!("({sign}{})", self.expression(Float, depth));
        }
        let (left, right) = self.with_float();
        format!("({} {operator} {})", self.expression(left, depth), self.expression(right, depth))
    }

    fn bool_operation(&mut self, depth: u32) -> String {
        match self.choices.below(16) {
            0..=8 => {
                let (left, right) = match self.choices.below(8) {
                    0..=3 => (Int, Int),
                    4..=6 => self.with_float(),
                    _ => (Bool, Bool),
                };
                let operator = self.choices.pick(COMPARISONS);
                // What is computed is seldom equal to anything.
                let depth = if self.choices.one_in(3) { 0 } else { depth };
                format!("({} {operator} {})", self.expression(left, depth), self.expression(right, depth))
            }
            9 => format!("!{}", self.receiver(Bool, depth)),
            10..=13 => {
                let operator = self.choices.pick(&[" && ", " || "]);
                let count = 2 + usize::from(self.choices.one_in(3));
                let operands: Vec<_> = (0..count).map(|_| self.expression(Bool, depth)).collect();
                format!("({})", operands.join(operator))
            }
            _ => {
                let operator = self.choices.pick(&["&", "|", "^"]);
                format!("({} {operator} {})", self.expression(Bool, depth), self.expression(Bool, depth))
            }
        }
    }
}
