//! What a call says in a map: options, each with a name and a type. The errors are predicates, said of the argument.

use caraway_loaders_core::bind::{conform::type_name, suggest};
use caraway_loaders_core::{Code, Error};
use rhai::{Blob, Dynamic, ImmutableString, Map};
use std::time::Duration;

/// The most of a name that messages show, in characters.
const MAX_SHOWN: usize = 80;

/// One option.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Given<'a> {
    pub(crate) name: &'a str,
    pub(crate) value: &'a Dynamic,
}

/// Text or bytes.
#[derive(Debug, Clone)]
pub(crate) enum Data {
    Text(ImmutableString),
    Bytes(Blob),
}

impl Data {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

/// The options of a map.
pub(crate) fn of(map: &Map) -> impl Iterator<Item = Given<'_>> {
    map.iter().map(|(name, value)| Given { name, value })
}

impl Given<'_> {
    pub(crate) fn flag(&self) -> Result<bool, Error> {
        self.value.as_bool().map_err(|_| self.mismatch("bool"))
    }

    pub(crate) fn text(&self) -> Result<ImmutableString, Error> {
        let text = self.value.read_lock::<ImmutableString>();
        text.map(|text| text.clone()).ok_or_else(|| self.mismatch("string"))
    }

    pub(crate) fn data(&self) -> Result<Data, Error> {
        if let Some(bytes) = self.value.read_lock::<Blob>() {
            return Ok(Data::Bytes(bytes.clone()));
        }
        let text = self.value.read_lock::<ImmutableString>();
        text.map(|text| Data::Text(text.clone())).ok_or_else(|| self.mismatch("string or bytes"))
    }

    /// A whole number from 0 to `most`.
    pub(crate) fn whole(&self, most: i64) -> Result<u64, Error> {
        let number = self.value.as_int().map_err(|_| self.mismatch("int"))?;
        match u64::try_from(number) {
            Ok(valid) if number <= most => Ok(valid),
            _ => Err(refused(format!("has {number} as `{}`, which must be 0 to {most}", self.name))),
        }
    }

    /// A time in seconds, more than none.
    pub(crate) fn seconds(&self) -> Result<Duration, Error> {
        let seconds = self.value.as_float().or_else(|_| self.value.as_int().map(|int| int as f64));
        let seconds = seconds.map_err(|_| self.mismatch("float"))?;
        match Duration::try_from_secs_f64(seconds) {
            Ok(duration) if !duration.is_zero() => Ok(duration),
            _ => Err(refused(format!("has {seconds} seconds as `{}`", self.name))
                .hint("pass a number greater than 0 and less than 1.8e19")),
        }
    }

    /// Takes each entry of a map of texts.
    pub(crate) fn texts(
        &self,
        mut take: impl FnMut(&str, ImmutableString) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let map = self.value.read_lock::<Map>().ok_or_else(|| self.mismatch("map<string>"))?;
        map.iter().try_for_each(|(name, value)| match value.read_lock::<ImmutableString>() {
            Some(text) => take(name, text.clone()),
            None => {
                let name = format!("{}.{}", self.name, shown(name));
                Err(Given { name: &name, value }.mismatch("string"))
            }
        })
    }

    /// The error for an option that is none of these.
    pub(crate) fn unknown(&self, known: &[&str]) -> Error {
        let message = format!("has `{}`, which is no option", shown(self.name));
        let error = Error::new(Code::ArgumentType, message);
        match suggest(self.name, known.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("the options are {}", known.join(", "))),
        }
    }

    /// The error for a value of another type than `expected`.
    pub(crate) fn mismatch(&self, expected: &str) -> Error {
        let found = type_name(self.value);
        Error::new(Code::ArgumentType, format!("must have {expected} as `{}`, found {found}", self.name))
    }
}

/// The error for a value of the right type that is not taken.
pub(crate) fn refused(problem: impl AsRef<str>) -> Error {
    Error::new(Code::ValueRefused, problem)
}

/// A name of the script's as messages show it.
pub(crate) fn shown(name: &str) -> String {
    name.chars().take(MAX_SHOWN).collect()
}
