//! JSON to a tree with places.
//!
//! `serde_json` checks the text, strictly and without recursion, and hands out each value as the piece of
//! text that it is: its place is where the piece begins. Each level looks at its text again, which the bound
//! on nesting keeps cheap.

use super::MAX_LEVELS;
use super::problems::{Problems, Wrong, shown};
use super::tree::{Entry, Node, Value};
use crate::code::Code;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

/// The tree of a JSON text; `None` if it does not parse. Problems are added.
pub(crate) fn parse<'a>(text: &'a str, problems: &mut Problems<'_>) -> Option<Node<'a>> {
    match serde_json::from_str::<&RawValue>(text) {
        Ok(raw) => {
            let mut reader = Reader { text, problems, broken: false };
            let tree = reader.node(raw, 0);
            tree.filter(|_| !reader.broken)
        }
        Err(error) => {
            let offset = offset_of(text, error.line(), error.column());
            problems.say(Code::ManifestSyntax, offset, Wrong::new(format!("not JSON: {}", bare(&error))));
            None
        }
    }
}

/// The message without the place that `serde_json` appends.
fn bare(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).unwrap_or(&text).to_owned()
}

fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    (start + column.saturating_sub(1)).min(text.len())
}

struct Reader<'r, 'a, 'p> {
    text: &'a str,
    problems: &'r mut Problems<'p>,
    /// Whether something is missing from the tree.
    broken: bool,
}

impl<'a> Reader<'_, 'a, '_> {
    fn offset(&self, raw: &'a str) -> usize {
        raw.as_ptr().addr() - self.text.as_ptr().addr()
    }

    fn broken<T>(&mut self, offset: usize, wrong: Wrong) -> Option<T> {
        self.broken = true;
        self.problems.say(Code::ManifestSyntax, offset, wrong);
        None
    }

    fn node(&mut self, raw: &'a RawValue, level: usize) -> Option<Node<'a>> {
        let raw = raw.get();
        let offset = self.offset(raw);
        let value = match raw.as_bytes().first()? {
            b'{' | b'[' if level >= MAX_LEVELS => {
                return self.broken(offset, super::too_deep());
            }
            b'{' => {
                let mut entries = Vec::new();
                let mut seen = HashSet::new();
                for (key, value) in self.pieces(raw, Entries)? {
                    let offset = self.offset(key.get());
                    let key = self.string(key.get());
                    if let (Some(key), Some(node)) = (key, self.node(value, level + 1)) {
                        if !seen.insert(key.clone()) {
                            let wrong = Wrong::new(format!("duplicate key {}", shown(&key)));
                            self.problems.say(Code::ManifestField, offset, wrong);
                        }
                        entries.push(Entry { key, offset, node });
                    }
                }
                Value::Table(entries)
            }
            b'[' => {
                let items = self.pieces(raw, Items)?;
                Value::Array(items.into_iter().filter_map(|item| self.node(item, level + 1)).collect())
            }
            b'"' => Value::String(self.string(raw)?),
            b't' => Value::Bool(true),
            b'f' => Value::Bool(false),
            b'n' => Value::Null,
            _ => match raw.parse() {
                Ok(int) => Value::Int(int),
                Err(_) => Value::Float(raw.parse().unwrap_or(f64::NAN)),
            },
        };
        Some(Node { offset, value })
    }

    /// The text that a string literal stands for.
    fn string(&mut self, raw: &'a str) -> Option<Cow<'a, str>> {
        let inside = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'))?;
        if !inside.contains('\\') {
            return Some(Cow::Borrowed(inside));
        }
        match serde_json::from_str(raw) {
            Ok(text) => Some(Cow::Owned(text)),
            Err(error) => {
                let offset = self.offset(raw) + error.column().saturating_sub(1);
                self.broken(offset, Wrong::new(format!("not JSON: {}", bare(&error))))
            }
        }
    }

    /// The values of an object or array. Its text was checked: an error here would be of this file.
    fn pieces<V: Visitor<'a>>(&mut self, raw: &'a str, visitor: V) -> Option<V::Value> {
        match serde_json::Deserializer::from_str(raw).deserialize_any(visitor) {
            Ok(pieces) => Some(pieces),
            Err(error) => {
                let offset = self.offset(raw) + offset_of(raw, error.line(), error.column());
                self.broken(offset, Wrong::new(bare(&error)))
            }
        }
    }
}

struct Entries;

impl<'a> Visitor<'a> for Entries {
    type Value = Vec<(&'a RawValue, &'a RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(entries)
    }
}

struct Items;

impl<'a> Visitor<'a> for Items {
    type Value = Vec<&'a RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(items)
    }
}
