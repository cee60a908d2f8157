//! JSON text to values.

use super::scan::scan;
use caraway_loaders_core::bind::{CallError, CallResult};
use caraway_loaders_core::budget::{self, Expiry};
use caraway_loaders_core::{Code, Error, Location};
use rhai::{Array, Dynamic, Engine, Identifier, Map};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use std::cell::{Cell, RefCell};
use std::fmt;

/// The budget is looked at once in this many elements.
const ELEMENTS_PER_LOOK: usize = 4096;

pub(super) fn parse(text: &str, engine: &Engine) -> CallResult {
    if let Err(flaw) = scan(text) {
        let place = Location::at_offset("", text, flaw.offset);
        return Err(wrong(place.line, place.column, &flaw.message).into());
    }
    let progress = Progress {
        elements: Cell::new(0),
        most: limit(engine.max_array_size()).min(limit(engine.max_map_size())),
        stopped: RefCell::new(None),
    };
    let mut parser = serde_json::Deserializer::from_str(text);
    // `scan` has bounded the depth.
    parser.disable_recursion_limit();
    let parsed = Reader(&progress).deserialize(&mut parser).and_then(|value| parser.end().map(|()| value));
    parsed.map_err(|error| match progress.stopped.take() {
        Some(Stop::Expired(expiry)) => expiry.into(),
        Some(Stop::TooMany) => Error::new(
            Code::Memory,
            format!("the JSON text has more than {} elements, the limit for one value", progress.most),
        )
        .into(),
        None => {
            let (line, column) = (error.line(), error.column());
            let message = error.to_string();
            let suffix = format!(" at line {line} column {column}");
            CallError::from(wrong(line, column, message.strip_suffix(&suffix).unwrap_or(&message)))
        }
    })
}

fn limit(engine: usize) -> usize {
    if engine == 0 { usize::MAX } else { engine }
}

fn wrong(line: usize, column: usize, message: &str) -> Error {
    Error::new(Code::PluginFailed, format!("JSON, line {line}, column {column}: {message}"))
}

/// How much has been read, and why it was stopped.
struct Progress {
    elements: Cell<usize>,
    most: usize,
    stopped: RefCell<Option<Stop>>,
}

enum Stop {
    TooMany,
    Expired(Expiry),
}

impl Progress {
    fn element<E: serde::de::Error>(&self) -> Result<(), E> {
        let count = self.elements.get() + 1;
        self.elements.set(count);
        let stop = if count > self.most {
            Stop::TooMany
        } else if count.is_multiple_of(ELEMENTS_PER_LOOK)
            && let Err(expiry) = budget::check()
        {
            Stop::Expired(expiry)
        } else {
            return Ok(());
        };
        self.stopped.replace(Some(stop));
        Err(E::custom("stopped"))
    }
}

#[derive(Clone, Copy)]
struct Reader<'a>(&'a Progress);

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Dynamic;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Dynamic, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Dynamic;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Dynamic, E> {
        Ok(Dynamic::UNIT)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Dynamic, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Dynamic, E> {
        Ok(value.into())
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Dynamic, E> {
        let value = i64::try_from(value);
        value.map(Dynamic::from).map_err(|_| E::custom("a number does not fit an int of 64 bits"))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Dynamic, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Dynamic, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Dynamic, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Dynamic, A::Error> {
        let mut array = Array::new();
        while let Some(item) = items.next_element_seed(self)? {
            self.0.element()?;
            array.push(item);
        }
        Ok(array.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Dynamic, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if map.contains_key(key.as_str()) {
                let shown: String = key.chars().take(40).collect();
                return Err(A::Error::custom(format!("the key `{shown}` is there twice")));
            }
            self.0.element()?;
            let value = entries.next_value_seed(self)?;
            map.insert(Identifier::from(key), value);
        }
        Ok(map.into())
    }
}
