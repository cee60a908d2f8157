//! Changing a list of tables in a TOML manifest. Comments, order and layout of what stays are kept.

use serde_json::{Map, Value as Json};
use toml_edit::{
    Array, Decor, DocumentMut, InlineTable, Item, RawString, Table, TableLike, TomlError, Value,
};

/// How many columns a list may take before each of its entries gets a line.
const WIDTH: usize = 100;

/// What stands before an entry on a line of its own.
const INDENT: &str = "\n    ";

/// What these keys of a text say, as far as they are there, with the keys of tables in their order.
///
/// # Errors
///
/// The text is not TOML.
pub(super) fn lists(text: &str, keys: &[&str]) -> Result<Map<String, Json>, toml_edit::de::Error> {
    let mut fields: Map<String, Json> = toml_edit::de::from_str(text)?;
    fields.retain(|key, _| keys.contains(&key.as_str()));
    Ok(fields)
}

/// The text in which the list `key` says `new`. It says `old` now, if it is there.
///
/// # Errors
///
/// The text is not TOML.
pub(super) fn set(text: &str, key: &str, old: Option<&Json>, new: &[Json]) -> Result<String, TomlError> {
    let mut document: DocumentMut = text.parse()?;
    let list = document.as_table_mut();
    let old = old.and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
    match list.get_mut(key) {
        // `[[key]]` cannot say that there are none.
        _ if new.is_empty() => drop(list.insert(key, Item::Value(Array::new().into()))),
        Some(item) if !old.is_empty() => change_list(item, old, new, Some(key)),
        _ => drop(list.insert(key, Item::ArrayOfTables(new.iter().filter_map(table).collect()))),
    }
    Ok(document.to_string())
}

/// Makes a key's value say `new` where it says `old`. What gets too long for one line is broken where `key` is
/// given.
fn change(item: &mut Item, old: &Json, new: &Json, key: Option<&str>) {
    match (item, old, new) {
        _ if old == new => {}
        (Item::Table(table), Json::Object(old), Json::Object(new)) => change_table(table, old, new, true),
        (Item::Value(Value::InlineTable(table)), Json::Object(old), Json::Object(new)) => {
            change_inline(table, old, new);
        }
        (item, Json::Array(old), Json::Array(new)) => change_list(item, old, new, key),
        (item, _, new) => replace(item, new, key),
    }
}

fn change_table(table: &mut dyn TableLike, old: &Map<String, Json>, new: &Map<String, Json>, breaks: bool) {
    for key in old.keys().filter(|key| !new.contains_key(*key)) {
        table.remove(key);
    }
    for (key, new) in new {
        let breaks = breaks.then_some(key.as_str());
        match (table.get_mut(key), old.get(key)) {
            (Some(item), Some(old)) => change(item, old, new, breaks),
            _ => {
                if let Some(mut value) = value(new) {
                    break_lines(&mut value, breaks);
                    table.insert(key, Item::Value(value));
                }
            }
        }
    }
}

fn change_inline(table: &mut InlineTable, old: &Map<String, Json>, new: &Map<String, Json>) {
    change_table(table, old, new, false);
    let mut bare = table.clone();
    bare.decor_mut().clear();
    if !old.keys().eq(new.keys()) && !bare.to_string().contains('\n') {
        table.fmt();
    }
}

fn change_list(item: &mut Item, old: &[Json], new: &[Json], key: Option<&str>) {
    let Some(stays) = stays(old, new) else { return replace(item, &Json::Array(new.to_vec()), key) };
    let staying = old.iter().zip(&stays).filter(|(_, stays)| **stays).map(|(old, _)| old);
    let more = &new[staying.clone().count()..];
    let mut stays = stays.iter();
    let mut keep = || stays.next().is_some_and(|stays| *stays);
    match item {
        Item::ArrayOfTables(tables) => {
            tables.retain(|_| keep());
            for (table, (old, new)) in tables.iter_mut().zip(staying.zip(new)) {
                if let (Json::Object(old), Json::Object(new)) = (old, new) {
                    change_table(table, old, new, true);
                }
            }
            more.iter().filter_map(table).for_each(|table| tables.push(table));
        }
        Item::Value(Value::Array(array)) => {
            array.retain(|_| keep());
            for (value, (old, new)) in array.iter_mut().zip(staying.zip(new)) {
                match (value, old, new) {
                    _ if old == new => {}
                    (Value::InlineTable(table), Json::Object(old), Json::Object(new)) => {
                        change_inline(table, old, new);
                    }
                    (value, _, new) => replace_value(value, new, None),
                }
            }
            push(array, more, key);
        }
        _ => {}
    }
}

