//! `caraway:plugin/config`.

use super::wit::caraway::plugin::config::{Host, Value as Setting};
use crate::wasi::Guest;
use caraway_loaders_core::Value;
use std::collections::BTreeMap;

/// A plugin's settings, as guests get them.
pub(super) struct Settings(BTreeMap<String, Setting>);

impl Settings {
    pub(super) fn new(config: &Value) -> Self {
        let Value::Map(settings) = config else { return Self(BTreeMap::new()) };
        Self(settings.iter().map(|(name, value)| (name.clone(), setting(value))).collect())
    }
}

fn setting(value: &Value) -> Setting {
    match value {
        Value::Unit => Setting::Unset,
        Value::Bool(bool) => Setting::Boolean(*bool),
        Value::Int(int) => Setting::Integer(*int),
        Value::Float(float) => Setting::Float(*float),
        Value::Char(char) => Setting::Text(char.to_string()),
        Value::String(text) => Setting::Text(text.clone()),
        Value::Bytes(_) | Value::Array(_) | Value::Map(_) => Setting::Json(json(value).to_string()),
    }
}

/// A float that is no number is null. What TOML and JSON could not have written does not occur in settings.
pub(super) fn json(value: &Value) -> serde_json::Value {
    use serde_json::Value as Json;
    match value {
        Value::Unit => Json::Null,
        Value::Bool(bool) => Json::from(*bool),
        Value::Int(int) => Json::from(*int),
        Value::Float(float) => Json::from(*float),
        Value::Char(char) => Json::from(char.to_string()),
        Value::String(text) => Json::from(text.as_str()),
        Value::Bytes(bytes) => Json::from(bytes.as_slice()),
        Value::Array(items) => items.iter().map(json).collect(),
        Value::Map(entries) => entries.iter().map(|(name, value)| (name.clone(), json(value))).collect(),
    }
}

impl Host for &mut Guest {
    fn get(&mut self, name: String) -> wasmtime::Result<Option<Setting>> {
        Ok(self.services.0.settings.0.get(&name).cloned())
    }

    fn all(&mut self) -> wasmtime::Result<Vec<(String, Setting)>> {
        let settings = self.services.0.settings.0.iter();
        Ok(settings.map(|(name, value)| (name.clone(), value.clone())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_wit_has_no_type_for_is_json() {
        let list = Value::Array(vec![Value::Int(1), Value::Float(0.5), Value::Unit]);
        let map = Value::Map([("a".to_owned(), list), ("b".to_owned(), Value::Map(BTreeMap::new()))].into());
        assert!(matches!(setting(&map), Setting::Json(text) if text == r#"{"a":[1,0.5,null],"b":{}}"#));
    }
}
