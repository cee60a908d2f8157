//! What the program or a plugin keeps in memory, by key.

use crate::bind::conform::{Functions, MAX_DEPTH, conform, type_name};
use crate::code::Code;
use crate::error::Error;
use caraway_plugin::Type;
use parking_lot::Mutex;
use rhai::{Array, Blob, Dynamic, ImmutableString, Map};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The longest key, in bytes.
pub const MAX_KEY: usize = 256;

/// How many keys there may be.
pub const MAX_KEYS: usize = 4096;

/// How many bytes all keys and values may take. A text and bytes take what they hold, any other value 16 bytes, and what
/// is in arrays and maps 32 more for each item, with the keys of maps.
pub const MAX_BYTES: usize = 4 << 20;

/// What a value takes that holds no text and no bytes.
const SCALAR: usize = 16;

/// What a place in an array or a map takes.
const ITEM: usize = 32;

/// The state of the program, or of one plugin: values by keys of 1 to [`MAX_KEY`] bytes, kept for as long as anything
/// holds it. Clones are the same store, and may be used by several threads.
///
/// Values are data: what a script can write down. They are copied in and out.
///
/// ```
/// use caraway_loaders_core::store::{Refusal, Store};
/// use rhai::Dynamic;
///
/// let store = Store::default();
/// store.set("name", &"Ada".into())?;
/// assert_eq!(store.add("visits", 2)?, 2);
/// assert_eq!(store.add("visits", 1)?, 3);
/// assert_eq!(store.keys(), ["name", "visits"]);
/// assert!(matches!(store.set("", &Dynamic::UNIT), Err(Refusal::Key(_))));
/// # Ok::<(), Refusal>(())
/// ```
#[derive(Clone, Default)]
pub struct Store(Arc<Mutex<Entries>>);

#[derive(Default)]
struct Entries {
    values: BTreeMap<String, Kept>,
    /// What all keys and values take.
    bytes: usize,
}

struct Kept {
    value: Dynamic,
    bytes: usize,
}

/// Why something is not kept.
#[derive(Debug, Clone)]
pub enum Refusal {
    /// The key has another length.
    Key(Error),
    /// There would be too many keys or bytes.
    Full(Error),
    /// The value is no data, or not the number that it is to be.
    Value(Error),
}

