//! Text and bytes that grow within the memory and the time that are left, when nobody knows how much they will be.

use crate::bind::CallError;
use crate::budget::{self, Expiry};
use crate::code::Code;
use crate::error::Error;
use rhai::{Blob, Engine};
use std::fmt;
use std::io;

/// The budget is looked at once in this many bytes, or this many pieces.
const BYTES_PER_LOOK: usize = 64 << 10;
const PIECES_PER_LOOK: u32 = 4096;

/// Why something does not grow.
#[derive(Debug, Clone)]
pub enum Full {
    /// It would be larger than one value may be, in bytes.
    Large {
        /// The limit.
        most: usize,
        /// What it is for: "string" or "array".
        value: &'static str,
    },
    /// There is not enough memory for so many bytes.
    Memory(usize),
    /// A limit of a frame has been reached.
    Expired(Expiry),
}

impl Full {
    /// The error, said of what was to grow: "the text".
    ///
    /// ```
    /// use caraway_loaders_core::bind::CallError;
    /// use caraway_loaders_core::growth::Bytes;
    ///
    /// let mut bytes = Bytes::within(4);
    /// bytes.push(b"four").unwrap();
    /// let CallError::Error(error) = bytes.push(b"!").unwrap_err().into_error("the body") else { panic!() };
    /// assert_eq!(error.message(), "the body would be larger than 4 bytes, the limit for one array");
    /// ```
    pub fn into_error(self, what: &str) -> CallError {
        let message = match self {
            Self::Large { most, value } => {
                format!("{what} would be larger than {most} bytes, the limit for one {value}")
            }
            Self::Memory(bytes) => format!("there is not enough memory for the {bytes} bytes of {what}"),
            Self::Expired(expiry) => return expiry.into(),
        };
        Error::new(Code::Memory, message).into()
    }

    /// Lets the next look at the limits find it, for whoever cannot fail.
    fn tell(&self) {
        match self {
            Self::Large { .. } | Self::Memory(_) => budget::can_allocate(u64::MAX),
            Self::Expired(_) => budget::may_go_on(),
        };
    }
}

/// How large something may become, and when to look at the limits again.
#[derive(Debug, Clone)]
struct Growth {
    most: usize,
    value: &'static str,
    looked_at: usize,
    pieces: u32,
}

impl Growth {
    /// 0 is no limit, as it is to Rhai.
    fn within(most: usize, value: &'static str) -> Self {
        let most = if most == 0 { usize::MAX } else { most };
        Self { most, value, looked_at: 0, pieces: 0 }
    }

    /// By how much the capacity is to grow for `more`.
    fn by(&mut self, length: usize, capacity: usize, more: usize) -> Result<Option<usize>, Full> {
        let new = length.saturating_add(more);
        if new > self.most {
            return Err(Full::Large { most: self.most, value: self.value });
        }
        self.pieces += 1;
        if new - self.looked_at >= BYTES_PER_LOOK || self.pieces >= PIECES_PER_LOOK {
            (self.looked_at, self.pieces) = (new, 0);
            budget::check().map_err(Full::Expired)?;
        }
        if new <= capacity {
            return Ok(None);
        }
        let by = new.max(capacity.saturating_mul(2)) - length;
        // The old one is still there while it is copied.
        if !budget::may_allocate(length.saturating_add(by) as u64) {
            return Err(Full::Memory(new));
        }
        Ok(Some(by))
    }
}

/// Text that grows, for a string.
///
/// [`push`](Text::push) is for those that can fail. As a [`fmt::Write`] it is for those that cannot: when writing fails,
/// the next operation of the script is told why.
#[derive(Debug, Clone)]
pub struct Text {
    text: String,
    growth: Growth,
}

impl Text {
    /// Nothing yet, for a string of this engine.
    pub fn of_engine(engine: &Engine) -> Self {
        Self { text: String::new(), growth: Growth::within(engine.max_string_size(), "string") }
    }

    /// Adds a piece.
    ///
    /// # Errors
    ///
    /// Why it cannot.
    pub fn push(&mut self, piece: &str) -> Result<(), Full> {
        self.with_room(piece.len())?.push_str(piece);
        Ok(())
    }

    /// What there is, with room for so many bytes more.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub fn with_room(&mut self, more: usize) -> Result<&mut String, Full> {
        let (length, capacity) = (self.text.len(), self.text.capacity());
        if let Some(by) = self.growth.by(length, capacity, more)? {
            self.text.try_reserve_exact(by).map_err(|_| Full::Memory(length + more))?;
        }
        Ok(&mut self.text)
    }

    /// What was written.
    pub fn into_string(self) -> String {
        self.text
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        self.push(piece).map_err(|full| {
            full.tell();
            fmt::Error
        })
    }
}

/// Bytes that grow, for a blob.
///
/// As an [`io::Write`] they keep why they are full for [`finish`](Bytes::finish).
#[derive(Debug, Clone)]
pub struct Bytes {
    bytes: Blob,
    growth: Growth,
    full: Option<Full>,
}

impl Bytes {
    /// Nothing yet, at most so many; 0 for no limit.
    pub fn within(most: usize) -> Self {
        Self { bytes: Blob::new(), growth: Growth::within(most, "array"), full: None }
    }

    /// The same for what becomes a string of this engine.
    pub fn of_string(engine: &Engine) -> Self {
        Self { growth: Growth::within(engine.max_string_size(), "string"), ..Self::within(0) }
    }

    /// Adds a piece.
    ///
    /// # Errors
    ///
    /// Why it cannot.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), Full> {
        let (length, capacity) = (self.bytes.len(), self.bytes.capacity());
        if let Some(by) = self.growth.by(length, capacity, piece.len())? {
            self.bytes.try_reserve_exact(by).map_err(|_| Full::Memory(length + piece.len()))?;
        }
        self.bytes.extend_from_slice(piece);
        Ok(())
    }

    /// What there is.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes
    }

    /// What was written, if all of it was.
    ///
    /// # Errors
    ///
    /// Why a write failed.
    pub fn finish(self) -> Result<Blob, Full> {
        match self.full {
            Some(full) => Err(full),
            None => Ok(self.bytes),
        }
    }
}

impl io::Write for Bytes {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        match self.push(piece) {
            Ok(()) => Ok(piece.len()),
            Err(full) => {
                self.full = Some(full);
                Err(io::ErrorKind::OutOfMemory.into())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
