//! Errors for programs.

use super::Severity;
use caraway_loaders_core::{Error, Location, is_harmful};
use serde_json::{Value, json};
use std::fmt::Write;

/// The version of everything that is printed as JSON. It grows when a field changes its meaning or goes away,
/// not when one is added.
pub(crate) const SCHEMA_VERSION: u32 = 1;

/// `{"schema_version": 1, "error": {...}}` on one line.
pub(super) fn render(severity: Severity, error: &Error) -> String {
    let value = json!({"schema_version": SCHEMA_VERSION, severity.to_string(): error_value(error)});
    format!("{}\n", json_text(&value.to_string()))
}

/// JSON with everything escaped that could take over a terminal: all of it stands in strings.
pub(crate) fn json_text(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if is_harmful(c) {
            let _ = write!(text, "\\u{:04x}", u32::from(c));
        } else {
            text.push(c);
        }
    }
    text
}

/// All parts of an error, and of those that were found with it.
pub(crate) fn error_value(error: &Error) -> Value {
    let calls: Vec<Value> = error
        .frames()
        .iter()
        .map(|frame| json!({"function": frame.function, "location": location_value(&frame.location)}))
        .collect();
    json!({
        "code": error.code().as_str(),
        "exit_code": error.code().exit_code(),
        "message": error.message(),
        "location": error.location().map(location_value),
        "hint": error.hint_text(),
        "calls": calls,
        "others": error.others().iter().map(error_value).collect::<Vec<_>>(),
    })
}

/// A place; line and column are `null` where they are not known.
pub(crate) fn location_value(location: &Location) -> Value {
    let known = |number: usize| (number > 0).then_some(number);
    json!({
        "file": location.file.to_string_lossy(),
        "line": known(location.line),
        "column": known(location.column),
    })
}