impl Refusal {
    /// What is wrong.
    pub fn into_error(self) -> Error {
        match self {
            Self::Key(error) | Self::Full(error) | Self::Value(error) => error,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(error) | Self::Full(error) | Self::Value(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Refusal {}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("keys", &self.keys()).finish()
    }
}

impl Store {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<Dynamic> {
        self.0.lock().values.get(key).map(|kept| kept.value.clone())
    }

    /// Whether a key has a value.
    pub fn has(&self, key: &str) -> bool {
        self.0.lock().values.contains_key(key)
    }

    /// Keeps a value, in place of the one that the key had.
    ///
    /// # Errors
    ///
    /// A key of another length, more than [`MAX_KEYS`] keys or [`MAX_BYTES`] bytes, and values that are functions,
    /// handles, buffers, or of types of the host, or hold any, or nest deeper than 128 levels.
    pub fn set(&self, key: &str, value: &Dynamic) -> Result<(), Refusal> {
        let bytes = size(value)?;
        // Without shared variables, which the caller could change from outside.
        let value = conform(&Type::Any, value.clone(), Functions::Refuse)
            .map_err(|error| Refusal::Value(error.said_of("the value")))?;
        self.0.lock().set(key, Kept { value, bytes })
    }

    /// Adds to the int that a key has, 0 if it has none, and gives the sum. No other thread comes in between.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set), and a value that is no int, or would be larger than an int can be.
    pub fn add(&self, key: &str, n: i64) -> Result<i64, Refusal> {
        let mut entries = self.0.lock();
        let old = match entries.values.get(key) {
            None => 0,
            Some(Kept { value, .. }) => value.as_int().map_err(|_| {
                let message = format!("`{key}` has {}, and only an int can be added to", type_name(value));
                Refusal::Value(Error::new(Code::ArgumentType, message))
            })?,
        };
        let sum = old.checked_add(n).ok_or_else(|| {
            let message = format!("{old} + {n} of `{key}` is beyond what an int can hold");
            Refusal::Value(Error::new(Code::ValueRefused, message))
        })?;
        entries.set(key, Kept { value: sum.into(), bytes: SCALAR })?;
        Ok(sum)
    }

    /// Forgets a key, and says whether it had a value.
    pub fn delete(&self, key: &str) -> bool {
        self.0.lock().delete(key)
    }

    /// All keys, sorted.
    pub fn keys(&self) -> Vec<String> {
        self.0.lock().values.keys().cloned().collect()
    }

    /// Forgets everything.
    pub fn clear(&self) {
        let entries = std::mem::take(&mut *self.0.lock());
        // Not while others wait for the lock.
        drop(entries);
    }
}

impl Entries {
    fn set(&mut self, key: &str, kept: Kept) -> Result<(), Refusal> {
        if !(1..=MAX_KEY).contains(&key.len()) {
            let message = format!("a key has {} bytes; it may have 1 to {MAX_KEY}", key.len());
            return Err(Refusal::Key(Error::new(Code::ValueRefused, message)));
        }
        let old = self.values.get(key).map(|old| key.len() + old.bytes);
        if old.is_none() && self.values.len() >= MAX_KEYS {
            let message = format!("the store has {MAX_KEYS} keys already");
            return Err(full(Code::Limit, message));
        }
        // Neither is larger than what fits: this does not overflow.
        let bytes = self.bytes - old.unwrap_or(0) + key.len() + kept.bytes;
        if bytes > MAX_BYTES {
            return Err(full(
                Code::Memory,
                format!("the store would hold {bytes} bytes; it may hold {MAX_BYTES}"),
            ));
        }
        self.bytes = bytes;
        self.values.insert(key.to_owned(), kept);
        Ok(())
    }

    fn delete(&mut self, key: &str) -> bool {
        let Some((key, kept)) = self.values.remove_entry(key) else { return false };
        self.bytes -= key.len() + kept.bytes;
        true
    }
}

#[cold]
fn full(code: Code, message: String) -> Refusal {
    Refusal::Full(Error::new(code, message).hint("delete what is no longer needed"))
}

/// What a value takes. Looks no further than at what fits: arrays that hold themselves, or one long text a million times,
/// take their time otherwise.
fn size(value: &Dynamic) -> Result<usize, Refusal> {
    let mut left = MAX_BYTES;
    measure(value, &mut left, 0)?;
    Ok(MAX_BYTES - left)
}

fn measure(value: &Dynamic, left: &mut usize, depth: usize) -> Result<(), Refusal> {
    if let Some(text) = value.read_lock::<ImmutableString>() {
        return take(text.len(), left);
    }
    if let Some(bytes) = value.read_lock::<Blob>() {
        return take(bytes.len(), left);
    }
    if depth > MAX_DEPTH {
        let message = format!("the value nests deeper than {MAX_DEPTH} levels");
        return Err(Refusal::Value(Error::new(Code::ValueRefused, message)));
    }
    if let Some(items) = value.read_lock::<Array>() {
        take(SCALAR, left)?;
        return items.iter().try_for_each(|item| {
            take(ITEM, left)?;
            measure(item, left, depth + 1)
        });
    }
    if let Some(entries) = value.read_lock::<Map>() {
        take(SCALAR, left)?;
        return entries.iter().try_for_each(|(key, item)| {
            take(ITEM + key.len(), left)?;
            measure(item, left, depth + 1)
        });
    }
    let scalar = value.is_unit() || value.is_bool() || value.is_int() || value.is_float() || value.is_char();
    if scalar {
        return take(SCALAR, left);
    }
    let message = format!("the value holds {}, which cannot be kept", type_name(value));
    let error = Error::new(Code::ValueRefused, message);
    Err(Refusal::Value(match &*type_name(value) {
        "ints" | "floats" => error.hint("`to_array()` makes an array of it"),
        _ => error.hint("keep data: text, numbers, bytes, arrays and maps"),
    }))
}

fn take(bytes: usize, left: &mut usize) -> Result<(), Refusal> {
    *left = left.checked_sub(bytes).ok_or_else(|| {
        full(
            Code::Memory,
            format!("the value takes more than {MAX_BYTES} bytes, which is what a store may hold"),
        )
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(length: usize) -> Dynamic {
        Dynamic::from_blob(vec![0; length])
    }

    #[test]
    fn it_is_bounded() {
        let store = Store::default();
        for key in ["", &"k".repeat(MAX_KEY + 1)] {
            assert!(matches!(store.set(key, &blob(0)), Err(Refusal::Key(_))));
            assert!(matches!(store.add(key, 1), Err(Refusal::Key(_))));
        }
        store.set("big", &blob(MAX_BYTES - 3)).unwrap();
        assert!(matches!(store.set("x", &blob(0)), Err(Refusal::Full(_))));
        assert!(matches!(store.add("x", 1), Err(Refusal::Full(_))));
        assert!(matches!(store.set("big", &blob(MAX_BYTES)), Err(Refusal::Full(_))));
        store.set("big", &blob(8)).unwrap();
        assert!(store.delete("big") && !store.delete("big"));
        assert_eq!(store.0.lock().bytes, 0);
        for index in 0..MAX_KEYS {
            store.set(&index.to_string(), &blob(0)).unwrap();
        }
        assert!(matches!(store.set("one more", &blob(0)), Err(Refusal::Full(_))));
        store.set("7", &blob(1)).unwrap();
        store.clear();
        assert_eq!(store.keys(), [""; 0]);
        assert_eq!(store.0.lock().bytes, 0);
    }

    #[test]
    fn what_values_take() {
        let array = |items: Vec<Dynamic>| Dynamic::from_array(items);
        let map: Map = [("key".into(), "text".into())].into();
        for (value, bytes) in [
            (Dynamic::UNIT, SCALAR),
            (1.into(), SCALAR),
            ("text".into(), 4),
            (blob(5), 5),
            (array(Vec::new()), SCALAR),
            (array(vec![1.into(), "ab".into()]), SCALAR + 2 * ITEM + SCALAR + 2),
            (map.into(), SCALAR + ITEM + 3 + 4),
        ] {
            assert_eq!(size(&value).unwrap(), bytes, "{value:?}");
        }
        // A gigabyte that shares one megabyte.
        let text: Dynamic = "x".repeat(1 << 20).into();
        assert!(matches!(size(&array(vec![text; 1000])), Err(Refusal::Full(_))));
        assert!(matches!(size(&array(vec![Dynamic::UNIT; 1 << 20])), Err(Refusal::Full(_))));
    }

    #[test]
    fn one_thread_at_a_time() {
        let store = Store::default();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..1000).for_each(|_| assert!(store.add("n", 1).unwrap() > 0)));
            }
        });
        assert_eq!(store.get("n").unwrap().as_int(), Ok(8000));
    }
}
