//! Functions of a few scalars: no memory, no tree of types, one word for each argument.

use super::fit::number;
use super::load::int;
use super::node::{Kind, Node, Place};
use crate::shape::IntKind;
use caraway_loaders_core::bind::CallResult;
use caraway_loaders_core::{Code, Error};
use rhai::Dynamic;
use wasmtime::ValRaw;

/// How many arguments such a function has at most.
pub(crate) const FEW: usize = 4;

/// The arguments of a call; those that the function does not have are 0.
pub(crate) type FewWords = [ValRaw; FEW];

/// How to call a function of a few scalars.
#[derive(Debug)]
pub(crate) struct Scalars {
    params: Vec<Scalar>,
    result: Option<Scalar>,
}

/// A type that is one word, and has no names.
#[derive(Debug, Clone, Copy)]
enum Scalar {
    Bool,
    Int(IntKind),
    F32,
    F64,
    Char,
}

impl Scalar {
    fn of(node: &Node) -> Option<Self> {
        Some(match node.kind {
            Kind::Bool => Self::Bool,
            Kind::Int(kind) => Self::Int(kind),
            Kind::F32 => Self::F32,
            Kind::F64 => Self::F64,
            Kind::Char => Self::Char,
            _ => return None,
        })
    }

    /// The word of a value that fits.
    #[inline]
    fn lower(self, value: &Dynamic) -> Option<ValRaw> {
        Some(match self {
            Self::Int(IntKind::S64) => ValRaw::i64(value.as_int().ok()?),
            Self::F64 => ValRaw::f64(number(value)?.to_bits()),
            Self::Bool => ValRaw::u32(value.as_bool().ok()?.into()),
            Self::Int(kind) => {
                let int = value.as_int().ok()?;
                let (least, greatest) = kind.range();
                if !(least..=greatest).contains(&int) {
                    return None;
                }
                // Two's complement; in words, smaller integers are extended to 32 bits.
                if kind.is_64_bits() { ValRaw::i64(int) } else { ValRaw::u32(int as u32) }
            }
            Self::F32 => {
                let wide = number(value)?;
                let narrow = wide as f32;
                if narrow.is_infinite() && !wide.is_infinite() {
                    return None;
                }
                ValRaw::f32(narrow.to_bits())
            }
            Self::Char => ValRaw::u32(value.as_char().ok()?.into()),
        })
    }

    #[inline]
    fn lift(self, word: ValRaw) -> CallResult {
        Ok(match self {
            Self::Int(IntKind::S64) => word.get_i64().into(),
            Self::F64 => f64::from_bits(word.get_f64()).into(),
            Self::Bool => (word.get_u32() != 0).into(),
            Self::Int(kind) => {
                let bits = if kind.is_64_bits() { word.get_u64() } else { word.get_u32().into() };
                int(kind, bits)?.into()
            }
            Self::F32 => f64::from(f32::from_bits(word.get_f32())).into(),
            Self::Char => match char::from_u32(word.get_u32()) {
                Some(char) => char.into(),
                None => return Err(Error::new(Code::Internal, "a char that was not looked at").into()),
            },
        })
    }

    /// Whether a guest that gives this word keeps to the rules.
    #[inline]
    fn allows(self, word: ValRaw) -> bool {
        !matches!(self, Self::Char) || char::from_u32(word.get_u32()).is_some()
    }
}

impl Scalars {
    /// How to call a function of these types; `None` for one that is not of a few scalars.
    pub(super) fn of(params: &[Place], result: Option<&Node>) -> Option<Self> {
        if params.len() > FEW {
            return None;
        }
        let params = params.iter().map(|param| Scalar::of(&param.node)).collect::<Option<_>>()?;
        let result = match result {
            Some(node) => Some(Scalar::of(node)?),
            None => None,
        };
        Some(Self { params, result })
    }

    /// The words of the arguments, if they fit.
    #[inline]
    pub(crate) fn lower(&self, args: &[&mut Dynamic]) -> Option<FewWords> {
        let mut words = [ValRaw::u64(0); FEW];
        for ((word, param), arg) in words.iter_mut().zip(&self.params).zip(args) {
            *word = param.lower(arg)?;
        }
        Some(words)
    }

    /// Whether a guest that gives this word keeps to the rules.
    #[inline]
    pub(super) fn allows(&self, word: ValRaw) -> bool {
        self.result.is_none_or(|result| result.allows(word))
    }

    /// The result.
    ///
    /// # Errors
    ///
    /// [`Code::ResultType`] for a `u64` beyond an int.
    #[inline]
    pub(crate) fn lift(&self, word: ValRaw) -> CallResult {
        self.result.map_or(Ok(Dynamic::UNIT), |result| result.lift(word))
    }
}