/// Which of the old entries are among the new ones, by name; `None` if the new ones are not those, in their
/// order, and then others.
fn stays(old: &[Json], new: &[Json]) -> Option<Vec<bool>> {
    let name = |entry: &Json| entry.get("name").and_then(Json::as_str).map(str::to_owned);
    let mut expected = new.iter().map(name).peekable();
    let stays: Vec<bool> = old.iter().map(|old| expected.next_if_eq(&name(old)).is_some()).collect();
    let names: Vec<Option<String>> = old.iter().map(name).collect();
    let left = expected.all(|name| name.is_some() && !names.contains(&name));
    (left && names.iter().all(Option::is_some)).then_some(stays)
}

/// Adds entries in the way that the others are laid out.
fn push(array: &mut Array, entries: &[Json], key: Option<&str>) {
    let text = |raw: Option<&RawString>| raw.and_then(RawString::as_str).unwrap_or_default().to_owned();
    let first = text(array.iter().next().and_then(|first| first.decor().prefix()));
    let Some(line) = first.rfind('\n') else {
        entries.iter().filter_map(value).for_each(|entry| array.push(entry));
        if !entries.is_empty() && !array.to_string().contains('\n') {
            break_lines_of(array, key);
        }
        return;
    };
    for entry in entries.iter().filter_map(value) {
        // A comment beside the last entry stays there, behind a comma.
        let mut comment = text(Some(array.trailing()));
        if let Some(last) = array.iter_mut().last() {
            comment.insert_str(0, &text(last.decor().suffix()));
            last.decor_mut().set_suffix("");
        }
        array.push_formatted(entry.decorated(format!("{}{}", comment.trim_end(), &first[line..]), ""));
        array.set_trailing("\n");
        array.set_trailing_comma(true);
    }
}

fn replace(item: &mut Item, new: &Json, key: Option<&str>) {
    match item {
        Item::Value(old) => replace_value(old, new, key),
        item => {
            if let Some(mut new) = value(new) {
                break_lines(&mut new, key);
                *item = Item::Value(new);
            }
        }
    }
}

/// What stands around the value, a comment behind it for example, stays.
fn replace_value(old: &mut Value, new: &Json, key: Option<&str>) {
    if let Some(mut new) = value(new) {
        break_lines(&mut new, key);
        *new.decor_mut() = old.decor().clone();
        *old = new;
    }
}

/// An entry of a list as a table of its own.
fn table(entry: &Json) -> Option<Table> {
    let mut table = Table::new();
    change_table(&mut table, &Map::new(), entry.as_object()?, true);
    Some(table)
}

/// A value on one line; `None` for null, which TOML does not have.
fn value(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => return None,
        Json::Bool(bool) => (*bool).into(),
        Json::Number(number) => match number.as_i64() {
            Some(int) => int.into(),
            None => number.as_f64()?.into(),
        },
        Json::String(text) => text.as_str().into(),
        Json::Array(items) => items.iter().filter_map(value).collect::<Array>().into(),
        Json::Object(entries) => entries
            .iter()
            .filter_map(|(key, entry)| Some((key.as_str(), value(entry)?)))
            .collect::<InlineTable>()
            .into(),
    })
}

fn break_lines(value: &mut Value, key: Option<&str>) {
    if let Value::Array(array) = value {
        break_lines_of(array, key);
    }
}

/// Gives each entry a line if the array is too long for one with its key.
fn break_lines_of(array: &mut Array, key: Option<&str>) {
    let fits = |key: &str| key.len() + " = ".len() + array.to_string().trim().len() <= WIDTH;
    if key.is_none_or(fits) {
        return;
    }
    for entry in array.iter_mut() {
        *entry.decor_mut() = Decor::new(INDENT, "");
    }
    array.set_trailing("\n");
    array.set_trailing_comma(true);
}
