//! Values to JSON text.

use super::MAX_DEPTH;
use caraway_loaders_core::bind::conform::type_name;
use caraway_loaders_core::bind::{CallError, CallResult};
use caraway_loaders_core::budget::{self, Expiry};
use caraway_loaders_core::buffer::{Floats, Ints};
use caraway_loaders_core::{Code, Error};
use rhai::{Array, Dynamic, Engine, ImmutableString, Map};
use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::ser::Formatter;
use std::io;

/// The budget is looked at once in this many pieces of text, or this many bytes.
const WRITES_PER_LOOK: usize = 4096;
const BYTES_PER_LOOK: usize = 256 << 10;

pub(super) fn stringify(value: &Dynamic, formatter: impl Formatter, engine: &Engine) -> CallResult {
    let most = match engine.max_string_size() {
        0 => usize::MAX,
        most => most,
    };
    let mut out = Bounded { text: Vec::new(), most, writes: 0, looked_at: 0, stopped: None };
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, formatter);
    let written = Json { value, depth: 0 }.serialize(&mut serializer);
    match (written, out.stopped) {
        (_, Some(stopped)) => Err(stopped),
        (Err(error), None) => {
            Err(Error::new(Code::PluginFailed, format!("cannot write as JSON: {error}")).into())
        }
        (Ok(()), None) => match String::from_utf8(out.text) {
            Ok(text) => Ok(text.into()),
            Err(error) => Err(Error::new(Code::Internal, format!("JSON: {error}")).into()),
        },
    }
}

/// Text that may grow to the limit for one string, within the budget.
struct Bounded {
    text: Vec<u8>,
    most: usize,
    writes: usize,
    /// How long the text was at the last look.
    looked_at: usize,
    stopped: Option<CallError>,
}

impl Bounded {
    /// Looks at the budget now and then, and at memory before the text grows, which doubles it.
    fn look(&mut self, more: usize) -> Result<(), Expiry> {
        let len = self.text.len() + more;
        let grows = len > self.text.capacity();
        if grows && !budget::can_allocate(len.max(self.text.capacity()) as u64)
            || len - self.looked_at >= BYTES_PER_LOOK
            || self.writes.is_multiple_of(WRITES_PER_LOOK)
        {
            self.looked_at = len;
            budget::check()?;
        }
        Ok(())
    }
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writes += 1;
        if bytes.len() > self.most - self.text.len() {
            let message =
                format!("the JSON text is longer than {} bytes, the limit for one string", self.most);
            self.stopped = Some(Error::new(Code::Memory, message).into());
        } else if let Err(expiry) = self.look(bytes.len()) {
            self.stopped = Some(expiry.into());
        } else {
            self.text.extend_from_slice(bytes);
            return Ok(bytes.len());
        }
        Err(io::Error::other("stopped"))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Json<'a> {
    value: &'a Dynamic,
    depth: usize,
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = self.value;
        if value.is_unit() {
            return serializer.serialize_unit();
        }
        if let Ok(value) = value.as_bool() {
            return serializer.serialize_bool(value);
        }
        if let Ok(value) = value.as_int() {
            return serializer.serialize_i64(value);
        }
        if let Ok(value) = value.as_float() {
            if !value.is_finite() {
                return Err(S::Error::custom(format!("{value} is not a number in JSON")));
            }
            return serializer.serialize_f64(value);
        }
        if let Ok(value) = value.as_char() {
            return serializer.serialize_char(value);
        }
        if let Some(text) = value.read_lock::<ImmutableString>() {
            return serializer.serialize_str(&text);
        }
        if let Some(ints) = Ints::of(value) {
            return serializer.collect_seq(ints.read().map_err(S::Error::custom)?.iter());
        }
        if let Some(floats) = Floats::of(value) {
            let floats = floats.read().map_err(S::Error::custom)?;
            if let Some(wrong) = floats.iter().find(|float| !float.is_finite()) {
                return Err(S::Error::custom(format!("{wrong} is not a number in JSON")));
            }
            return serializer.collect_seq(floats.iter());
        }
        if self.depth >= MAX_DEPTH {
            return Err(S::Error::custom(format!("the value nests deeper than {MAX_DEPTH} levels")));
        }
        let depth = self.depth + 1;
        if let Some(items) = value.read_lock::<Array>() {
            return serializer.collect_seq(items.iter().map(|value| Json { value, depth }));
        }
        if let Some(entries) = value.read_lock::<Map>() {
            return serializer
                .collect_map(entries.iter().map(|(key, value)| (key.as_str(), Json { value, depth })));
        }
        Err(S::Error::custom(format!("there is no JSON for {}", type_name(value))))
    }
}
