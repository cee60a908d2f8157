//! `caraway:plugin/store`.

use super::config::json;
use super::wit::caraway::plugin::store::{Host, Refusal};
use crate::wasi::Guest;
use caraway_loaders_core::Value;
use caraway_loaders_core::bind::conform;
use caraway_loaders_core::store;
use rhai::Dynamic;

/// A value as guests get it: text as UTF-8, and as JSON what `std/kv` keeps beside text and bytes.
fn bytes(value: &Dynamic) -> Vec<u8> {
    match conform::to_value(value) {
        Ok(Value::Bytes(bytes)) => bytes,
        Ok(Value::String(text)) => text.into_bytes(),
        Ok(value) => json(&value).to_string().into_bytes(),
        // A store keeps nothing else.
        Err(_) => Vec::new(),
    }
}

impl Host for &mut Guest {
    fn get(&mut self, key: String) -> wasmtime::Result<Option<Vec<u8>>> {
        Ok(self.services.0.store.get(&key).as_ref().map(bytes))
    }

    fn set(&mut self, key: String, value: Vec<u8>) -> wasmtime::Result<Result<(), Refusal>> {
        let kept = self.services.0.store.set(&key, &Dynamic::from_blob(value));
        Ok(kept.map_err(|refusal| match refusal {
            store::Refusal::Key(_) => Refusal::BadKey,
            store::Refusal::Full(_) | store::Refusal::Value(_) => Refusal::Full,
        }))
    }

    fn delete(&mut self, key: String) -> wasmtime::Result<bool> {
        Ok(self.services.0.store.delete(&key))
    }

    fn keys(&mut self) -> wasmtime::Result<Vec<String>> {
        Ok(self.services.0.store.keys())
    }
}
