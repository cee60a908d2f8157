/// Any error: `?` makes one of whatever a function fails with, and `.into()` of a text.
///
/// ```
/// use caraway_plugin::prelude::*;
///
/// fn parse(text: &str) -> Result<i64, Error> {
///     if text.is_empty() {
///         return Err("nothing is no number".into());
///     }
///     Ok(text.parse()?)
/// }
/// assert_eq!(parse("x").unwrap_err().to_string(), "invalid digit found in string");
/// ```
pub type Error = Box<dyn std::error::Error + Send + Sync>;
