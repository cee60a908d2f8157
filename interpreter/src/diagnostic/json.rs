//! Errors for programs.

use super::Severity;
use caraway_loaders_core::{Error, Location};
use serde_json::{Value, json};

/// The version of everything that is printed as JSON. It grows when a field changes its meaning or goes away,
/// not when one is added.
pub(crate) const SCHEMA_VERSION: u32 = 1;

/// `{"schema_version": 1, "error": {...}}` on one line.
pub(super) fn render(severity: Severity, error: &Error) -> String {
    format!("{}\n", json!({"schema_version": SCHEMA_VERSION, severity.to_string(): error_value(error)}))
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
