//! Messages, which are not longer than somebody reads.

use std::borrow::Cow;
use std::fmt::{self, Write};

/// The most bytes of a message.
pub const MESSAGE: usize = 64 << 10;

/// What ends a message that was cut.
const CUT: &str = " ... (cut)";

/// Takes the first [`MESSAGE`] bytes, and fails at more.
struct Beginning(String);

impl Write for Beginning {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        let room = piece.floor_char_boundary(MESSAGE - self.0.len());
        self.0.push_str(&piece[..room]);
        if room < piece.len() { Err(fmt::Error) } else { Ok(()) }
    }
}

/// The text of a message about `what`, cut after [`MESSAGE`] bytes.
///
/// ```
/// use caraway_loaders_core::text::{MESSAGE, message};
///
/// assert_eq!(message(&"short"), "short");
/// assert_eq!(message(&"long".repeat(MESSAGE)).len(), MESSAGE + " ... (cut)".len());
/// ```
pub fn message(what: &dyn fmt::Display) -> String {
    let mut text = Beginning(String::new());
    let cut = write!(text, "{what}").is_err();
    let mut text = text.0;
    if cut {
        text.push_str(CUT);
    }
    text
}

/// The same for what is a text already.
pub(crate) fn cut(text: &str) -> Cow<'_, str> {
    if text.len() <= MESSAGE + CUT.len() {
        return text.into();
    }
    format!("{}{CUT}", &text[..text.floor_char_boundary(MESSAGE)]).into()
}
