//! All that is wrong with a manifest, collected.

use crate::code::Code;
use crate::error::{Error, Location};
use std::path::Path;

/// How many problems are listed; the rest is counted.
const MAX_LISTED: usize = 50;

/// Collects problems with their places.
pub(crate) struct Problems<'a> {
    file: &'a Path,
    text: &'a str,
    found: Vec<(usize, Error)>,
    more: usize,
    /// What to say of unknown fields if the manifest was written for another host.
    pub(crate) other_host: Option<String>,
}

impl<'a> Problems<'a> {
    /// No problems yet in this text.
    pub(crate) fn new(file: &'a Path, text: &'a str) -> Self {
        Self { file, text, found: Vec::new(), more: 0, other_host: None }
    }

    /// Adds a problem that stands at a byte offset. The error is made only if it will be listed.
    pub(crate) fn add(&mut self, offset: usize, error: impl FnOnce() -> Error) {
        if self.found.len() < MAX_LISTED {
            self.found.push((offset, error()));
        } else {
            self.more += 1;
        }
    }

    /// Adds a problem of this code.
    pub(crate) fn say(&mut self, code: Code, offset: usize, wrong: Wrong) {
        self.add(offset, || wrong.error(code));
    }

    /// Whether nothing was found.
    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// All problems as one error, in the order of the text.
    pub(crate) fn into_error(mut self) -> Option<Error> {
        self.found.sort_by_key(|(offset, _)| *offset);
        let last = self.found.last()?.0;
        if self.more > 0 {
            let more = format!("{} more problems are not listed", self.more);
            self.found.push((last, Error::new(Code::ManifestValue, more)));
        }
        let (file, text) = (self.file, self.text);
        Error::from_many(
            self.found.into_iter().map(|(offset, error)| error.at(Location::at_offset(file, text, offset))),
        )
    }
}

/// What is wrong with a value, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Wrong {
    /// A message without a hint.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    /// The same with a hint.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with a hint, if there is one.
    pub(crate) fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint.or(self.hint);
        self
    }

    /// The same, said of this field.
    pub(crate) fn of(mut self, field: impl std::fmt::Display) -> Self {
        self.message = format!("`{field}` {}", self.message);
        self
    }

    /// The error of this code.
    pub(crate) fn error(self, code: Code) -> Error {
        let error = Error::new(code, self.message);
        match self.hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

/// Text from a manifest as messages show it: quoted, on one line, not too long.
pub(crate) fn shown(text: &str) -> String {
    const MAX: usize = 60;
    if text.chars().count() <= MAX {
        return format!("{text:?}");
    }
    format!("{:?}...", text.chars().take(MAX).collect::<String>())
}
