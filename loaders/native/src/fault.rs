//! How calls of a plugin fail.

use crate::memory::{Given, Memory, Out};
use caraway_abi::Status;

/// A status that is not 0, with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The plugin says so, with a message.
    Failed(String),
    /// It panicked, with a message.
    Panicked(String),
    /// It had no memory for its result.
    OutOfMemory,
    /// It passes on the error that this word stands for.
    Raised(u64),
    /// A status that the contract does not have.
    Unknown(i32),
    /// A message that is none.
    Malformed,
}

impl Fault {
    /// What a function that gave back `status` left in `out`.
    ///
    /// # Safety
    ///
    /// A message in `out` is memory of this kind, and nobody else frees it.
    #[cold]
    pub(crate) unsafe fn read(memory: Memory, status: i32, out: &Out) -> Self {
        let panicked = match Status::from_code(status) {
            Some(Status::OutOfMemory) => return Self::OutOfMemory,
            Some(Status::Raised) => return Self::Raised(out[0]),
            Some(Status::Failed) => false,
            Some(Status::Panicked) => true,
            _ => return Self::Unknown(status),
        };
        // SAFETY: the caller's promise; a message is passed as a string.
        let Ok(bytes) = (unsafe { Given::<u8>::take(memory, out) }) else { return Self::Malformed };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if panicked { Self::Panicked(text) } else { Self::Failed(text) }
    }

    /// What it is to say of whom it happened to: "failed: ...".
    pub(crate) fn predicate(&self) -> String {
        let with = |what: &str, text: &str| {
            let between = match text {
                "" => "",
                // "panicked at src/lib.rs:1:2: ..."
                _ if text.starts_with("at ") => " ",
                _ => ": ",
            };
            format!("{what}{between}{text}")
        };
        match self {
            Self::Failed(text) => with("failed", text),
            Self::Panicked(text) => with("panicked", text),
            Self::OutOfMemory => "had no memory left".to_owned(),
            Self::Raised(_) => "passes on an error of a callback that there was not".to_owned(),
            Self::Unknown(status) => format!("gave back the status {status}, which means nothing"),
            Self::Malformed => "gave back a message that is a buffer of an impossible size".to_owned(),
        }
    }
}
