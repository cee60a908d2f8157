//! What was found against what was expected: exactly.

use super::expression::Expression;
use super::shown::shown;
use super::variables::Variables;
use crate::count::counted;
use caraway_loaders_core::Error;
use caraway_loaders_core::bind::conform;
use caraway_loaders_core::buffer::{Floats, Ints};
use caraway_loaders_core::handle::Handle;
use rhai::{Array, Blob, Dynamic, ImmutableString, Map};

/// Deepest nesting that is compared.
const MAX_DEPTH: usize = conform::MAX_DEPTH;

/// Where two values differ.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// The way to it: `[2].name`; empty if it is the whole value.
    pub path: String,
    /// What was expected there.
    pub expected: String,
    /// What was found there.
    pub found: String,
}

impl Difference {
    fn new(expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { path: String::new(), expected: expected.into(), found: found.into() }
    }

    fn within(mut self, step: &str) -> Self {
        self.path.insert_str(0, step);
        self
    }

    /// The same as it is shown: without a dot at the beginning.
    fn whole(mut self) -> Self {
        if self.path.starts_with('.') {
            self.path.remove(0);
        }
        self
    }
}

/// The first difference between values, `None` if there is none.
///
/// An int is never a float. Floats are the same if they are equal or both not a number. What JSON cannot say is the same
/// as the nearest that it can: a char and a string of it, bytes or a buffer and an array of its numbers.
///
/// ```
/// use caraway::test::difference;
/// use rhai::Dynamic;
///
/// assert!(difference(&3_i64.into(), &3_i64.into()).is_none());
/// let difference = difference(&Dynamic::from_array(vec![3_i64.into()]), &Dynamic::from_array(vec![3.0.into()]));
/// let difference = difference.ok_or("no difference")?;
/// assert_eq!(difference.path, "[0]");
/// assert_eq!((difference.expected.as_str(), difference.found.as_str()), ("3 (int)", "3.0 (float)"));
/// # Ok::<(), &str>(())
/// ```
pub fn difference(expected: &Dynamic, found: &Dynamic) -> Option<Difference> {
    values(expected, found, 0).map(Difference::whole)
}

/// The first difference from what a test file expects.
///
/// # Errors
///
/// [`Code::TestFile`](caraway_loaders_core::Code::TestFile) for a variable that has not been assigned.
pub(super) fn against(
    expected: &Expression,
    found: &Dynamic,
    variables: &Variables,
) -> Result<Option<Difference>, Error> {
    Ok(expression(expected, found, variables)?.map(Difference::whole))
}

fn expression(
    expected: &Expression,
    found: &Dynamic,
    variables: &Variables,
) -> Result<Option<Difference>, Error> {
    Ok(match expected {
        Expression::Approx { value, within } => {
            let near = found.as_float().is_ok_and(|found| (found - value).abs() <= *within);
            let wanted = || format!("{value:?} (float), give or take {within:?}");
            (!near).then(|| Difference::new(wanted(), shown(found)))
        }
        Expression::Type(name) => {
            let handle = Handle::of(found);
            let is = conform::type_name(found) == *name
                || handle.as_ref().is_some_and(|handle| handle.class().name() == name);
            (!is).then(|| Difference::new(format!("a value of type {name}"), shown(found)))
        }
        Expression::Array(items) => {
            let Some(found_items) = found.read_lock::<Array>() else {
                return Ok(Some(Difference::new("an array", shown(found))));
            };
            for (index, (item, found)) in items.iter().zip(found_items.iter()).enumerate() {
                if let Some(difference) = expression(item, found, variables)? {
                    return Ok(Some(difference.within(&format!("[{index}]"))));
                }
            }
            lengths(items.len(), found_items.len())
        }
        Expression::Map(entries) => {
            let Some(map) = found.read_lock::<Map>() else {
                return Ok(Some(Difference::new("a map", shown(found))));
            };
            for (key, item) in entries {
                let difference = match map.get(key.as_str()) {
                    Some(found) => expression(item, found, variables)?,
                    None => Some(Difference::new("a value", "nothing")),
                };
                if let Some(difference) = difference {
                    return Ok(Some(difference.within(&step(key))));
                }
            }
            let more = map.iter().find(|(key, _)| entries.iter().all(|(known, _)| known != key.as_str()));
            more.map(|(key, value)| Difference::new("nothing", shown(value)).within(&step(key)))
        }
        other => values(&other.evaluate(variables)?, found, 0),
    })
}

fn lengths(expected: usize, found: usize) -> Option<Difference> {
    (expected != found).then(|| Difference::new(counted(expected, "item"), counted(found, "item")))
}

/// A key as a step of a path.
fn step(key: &str) -> String {
    match rhai::is_valid_identifier(key) {
        true => format!(".{key}"),
        false => format!("[{key:?}]"),
    }
}

