//! Arguments on the command line as values.

use rhai::{Dynamic, Map};
use serde_json::Value;

/// The value of an argument: JSON, else the text itself.
///
/// # Errors
///
/// The integer that does not fit 64 bits with a sign.
pub(super) fn value(text: &str) -> Result<Dynamic, String> {
    match serde_json::from_str(text) {
        Ok(json) => from_json(json),
        Err(_) => Ok(text.to_owned().into()),
    }
}

fn from_json(json: Value) -> Result<Dynamic, String> {
    Ok(match json {
        Value::Null => Dynamic::UNIT,
        Value::Bool(value) => value.into(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(int), _) => int.into(),
            (None, Some(float)) if !number.is_u64() => float.into(),
            _ => return Err(number.to_string()),
        },
        Value::String(text) => text.into(),
        Value::Array(items) => {
            items.into_iter().map(from_json).collect::<Result<rhai::Array, String>>()?.into()
        }
        Value::Object(fields) => fields
            .into_iter()
            .map(|(key, value)| Ok((key.into(), from_json(value)?)))
            .collect::<Result<Map, String>>()?
            .into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_or_text() {
        for (text, expected) in [
            ("1", "1"),
            ("-2.5", "-2.5"),
            ("1e3", "1000.0"),
            ("true", "true"),
            ("null", "()"),
            ("\"1\"", "\"1\""),
            ("one", "\"one\""),
            ("", "\"\""),
            ("[1, [\"a\"]]", "[1, [\"a\"]]"),
            ("{\"a\": 1}", "#{\"a\": 1}"),
            ("{a: 1}", "\"{a: 1}\""),
        ] {
            assert_eq!(format!("{:?}", value(text).unwrap()), expected, "{text}");
        }
        assert_eq!(value("[9223372036854775808]").unwrap_err(), "9223372036854775808");
    }
}
