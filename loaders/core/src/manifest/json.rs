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

/// From how many keys on duplicates are looked for by hash.
const MANY: usize = 24;

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
            b'{' | b'[' if level >= MAX_LEVELS => return self.broken(offset, super::too_deep()),
            b'{' | b'[' => self.container(raw, level)?,
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

    /// An object or an array. Its text was checked: an error here would be of this file.
    fn container(&mut self, raw: &'a str, level: usize) -> Option<Value<'a>> {
        let contents = Contents { reader: self, level: level + 1 };
        match serde_json::Deserializer::from_str(raw).deserialize_any(contents) {
            Ok(value) => Some(value),
            Err(error) => {
                let offset = self.offset(raw) + offset_of(raw, error.line(), error.column());
                self.broken(offset, Wrong::new(bare(&error)))
            }
        }
    }
}

/// What is in an object or an array, each value as its piece of text.
struct Contents<'c, 'r, 'a, 'p> {
    reader: &'c mut Reader<'r, 'a, 'p>,
    level: usize,
}

impl<'a> Visitor<'a> for Contents<'_, '_, 'a, '_> {
    type Value = Value<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Value<'a>, A::Error> {
        let Self { reader, level } = self;
        let mut entries: Vec<Entry<'a>> = Vec::new();
        let mut seen = HashSet::new();
        while let Some((key, value)) = map.next_entry::<&RawValue, &RawValue>()? {
            let offset = reader.offset(key.get());
            let key = reader.string(key.get());
            let (Some(key), Some(node)) = (key, reader.node(value, level)) else { continue };
            // Few keys are compared, many are hashed.
            if entries.len() == MANY {
                seen.extend(entries.iter().map(|entry| entry.key.clone()));
            }
            let twice = match entries.len() < MANY {
                true => entries.iter().any(|entry| entry.key == key),
                false => !seen.insert(key.clone()),
            };
            if twice {
                let wrong = Wrong::new(format!("duplicate key {}", shown(&key)));
                reader.problems.say(Code::ManifestField, offset, wrong);
            }
            entries.push(Entry { key, offset, node });
        }
        Ok(Value::Table(entries))
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<Value<'a>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.extend(self.reader.node(item, self.level));
        }
        Ok(Value::Array(items))
    }
}
