//! Values as test files write them: literals, variables, and what JSON has no word for.

use super::fields::Problems;
use super::variables::{Reference, Variables};
use caraway_loaders_core::buffer::{Floats, Ints};
use caraway_loaders_core::manifest::document::{Node, Value};
use caraway_loaders_core::{Code, Error};
use rhai::{Dynamic, Map};
use std::collections::BTreeSet;

/// A value that is made when it is needed.
#[derive(Debug, Clone)]
pub(super) enum Expression {
    /// The same each time.
    Literal(Dynamic),
    /// What was assigned.
    Variable(Reference),
    /// Text with what was assigned in it.
    Text(Vec<Part>),
    Array(Vec<Expression>),
    Map(Vec<(String, Expression)>),
    /// `{"$ints": [...]}`: a new buffer each time.
    Ints(Vec<i64>),
    /// `{"$floats": [...]}`.
    Floats(Vec<f64>),
    /// `{"$approx": x, "within": d}`, where a value is expected.
    Approx {
        value: f64,
        within: f64,
    },
    /// `{"$type": "T"}`, where a value is expected.
    Type(String),
}

/// A piece of text.
#[derive(Debug, Clone)]
pub(super) enum Part {
    Text(String),
    Variable(Reference),
}

/// How far from a number `{"$approx": x}` reaches, in proportion to it, where nothing says so.
const WITHIN: f64 = 1e-9;

/// Where a value stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Something is made of it.
    Given,
    /// Something is compared with it.
    Expected,
}

/// Reads values of one file.
pub(super) struct Reader<'r> {
    /// The names that are assigned anywhere in the file.
    pub(super) assigned: &'r BTreeSet<String>,
    /// The text of the file.
    pub(super) text: &'r str,
}

impl Reader<'_> {
    /// The value of a node. What is wrong is added to `problems`.
    pub(super) fn expression(
        &self,
        node: &Node<'_>,
        place: Place,
        problems: &mut Problems<'_>,
    ) -> Expression {
        match &node.value {
            Value::Null => Expression::Literal(Dynamic::UNIT),
            Value::Bool(bool) => Expression::Literal((*bool).into()),
            Value::Int(int) => Expression::Literal((*int).into()),
            Value::Float(float) => {
                if self.is_integer(node.offset) {
                    problems.say(node.offset, "this integer does not fit 64 bits with a sign");
                }
                Expression::Literal((*float).into())
            }
            Value::String(text) => self.text(text),
            Value::Date => {
                problems.hint(node.offset, "a date is no value of a script", "write it as a string");
                Expression::Literal(Dynamic::UNIT)
            }
            Value::Array(items) => {
                let items: Vec<_> = items.iter().map(|item| self.expression(item, place, problems)).collect();
                match items.iter().all(|item| matches!(item, Expression::Literal(_))) {
                    true => {
                        Expression::Literal(Dynamic::from_array(items.into_iter().map(literal).collect()))
                    }
                    false => Expression::Array(items),
                }
            }
            Value::Table(entries) => {
                if let Some(special) = self.special(node, place, problems) {
                    return special;
                }
                let entries: Vec<_> = entries
                    .iter()
                    .map(|entry| (entry.key.to_string(), self.expression(&entry.node, place, problems)))
                    .collect();
                match entries.iter().all(|(_, item)| matches!(item, Expression::Literal(_))) {
                    true => {
                        let entries = entries.into_iter().map(|(key, item)| (key.into(), literal(item)));
                        Expression::Literal(Dynamic::from_map(entries.collect()))
                    }
                    false => Expression::Map(entries),
                }
            }
        }
    }

    /// Whether the number that begins here was written as an integer.
    fn is_integer(&self, offset: usize) -> bool {
        let rest = self.text.get(offset..).unwrap_or_default();
        let number = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.' | '_');
        let word = rest.split(|c| !number(c)).next().unwrap_or_default().trim_start_matches(['+', '-']);
        let hexadecimal = ["0x", "0o", "0b"].iter().any(|prefix| word.starts_with(prefix));
        hexadecimal || word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
    }

    /// Text, with variables for the names that are assigned. `$$` is a dollar before such a name.
    fn text(&self, text: &str) -> Expression {
        let doubled = text.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
        if let Some(reference) = doubled.and_then(|path| self.reference(path)) {
            return Expression::Variable(reference);
        }
        if !text.contains('$') {
            return Expression::Literal(text.to_owned().into());
        }
        let whole = text
            .strip_prefix('$')
            .map(|rest| rest.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(rest));
        if let Some(reference) = whole.and_then(|path| self.reference(path)) {
            return Expression::Variable(reference);
        }
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            plain.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some(after) = rest.strip_prefix("$$") {
                let name = after.strip_prefix('{').unwrap_or(after);
                let name =
                    name.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default();
                plain.push_str(if self.assigned.contains(name) { "$" } else { "$$" });
                rest = after;
                continue;
            }
            let braced = rest.strip_prefix("${").and_then(|inner| inner.split_once('}'));
            match braced.and_then(|(path, after)| Some((self.reference(path)?, after))) {
                Some((reference, after)) => {
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                    parts.push(Part::Variable(reference));
                    rest = after;
                }
                None => {
                    plain.push('$');
                    rest = &rest[1..];
                }
            }
        }
        plain.push_str(rest);
        if parts.is_empty() {
            return Expression::Literal(plain.into());
        }
        parts.push(Part::Text(plain));
        Expression::Text(parts)
    }

    fn reference(&self, path: &str) -> Option<Reference> {
        Reference::parse(path).filter(|reference| self.assigned.contains(&reference.name))
    }

    /// What a table with a `$` word in it stands for; `None` if it is an ordinary map.
    fn special(&self, node: &Node<'_>, place: Place, problems: &mut Problems<'_>) -> Option<Expression> {
        let Value::Table(entries) = &node.value else { return None };
        let entry = entries.iter().find(|entry| entry.key.starts_with('$'))?;
        let alone = entries.len() == 1;
        let value = &entry.node;
        let mut wrong = |what: &str| {
            problems.say(value.offset, format!("`{}` {what}", entry.key));
            Some(Expression::Literal(Dynamic::UNIT))
        };
        match (entry.key.as_ref(), &value.value) {
            ("$var" | "$ref", Value::String(path)) if alone => {
                let path = path.trim_start_matches('$');
                match self.reference(path) {
                    Some(reference) => Some(Expression::Variable(reference)),
                    None => wrong(&format!("names `{path}`, which nothing in this file assigns")),
                }
            }
            ("$var" | "$ref", _) if alone => wrong("takes the name of a variable"),
            ("$unit", _) if alone => Some(Expression::Literal(Dynamic::UNIT)),
            ("$float", _) if alone => match float(value) {
                Some(float) => Some(Expression::Literal(float.into())),
                None => wrong("takes a number, \"nan\", \"inf\" or \"-inf\""),
            },
            ("$char", _) if alone => match &value.value {
                Value::String(text) if text.chars().count() == 1 => {
                    Some(Expression::Literal(text.chars().next().unwrap_or_default().into()))
                }
                _ => wrong("takes a string of one character"),
            },
            ("$bytes", _) if alone => match bytes(value) {
                Some(bytes) => Some(Expression::Literal(Dynamic::from_blob(bytes))),
                None => wrong("takes a string, or an array of integers from 0 to 255"),
            },
            ("$ints", _) if alone => match numbers(value, |item| match item.value {
                Value::Int(int) => Some(int),
                _ => None,
            }) {
                Some(ints) => Some(Expression::Ints(ints)),
                None => wrong("takes an array of integers"),
            },
            ("$floats", _) if alone => match numbers(value, float) {
                Some(floats) => Some(Expression::Floats(floats)),
                None => wrong("takes an array of numbers"),
            },
            ("$type", Value::String(name)) if alone && place == Place::Expected => {
                Some(Expression::Type(name.to_string()))
            }
            ("$approx", _)
                if entries.iter().all(|other| matches!(other.key.as_ref(), "$approx" | "within")) =>
            {
                let within = node.child("within");
                let near = float(value).filter(|value| value.is_finite());
                let reach = match within {
                    None => near.map(|near| near.abs().max(f64::MIN_POSITIVE) * WITHIN),
                    Some(within) => float(within).filter(|within| *within >= 0.0),
                };
                match (near, reach) {
                    _ if place == Place::Given => wrong("stands only where a value is expected"),
                    (Some(value), Some(within)) => Some(Expression::Approx { value, within }),
                    _ => wrong("takes a number, and `within` how far from it a result may be"),
                }
            }
            _ => None,
        }
    }
}

