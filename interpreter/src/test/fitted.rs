//! Arguments that JSON cannot write.

use caraway_loaders_core::bind::Bound;
use caraway_loaders_core::buffer::{Floats, Ints};
use caraway_loaders_core::{Signature, Type};
use rhai::{Array, Dynamic, ImmutableString, Map};

/// The arguments as the function's signature declares them, where JSON has no other way to write them: a char for a
/// string of one, bytes and buffers for arrays of numbers. Everything else stays as it is.
pub(super) fn fitted(bound: &Bound, function: &str, args: Vec<Dynamic>) -> Vec<Dynamic> {
    let fits = |signature: &&std::sync::Arc<Signature>| {
        signature.name == function && signature.params.len() == args.len()
    };
    let Some(signature) = bound.signatures.iter().find(fits) else { return args };
    args.into_iter().zip(&signature.params).map(|(arg, param)| fit(&param.ty, arg)).collect()
}

fn fit(ty: &Type, value: Dynamic) -> Dynamic {
    if !ty.any(&|ty| matches!(ty, Type::Char | Type::Bytes | Type::Ints | Type::Floats)) {
        return value;
    }
    match ty {
        Type::Option(inner) => fit(inner, value),
        Type::Char => {
            let text = value.read_lock::<ImmutableString>().map(|text| text.clone());
            let mut chars = text.iter().flat_map(|text| text.chars());
            match (chars.next(), chars.next()) {
                (Some(char), None) => char.into(),
                _ => value,
            }
        }
        Type::Bytes => {
            numbers(&value, |item| u8::try_from(item.as_int().ok()?).ok()).map_or(value, Dynamic::from_blob)
        }
        Type::Ints => {
            numbers(&value, |item| item.as_int().ok()).map_or(value, |ints| Dynamic::from(Ints::from(ints)))
        }
        Type::Floats => {
            numbers(&value, |item| item.as_float().ok().or(item.as_int().ok().map(|int| int as f64)))
                .map_or(value, |floats| Dynamic::from(Floats::from(floats)))
        }
        Type::Array(inner) => match value.try_cast_result::<Array>() {
            Ok(items) => Dynamic::from_array(items.into_iter().map(|item| fit(inner, item)).collect()),
            Err(value) => value,
        },
        Type::Map(_) | Type::Struct(_) => match value.try_cast_result::<Map>() {
            Ok(map) => Dynamic::from_map(
                map.into_iter()
                    .map(|(key, item)| {
                        let item = match inside(ty, &key) {
                            Some(inner) => fit(inner, item),
                            None => item,
                        };
                        (key, item)
                    })
                    .collect(),
            ),
            Err(value) => value,
        },
        _ => value,
    }
}

fn inside<'t>(ty: &'t Type, key: &str) -> Option<&'t Type> {
    match ty {
        Type::Map(inner) => Some(inner),
        Type::Struct(def) => def.fields.iter().find(|field| field.name == key).map(|field| &field.ty),
        _ => None,
    }
}

fn numbers<T>(value: &Dynamic, number: impl Fn(&Dynamic) -> Option<T>) -> Option<Vec<T>> {
    value.read_lock::<Array>()?.iter().map(number).collect()
}
