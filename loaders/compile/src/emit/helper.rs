//! What modules ask the host for.

use crate::ir::Math;
use wasm_encoder::ValType::{self, F64, I32, I64};

/// A function of the host's. The names and types are those of [`Helper::name`] and [`Helper::ty`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Helper {
    /// Ends the call. Takes two numbers to be told, and the site.
    Fail,
    /// Tells a number more.
    Tell,
    /// Makes a buffer. Takes whether it has floats, its length, the bits of what it is filled with and the site; gives
    /// its number.
    Fill,
    /// `x ** y` of ints. Takes the site too, since it can fail.
    Power,
    ShiftLeft,
    ShiftRight,
    FloatPower,
    FloatRemainder,
    /// Copies a page of a buffer's numbers into the memory. Takes the buffer's number, the page and the site.
    Fetch,
    /// The same for one that is going to be written to, which may be there.
    Claim,
    /// A function of one float.
    Unary(Math),
    /// A function of two floats.
    Binary(Math),
}

impl Helper {
    /// All of them, in the order in which modules import them.
    pub(crate) const ALL: &[Helper] = &[
        Helper::Fail,
        Helper::Tell,
        Helper::Fill,
        Helper::Power,
        Helper::ShiftLeft,
        Helper::ShiftRight,
        Helper::FloatPower,
        Helper::FloatRemainder,
        Helper::Fetch,
        Helper::Claim,
        Helper::Unary(Math::Sin),
        Helper::Unary(Math::Cos),
        Helper::Unary(Math::Tan),
        Helper::Unary(Math::Sinh),
        Helper::Unary(Math::Cosh),
        Helper::Unary(Math::Tanh),
        Helper::Unary(Math::Asin),
        Helper::Unary(Math::Acos),
        Helper::Unary(Math::Atan),
        Helper::Unary(Math::Asinh),
        Helper::Unary(Math::Acosh),
        Helper::Unary(Math::Atanh),
        Helper::Unary(Math::Exp),
        Helper::Unary(Math::Ln),
        Helper::Unary(Math::Log10),
        Helper::Unary(Math::ToRadians),
        Helper::Unary(Math::ToDegrees),
        Helper::Binary(Math::Atan2),
        Helper::Binary(Math::Hypot),
        Helper::Binary(Math::Log),
    ];

    /// Its place in [`ALL`](Self::ALL), which is the index of the function.
    pub(super) fn index(self) -> u32 {
        (0..).zip(Self::ALL).find(|(_, helper)| **helper == self).map_or(u32::MAX, |(index, _)| index)
    }

    /// What it is imported by.
    pub(crate) fn name(self) -> String {
        match self {
            Helper::Unary(math) | Helper::Binary(math) => format!("{math:?}"),
            other => format!("{other:?}"),
        }
    }

    /// The types of its parameters and results.
    pub(super) fn ty(self) -> (&'static [ValType], &'static [ValType]) {
        match self {
            Helper::Fail => (&[I64, I64, I32], &[]),
            Helper::Tell => (&[I64], &[]),
            Helper::Fill => (&[I32, I64, I64, I32], &[I32]),
            Helper::Power => (&[I64, I64, I32], &[I64]),
            Helper::ShiftLeft | Helper::ShiftRight => (&[I64, I64], &[I64]),
            Helper::FloatPower | Helper::FloatRemainder | Helper::Binary(_) => (&[F64, F64], &[F64]),
            Helper::Fetch | Helper::Claim => (&[I32, I32, I32], &[]),
            Helper::Unary(_) => (&[F64], &[F64]),
        }
    }
}
