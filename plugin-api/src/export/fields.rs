//! What `#[derive(Data)]` reads structs and enums with.

use super::data::{Data, mismatch};
use super::mismatch::Mismatch;
use crate::Value;
use std::collections::BTreeMap;

/// The fields of a struct, taken one by one.
pub struct Fields {
    entries: BTreeMap<String, Value>,
    /// The struct's or the case's, for messages.
    name: &'static str,
    is_case: bool,
    keys: &'static [&'static str],
}

impl Fields {
    /// Those of a `T`, which has these keys.
    pub fn of<T: Data>(value: Value, keys: &'static [&'static str]) -> Result<Self, Mismatch> {
        let name = const { &T::TYPE }.as_str();
        match value {
            Value::Map(entries) => Self { entries, name, is_case: false, keys }.checked(),
            other => Err(mismatch::<T>(&other)),
        }
    }

    /// Those of an enum's case.
    pub fn of_case(
        case: &'static str,
        value: Value,
        keys: &'static [&'static str],
    ) -> Result<Self, Mismatch> {
        match value {
            Value::Map(entries) => Self { entries, name: case, is_case: true, keys }.checked(),
            other => Err(Mismatch::new("map", &other).at_key(case)),
        }
    }

    /// These, if they have no other keys.
    fn checked(self) -> Result<Self, Mismatch> {
        match self.entries.keys().find(|key| !self.keys.contains(&key.as_str())) {
            None => Ok(self),
            Some(key) => {
                let expected = format!("{} with the keys {}", self.name, quoted(self.keys));
                Err(self.place(Mismatch::of(expected, format!("the key {key:?}"))))
            }
        }
    }

    #[cold]
    fn place(&self, mismatch: Mismatch) -> Mismatch {
        if self.is_case { mismatch.at_key(self.name) } else { mismatch }
    }

    /// The field that stands at `at` among the keys.
    pub fn take<T: Data>(&mut self, at: usize) -> Result<T, Mismatch> {
        let key = self.keys.get(at).copied().unwrap_or_default();
        let field = match self.entries.remove(key) {
            Some(value) => T::from_value(value).map_err(|mismatch| mismatch.at_key(key)),
            None => T::missing()
                .ok_or_else(|| Mismatch::of(format!("{} with the key `{key}`", self.name), "none")),
        };
        field.map_err(|mismatch| self.place(mismatch))
    }
}

/// The case of an enum that a value is: its place among `cases`, and what comes with it.
pub fn case(value: Value, cases: &'static [&'static str]) -> Result<(usize, Option<Value>), Mismatch> {
    let (name, payload) = match value {
        Value::String(name) => (name, None),
        Value::Map(mut entries) if entries.len() == 1 => match entries.pop_first() {
            Some((name, payload)) => (name, Some(payload)),
            None => (String::new(), None),
        },
        other => return Err(Mismatch::of(one_of(cases), other.type_name())),
    };
    match cases.iter().position(|case| *case == name) {
        Some(at) => Ok((at, payload)),
        None => Err(unknown(cases, &name)),
    }
}

/// The case of an enum without payloads: its place among `cases`.
pub fn unit_case(value: &Value, cases: &'static [&'static str]) -> Result<usize, Mismatch> {
    match value {
        Value::String(name) => cases.iter().position(|case| case == name).ok_or_else(|| unknown(cases, name)),
        other => Err(Mismatch::of(one_of(cases), other.type_name())),
    }
}

/// A case without a payload that has come with one, or the other way round.
#[cold]
pub fn other_payload(case: &'static str, payload: Option<&Value>) -> Mismatch {
    match payload {
        Some(payload) => Mismatch::of("no payload", payload.type_name()).at_key(case),
        None => Mismatch::of(format!("#{{{case}: ...}}"), format!("{case:?} without its payload")),
    }
}

/// The payload of a case with several, in order.
pub struct Items {
    items: std::vec::IntoIter<Value>,
    case: &'static str,
    at: usize,
}

impl Items {
    /// Those of a case that has `count`.
    pub fn of(case: &'static str, value: Value, count: usize) -> Result<Self, Mismatch> {
        match value {
            Value::Array(items) if items.len() == count => Ok(Self { items: items.into_iter(), case, at: 0 }),
            Value::Array(items) => {
                Err(Mismatch::of(format!("an array of {count}"), format!("one of {}", items.len()))
                    .at_key(case))
            }
            other => Err(Mismatch::new("array", &other).at_key(case)),
        }
    }

    /// The next one.
    pub fn take<T: Data>(&mut self) -> Result<T, Mismatch> {
        let at = self.at;
        self.at += 1;
        T::from_value(self.items.next().unwrap_or_default())
            .map_err(|mismatch| mismatch.at_index(at).at_key(self.case))
    }
}

#[cold]
fn unknown(cases: &[&str], name: &str) -> Mismatch {
    Mismatch::of(one_of(cases), format!("{name:?}"))
}

fn one_of(cases: &[&str]) -> String {
    format!("one of {}", quoted(cases))
}

fn quoted(names: &[&str]) -> String {
    let mut text = String::new();
    for name in names {
        let comma = if text.is_empty() { "" } else { ", " };
        text = format!("{text}{comma}{name:?}");
    }
    text
}
