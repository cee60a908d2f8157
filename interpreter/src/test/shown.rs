//! Values as failures show them.

use caraway_loaders_core::buffer::{Floats, Ints};
use caraway_loaders_core::handle::Handle;
use rhai::{Array, Blob, Dynamic, ImmutableString, Map};
use std::fmt::Write;

/// Longest text of a value, in characters.
const MAX: usize = 400;

/// Deepest nesting that is shown.
const MAX_DEPTH: usize = 8;

/// A value on one line, not too long, numbers with their types.
pub(crate) fn shown(value: &Dynamic) -> String {
    let mut text = written(value);
    if value.is_int() {
        text.push_str(" (int)");
    } else if value.is_float() {
        text.push_str(" (float)");
    }
    text
}

/// The same without the type.
pub(crate) fn written(value: &Dynamic) -> String {
    let mut text = String::new();
    write(value, 0, &mut text);
    match text.char_indices().nth(MAX) {
        Some((end, _)) => format!("{} ...", &text[..end]),
        None => text,
    }
}

fn write(value: &Dynamic, depth: usize, text: &mut String) {
    // What is cut off later need not be made.
    if text.len() > 4 * MAX {
        return;
    }
    if depth > MAX_DEPTH {
        text.push('…');
    } else if let Some(string) = value.read_lock::<ImmutableString>() {
        let start: String = string.chars().take(MAX + 1).collect();
        let _ = write!(text, "{start:?}");
    } else if let Some(items) = value.read_lock::<Array>() {
        list(text, "[", "]", items.iter(), |text, item| write(item, depth + 1, text));
    } else if let Some(map) = value.read_lock::<Map>() {
        list(text, "#{", "}", map.iter(), |text, (key, item)| {
            let _ = match rhai::is_valid_identifier(key) {
                true => write!(text, "{key}: "),
                false => write!(text, "{:?}: ", key.as_str()),
            };
            write(item, depth + 1, text);
        });
    } else if let Some(bytes) = value.read_lock::<Blob>() {
        list(text, "bytes [", "]", bytes.iter(), |text, byte| text.push_str(&byte.to_string()));
    } else if let Some(numbers) = Ints::of(value) {
        let Ok(numbers) = numbers.read() else { return text.push_str("ints in use") };
        list(text, "ints [", "]", numbers.iter(), |text, number| text.push_str(&number.to_string()));
    } else if let Some(numbers) = Floats::of(value) {
        let Ok(numbers) = numbers.read() else { return text.push_str("floats in use") };
        list(text, "floats [", "]", numbers.iter(), |text, number| text.push_str(&format!("{number:?}")));
    } else if let Some(handle) = Handle::of(value) {
        let _ = write!(text, "<{}>", handle.class());
    } else if let Ok(float) = value.as_float() {
        let _ = write!(text, "{float:?}");
    } else if let Ok(char) = value.as_char() {
        let _ = write!(text, "{char:?}");
    } else if value.is_unit() {
        text.push_str("()");
    } else {
        let _ = write!(text, "{value}");
    }
}

fn list<T>(
    text: &mut String,
    open: &str,
    close: &str,
    items: impl Iterator<Item = T>,
    mut each: impl FnMut(&mut String, T),
) {
    text.push_str(open);
    for (index, item) in items.enumerate() {
        if text.len() > 4 * MAX {
            text.push('…');
            break;
        }
        if index > 0 {
            text.push_str(", ");
        }
        each(text, item);
    }
    text.push_str(close);
}
