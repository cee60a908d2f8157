//! What words of WebAssembly each type is, and values to words and back.

use caraway_loaders_core::bind::conform::type_name;
use caraway_loaders_core::{Code, Error, Type};
use rhai::Dynamic;
use std::fmt;
use wasmtime::{ValRaw, ValType};

/// A number of WebAssembly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    I32,
    I64,
    F32,
    F64,
}

/// What a parameter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    /// One word: an int or a float.
    Number(Word),
    /// An `i32`: 0 or 1.
    Bool,
    /// An `i32`: a Unicode scalar value.
    Char,
    /// Two `i32`: where the bytes are, and how many.
    Text(Text),
}

/// What bytes in a module's memory are to a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    String,
    Bytes,
}

/// What a function gives back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Nothing,
    /// One word. Of a [`Slot::Text`], an `i64`: where the bytes are in the upper half, how many in the lower.
    One(Slot),
    /// An array.
    Several(Vec<Word>),
}

impl Word {
    /// The number of this type, if it is one.
    pub(super) fn of(ty: &ValType) -> Option<Self> {
        Some(match ty {
            ValType::I32 => Self::I32,
            ValType::I64 => Self::I64,
            ValType::F32 => Self::F32,
            ValType::F64 => Self::F64,
            _ => return None,
        })
    }

    /// What it is in signatures.
    pub(super) fn script_type(self) -> Type {
        match self {
            Self::I32 | Self::I64 => Type::Int,
            Self::F32 | Self::F64 => Type::Float,
        }
    }

    fn lower(self, value: &Dynamic) -> Result<ValRaw, Error> {
        Ok(match self {
            Self::I32 => {
                let int = value.as_int().map_err(|_| misfit("int", type_name(value)))?;
                let expected = || format!("an int from {} to {}", i32::MIN, i32::MAX);
                ValRaw::i32(i32::try_from(int).map_err(|_| misfit(expected(), int))?)
            }
            Self::I64 => ValRaw::i64(value.as_int().map_err(|_| misfit("int", type_name(value)))?),
            Self::F32 => {
                let wide = value.as_float().map_err(|_| misfit("float", type_name(value)))?;
                let narrow = wide as f32;
                if narrow.is_infinite() && wide.is_finite() {
                    return Err(misfit("a float of 32 bits", wide));
                }
                ValRaw::f32(narrow.to_bits())
            }
            Self::F64 => {
                let float = value.as_float().map_err(|_| misfit("float", type_name(value)))?;
                ValRaw::f64(float.to_bits())
            }
        })
    }

    /// The number that a function gave back.
    pub(super) fn lift(self, word: ValRaw) -> Dynamic {
        match self {
            Self::I32 => i64::from(word.get_i32()).into(),
            Self::I64 => word.get_i64().into(),
            Self::F32 => f64::from(f32::from_bits(word.get_f32())).into(),
            Self::F64 => f64::from_bits(word.get_f64()).into(),
        }
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::F32 => "f32",
            Self::F64 => "f64",
        })
    }
}

impl Slot {
    /// How many words it is as a parameter.
    pub(super) fn words(self) -> usize {
        if self.is_text() { 2 } else { 1 }
    }

    /// Whether it lies in the module's memory.
    pub(super) fn is_text(self) -> bool {
        matches!(self, Self::Text(_))
    }

    /// The word of a value that is one, not a text.
    ///
    /// # Errors
    ///
    /// [`Code::ArgumentType`] for a number that the word cannot hold.
    pub(super) fn lower(self, value: &Dynamic) -> Result<ValRaw, Error> {
        match self {
            Self::Number(word) => word.lower(value),
            Self::Bool => {
                let bool = value.as_bool().map_err(|_| misfit("bool", type_name(value)))?;
                Ok(ValRaw::i32(bool.into()))
            }
            Self::Char => {
                let char = value.as_char().map_err(|_| misfit("char", type_name(value)))?;
                Ok(ValRaw::u32(char.into()))
            }
            Self::Text(_) => Err(Error::new(Code::Internal, "a text that is not in a memory")),
        }
    }

    /// The value of a word that is one, not a text.
    ///
    /// # Errors
    ///
    /// [`Code::ResultType`] for a char that is none.
    pub(super) fn lift(self, word: ValRaw) -> Result<Dynamic, Error> {
        match self {
            Self::Number(number) => Ok(number.lift(word)),
            Self::Bool => Ok((word.get_i32() != 0).into()),
            Self::Char => match char::from_u32(word.get_u32()) {
                Some(char) => Ok(char.into()),
                None => {
                    Err(Error::new(Code::ResultType, format!("the result {} is no char", word.get_i32())))
                }
            },
            Self::Text(_) => Err(Error::new(Code::Internal, "a text that is not in a memory")),
        }
    }
}

#[cold]
fn misfit(expected: impl fmt::Display, found: impl fmt::Display) -> Error {
    Error::new(Code::ArgumentType, format!("must be {expected}, found {found}"))
}
