use crate::Value;
use std::borrow::Cow;
use std::fmt;

/// A value that is not what was expected, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    expected: Cow<'static, str>,
    found: Cow<'static, str>,
    /// From the inside out.
    path: Vec<String>,
}

impl Mismatch {
    /// `found` is not of the type that is called `expected`.
    #[cold]
    pub fn new(expected: &'static str, found: &Value) -> Self {
        Self::of(expected, found.type_name())
    }

    /// `found` is not `expected`, in words.
    #[cold]
    pub(super) fn of(expected: impl Into<Cow<'static, str>>, found: impl Into<Cow<'static, str>>) -> Self {
        Self { expected: expected.into(), found: found.into(), path: Vec::new() }
    }

    /// The same, inside an array at `index`.
    #[cold]
    #[must_use]
    pub fn at_index(mut self, index: usize) -> Self {
        self.path.push(format!("[{index}]"));
        self
    }

    /// The same, inside a map at `key`.
    #[cold]
    #[must_use]
    pub fn at_key(mut self, key: &str) -> Self {
        self.path.push(format!(".{key}"));
        self
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "must be {}, found {}", self.expected, self.found)?;
        if self.path.is_empty() {
            return Ok(());
        }
        let path: String = self.path.iter().rev().map(String::as_str).collect();
        write!(f, " at `{}`", path.trim_start_matches('.'))
    }
}

impl std::error::Error for Mismatch {}
