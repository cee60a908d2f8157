//! A script's values as the words of calls.

use crate::ir::Type;
use rhai::Dynamic;

/// The word of a scalar; none if it is of another type, or shared.
pub(super) fn word(ty: Type, value: &Dynamic) -> Option<i64> {
    if value.is_shared() {
        return None;
    }
    match ty {
        Type::Int => value.as_int().ok(),
        Type::Float => value.as_float().ok().map(|float| float.to_bits().cast_signed()),
        Type::Bool => value.as_bool().ok().map(i64::from),
        Type::Unit | Type::Never | Type::Ints | Type::Floats => None,
    }
}

/// The scalar of a word.
pub(super) fn of_word(ty: Type, word: i64) -> Dynamic {
    match ty {
        Type::Int => Dynamic::from_int(word),
        Type::Float => Dynamic::from_float(f64::from_bits(word.cast_unsigned())),
        Type::Bool => Dynamic::from_bool(word != 0),
        Type::Unit | Type::Never | Type::Ints | Type::Floats => Dynamic::UNIT,
    }
}
