//! What `functions` and `types` of a manifest must say.

use super::{FUNCTIONS, TYPES};
use caraway_loaders_core::loader::Description;
use caraway_loaders_core::manifest::{Function, Manifest};
use caraway_loaders_core::{Signature, Type};
use serde_json::{Map, Value, json};

/// The entries of `functions`: those that are there and are still right, as far as they are; then the others.
pub(super) fn functions(
    manifest: &Manifest,
    old: &Map<String, Value>,
    description: &Description,
) -> Vec<Value> {
    let described = |name: &str| description.functions.iter().find(|f| f.signature.name == name);
    let mut entries = Vec::new();
    for (declared, entry) in manifest.functions.iter().flatten().zip(entries_of(old, FUNCTIONS)) {
        if description.partial && !declared.native {
            entries.push(entry.clone());
        } else if let Some(described) = described(&declared.signature.name) {
            entries.push(function(entry, &declared.signature, described));
        }
    }
    if !description.partial {
        let new = description.functions.iter().filter(|f| manifest.function(&f.signature.name).is_none());
        entries.extend(new.map(|f| function(&json!({}), &Signature::new("", NONE, Type::Void), f)));
    }
    entries
}

/// The entries of `types`, in the same way. Those that the binary does not define stay.
pub(super) fn types(manifest: &Manifest, old: &Map<String, Value>, description: &Description) -> Vec<Value> {
    let mut entries: Vec<Value> = entries_of(old, TYPES).to_vec();
    for ty in &description.types {
        let Some((name, kind)) = name_and_kind(ty) else { continue };
        let at = entries.iter().position(|entry| entry["name"] == name);
        match at {
            Some(_) if manifest.types.get(name) == Some(ty) => {}
            Some(at) => entries[at] = definition(&entries[at], name, kind, ty),
            None => entries.push(definition(&json!({}), name, kind, ty)),
        }
    }
    entries
}

const NONE: [(&str, Type); 0] = [];

fn entries_of<'a>(old: &'a Map<String, Value>, key: &str) -> &'a [Value] {
    old.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// An entry of `functions`, changed where it is not what the binary says.
fn function(entry: &Value, declared: &Signature, described: &Function) -> Value {
    let Signature { name, params, returns } = &described.signature;
    let mut entry = entry.clone();
    entry["name"] = json!(name);
    if declared.params != *params {
        let params = params.iter().map(|param| {
            let old = declared.params.iter().position(|old| old.name == param.name);
            match old {
                Some(at) if declared.params[at].ty == param.ty => entry["params"][at].clone(),
                Some(at) => with(&entry["params"][at], "type", json!(param.ty.to_string())),
                None => json!({"name": param.name, "type": param.ty.to_string()}),
            }
        });
        entry["params"] = params.collect();
    }
    if declared.returns != *returns {
        entry["returns"] = json!(returns.to_string());
    }
    if let Some(description) = &described.description {
        entry["description"] = json!(description);
    }
    entry
}

/// An entry of `types`.
fn definition(entry: &Value, name: &str, kind: &str, ty: &Type) -> Value {
    let mut new = json!({"name": name, "kind": kind});
    match ty {
        Type::Struct(definition) => {
            let fields = definition.fields.iter().map(|field| {
                let ty = field.ty.to_string();
                let old = entry["fields"].as_array().into_iter().flatten().find(|f| f["name"] == field.name);
                match old {
                    Some(old) => with(old, "type", json!(ty)),
                    None => json!({"name": field.name, "type": ty}),
                }
            });
            new["fields"] = fields.collect();
        }
        Type::Enum(definition) => new["values"] = json!(definition.values),
        _ => {}
    }
    new
}

fn with(entry: &Value, key: &str, value: Value) -> Value {
    let mut entry = entry.clone();
    entry[key] = value;
    entry
}

fn name_and_kind(ty: &Type) -> Option<(&str, &'static str)> {
    match ty {
        Type::Struct(definition) => Some((&definition.name, "struct")),
        Type::Enum(definition) => Some((&definition.name, "enum")),
        Type::Handle(name) => Some((name, "handle")),
        _ => None,
    }
}
