use std::fmt;

/// The error of a function that a script has passed.
///
/// It displays as the script's message. A function that gives it back, by itself or as an
/// [`Error`](super::Error), throws the script's own error again, with its place and all.
#[derive(Debug, Clone)]
pub struct CallbackError {
    message: String,
    /// What the host calls the error.
    word: Option<u64>,
}

impl CallbackError {
    /// An error with this message. In a plugin's own tests, it is what a [`Callback`](super::Callback) made of
    /// a closure fails with.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), word: None }
    }

    pub(super) fn raised(message: String, word: u64) -> Self {
        Self { message, word: Some(word) }
    }

    pub(super) fn word(&self) -> Option<u64> {
        self.word
    }
}

impl fmt::Display for CallbackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CallbackError {}
