//! Values to JSON text.

use super::MAX_DEPTH;
use caraway_loaders_core::bind::CallResult;
use caraway_loaders_core::bind::conform::type_name;
use caraway_loaders_core::buffer::{Floats, Ints};
use caraway_loaders_core::growth::Bytes;
use caraway_loaders_core::{Code, Error};
use rhai::{Array, Dynamic, Engine, ImmutableString, Map};
use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::ser::Formatter;

pub(super) fn stringify(value: &Dynamic, formatter: impl Formatter, engine: &Engine) -> CallResult {
    let mut out = Bytes::of_string(engine);
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, formatter);
    let written = Json { value, depth: 0 }.serialize(&mut serializer);
    let bytes = out.finish().map_err(|full| full.into_error("the JSON text"))?;
    written.map_err(|error| Error::new(Code::ValueRefused, format!("cannot write as JSON: {error}")))?;
    let text =
        String::from_utf8(bytes).map_err(|error| Error::new(Code::Internal, format!("JSON: {error}")))?;
    Ok(text.into())
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
