//! The standard functions that make a value of any size at once.
//!
//! Memory is looked at after each operation. One operation of these could ask for more than the machine has,
//! which ends the process; so they look first.

use caraway_loaders_core::budget;
use rhai::{Array, Blob, Dynamic, Engine, EvalAltResult, FnPtr, ImmutableString, Map, Position};

type Outcome<T> = Result<T, Box<EvalAltResult>>;

/// What a piece of a split string takes: its place in the array, and a string of its own.
const PIECE: usize = 64;

/// Puts guarded versions of what can make much out of little before those of the standard package: `pad`,
/// `blob`, `replace`, `split`, `to_chars` and `to_array`.
pub(crate) fn register(engine: &mut Engine) {
    engine
        .register_fn("blob", |length: i64| blob(length, 0))
        .register_fn("blob", blob)
        .register_fn("pad", |array: &mut Array, length: i64, item: Dynamic| -> Outcome<()> {
            let size = size_of::<Dynamic>().saturating_add(size_of_copy(&item));
            let length = room(array.len(), length, size, "array")?;
            array.resize(length.max(array.len()), item);
            Ok(())
        })
        .register_fn("pad", |blob: &mut Blob, length: i64, value: i64| -> Outcome<()> {
            let length = room(blob.len(), length, 1, "blob")?;
            blob.resize(length.max(blob.len()), value as u8);
            Ok(())
        })
        .register_fn("pad", |text: &mut ImmutableString, length: i64, filler: char| -> Outcome<()> {
            pad(text, length, filler.encode_utf8(&mut [0; 4]))
        })
        .register_fn("pad", |text: &mut ImmutableString, length: i64, filler: &str| {
            pad(text, length, filler)
        });
    engine
        .register_fn("replace", |text: &mut ImmutableString, find: &str, by: &str| replace(text, find, by))
        .register_fn("replace", |text: &mut ImmutableString, find: &str, by: char| {
            replace(text, find, by.encode_utf8(&mut [0; 4]))
        })
        .register_fn("replace", |text: &mut ImmutableString, find: char, by: &str| {
            replace(text, find.encode_utf8(&mut [0; 4]), by)
        })
        .register_fn("replace", |text: &mut ImmutableString, find: char, by: char| {
            replace(text, find.encode_utf8(&mut [0; 4]), by.encode_utf8(&mut [0; 4]))
        });
    engine
        .register_fn("to_chars", |text: &str| -> Outcome<Array> {
            room(0, count(text.chars().count()), size_of::<Dynamic>(), "array")?;
            Ok(text.chars().map(Dynamic::from).collect())
        })
        .register_fn("to_array", |blob: Blob| -> Outcome<Array> {
            room(0, count(blob.len()), size_of::<Dynamic>(), "array")?;
            Ok(blob.into_iter().map(|byte| Dynamic::from_int(byte.into())).collect())
        })
        .register_fn("split", |text: &str| pieces(text.split_whitespace()))
        .register_fn("split", |text: &str, at: &str| pieces(text.split(at)))
        .register_fn("split", |text: &str, at: char| pieces(text.split(at)))
        .register_fn("split", |text: &str, at: &str, most: i64| pieces(text.splitn(at_least_one(most), at)))
        .register_fn("split", |text: &str, at: char, most: i64| pieces(text.splitn(at_least_one(most), at)))
        .register_fn("split_rev", |text: &str, at: &str| pieces(text.rsplit(at)))
        .register_fn("split_rev", |text: &str, at: char| pieces(text.rsplit(at)))
        .register_fn("split_rev", |text: &str, at: &str, most: i64| {
            pieces(text.rsplitn(at_least_one(most), at))
        })
        .register_fn("split_rev", |text: &str, at: char, most: i64| {
            pieces(text.rsplitn(at_least_one(most), at))
        });
}

/// What a copy of a value takes beside its place. Strings are shared, so they take nothing.
fn size_of_copy(value: &Dynamic) -> usize {
    fn at(value: &Dynamic, depth: usize) -> usize {
        if value.is_shared() {
            return 0;
        }
        if depth.is_multiple_of(64) && !budget::may_recurse() {
            return usize::MAX;
        }
        if let Some(blob) = value.read_lock::<Blob>() {
            return size_of::<Blob>() + blob.len();
        }
        if let Some(array) = value.read_lock::<Array>() {
            let items = array.iter().map(|item| at(item, depth + 1).saturating_add(size_of::<Dynamic>()));
            return items.fold(size_of::<Array>(), usize::saturating_add);
        }
        if let Some(map) = value.read_lock::<Map>() {
            let items = map.iter().map(|(key, item)| at(item, depth + 1).saturating_add(PIECE + key.len()));
            return items.fold(size_of::<Map>(), usize::saturating_add);
        }
        if let Some(function) = value.read_lock::<FnPtr>() {
            let items =
                function.iter_curry().map(|item| at(item, depth + 1).saturating_add(size_of::<Dynamic>()));
            return items.fold(0, usize::saturating_add);
        }
        0
    }
    at(value, 0)
}

fn count(len: usize) -> i64 {
    i64::try_from(len).unwrap_or(i64::MAX)
}

/// How many pieces are asked for; Rhai takes less than one for one.
fn at_least_one(most: i64) -> usize {
    usize::try_from(most).unwrap_or(1).max(1)
}

fn pieces<'a>(pieces: impl Iterator<Item = &'a str> + Clone) -> Outcome<Array> {
    room(0, count(pieces.clone().count()), PIECE, "array")?;
    Ok(pieces.map(|piece| ImmutableString::from(piece).into()).collect())
}

fn replace(text: &mut ImmutableString, find: &str, by: &str) -> Outcome<()> {
    let matches = text.matches(find).count();
    room(0, count(matches), by.len(), "string")?;
    *text = text.replace(find, by).into();
    Ok(())
}

fn blob(length: i64, value: i64) -> Outcome<Blob> {
    Ok(vec![value as u8; room(0, length, 1, "blob")?])
}

/// Pads to a length in characters, as Rhai does: the last filler is not cut, so the text may become longer.
fn pad(text: &mut ImmutableString, length: i64, filler: &str) -> Outcome<()> {
    let chars = text.chars().count();
    let wanted = room(chars, length, filler.len().max(1), "string")?;
    let step = filler.chars().count();
    if step == 0 || wanted <= chars {
        return Ok(());
    }
    *text = format!("{text}{}", filler.repeat((wanted - chars).div_ceil(step))).into();
    Ok(())
}

/// The wanted length, if there is room for what is to be added.
fn room(have: usize, wanted: i64, size: usize, what: &str) -> Outcome<usize> {
    let wanted = usize::try_from(wanted).unwrap_or(0);
    let more = (wanted.saturating_sub(have) as u64).saturating_mul(size as u64);
    if !budget::may_allocate(more) {
        return Err(Box::new(EvalAltResult::ErrorDataTooLarge(format!("Size of {what}"), Position::NONE)));
    }
    Ok(wanted)
}