fn values(expected: &Dynamic, found: &Dynamic, depth: usize) -> Option<Difference> {
    let differ = || Some(Difference::new(shown(expected), shown(found)));
    let differ_if = |differs: bool| if differs { differ() } else { None };
    if depth > MAX_DEPTH {
        return Some(Difference::new("what can be compared", "values that nest too deep"));
    }
    if let (Ok(a), Ok(b)) = (expected.as_int(), found.as_int()) {
        return differ_if(a != b);
    }
    if let (Ok(a), Ok(b)) = (expected.as_float(), found.as_float()) {
        return differ_if(!(a == b || a.is_nan() && b.is_nan()));
    }
    if let (Ok(a), Ok(b)) = (expected.as_bool(), found.as_bool()) {
        return differ_if(a != b);
    }
    if expected.is_unit() || found.is_unit() {
        return differ_if(!(expected.is_unit() && found.is_unit()));
    }
    if let (Some(a), Some(b)) = (text(expected), text(found)) {
        return differ_if(a != b);
    }
    if let (Some(a), Some(b)) = (Handle::of(expected), Handle::of(found)) {
        return differ_if(!a.is(&b));
    }
    if let (Some(a), Some(b)) = (expected.read_lock::<Array>(), found.read_lock::<Array>()) {
        return arrays(&a, &b, depth);
    }
    if let (Some(a), Some(b)) = (expected.read_lock::<Map>(), found.read_lock::<Map>()) {
        return maps(&a, &b, depth);
    }
    match (numbers(expected), numbers(found)) {
        (Some(a), Some(b)) => arrays(&a, &b, depth),
        _ => differ(),
    }
}

fn arrays(expected: &[Dynamic], found: &[Dynamic], depth: usize) -> Option<Difference> {
    let items = expected.iter().zip(found).enumerate();
    let mut items = items.filter_map(|(index, (a, b))| Some((index, values(a, b, depth + 1)?)));
    match items.next() {
        Some((index, difference)) => Some(difference.within(&format!("[{index}]"))),
        None => lengths(expected.len(), found.len()),
    }
}

fn maps(expected: &Map, found: &Map, depth: usize) -> Option<Difference> {
    for (key, item) in expected {
        let difference = match found.get(key) {
            Some(other) => values(item, other, depth + 1),
            None => Some(Difference::new(shown(item), "nothing")),
        };
        if let Some(difference) = difference {
            return Some(difference.within(&step(key)));
        }
    }
    let more = found.iter().find(|(key, _)| !expected.contains_key(*key));
    more.map(|(key, value)| Difference::new("nothing", shown(value)).within(&step(key)))
}

/// The text of a string or a char.
fn text(value: &Dynamic) -> Option<ImmutableString> {
    match value.as_char() {
        Ok(char) => Some(char.to_string().into()),
        Err(_) => value.read_lock::<ImmutableString>().map(|text| text.clone()),
    }
}

/// The numbers of an array, of bytes or of a buffer.
fn numbers(value: &Dynamic) -> Option<Array> {
    if let Some(items) = value.read_lock::<Array>() {
        return Some(items.clone());
    }
    if let Some(bytes) = value.read_lock::<Blob>() {
        return Some(bytes.iter().map(|byte| i64::from(*byte).into()).collect());
    }
    if let Some(ints) = Ints::of(value) {
        return Some(ints.read().ok()?.iter().map(|int| (*int).into()).collect());
    }
    let floats = Floats::of(value)?;
    let numbers = floats.read().ok()?.iter().map(|float| (*float).into()).collect();
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rhai::Engine;

    #[track_caller]
    fn differ(expected: &str, found: &str, difference: Option<(&str, &str, &str)>) {
        let engine = Engine::new();
        let value = |script: &str| engine.eval::<Dynamic>(script).unwrap();
        let told = super::difference(&value(expected), &value(found));
        let told = told.as_ref().map(|d| (d.path.as_str(), d.expected.as_str(), d.found.as_str()));
        assert_eq!(told, difference, "{expected} {found}");
    }

    #[test]
    fn what_is_the_same() {
        for (a, b) in [
            ("1", "1"),
            ("1.5", "1.5"),
            ("0.0/0.0", "0.0/0.0"),
            ("\"a\"", "'a'"),
            ("()", "()"),
            ("[1, [2, #{a: ()}]]", "[1, [2, #{a: ()}]]"),
            ("[65, 66]", "\"AB\".to_blob()"),
        ] {
            differ(a, b, None);
            differ(b, a, None);
        }
    }

    #[test]
    fn what_differs() {
        differ("3", "3.0", Some(("", "3 (int)", "3.0 (float)")));
        differ("3.0", "3", Some(("", "3.0 (float)", "3 (int)")));
        differ("[1, #{name: \"a\"}]", "[1, #{name: \"b\"}]", Some(("[1].name", "\"a\"", "\"b\"")));
        differ("[1, 2]", "[1]", Some(("", "2 items", "1 item")));
        differ("#{a: 1}", "#{a: 1, \"b c\": 2}", Some(("[\"b c\"]", "nothing", "2 (int)")));
        differ("#{a: 1}", "#{}", Some(("a", "1 (int)", "nothing")));
        differ("()", "0", Some(("", "()", "0 (int)")));
        differ("true", "1", Some(("", "true", "1 (int)")));
        differ("\"1\"", "1", Some(("", "\"1\"", "1 (int)")));
    }
}
