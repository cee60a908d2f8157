//! The fields of a table in a test file, and what is wrong with them.

use super::duration;
use caraway_loaders_core::bind::suggest;
use caraway_loaders_core::manifest::document::{Document, Entry, Node, Value};
use caraway_loaders_core::{Code, Error};
use std::time::Duration;

/// How many problems of a file are listed.
const MAX_LISTED: usize = 50;

/// Collects what is wrong with a file.
pub(super) struct Problems<'d> {
    document: &'d Document,
    found: Vec<(usize, Error)>,
    /// What is odd and not wrong.
    pub(super) warnings: Vec<Error>,
}

impl<'d> Problems<'d> {
    pub(super) fn new(document: &'d Document) -> Self {
        Self { document, found: Vec::new(), warnings: Vec::new() }
    }

    fn add(&mut self, offset: usize, error: Error) {
        if self.found.len() < MAX_LISTED {
            self.found.push((offset, error.at(self.document.place(offset))));
        }
    }

    pub(super) fn count(&self) -> usize {
        self.found.len()
    }

    pub(super) fn say(&mut self, offset: usize, message: impl AsRef<str>) {
        self.add(offset, Error::new(Code::TestFile, message));
    }

    pub(super) fn hint(&mut self, offset: usize, message: impl AsRef<str>, hint: impl AsRef<str>) {
        self.add(offset, Error::new(Code::TestFile, message).hint(hint));
    }

    fn warn(&mut self, offset: usize, message: String, hint: &str) {
        let place = self.document.place(offset);
        self.warnings.push(Error::new(Code::TestFile, message).hint(hint).at(place));
    }

    /// All that is wrong, in the order of the file.
    pub(super) fn into_result(mut self) -> Result<Vec<Error>, Error> {
        self.found.sort_by_key(|(offset, _)| *offset);
        match Error::from_many(self.found.into_iter().map(|(_, error)| error)) {
            Some(error) => Err(error),
            None => Ok(self.warnings),
        }
    }
}

/// The fields of one table. `null` is as good as a field that is not there.
pub(super) struct Fields<'n, 'a> {
    /// What the table is, for messages.
    what: &'static str,
    entries: &'n [Entry<'a>],
    known: &'static [&'static str],
}

impl<'n, 'a> Fields<'n, 'a> {
    /// The fields of a table of which `known` have a meaning.
    pub(super) fn of(
        node: &'n Node<'a>,
        what: &'static str,
        known: &'static [&'static str],
        problems: &mut Problems<'_>,
    ) -> Option<Self> {
        match &node.value {
            Value::Table(entries) => Some(Self { what, entries, known }),
            _ => {
                problems.say(node.offset, format!("{what} is a table, not {}", node.kind()));
                None
            }
        }
    }

    /// Whether there are fields that are ignored. Those that are nearly one with a meaning are wrong.
    pub(super) fn check(&self, problems: &mut Problems<'_>) -> bool {
        let mut unknown = false;
        for Entry { key, offset, .. } in self.entries {
            // Schemas and comments.
            if self.known.contains(&key.as_ref())
                || key.starts_with(['$', '_', '#', '/'])
                || key.starts_with("x-")
            {
                continue;
            }
            let message = format!("{} has no field `{key}`", self.what);
            match suggest(key, self.known.iter().copied()) {
                Some(near) => problems.hint(*offset, message, format!("did you mean `{near}`?")),
                None => {
                    unknown = true;
                    problems.warn(*offset, message, "it is ignored; keep what is your own in `meta`");
                }
            }
        }
        unknown
    }

    /// The value of a field, `null` included.
    pub(super) fn raw(&self, name: &str) -> Option<&'n Node<'a>> {
        self.entries.iter().find(|entry| entry.key == name).map(|entry| &entry.node)
    }

    pub(super) fn get(&self, name: &str) -> Option<&'n Node<'a>> {
        self.raw(name).filter(|node| !matches!(node.value, Value::Null))
    }

    fn wrong(&self, name: &str, node: &Node<'_>, expected: &str, problems: &mut Problems<'_>) {
        problems
            .say(node.offset, format!("`{name}` of {} must be {expected}, found {}", self.what, node.kind()));
    }

    pub(super) fn string(&self, name: &str, problems: &mut Problems<'_>) -> Option<&'n str> {
        let node = self.get(name)?;
        match &node.value {
            Value::String(text) => Some(text),
            _ => {
                self.wrong(name, node, "a string", problems);
                None
            }
        }
    }

    pub(super) fn boolean(&self, name: &str, problems: &mut Problems<'_>) -> Option<bool> {
        let node = self.get(name)?;
        match node.value {
            Value::Bool(bool) => Some(bool),
            _ => {
                self.wrong(name, node, "true or false", problems);
                None
            }
        }
    }

    pub(super) fn array(&self, name: &str, problems: &mut Problems<'_>) -> &'n [Node<'a>] {
        let Some(node) = self.get(name) else { return &[] };
        match &node.value {
            Value::Array(items) => items,
            _ => {
                self.wrong(name, node, "an array", problems);
                &[]
            }
        }
    }

    /// A list of strings; one string is a list of one.
    pub(super) fn strings(&self, name: &str, problems: &mut Problems<'_>) -> Vec<String> {
        if let Some(Value::String(text)) = self.get(name).map(|node| &node.value) {
            return vec![text.to_string()];
        }
        let mut strings = Vec::new();
        for item in self.array(name, problems) {
            match &item.value {
                Value::String(text) => strings.push(text.to_string()),
                _ => self.wrong(name, item, "an array of strings", problems),
            }
        }
        strings
    }

    /// A span of time: milliseconds, or a text with a unit.
    pub(super) fn duration(&self, name: &str, problems: &mut Problems<'_>) -> Option<Duration> {
        let node = self.get(name)?;
        match duration::of(node) {
            Ok(duration) => Some(duration),
            Err(wrong) => {
                problems.hint(
                    node.offset,
                    format!("`{name}` of {} {wrong}", self.what),
                    "a number is milliseconds; a text has a unit: \"500ms\", \"2s\", \"1m\"",
                );
                None
            }
        }
    }
}