impl Expression {
    /// The value.
    ///
    /// # Errors
    ///
    /// [`Code::TestFile`] for a variable that has not been assigned.
    pub(super) fn evaluate(&self, variables: &Variables) -> Result<Dynamic, Error> {
        Ok(match self {
            Expression::Literal(value) => value.clone(),
            Expression::Variable(reference) => variables.get(reference)?,
            Expression::Text(parts) => {
                let mut text = String::new();
                for part in parts {
                    match part {
                        Part::Text(plain) => text.push_str(plain),
                        Part::Variable(reference) => text.push_str(&variables.get(reference)?.to_string()),
                    }
                }
                text.into()
            }
            Expression::Array(items) => {
                let items: Result<Vec<_>, _> = items.iter().map(|item| item.evaluate(variables)).collect();
                Dynamic::from_array(items?)
            }
            Expression::Map(entries) => {
                let entries: Result<Map, _> =
                    entries.iter().map(|(key, item)| Ok((key.into(), item.evaluate(variables)?))).collect();
                Dynamic::from_map(entries?)
            }
            Expression::Ints(ints) => Dynamic::from(Ints::from(ints.clone())),
            Expression::Floats(floats) => Dynamic::from(Floats::from(floats.clone())),
            Expression::Approx { value, .. } => (*value).into(),
            Expression::Type(name) => {
                return Err(Error::new(Code::TestFile, format!("`$type` of `{name}` is no value")));
            }
        })
    }
}

fn literal(expression: Expression) -> Dynamic {
    match expression {
        Expression::Literal(value) => value,
        _ => Dynamic::UNIT,
    }
}

fn float(node: &Node<'_>) -> Option<f64> {
    match &node.value {
        Value::Int(int) => Some(*int as f64),
        Value::Float(float) => Some(*float),
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "nan" => Some(f64::NAN),
            "inf" | "+inf" | "infinity" => Some(f64::INFINITY),
            "-inf" | "-infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
}

fn numbers<T>(node: &Node<'_>, number: impl Fn(&Node<'_>) -> Option<T>) -> Option<Vec<T>> {
    match &node.value {
        Value::Array(items) => items.iter().map(number).collect(),
        _ => None,
    }
}

fn bytes(node: &Node<'_>) -> Option<Vec<u8>> {
    if let Value::String(text) = &node.value {
        return Some(text.as_bytes().to_vec());
    }
    numbers(node, |item| match item.value {
        Value::Int(int) => u8::try_from(int).ok(),
        _ => None,
    })
}
