//! Whether a value can be passed: asked before anything of the guest runs.

use super::choose::{choose, flag};
use super::node::{Kind, Node};
use crate::shape::IntKind;
use caraway_loaders_core::Error;
use rhai::{Array, Blob, Dynamic, ImmutableString, Map};

/// Why a value is not passed by a plan.
#[derive(Debug)]
pub(crate) enum Unfit {
    /// It is of another type, out of range, or shared with others who might change it meanwhile.
    Other,
    /// It is larger than the guest's memory.
    TooLarge,
    /// It is a buffer that is being used.
    Refused(Error),
}

/// Whether a value fits a type, and its texts and lists into `room` bytes, which are taken from it.
///
/// A value that fits holds nothing that is shared: until the call ends, it stays what it is.
pub(super) fn fits(node: &Node, value: &Dynamic, room: &mut usize) -> Result<(), Unfit> {
    if value.is_shared() {
        return Err(Unfit::Other);
    }
    match &node.kind {
        Kind::Bool => yes(value.is_bool()),
        Kind::Int(kind) => match value.as_int() {
            Ok(int) => {
                let (least, greatest) = kind.range();
                yes((least..=greatest).contains(&int))
            }
            Err(_) => Err(Unfit::Other),
        },
        Kind::F32 => match number(value) {
            Some(wide) => yes(wide.is_infinite() || !(wide as f32).is_infinite()),
            None => Err(Unfit::Other),
        },
        Kind::F64 => yes(value.is_float() || value.is_int()),
        Kind::Char => yes(value.is_char()),
        Kind::String => {
            let text = value.read_lock::<ImmutableString>().ok_or(Unfit::Other)?;
            take(room, text.len())
        }
        Kind::Bytes => {
            let bytes = value.read_lock::<Blob>().ok_or(Unfit::Other)?;
            take(room, bytes.len())
        }
        Kind::List(item) => {
            let items = value.read_lock::<Array>().ok_or(Unfit::Other)?;
            take(room, items.len().saturating_mul(item.size))?;
            match item.kind {
                Kind::F64 => {
                    yes(items.iter().all(|item| !item.is_shared() && (item.is_float() || item.is_int())))
                }
                Kind::Int(IntKind::S64) => yes(items.iter().all(|item| !item.is_shared() && item.is_int())),
                _ => items.iter().try_for_each(|value| fits(item, value, room)),
            }
        }
        Kind::Tuple(places) => {
            let items = value.read_lock::<Array>().ok_or(Unfit::Other)?;
            yes(items.len() == places.len())?;
            places.iter().zip(items.iter()).try_for_each(|(place, value)| fits(&place.node, value, room))
        }
        Kind::Record(fields) => {
            let map = value.read_lock::<Map>().ok_or(Unfit::Other)?;
            let mut known = 0;
            for field in fields {
                match map.get(field.name.as_str()) {
                    Some(value) => {
                        known += 1;
                        fits(&field.place.node, value, room)?;
                    }
                    None => yes(field.optional)?,
                }
            }
            yes(known == map.len())
        }
        Kind::Flags(names) => {
            let items = value.read_lock::<Array>().ok_or(Unfit::Other)?;
            yes(items.iter().all(|item| flag(names, item).is_some()))
        }
        Kind::Variant { .. } | Kind::Enum { .. } | Kind::Option { .. } | Kind::Result(_) => {
            choose(&node.kind, value, |_, payload| match payload {
                Some((node, value)) => fits(node, value, room),
                None => Ok(()),
            })
            .ok_or(Unfit::Other)?
        }
        Kind::Ints | Kind::Floats => Err(Unfit::Other),
    }
}

/// Of how many numbers a list is looked at before it is copied: they stay near, and looking at them again costs little.
const FEW: usize = 4096;

/// As [`fits`] for a list of numbers, but that of a long one only the size is looked at.
///
/// That reads the list once instead of twice. When an item turns out to be no number, room was made in the guest; it is
/// given back but for one item's, see [`super::store`].
pub(super) fn may_fit(node: &Node, value: &Dynamic, room: &mut usize) -> Result<(), Unfit> {
    if !value.is_shared()
        && let Kind::List(item) = &node.kind
        && let Some(items) = value.read_lock::<Array>()
        && items.len() > FEW
    {
        return take(room, items.len().saturating_mul(item.size));
    }
    fits(node, value, room)
}

/// Takes bytes from the room that is left.
pub(super) fn take(room: &mut usize, bytes: usize) -> Result<(), Unfit> {
    *room = room.checked_sub(bytes).ok_or(Unfit::TooLarge)?;
    Ok(())
}

/// The float in a value; an int will do.
#[inline]
pub(super) fn number(value: &Dynamic) -> Option<f64> {
    match value.as_float() {
        Ok(float) => Some(float),
        Err(_) => value.as_int().ok().map(|int| int as f64),
    }
}

fn yes(fits: bool) -> Result<(), Unfit> {
    if fits { Ok(()) } else { Err(Unfit::Other) }
}
