//! Text of values, as far as there is room for it.
//!
//! A small value can print as more than the machine has: an array that holds the same long string a million times. So
//! text is written piece by piece, and the budget is asked on the way.

use crate::budget;
use rhai::Engine;
use std::borrow::Cow;
use std::fmt::{self, Write};

/// The most bytes of a message.
pub const MESSAGE: usize = 64 << 10;

/// What ends a message that was cut.
const CUT: &str = " ... (cut)";

/// The budget is looked at once in this many bytes, or this many pieces.
const BYTES_PER_LOOK: usize = 64 << 10;
const PIECES_PER_LOOK: u32 = 4096;

/// Text that grows within the memory and the time that are left. Writing fails when they are not, and the next
/// operation of the script is told why.
#[derive(Debug, Default)]
pub struct Text {
    text: String,
    most: Option<usize>,
    /// What one string may have; 0 for no limit.
    string_size: usize,
    looked_at: usize,
    pieces: u32,
}

impl Text {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Nothing yet, for a string of this engine.
    pub fn of_engine(engine: &Engine) -> Self {
        Self { string_size: engine.max_string_size(), ..Self::default() }
    }

    /// What was written.
    pub fn into_string(self) -> String {
        self.text
    }

    fn has_room(&mut self, more: usize) -> bool {
        self.pieces += 1;
        let len = self.text.len() + more;
        if self.string_size > 0 && len > self.string_size {
            return budget::can_allocate(u64::MAX);
        }
        if len - self.looked_at >= BYTES_PER_LOOK || self.pieces >= PIECES_PER_LOOK {
            (self.looked_at, self.pieces) = (len, 0);
            if !budget::may_go_on() {
                return false;
            }
        }
        let capacity = self.text.capacity();
        // As `String` grows.
        len <= capacity || budget::can_allocate((len.max(capacity * 2) - capacity) as u64)
    }
}

impl Write for Text {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        if let Some(most) = self.most
            && self.text.len() + piece.len() > most
        {
            let room = piece.floor_char_boundary(most.saturating_sub(self.text.len()));
            self.text.push_str(&piece[..room]);
            return Err(fmt::Error);
        }
        if self.most.is_none() && !self.has_room(piece.len()) {
            return Err(fmt::Error);
        }
        self.text.push_str(piece);
        Ok(())
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
    let mut text = Text { most: Some(MESSAGE), ..Text::default() };
    let cut = write!(text, "{what}").is_err();
    let mut text = text.into_string();
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
