//! The object behind a capability's name in a manifest: `{"read": ["data"]}`.

use crate::suggest::suggest;
use serde_json::Value;

/// Reads lists of texts out of a detail. Keys that are not in `known` are an error, and so is a detail
/// without any.
pub(super) fn lists<'a, const N: usize>(
    detail: &'a Value,
    known: [&str; N],
) -> Result<[Vec<&'a str>; N], String> {
    let Value::Object(fields) = detail else {
        return Err(format!("must be an object with {}, found {}", keys(&known), kind(detail)));
    };
    if fields.is_empty() {
        return Err(format!("must name what it asks for: {}", keys(&known)));
    }
    let mut lists = [const { Vec::new() }; N];
    for (key, value) in fields {
        let Some(index) = known.iter().position(|name| name == key) else {
            let meant = suggest(key, known).map(|name| format!("; did you mean `{name}`?"));
            return Err(format!("has the unknown key `{key}`{}", meant.unwrap_or_default()));
        };
        let Value::Array(items) = value else {
            return Err(format!("`{key}` must be a list of strings, found {}", kind(value)));
        };
        for item in items {
            let text = item.as_str();
            lists[index].push(
                text.ok_or_else(|| format!("`{key}` must be a list of strings, found {} in it", kind(item)))?,
            );
        }
    }
    Ok(lists)
}

fn keys(known: &[&str]) -> String {
    known.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(" or ")
}

pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
