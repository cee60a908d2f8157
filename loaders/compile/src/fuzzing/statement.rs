//! Statements.

use super::body::Body;
use super::number;
use super::types::Type::{self, Bool, Float, Floats, Int, Ints, Unit};

/// How deep the expressions of statements are nested.
const DEPTH: u32 = 3;

#[derive(Debug, Clone, Copy)]
enum Form {
    Let,
    Const,
    Assign,
    AssignOperation,
    AssignItem,
    If,
    Switch,
    Loop,
    Leave,
    Return,
    Throw,
    Block,
    Call,
    Value,
}

const FORMS: &[(usize, Form)] = &[
    (30, Form::Let),
    (6, Form::Const),
    (24, Form::Assign),
    (30, Form::AssignOperation),
    (16, Form::AssignItem),
    (24, Form::If),
    (10, Form::Switch),
    (28, Form::Loop),
    (12, Form::Leave),
    (8, Form::Return),
    (3, Form::Throw),
    (4, Form::Block),
    (10, Form::Call),
    (3, Form::Value),
];

impl Body<'_, '_> {
    /// One statement, with the end of its line.
    pub(super) fn statement(&mut self) -> String {
        if !self.spend() {
            return self.declaration("let");
        }
        match self.choices.weighted(FORMS) {
            Form::Let => self.declaration("let"),
            Form::Const => self.declaration("const"),
            Form::Assign => self.assignment(false).unwrap_or_else(|| self.declaration("let")),
            Form::AssignOperation => self.assignment(true).unwrap_or_else(|| self.declaration("let")),
            Form::AssignItem => self.item_assignment().unwrap_or_else(|| self.declaration("let")),
            Form::If if self.may_nest() => self.branches(),
            Form::Switch if self.may_nest() => format!("{}\n", self.switch(None, 2)),
            Form::Loop if self.may_nest() && self.may_loop() => self.repetition(),
            Form::Block if self.may_nest() => format!("{}\n", self.block(3)),
            Form::Leave => self.leave().unwrap_or_else(|| self.declaration("let")),
            Form::Return => self.early_return(),
            Form::Throw => self.throw(),
            Form::Call => {
                let result = Type::result(self.choices);
                self.call(result, 2)
                    .map(|call| format!("{call};\n"))
                    .unwrap_or_else(|| self.declaration("let"))
            }
            Form::Value => {
                let ty = Type::scalar(self.choices);
                format!("{};\n", self.expression(ty, DEPTH))
            }
            Form::If | Form::Switch | Form::Loop | Form::Block => self.declaration("let"),
        }
    }

    fn declaration(&mut self, keyword: &str) -> String {
        let kind = self.choices.pick(&[Ints, Floats]);
        let has_buffer = self.variables.iter().any(|variable| variable.ty == kind);
        if self.choices.one_in(12) && (has_buffer || self.may_make()) {
            let value = self.expression(kind, 2);
            let name = self.fresh("b");
            self.declare(&name, kind, keyword == "let");
            return format!("{keyword} {name} = {value};\n");
        }
        let ty = Type::scalar(self.choices);
        let value = self.expression(ty, DEPTH);
        let hidden = self.choices.one_in(8).then(|| self.hideable()).flatten();
        let name = hidden.unwrap_or_else(|| self.fresh("v"));
        self.declare(&name, ty, keyword == "let");
        format!("{keyword} {name} = {value};\n")
    }

    /// The name of a variable that may be hidden by another one. What counts turns and calls may not.
    fn hideable(&mut self) -> Option<String> {
        let found: Vec<&str> = self
            .variables
            .iter()
            .filter(|variable| variable.ty.item().is_none())
            .map(|variable| variable.name.as_str())
            .filter(|name| name.starts_with(['v', 'p', 'i']))
            .collect();
        if found.is_empty() {
            return None;
        }
        Some(found[self.choices.below(found.len())].to_owned())
    }

