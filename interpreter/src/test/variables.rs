//! What steps assign.

use caraway_loaders_core::bind::suggest;
use caraway_loaders_core::{Code, Error};
use rhai::{Array, Dynamic, Map};
use std::collections::BTreeMap;

/// The variable that holds what the test's own call gave.
pub(super) const RESULT: &str = "result";

/// A variable, and what is meant of it: `x`, `x.name`, `x[0].name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) name: String,
    steps: Vec<String>,
}

impl Reference {
    /// The reference that a text is, if it is one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim().replace('[', ".").replace(']', "");
        let mut parts = text.split('.').map(str::to_owned);
        let name = parts.next().filter(|name| is_name(name))?;
        let steps: Vec<String> = parts.collect();
        let valid = |step: &String| {
            !step.is_empty() && step.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
        };
        steps.iter().all(valid).then_some(Self { name, steps })
    }
}

/// Whether a step can assign to this.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// The variables of a suite, or of one of its tests.
#[derive(Debug, Clone, Default)]
pub(super) struct Variables(BTreeMap<String, Dynamic>);

impl Variables {
    pub(super) fn set(&mut self, name: &str, value: Dynamic) {
        self.0.insert(name.to_owned(), value);
    }

    /// The value of a reference.
    ///
    /// # Errors
    ///
    /// [`Code::TestFile`] if nothing was assigned to it yet, or it has no such part.
    pub(super) fn get(&self, reference: &Reference) -> Result<Dynamic, Error> {
        let Some(mut value) = self.0.get(&reference.name).cloned() else {
            let error =
                Error::new(Code::TestFile, format!("nothing has been assigned to `{}` yet", reference.name));
            return Err(match suggest(&reference.name, self.0.keys().map(String::as_str)) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint("a step of the suite's or the test's `setup` has to `assign` it"),
            });
        };
        for step in &reference.steps {
            let inner = match step.parse::<usize>() {
                Ok(index) => value.read_lock::<Array>().and_then(|items| items.get(index).cloned()),
                Err(_) => None,
            };
            let inner =
                inner.or_else(|| value.read_lock::<Map>().and_then(|map| map.get(step.as_str()).cloned()));
            value = inner
                .ok_or_else(|| Error::new(Code::TestFile, format!("`{}` has no `{step}`", reference.name)))?;
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references() {
        for (text, steps) in [("x", 0), ("x.a.b", 2), ("x[0].a", 2), ("_x1", 0)] {
            assert_eq!(Reference::parse(text).unwrap().steps.len(), steps, "{text}");
        }
        for text in ["", "1", "5.00", "x y", "x.", "x..y", "a-b", "x/y"] {
            assert_eq!(Reference::parse(text), None, "{text}");
        }
    }
}
