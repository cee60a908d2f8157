//! Values as text, within the budget.
//!
//! Rhai makes the text of an array, a map or a blob in one go, whatever its size. These ask on the way, and stop; so
//! do the functions that Rhai builds on them: `print`, `${...}` and adding to a string. They cannot fail, since Rhai
//! would then write the text in a way of its own: they give back an empty one, and the next operation is told why.

use caraway_loaders_core::budget;
use caraway_loaders_core::growth::Text;
use rhai::{Array, Blob, Dynamic, Engine, FuncRegistration, ImmutableString, Map, NativeCallContext};
use std::fmt::{self, Write};

/// Puts them before those of the standard package.
pub(crate) fn register(engine: &mut Engine) {
    for name in ["print", "to_string", "debug", "to_debug"] {
        let pure = || FuncRegistration::new(name).with_purity(true).in_global_namespace();
        pure().register_into_engine(engine, |context: NativeCallContext, array: &mut Array| {
            whole(&context, |text| write_array(text, &context, array, 0))
        });
        pure().register_into_engine(engine, |context: NativeCallContext, map: &mut Map| {
            whole(&context, |text| write_map(text, &context, map, 0))
        });
        pure().register_into_engine(engine, |context: NativeCallContext, blob: &mut Blob| {
            whole(&context, |text| write_blob(text, blob))
        });
    }
    for name in ["debug", "to_debug"] {
        engine.register_fn(name, |context: NativeCallContext, string: &str| {
            whole(&context, |text| write!(text, "{string:?}"))
        });
    }
}

/// All of it or nothing.
fn whole(context: &NativeCallContext, write: impl FnOnce(&mut Text) -> fmt::Result) -> ImmutableString {
    let mut text = Text::of_engine(context.engine());
    match write(&mut text) {
        Ok(()) => text.into_string().into(),
        Err(fmt::Error) => ImmutableString::new(),
    }
}

/// What stands inside other values.
fn write_inner(text: &mut Text, context: &NativeCallContext, value: &Dynamic, depth: usize) -> fmt::Result {
    if let Ok(int) = value.as_int() {
        return write!(text, "{int}");
    }
    if let Some(string) = value.read_lock::<ImmutableString>() {
        return write!(text, "{:?}", string.as_str());
    }
    if let Some(array) = value.read_lock::<Array>() {
        return write_array(text, context, &array, depth);
    }
    if let Some(map) = value.read_lock::<Map>() {
        return write_map(text, context, &map, depth);
    }
    if let Some(blob) = value.read_lock::<Blob>() {
        return write_blob(text, &blob);
    }
    let shown = context.call_native_fn_raw("to_debug", true, &mut [&mut value.clone()]);
    match shown.ok().and_then(|shown| shown.into_immutable_string().ok()) {
        Some(shown) => text.write_str(&shown),
        None => write!(text, "{value:?}"),
    }
}

fn write_array(text: &mut Text, context: &NativeCallContext, array: &Array, depth: usize) -> fmt::Result {
    has_stack(depth)?;
    text.write_str("[")?;
    for (index, item) in array.iter().enumerate() {
        if index > 0 {
            text.write_str(", ")?;
        }
        write_inner(text, context, item, depth + 1)?;
    }
    text.write_str("]")
}

fn write_map(text: &mut Text, context: &NativeCallContext, map: &Map, depth: usize) -> fmt::Result {
    has_stack(depth)?;
    text.write_str("#{")?;
    for (index, (key, item)) in map.iter().enumerate() {
        if index > 0 {
            text.write_str(", ")?;
        }
        write!(text, "{:?}: ", key.as_str())?;
        write_inner(text, context, item, depth + 1)?;
    }
    text.write_str("}")
}

fn write_blob(text: &mut Text, blob: &Blob) -> fmt::Result {
    text.write_str("[")?;
    for (index, eight) in blob.chunks(8).enumerate() {
        if index > 0 {
            text.write_str(" ")?;
        }
        for byte in eight {
            write!(text, "{byte:02x}")?;
        }
    }
    text.write_str("]")
}

/// Whether the stack has room for deeper values.
fn has_stack(depth: usize) -> fmt::Result {
    if depth.is_multiple_of(64) && !budget::may_recurse() { Err(fmt::Error) } else { Ok(()) }
}
