//! Values of a type: ordinary ones, extreme ones, and those that are of another.

use caraway_loaders_core::Type;
use caraway_loaders_core::bind::conform::{Functions, conform};
use caraway_loaders_core::buffer::{Floats, Ints};
use rhai::{Array, Dynamic, Map};

/// How long long texts and lists are.
const LONG: usize = 65_536;

/// How deep values nest that may nest: as deep as may cross a boundary, with room for what holds them.
const DEEP: usize = 100;

/// An ordinary value of a type; `None` for handles and functions, which only a plugin or a script has.
pub(super) fn ordinary(ty: &Type) -> Option<Dynamic> {
    Some(match ty {
        Type::Int | Type::Any => 1_i64.into(),
        Type::Float => 1.5.into(),
        Type::Bool => true.into(),
        Type::Char => 'a'.into(),
        Type::String => "text".into(),
        Type::Bytes => Dynamic::from_blob(vec![1, 2, 3]),
        Type::Ints => Dynamic::from(Ints::from(vec![1, 2, 3])),
        Type::Floats => Dynamic::from(Floats::from(vec![1.0, 2.5])),
        Type::Array(item) => Dynamic::from_array(vec![ordinary(item)?]),
        Type::Map(item) => map([("key", ordinary(item)?)]),
        Type::Option(inner) => ordinary(inner)?,
        Type::Struct(def) => {
            let fields =
                def.fields.iter().map(|field| Some((field.name.as_str().into(), ordinary(&field.ty)?)));
            Dynamic::from_map(fields.collect::<Option<Map>>()?)
        }
        Type::Enum(def) => def.values.first()?.clone().into(),
        _ => return None,
    })
}

/// Extreme values of a type.
pub(super) fn extreme(ty: &Type) -> Vec<Dynamic> {
    match ty {
        Type::Int => [0, -1, i64::MIN, i64::MAX, (1 << 53) + 1].map(Dynamic::from).to_vec(),
        Type::Float => {
            let floats = [0.0, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN_POSITIVE];
            // An int is accepted where a float is declared.
            floats.map(Dynamic::from).into_iter().chain([i64::MIN.into()]).collect()
        }
        Type::Bool => vec![false.into()],
        Type::Char => vec!['\0'.into(), 'é'.into(), char::MAX.into()],
        Type::String => ["", "\0", "a\0b", "é\u{1f980}\u{202e}", "%s%n", "../../x", "\n\t\r"]
            .map(Dynamic::from)
            .into_iter()
            .chain([Dynamic::from("x".repeat(LONG))])
            .collect(),
        Type::Bytes => vec![Dynamic::from_blob(Vec::new()), Dynamic::from_blob(vec![0xff; LONG])],
        Type::Ints => {
            vec![Dynamic::from(Ints::from(Vec::new())), Dynamic::from(Ints::from(vec![i64::MIN; LONG]))]
        }
        Type::Floats => {
            vec![Dynamic::from(Floats::from(Vec::new())), Dynamic::from(Floats::from(vec![f64::NAN; LONG]))]
        }
        Type::Array(item) => {
            let mut values = vec![Dynamic::from_array(Array::new())];
            values.extend(ordinary(item).map(|item| Dynamic::from_array(vec![item; 1000])));
            values.push(Dynamic::from_array(extreme(item)));
            values
        }
        Type::Map(item) => {
            let mut values = vec![map([])];
            if let Some(item) = ordinary(item) {
                values.push(map([("", item.clone()), ("\0", item.clone()), ("é", item)]));
            }
            values.extend(extreme(item).into_iter().take(3).map(|item| map([("key", item)])));
            values
        }
        Type::Any => {
            let mut deep = Dynamic::from_array(Array::new());
            for _ in 0..DEEP {
                deep = Dynamic::from_array(vec![deep]);
            }
            let scalars = [Type::Int, Type::Float, Type::Bool, Type::Char, Type::String, Type::Bytes];
            let scalars = scalars.iter().filter_map(|ty| extreme(ty).pop());
            [Dynamic::UNIT, deep, map([]), Dynamic::from_array(Array::new())]
                .into_iter()
                .chain(scalars)
                .collect()
        }
        Type::Option(inner) => [Dynamic::UNIT].into_iter().chain(extreme(inner)).collect(),
        Type::Struct(def) => {
            let Some(whole) = ordinary(ty) else { return Vec::new() };
            let mut values = Vec::new();
            for field in &def.fields {
                for value in extreme(&field.ty).into_iter().take(3) {
                    let mut map = whole.clone().try_cast::<Map>().unwrap_or_default();
                    map.insert(field.name.as_str().into(), value);
                    values.push(Dynamic::from_map(map));
                }
            }
            values
        }
        Type::Enum(def) => def.values.iter().skip(1).map(|value| value.clone().into()).collect(),
        _ => Vec::new(),
    }
}

/// Values that are not of a type.
pub(super) fn wrong(ty: &Type) -> Vec<Dynamic> {
    let mut candidates = vec![
        Dynamic::UNIT,
        true.into(),
        "text".into(),
        1_i64.into(),
        1.5.into(),
        Dynamic::from_array(vec![true.into()]),
    ];
    candidates.push(map([("no such key", Dynamic::UNIT)]));
    let refused = |value: &Dynamic| conform(ty, value.clone(), Functions::Refuse).is_err();
    candidates.retain(refused);
    candidates
}

fn map<const N: usize>(entries: [(&str, Dynamic); N]) -> Dynamic {
    Dynamic::from_map(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_of_their_type_or_not() {
        for text in [
            "int",
            "float",
            "bool",
            "char",
            "string",
            "bytes",
            "ints",
            "floats",
            "array<int>",
            "map<float>",
            "any",
            "string?",
            "array<array<any>>",
        ] {
            let ty: Type = text.parse().unwrap();
            for value in extreme(&ty).into_iter().chain(ordinary(&ty)) {
                assert!(conform(&ty, value.clone(), Functions::Refuse).is_ok(), "{text}: {value:?}");
            }
            assert_eq!(wrong(&ty).is_empty(), text == "any", "{text}");
        }
    }
}
