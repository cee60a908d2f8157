//! Loops, all of which come to an end.

use super::body::Body;
use super::types::Type::{self, Float, Floats, Int, Ints};

#[derive(Debug, Clone, Copy)]
enum Form {
    Range,
    Steps,
    Buffer,
    While,
    Endless,
    Do,
}

const FORMS: &[(usize, Form)] = &[
    (8, Form::Range),
    (4, Form::Steps),
    (4, Form::Buffer),
    (6, Form::While),
    (4, Form::Endless),
    (4, Form::Do),
];

impl Body<'_, '_> {
    pub(super) fn repetition(&mut self) -> String {
        match self.choices.weighted(FORMS) {
            Form::Range => {
                let range = self.range();
                self.for_each(&range, Int)
            }
            Form::Steps => {
                let range = self.steps();
                self.for_each(&range, Int)
            }
            Form::Buffer => {
                let (kind, item) = self.choices.pick(&[(Ints, Int), (Floats, Float)]);
                match self.variable(kind, false) {
                    Some(buffer) => self.for_each(&buffer, item),
                    None => self.while_loop(),
                }
            }
            Form::While => self.while_loop(),
            Form::Endless => self.endless(None) + "\n",
            Form::Do => self.do_loop(),
        }
    }

    fn for_each(&mut self, over: &str, item: Type) -> String {
        let name = self.fresh("i");
        let counter = self.choices.one_in(5).then(|| self.fresh("n"));
        let block = self.looped(None, 4, |body| {
            body.declare(&name, item, true);
            if let Some(counter) = &counter {
                body.declare(counter, Int, true);
            }
            body.block(4)
        });
        match counter {
            Some(counter) => format!("for ({name}, {counter}) in {over} {block}\n"),
            None => format!("for {name} in {over} {block}\n"),
        }
    }

    /// A range of a few ints.
    fn range(&mut self) -> String {
        let dots = self.choices.pick(&["..", "..="]);
        match self.choices.below(10) {
            0..=3 => format!("{}{dots}{}", self.choices.below(4), self.choices.below(9)),
            4 => format!("-{}{dots}{}", self.choices.below(4), self.choices.below(4)),
            5 | 6 => format!("{}{dots}{}", self.small(2), self.small(2)),
            7 => {
                let start = self.leaf(Int);
                format!("{start}{dots}{start} + {}", self.choices.below(5))
            }
            8 => format!("range({}, {})", self.small(2), self.small(2)),
            _ => {
                let before = self.choices.below(4);
                format!("9223372036854775807 - {before}{dots}9223372036854775807")
            }
        }
    }

    /// A range with a step.
    fn steps(&mut self) -> String {
        let step = match self.choices.below(10) {
            0..=3 => format!("{}", 1 + self.choices.below(4)),
            4..=6 => format!("-{}", 1 + self.choices.below(4)),
            7 => self.choices.pick(&["0", "9223372036854775807", "(-9223372036854775807 - 1)"]).to_owned(),
            8 => self.small(1),
            _ => self.leaf(Int),
        };
        let (start, end) = (self.small(2), self.small(2));
        match self.choices.below(8) {
            0..=2 => format!("range({start}, {end}, {step})"),
            3 => format!("range(-3, {end}, {step})"),
            4 => format!("range({end}, -4, {step})"),
            5 => {
                format!("range(9223372036854775807, 9223372036854775807 - {}, {step})", self.choices.below(6))
            }
            6 => {
                format!("range(9223372036854775800 + {}, 9223372036854775807, {step})", self.choices.below(6))
            }
            _ => format!("range({start}..{end}, {step})"),
        }
    }

    /// The variable that counts the turns of a loop, and how many there are.
    fn counter(&mut self) -> (String, usize) {
        let name = self.fresh("c");
        self.declare(&name, Int, false);
        (name, self.choices.below(7))
    }

    fn while_loop(&mut self) -> String {
        self.scoped(|body| {
            let (counter, turns) = body.counter();
            let more =
                if body.choices.one_in(4) { format!(" && {}", body.condition(2)) } else { String::new() };
            let block = body.looped(None, turns as u64, |body| body.statements(3));
            format!("let {counter} = 0;\nwhile {counter} < {turns}{more} {{\n{counter} += 1;\n{block}}}\n")
        })
    }

    /// `loop`, of which `break` gives a value of type `gives`.
    pub(super) fn endless(&mut self, gives: Option<Type>) -> String {
        self.scoped(|body| {
            let (counter, turns) = body.counter();
            let keyword = body.choices.pick(&["loop", "loop", "while true"]);
            let keyword = if gives.is_some() { "loop" } else { keyword };
            let (block, value) = body.looped(gives, turns as u64, |body| {
                let value = gives.map_or(String::new(), |ty| format!(" {}", body.expression(ty, 2)));
                (body.statements(2), value)
            });
            let text = format!(
                "{keyword} {{\n{counter} += 1;\nif {counter} > {turns} {{ break{value}; }}\n{block}}}"
            );
            match gives {
                Some(_) => format!("{{\nlet {counter} = 0;\n{text}\n}}"),
                None => format!("let {counter} = 0;\n{text}"),
            }
        })
    }

    fn do_loop(&mut self) -> String {
        self.scoped(|body| {
            let (counter, turns) = body.counter();
            let block = body.looped(None, turns as u64, |body| body.statements(3));
            let keyword = body.choices.pick(&["while", "until"]);
            let condition = body.condition(2);
            format!(
                "let {counter} = 0;\ndo {{\n{counter} += 1;\nif {counter} > {turns} {{ break; }}\n{block}}} \
                 {keyword} {condition};\n"
            )
        })
    }
}
