//! What a call comes to.

use caraway_loaders_core::buffer::{Floats, Ints};
use rhai::{Dynamic, EvalAltResult};
use std::fmt;

/// All that can be told of a call afterwards. What is equal here is the same to every script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) result: Result<Bits, String>,
    /// The contents of the buffers that were passed, and of one that is given back.
    pub(crate) buffers: Vec<Vec<u64>>,
}

/// A value's type and its bits, of which those of all NaNs are the same.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Bits {
    type_name: &'static str,
    bits: u64,
}

impl fmt::Debug for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.type_name {
            "f64" => write!(f, "{:?} ({:#x})", f64::from_bits(self.bits), self.bits),
            "i64" => write!(f, "{}", self.bits.cast_signed()),
            other => write!(f, "{other} {:#x}", self.bits),
        }
    }
}

impl Outcome {
    /// The outcome of a call with these arguments.
    pub(crate) fn new(result: Result<Dynamic, Box<EvalAltResult>>, args: &[Dynamic]) -> Self {
        let given = result.as_ref().ok();
        let buffers = args.iter().chain(given).filter_map(contents).collect();
        Self {
            result: result.map(|value| Bits::of(&value, args)).map_err(|error| format!("{error:?}")),
            buffers,
        }
    }
}

impl Bits {
    fn of(value: &Dynamic, args: &[Dynamic]) -> Self {
        let bits = match (value.as_int(), value.as_float(), value.as_bool()) {
            (Ok(int), ..) => int.cast_unsigned(),
            (_, Ok(float), _) => float_bits(float),
            (.., Ok(bool)) => bool.into(),
            // For a buffer, which of the arguments it is.
            _ => args.iter().position(|arg| is_same(value, arg)).map_or(0, |place| place as u64 + 1),
        };
        Self { type_name: value.type_name(), bits }
    }
}

fn is_same(value: &Dynamic, other: &Dynamic) -> bool {
    match (Ints::of(value), Ints::of(other), Floats::of(value), Floats::of(other)) {
        (Some(value), Some(other), ..) => value.is(&other),
        (.., Some(value), Some(other)) => value.is(&other),
        _ => false,
    }
}

fn float_bits(float: f64) -> u64 {
    if float.is_nan() { f64::NAN.to_bits() } else { float.to_bits() }
}

fn contents(value: &Dynamic) -> Option<Vec<u64>> {
    if let Some(ints) = Ints::of(value) {
        return Some(ints.read().ok()?.iter().map(|int| int.cast_unsigned()).collect());
    }
    Some(Floats::of(value)?.read().ok()?.iter().map(|float| float_bits(*float)).collect())
}
