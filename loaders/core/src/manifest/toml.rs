//! TOML to a tree with places.

use super::MAX_LEVELS;
use super::problems::{Problems, Wrong};
use super::tree::{Entry, Node, Value};
use crate::code::Code;
use ::toml::Spanned;
use ::toml::de::{DeTable, DeValue};

/// The tree of a TOML text; `None` if it does not parse. Problems are added.
pub(crate) fn parse<'a>(text: &'a str, problems: &mut Problems<'_>) -> Option<Node<'a>> {
    if let Some(offset) = too_deep_at(text) {
        problems.say(Code::ManifestSyntax, offset, super::too_deep());
        return None;
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let offset = error.span().map_or(text.len(), |span| span.start);
        let message = error.message();
        if message == "duplicate key" {
            let key = error.span().and_then(|span| text.get(span)).unwrap_or_default();
            problems.say(Code::ManifestField, offset, Wrong::new(format!("duplicate key `{key}`")));
        } else {
            problems.say(Code::ManifestSyntax, offset, Wrong::new(format!("not TOML: {message}")));
        }
    }
    if !errors.is_empty() {
        return None;
    }
    let offset = table.span().start;
    let table = entries(table.into_inner(), 1, problems);
    problems.is_empty().then_some(Node { offset, value: Value::Table(table) })
}

/// Where brackets and dotted keys nest deeper than a manifest may, looked at without recursion: the parser
/// and whoever drops its tree do recurse.
fn too_deep_at(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    // The dots of the key that each open bracket belongs to.
    let mut open: Vec<usize> = Vec::new();
    let mut dots = 0;
    let mut depth = 0;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let start = at;
        at += 1;
        match byte {
            b'"' | b'\'' => at = end_of_string(bytes, start),
            b'#' => at += bytes[at..].iter().take_while(|&&b| b != b'\n').count(),
            b'.' => {
                dots += 1;
                depth += 1;
            }
            b'[' | b'{' => {
                open.push(dots);
                dots = 0;
                depth += 1;
            }
            b']' | b'}' => {
                depth -= dots;
                dots = 0;
                if let Some(outer) = open.pop() {
                    dots = outer;
                    depth -= 1;
                }
            }
            b',' => {
                depth -= dots;
                dots = 0;
            }
            b'\n' if open.is_empty() => {
                depth -= dots;
                dots = 0;
            }
            _ => {}
        }
        if depth > MAX_LEVELS {
            return Some(start);
        }
    }
    None
}

/// The end of the string literal that begins at `start`. One that is not closed ends with its line, as it does
/// for the parser.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let quote = bytes[start];
    let triple = [quote; 3];
    let long = bytes[start..].starts_with(&triple);
    let mut at = start + if long { 3 } else { 1 };
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' if quote == b'"' => at += 1,
            b'\n' if !long => return at,
            _ if long && bytes[at..].starts_with(&triple) => return at + 3,
            _ if !long && byte == quote => return at + 1,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

fn entries<'a>(table: DeTable<'a>, level: usize, problems: &mut Problems<'_>) -> Vec<Entry<'a>> {
    let mut entries: Vec<Entry<'a>> = table
        .into_iter()
        .filter_map(|(key, value)| {
            let offset = key.span().start;
            Some(Entry { key: key.into_inner(), offset, node: node(value, level, problems)? })
        })
        .collect();
    entries.sort_by_key(|entry| entry.offset);
    entries
}

fn node<'a>(value: Spanned<DeValue<'a>>, level: usize, problems: &mut Problems<'_>) -> Option<Node<'a>> {
    let offset = value.span().start;
    let value = value.into_inner();
    if level >= MAX_LEVELS && matches!(value, DeValue::Array(_) | DeValue::Table(_)) {
        problems.say(Code::ManifestSyntax, offset, super::too_deep());
        return None;
    }
    let value = match value {
        DeValue::String(text) => Value::String(text),
        DeValue::Boolean(bool) => Value::Bool(bool),
        DeValue::Datetime(_) => Value::Date,
        DeValue::Float(float) => Value::Float(float.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Integer(int) => match i64::from_str_radix(int.as_str(), int.radix()) {
            Ok(int) => Value::Int(int),
            Err(_) => Value::Float(f64::NAN),
        },
        DeValue::Array(items) => {
            Value::Array(items.into_iter().filter_map(|item| node(item, level + 1, problems)).collect())
        }
        DeValue::Table(table) => Value::Table(entries(table, level + 1, problems)),
    };
    Some(Node { offset, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn depth_is_seen(text: &str, deep: bool) {
        assert_eq!(too_deep_at(text).is_some(), deep, "{text:.40}");
    }

    #[test]
    fn nesting_is_seen_without_parsing() {
        depth_is_seen(&"[".repeat(MAX_LEVELS), false);
        depth_is_seen(&"[".repeat(MAX_LEVELS + 1), true);
        depth_is_seen(&format!("a = {}", "{a = ".repeat(100_000)), true);
        depth_is_seen(&format!("a{} = 1", ".a".repeat(100_000)), true);
        depth_is_seen(&format!("x = {}", "{ a.a.a.a = ".repeat(30)), true);
        depth_is_seen(&"a.b.c = [1.5, 2.5]\n".repeat(1000), false);
        depth_is_seen(&format!("a = [{}]", "{ a.b = 1 }, ".repeat(1000)), false);
    }

    #[test]
    fn brackets_in_strings_and_comments_do_not_count() {
        let many = "[".repeat(100);
        for quiet in [
            format!("a = \"{many}\""),
            format!("a = \"\\\"{many}\""),
            format!("a = '{many}'"),
            format!("a = \"\"\"\n\"{many}\"\"\""),
            format!("a = '''\n{many}'''"),
            format!("# {many}"),
        ] {
            depth_is_seen(&quiet, false);
        }
        depth_is_seen(&format!("a = \"open\n{many}"), true);
        depth_is_seen(&format!("a = '\\'{many}"), true);
    }
}
