//! `caraway:plugin/store`.

use super::wit::caraway::plugin::store::{Host, Refusal};
use crate::wasi::Guest;
use parking_lot::Mutex;
use std::collections::BTreeMap;

/// The longest key, in bytes.
const MAX_KEY: usize = 256;

/// How many keys there may be.
const MAX_KEYS: usize = 4096;

/// How many bytes all keys and values may take.
const MAX_BYTES: usize = 4 << 20;

/// Values by their keys.
#[derive(Default)]
pub(super) struct Store(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    values: BTreeMap<String, Vec<u8>>,
    /// What all keys and values take.
    bytes: usize,
}

impl Entries {
    fn set(&mut self, key: String, value: Vec<u8>) -> Result<(), Refusal> {
        if key.is_empty() || key.len() > MAX_KEY {
            return Err(Refusal::BadKey);
        }
        let old = self.values.get(&key).map(|old| key.len() + old.len());
        // A new value is no longer than what a guest's memory holds: this does not overflow.
        let bytes = self.bytes - old.unwrap_or(0) + key.len() + value.len();
        if bytes > MAX_BYTES || (old.is_none() && self.values.len() >= MAX_KEYS) {
            return Err(Refusal::Full);
        }
        self.bytes = bytes;
        self.values.insert(key, value);
        Ok(())
    }

    fn delete(&mut self, key: &str) -> bool {
        let Some((key, value)) = self.values.remove_entry(key) else { return false };
        self.bytes -= key.len() + value.len();
        true
    }
}

impl Host for &mut Guest {
    fn get(&mut self, key: String) -> wasmtime::Result<Option<Vec<u8>>> {
        Ok(self.services.0.store.0.lock().values.get(&key).cloned())
    }

    fn set(&mut self, key: String, value: Vec<u8>) -> wasmtime::Result<Result<(), Refusal>> {
        Ok(self.services.0.store.0.lock().set(key, value))
    }

    fn delete(&mut self, key: String) -> wasmtime::Result<bool> {
        Ok(self.services.0.store.0.lock().delete(&key))
    }

    fn keys(&mut self) -> wasmtime::Result<Vec<String>> {
        Ok(self.services.0.store.0.lock().values.keys().cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_is_bounded() {
        let mut entries = Entries::default();
        for key in ["", &"k".repeat(MAX_KEY + 1)] {
            assert!(matches!(entries.set(key.to_owned(), Vec::new()), Err(Refusal::BadKey)));
        }
        assert!(entries.set("big".to_owned(), vec![0; MAX_BYTES - 3]).is_ok());
        assert!(matches!(entries.set("x".to_owned(), Vec::new()), Err(Refusal::Full)));
        assert!(matches!(entries.set("big".to_owned(), vec![0; MAX_BYTES]), Err(Refusal::Full)));
        assert!(entries.set("big".to_owned(), vec![0; 8]).is_ok(), "in place of the old value");
        assert!(entries.delete("big") && !entries.delete("big"));
        assert_eq!(entries.bytes, 0);
        for index in 0..MAX_KEYS {
            assert!(entries.set(index.to_string(), Vec::new()).is_ok());
        }
        assert!(matches!(entries.set("one more".to_owned(), Vec::new()), Err(Refusal::Full)));
        assert!(entries.set("7".to_owned(), vec![1]).is_ok());
    }
}
