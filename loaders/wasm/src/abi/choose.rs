//! Which case of a type with several a value is.

use super::node::{Cases, Kind, Node};
use rhai::{Array, Dynamic, ImmutableString, Map};

/// A payload: its type and its value.
pub(super) type Payload<'a> = Option<(&'a Node, &'a Dynamic)>;

/// Gives the case that the value is, and its payload, to `then`. `None` if it is none of them, or shared.
pub(super) fn choose<R>(
    kind: &Kind,
    value: &Dynamic,
    then: impl FnOnce(usize, Payload<'_>) -> R,
) -> Option<R> {
    if value.is_shared() {
        return None;
    }
    match kind {
        Kind::Enum { names, .. } => Some(then(position(names, &text(value)?)?, None)),
        Kind::Variant { names, cases } => {
            if let Some(text) = text(value) {
                let index = position(names, &text)?;
                return cases.payloads.get(index)?.is_none().then(|| then(index, None));
            }
            let map = value.read_lock::<Map>()?;
            let (key, value) = only(&map)?;
            let index = position(names, key)?;
            let node = cases.payloads.get(index)?.as_ref()?;
            Some(then(index, Some((node, value))))
        }
        Kind::Option { .. } if value.is_unit() => Some(then(0, None)),
        Kind::Option { cases, wrapped } => {
            let node = cases.payloads.get(1)?.as_ref()?;
            if !wrapped {
                return Some(then(1, Some((node, value))));
            }
            let items = value.read_lock::<Array>()?;
            let [value] = items.as_slice() else { return None };
            Some(then(1, Some((node, value))))
        }
        Kind::Result(cases) => {
            let map = value.read_lock::<Map>()?;
            let (key, value) = only(&map)?;
            let index = ["ok", "err"].iter().position(|known| *known == key)?;
            match cases.payloads.get(index)? {
                Some(node) => Some(then(index, Some((node, value)))),
                None => value.is_unit().then(|| then(index, None)),
            }
        }
        _ => None,
    }
}

/// The bit of a flag.
pub(super) fn flag(names: &[ImmutableString], value: &Dynamic) -> Option<u32> {
    if value.is_shared() {
        return None;
    }
    Some(1 << position(names, &text(value)?)?)
}

impl Kind {
    /// The cases of a type that has some.
    pub(super) fn cases(&self) -> Option<&Cases> {
        match self {
            Self::Variant { cases, .. } | Self::Option { cases, .. } | Self::Result(cases) => Some(cases),
            _ => None,
        }
    }
}

fn text(value: &Dynamic) -> Option<ImmutableString> {
    value.read_lock::<ImmutableString>().map(|text| text.clone())
}

fn position(names: &[ImmutableString], text: &str) -> Option<usize> {
    names.iter().position(|name| name == text)
}

fn only(map: &Map) -> Option<(&str, &Dynamic)> {
    let mut entries = map.iter();
    match (entries.next(), entries.next()) {
        (Some((key, value)), None) => Some((key.as_str(), value)),
        _ => None,
    }
}
