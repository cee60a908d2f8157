//! Rhai's own `to_json` and `parse_json`, within the budget. `std/json` is the strict one.
//!
//! What is written is what Rhai writes, but for values that hold themselves: Rhai waits for a lock that it has.

use caraway_loaders_core::bind::conform::MAX_DEPTH;
use caraway_loaders_core::budget::{self, Expiry};
use caraway_loaders_core::growth::Text;
use caraway_loaders_core::{Code, Error};
use rhai::{
    Array, Blob, Dynamic, Engine, EvalAltResult, FnPtr, FuncRegistration, ImmutableString, Map,
    NativeCallContext,
};
use serde::Serialize;
use std::fmt::Write as _;
use std::io::{self, BufReader, Read, Write};

type Outcome<T> = Result<T, Box<EvalAltResult>>;

/// Text is read in pieces of this many bytes, with a look at the budget before each.
const PIECE: usize = 16 << 10;

/// Puts them before those of the standard package.
pub(crate) fn register(engine: &mut Engine) {
    FuncRegistration::new("to_json").with_purity(true).in_global_namespace().register_into_engine(
        engine,
        |context: NativeCallContext, map: &mut Map| -> Outcome<ImmutableString> {
            let mut text = Text::of_engine(context.engine());
            match write_map(&mut text, map, 0) {
                Ok(()) => Ok(text.into_string().into()),
                // The next operation is told why.
                Err(Stop::Budget) => Ok(ImmutableString::new()),
                Err(Stop::Refused(why)) => {
                    let error =
                        Error::new(Code::ValueRefused, format!("cannot write as JSON: the value {why}"));
                    Err(error.raise(context.call_position()))
                }
            }
        },
    );
    engine.register_fn("parse_json", |context: NativeCallContext, text: &str| -> Outcome<Dynamic> {
        let mut pieces = Pieces { text: text.as_bytes(), stopped: None };
        let parsed = serde_json::from_reader(BufReader::with_capacity(PIECE, &mut pieces));
        if let Some(expiry) = pieces.stopped {
            return Err(expiry.terminate(context.call_position()));
        }
        parsed.map_err(|error: serde_json::Error| error.to_string().into())
    });
}

/// Why a text came to an end.
enum Stop {
    Budget,
    Refused(&'static str),
}

impl From<std::fmt::Error> for Stop {
    fn from(_: std::fmt::Error) -> Self {
        Self::Budget
    }
}

/// A [`Text`] that serde writes to.
struct Json<'a>(&'a mut Text);

impl Write for Json<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = std::str::from_utf8(bytes).map_err(io::Error::other)?;
        self.0.write_str(piece).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_plain(text: &mut Text, value: impl Serialize) -> Result<(), Stop> {
    serde_json::to_writer(Json(text), &value).map_err(|_| Stop::Budget)
}

fn write(text: &mut Text, value: &Dynamic, depth: usize) -> Result<(), Stop> {
    if depth > MAX_DEPTH {
        return Err(Stop::Refused("nests deeper than 128 levels"));
    }
    if value.is_locked() {
        return Err(Stop::Refused("holds itself"));
    }
    if let Some(map) = value.read_lock::<Map>() {
        write_map(text, &map, depth)
    } else if let Some(array) = value.read_lock::<Array>() {
        write_array(text, array.iter(), depth)
    } else if let Some(blob) = value.read_lock::<Blob>() {
        write_plain(text, &*blob)
    } else if let Some(function) = value.read_lock::<FnPtr>().filter(|function| function.is_curried()) {
        let name = Dynamic::from(function.fn_name().to_owned());
        write_array(text, std::iter::once(&name).chain(function.iter_curry()), depth)
    } else {
        write_plain(text, value)
    }
}

fn write_array<'a>(
    text: &mut Text,
    items: impl Iterator<Item = &'a Dynamic>,
    depth: usize,
) -> Result<(), Stop> {
    text.write_str("[")?;
    for (index, item) in items.enumerate() {
        if index > 0 {
            text.write_str(",")?;
        }
        write(text, item, depth + 1)?;
    }
    Ok(text.write_str("]")?)
}

fn write_map(text: &mut Text, map: &Map, depth: usize) -> Result<(), Stop> {
    text.write_str("{")?;
    for (index, (key, value)) in map.iter().enumerate() {
        if index > 0 {
            text.write_str(",")?;
        }
        write_plain(text, key.as_str())?;
        text.write_str(":")?;
        write(text, value, depth + 1)?;
    }
    Ok(text.write_str("}")?)
}

/// A text that is read in pieces, within the budget.
struct Pieces<'a> {
    text: &'a [u8],
    stopped: Option<Expiry>,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Err(expiry) = budget::check() {
            self.stopped = Some(expiry);
            return Err(io::Error::other("stopped"));
        }
        self.text.read(buffer)
    }
}
