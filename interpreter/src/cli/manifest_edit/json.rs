//! Changing a list in a JSON manifest. All other text stays as it is, byte for byte.

use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::ops::Range;

/// How many columns a value may take before each of its parts gets a line.
const WIDTH: usize = 100;

/// What these keys of a text say, as far as they are there.
///
/// # Errors
///
/// The text is not an object.
pub(super) fn lists(text: &str, keys: &[&str]) -> serde_json::Result<Map<String, Value>> {
    let fields: HashMap<String, &RawValue> = serde_json::from_str(text)?;
    let wanted = fields.into_iter().filter(|(key, _)| keys.contains(&key.as_str()));
    wanted.map(|(key, raw)| Ok((key, serde_json::from_str(raw.get())?))).collect()
}

/// The text in which the list `key` says `new`. Entries that say so already are kept as they are written.
///
/// # Errors
///
/// The text is not an object.
pub(super) fn set(text: &str, key: &str, new: &[Value]) -> serde_json::Result<String> {
    let fields: HashMap<String, &RawValue> = serde_json::from_str(text)?;
    let span = |raw: &RawValue| -> Range<usize> {
        let start = raw.get().as_ptr().addr() - text.as_ptr().addr();
        start..start + raw.get().len()
    };
    let indent = indent_of(text);
    let kept: Vec<&RawValue> = match fields.get(key) {
        Some(list) => serde_json::from_str(list.get())?,
        None => Vec::new(),
    };
    let kept = kept.into_iter().map(|raw| Ok((serde_json::from_str::<Value>(raw.get())?, raw.get())));
    let kept: Vec<(Value, &str)> = kept.collect::<serde_json::Result<_>>()?;
    let entries: Vec<String> = new
        .iter()
        .map(|entry| match kept.iter().find(|(kept, _)| kept == entry) {
            Some((_, written)) => (*written).to_owned(),
            None => lines(entry, indent, 2),
        })
        .collect();
    let list = match entries.is_empty() {
        true => "[]".to_owned(),
        false => {
            let line = format!("\n{}", indent.repeat(2));
            format!("[{line}{}\n{indent}]", entries.join(&format!(",{line}")))
        }
    };
    let (place, list) = match fields.get(key) {
        Some(old) => (span(old), list),
        None => {
            let end = fields.values().map(|raw| span(raw).end).max();
            let comma = if end.is_some() { "," } else { "" };
            let end = end.or_else(|| Some(text.find('{')? + 1)).unwrap_or_default();
            (end..end, format!("{comma}\n{indent}{}: {list}", Value::from(key)))
        }
    };
    Ok(format!("{}{list}{}", &text[..place.start], &text[place.end..]))
}

/// What the first line in the text is indented by; two spaces if none is.
fn indent_of(text: &str) -> &str {
    let mut lines = text.lines().skip(1).filter(|line| !line.trim().is_empty());
    let indent = lines.next().map_or("", |line| &line[..line.len() - line.trim_start().len()]);
    if indent.is_empty() { "  " } else { indent }
}

/// A value, with each of its parts on a line of its own, and the parts of a part too where one line is too
/// short for them.
fn lines(value: &Value, indent: &str, level: usize) -> String {
    let inside = format!("\n{}", indent.repeat(level + 1));
    let parts: Vec<String> = match value {
        Value::Array(items) => items.iter().map(|item| part(item, indent, level + 1, 0)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| {
                let key = Value::from(key.as_str()).to_string();
                format!("{key}: {}", part(value, indent, level + 1, key.len() + 2))
            })
            .collect(),
        scalar => return scalar.to_string(),
    };
    let (open, close) = if value.is_array() { ('[', ']') } else { ('{', '}') };
    format!("{open}{inside}{}\n{}{close}", parts.join(&format!(",{inside}")), indent.repeat(level))
}

fn part(value: &Value, indent: &str, level: usize, used: usize) -> String {
    let short = one_line(value);
    match level * indent.len() + used + short.len() <= WIDTH {
        true => short,
        false => lines(value, indent, level),
    }
}

fn one_line(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(one_line).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) if !fields.is_empty() => {
            let fields = fields
                .iter()
                .map(|(key, value)| format!("{}: {}", Value::from(key.as_str()), one_line(value)));
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
        scalar => scalar.to_string(),
    }
}
