//! Spans of time in test files.

use caraway_loaders_core::manifest::document::{Node, Value};
use caraway_loaders_core::manifest::parse_duration;
use std::time::Duration;

/// Nothing takes longer: an hour.
const LONGEST: Duration = Duration::from_secs(3600);

/// The span of time that a value means: milliseconds as a number, or text with a unit.
///
/// # Errors
///
/// What is wrong with it, as a predicate.
pub(super) fn of(node: &Node<'_>) -> Result<Duration, String> {
    let duration = match &node.value {
        Value::Int(ms) => u64::try_from(*ms).ok().map(Duration::from_millis),
        Value::Float(ms) => Duration::try_from_secs_f64(ms / 1000.0).ok(),
        Value::String(text) => Some(parse_duration(text.trim())?),
        _ => return Err(format!("must be a span of time, found {}", node.kind())),
    };
    match duration {
        Some(duration) if duration <= LONGEST => Ok(duration),
        Some(_) => Err("is more than an hour".to_owned()),
        None => Err("is no span of time".to_owned()),
    }
}
