//! What is expected of a call.

use super::expression::Expression;
use caraway_loaders_core::{Code, Error};

/// What has to come of a call.
#[derive(Debug, Clone)]
pub(super) enum Expected {
    /// Any value.
    Success,
    /// This one.
    Value(Expression),
    /// An error.
    Error(ExpectedError),
}

/// Which error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ExpectedError {
    code: Option<Code>,
    /// What is in its message.
    text: Option<String>,
}

impl ExpectedError {
    /// What `expected_error` means: a code (`E0104`, `ArgumentType`), `E0104: text`, or text.
    pub(super) fn of(text: &str) -> Self {
        let (first, rest) = text.split_once(':').unwrap_or((text, ""));
        match code(first.trim()) {
            Some(code) if rest.trim().is_empty() => Self { code: Some(code), text: None },
            Some(code) => Self { code: Some(code), text: Some(rest.trim().to_owned()) },
            None => Self { code: None, text: Some(text.to_owned()) },
        }
    }

    /// Of a code and a text.
    pub(super) fn new(code: Option<Code>, text: Option<String>) -> Self {
        Self { code, text }
    }

    /// Whether an error, or one that was found with it, is this.
    pub(super) fn fits(&self, error: &Error) -> bool {
        let this = self.code.is_none_or(|code| error.code() == code)
            && self.text.as_ref().is_none_or(|text| {
                error.message().contains(text)
                    || error.thrown().is_some_and(|thrown| thrown.to_string().contains(text))
            });
        this || error.others().iter().any(|other| self.fits(other))
    }
}

/// The code that a text names.
pub(super) fn code(text: &str) -> Option<Code> {
    Code::ALL
        .iter()
        .copied()
        .find(|code| code.as_str().eq_ignore_ascii_case(text) || format!("{code:?}") == text)
}

impl std::fmt::Display for ExpectedError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.code, &self.text) {
            (None, None) => f.write_str("an error"),
            (Some(code), None) => write!(f, "the error {code}"),
            (None, Some(text)) => write!(f, "an error with {text:?} in it"),
            (Some(code), Some(text)) => write!(f, "the error {code} with {text:?} in it"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_texts() {
        let error = Error::new(Code::ArgumentType, "`x` must be int").hint("round it");
        for text in ["E0104", "e0104", "ArgumentType", "must be int", "E0104: must be"] {
            assert!(ExpectedError::of(text).fits(&error), "{text}");
        }
        for text in ["E0105", "must be float", "E0104: float", "E0105: must be", "ScriptFailed", "round"] {
            assert!(!ExpectedError::of(text).fits(&error), "{text}");
        }
        let many = Error::from_many([Error::new(Code::Io, "a"), error]).unwrap();
        assert!(ExpectedError::of("E0104").fits(&many));
        assert!(ExpectedError::default().fits(&many));
    }
}
