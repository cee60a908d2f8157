//! Reading fields of a tree: each reader gives the value, or adds what is wrong and gives `None`.

use super::problems::{Problems, Wrong, shown};
use super::refused;
use super::tree::{Entry, Node, Value};
use crate::code::Code;
use crate::suggest::suggest;
use smallvec::SmallVec;
use std::fmt;

/// The path to a field, `functions[0].params`, which costs nothing until it is printed.
#[derive(Clone, Copy)]
pub(super) struct Place<'p> {
    parent: Option<&'p Place<'p>>,
    step: Step<'p>,
}

#[derive(Clone, Copy)]
enum Step<'p> {
    Root,
    Key(&'p str),
    Index(usize),
}

impl<'p> Place<'p> {
    pub(super) const ROOT: Place<'static> = Place { parent: None, step: Step::Root };

    pub(super) fn key(&'p self, key: &'p str) -> Place<'p> {
        Place { parent: Some(self), step: Step::Key(key) }
    }

    pub(super) fn index(&'p self, index: usize) -> Place<'p> {
        Place { parent: Some(self), step: Step::Index(index) }
    }

    /// The path as [`refused`] writes it: `functions.*.async`.
    fn pattern(&self) -> String {
        let parent = self.parent.map(Place::pattern).unwrap_or_default();
        let step = match self.step {
            Step::Root => return String::new(),
            Step::Key(key) => key,
            Step::Index(_) => "*",
        };
        if parent.is_empty() { step.to_owned() } else { format!("{parent}.{step}") }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(parent) = self.parent else {
            return Ok(());
        };
        parent.fmt(f)?;
        match self.step {
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Key(key) if parent.parent.is_some() => write!(f, ".{key}"),
            Step::Key(key) => f.write_str(key),
            Step::Root => Ok(()),
        }
    }
}

/// A table whose known fields are taken out one by one; [`finish`](Fields::finish) reports the rest.
pub(super) struct Fields<'t, 'a, 'p> {
    place: Place<'p>,
    offset: usize,
    entries: &'t [Entry<'a>],
    known: SmallVec<[&'static str; 20]>,
}

impl<'t, 'a, 'p> Fields<'t, 'a, 'p> {
    /// The fields of a node that must be a table.
    pub(super) fn of(node: &'t Node<'a>, place: Place<'p>, problems: &mut Problems<'_>) -> Option<Self> {
        let entries = table(node, &place, problems)?;
        Some(Self { place, offset: node.offset, entries, known: SmallVec::new() })
    }

    pub(super) fn take(&mut self, name: &'static str) -> Option<&'t Node<'a>> {
        self.known.push(name);
        self.entries.iter().find(|e| e.key == name).map(|e| &e.node)
    }

    pub(super) fn required(
        &mut self,
        name: &'static str,
        problems: &mut Problems<'_>,
    ) -> Option<&'t Node<'a>> {
        let found = self.take(name);
        if found.is_none() {
            let place = self.place.key(name);
            problems
                .add(self.offset, || crate::Error::new(Code::ManifestValue, format!("`{place}` is missing")));
        }
        found
    }

    pub(super) fn string(&mut self, name: &'static str, problems: &mut Problems<'_>) -> Option<&'t str> {
        let node = self.take(name)?;
        string(node, &self.place.key(name), problems)
    }

    pub(super) fn boolean(&mut self, name: &'static str, problems: &mut Problems<'_>) -> Option<bool> {
        let node = self.take(name)?;
        match node.value {
            Value::Bool(bool) => Some(bool),
            _ => wrong_type(node, &self.place.key(name), "true or false", problems),
        }
    }

    /// A string that `parse` makes something of.
    pub(super) fn parsed<T>(
        &mut self,
        name: &'static str,
        problems: &mut Problems<'_>,
        parse: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        let node = self.take(name)?;
        parsed(node, &self.place.key(name), problems, parse)
    }

    /// Reports every field that nobody took and that no rule refuses already.
    pub(super) fn finish(self, problems: &mut Problems<'_>) {
        for entry in self.entries {
            let key = entry.key.as_ref();
            if self.known.contains(&key) || refused::is_listed(&self.place.key(key).pattern()) {
                continue;
            }
            let hint = problems.other_host.clone();
            problems.add(entry.offset, || {
                let near = || {
                    let known = self.known.iter().copied();
                    suggest(key, known).map(|near| format!("did you mean `{near}`?"))
                };
                let of = self.place.to_string();
                let of = if of.is_empty() { of } else { format!(" in `{of}`") };
                let error =
                    crate::Error::new(Code::ManifestField, format!("unknown field {}{of}", shown(key)));
                let hint = hint.or_else(|| if key.len() <= 64 { near() } else { None });
                hint.map_or(error.clone(), |hint| error.hint(hint))
            });
        }
    }
}

/// The entries of a table.
pub(super) fn table<'t, 'a>(
    node: &'t Node<'a>,
    place: &Place<'_>,
    problems: &mut Problems<'_>,
) -> Option<&'t [Entry<'a>]> {
    match &node.value {
        Value::Table(entries) => Some(entries),
        _ => wrong_type(node, place, "a table", problems),
    }
}

pub(super) fn array<'t, 'a>(
    node: &'t Node<'a>,
    place: &Place<'_>,
    problems: &mut Problems<'_>,
) -> Option<&'t [Node<'a>]> {
    match &node.value {
        Value::Array(items) => Some(items),
        _ => wrong_type(node, place, "an array", problems),
    }
}

pub(super) fn string<'t>(
    node: &'t Node<'_>,
    place: &Place<'_>,
    problems: &mut Problems<'_>,
) -> Option<&'t str> {
    match &node.value {
        Value::String(text) => Some(text),
        _ => wrong_type(node, place, "a string", problems),
    }
}

/// A string that `parse` makes something of.
pub(super) fn parsed<T>(
    node: &Node<'_>,
    place: &Place<'_>,
    problems: &mut Problems<'_>,
    parse: impl FnOnce(&str) -> Result<T, Wrong>,
) -> Option<T> {
    match parse(string(node, place, problems)?) {
        Ok(value) => Some(value),
        Err(wrong) => {
            problems.say(Code::ManifestValue, node.offset, wrong.of(place));
            None
        }
    }
}

/// An array of strings that `parse` makes something of; what it refuses is left out.
pub(super) fn list<T>(
    node: &Node<'_>,
    place: &Place<'_>,
    problems: &mut Problems<'_>,
    parse: impl Fn(&str) -> Result<T, Wrong>,
) -> Vec<T> {
    let items = array(node, place, problems).unwrap_or_default();
    let parsed = |(index, item)| parsed(item, &place.index(index), problems, &parse);
    items.iter().enumerate().filter_map(parsed).collect()
}

/// Adds that a node is of a wrong type.
pub(super) fn wrong_type<T>(
    node: &Node<'_>,
    place: &Place<'_>,
    expected: &str,
    problems: &mut Problems<'_>,
) -> Option<T> {
    let field = place.to_string();
    let field = if field.is_empty() { "the manifest".to_owned() } else { format!("`{field}`") };
    let wrong = Wrong::new(format!("{field} must be {expected}, found {}", node.kind()));
    problems.say(Code::ManifestValue, node.offset, wrong);
    None
}