    fn assignment(&mut self, operation: bool) -> Option<String> {
        let ty = Type::scalar(self.choices);
        let name = self.variable(ty, true)?;
        if !operation {
            return Some(format!("{name} = {};\n", self.expression(ty, DEPTH)));
        }
        let given = if ty == Float && self.choices.one_in(4) { Int } else { ty };
        let operator = self.assignment_operator(ty);
        Some(format!("{name} {operator} {};\n", self.assigned(operator, ty, given, 2)))
    }

    /// An operator that changes what is of this type.
    pub(super) fn assignment_operator(&mut self, ty: Type) -> &'static str {
        match ty {
            Int => self.choices.weighted(&[
                (6, "+="),
                (5, "-="),
                (3, "*="),
                (2, "/="),
                (2, "%="),
                (1, "**="),
                (1, "<<="),
                (1, ">>="),
                (2, "&="),
                (2, "|="),
                (2, "^="),
            ]),
            Float => {
                self.choices.weighted(&[(3, "+="), (3, "-="), (3, "*="), (2, "/="), (1, "%="), (1, "**=")])
            }
            _ => self.choices.pick(&["&=", "|=", "^="]),
        }
    }

    /// What stands on the right of an assignment: of type `given`, to what is of type `ty`.
    pub(super) fn assigned(&mut self, operator: &str, ty: Type, given: Type, depth: u32) -> String {
        match operator {
            "/=" | "%=" if ty == Int && !self.choices.one_in(5) => (1 + self.choices.below(9)).to_string(),
            "*=" | "**=" if ty == Int && !self.choices.one_in(5) => self.choices.below(4).to_string(),
            "+=" | "-=" if ty == Int && !self.choices.one_in(4) => self.small(depth),
            _ => self.expression(given, depth),
        }
    }

    fn branches(&mut self) -> String {
        let mut text = format!("if {} {}", self.condition(2), self.block(3));
        while self.choices.one_in(4) {
            text += &format!(" else if {} {}", self.condition(2), self.block(2));
        }
        if self.choices.one_in(2) {
            text += &format!(" else {}", self.block(2));
        }
        text + "\n"
    }

    /// `break` or `continue`, mostly on a condition.
    fn leave(&mut self) -> Option<String> {
        let gives = *self.loops.last()?;
        let text = match gives {
            _ if self.choices.one_in(2) => "continue".to_owned(),
            Some(ty) => format!("break {}", self.expression(ty, 2)),
            None => "break".to_owned(),
        };
        Some(self.perhaps(&text))
    }

    fn early_return(&mut self) -> String {
        let text = match self.result {
            Unit => "return".to_owned(),
            ty => format!("return {}", self.expression(ty, 2)),
        };
        self.perhaps(&text)
    }

    fn throw(&mut self) -> String {
        let text = match self.choices.below(8) {
            0 => "throw".to_owned(),
            1 | 2 => format!("throw {}", self.expression(Int, 2)),
            3 | 4 => format!("throw {}", self.expression(Float, 2)),
            5 => format!("throw {}", self.expression(Bool, 2)),
            6 => {
                let (first, second) = (Type::scalar(self.choices), Type::scalar(self.choices));
                let (first, second) = (self.expression(first, 1), self.expression(second, 1));
                match self.choices.one_in(2) {
                    false => format!("throw `it is ${{{first}}} and ${{{second}}}!`"),
                    true => format!("throw \"it is \" + {first} + \" and \" + {second}"),
                }
            }
            _ => self.choices.pick(&["throw \"out of range\"", "throw \"a \\\"b\\\"\\n\u{e9}\""]).to_owned(),
        };
        self.perhaps(&text)
    }

    /// A statement after which nothing comes: on a condition, in most cases.
    fn perhaps(&mut self, statement: &str) -> String {
        match self.choices.below(16) {
            0..=10 => format!("if {} {{ {statement}; }}\n", self.condition(2)),
            11..=14 => {
                let limit = number::int_text(2 + self.choices.below(60) as i64);
                format!("if {} > {limit} {{ {statement}; }}\n", self.expression(Int, 1))
            }
            _ => format!("{statement};\n"),
        }
    }
}
