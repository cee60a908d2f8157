//! How values of a type cross: as words, slices or encodings.

use caraway_loaders_core::bind::conform;
use caraway_loaders_core::{Type, Value};
use rhai::{Dynamic, ImmutableString};

/// How a value of some type is passed, see [`caraway_abi`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// No words: `void`.
    Nothing,
    /// One word.
    Scalar(Scalar),
    /// `string`.
    Text,
    /// `bytes`.
    Bytes,
    /// `array<int>`.
    IntArray,
    /// `array<float>`.
    FloatArray,
    /// `ints`.
    Ints,
    /// `floats`.
    Floats,
    /// The plugin's own word for a value of one of its classes.
    Handle,
    /// The host's word for a function.
    Function,
    /// An encoded value.
    Encoded,
}

/// What is one word, read without further memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scalar {
    Int,
    Float,
    Bool,
    Char,
}

impl Shape {
    /// The shape of values of this type.
    pub(crate) fn of(ty: &Type) -> Self {
        match ty {
            Type::Void => Self::Nothing,
            Type::String => Self::Text,
            Type::Bytes => Self::Bytes,
            Type::Array(item) if **item == Type::Int => Self::IntArray,
            Type::Array(item) if **item == Type::Float => Self::FloatArray,
            Type::Ints => Self::Ints,
            Type::Floats => Self::Floats,
            Type::Handle(_) => Self::Handle,
            Type::Fn(..) => Self::Function,
            other => Scalar::of(other).map_or(Self::Encoded, Self::Scalar),
        }
    }

    /// How many words an argument has.
    pub(crate) fn words(self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Scalar(_) | Self::Handle | Self::Function => 1,
            _ => 2,
        }
    }

    /// Whether its values are only ever passed whole, and never inside another value.
    pub(crate) fn is_whole(ty: &Type) -> bool {
        matches!(ty, Type::Fn(..) | Type::Ints | Type::Floats | Type::Handle(_))
    }
}

impl Scalar {
    pub(crate) fn of(ty: &Type) -> Option<Self> {
        match ty {
            Type::Int => Some(Self::Int),
            Type::Float => Some(Self::Float),
            Type::Bool => Some(Self::Bool),
            Type::Char => Some(Self::Char),
            _ => None,
        }
    }

    /// The word of a value, which the binding has seen to be of this type.
    #[inline]
    pub(crate) fn word(self, value: &Dynamic) -> Option<u64> {
        match self {
            Self::Int => value.as_int().ok().map(i64::cast_unsigned),
            Self::Float => value.as_float().ok().map(f64::to_bits),
            Self::Bool => value.as_bool().ok().map(u64::from),
            Self::Char => value.as_char().ok().map(|c| u64::from(u32::from(c))),
        }
    }

    /// The value of a word, if it is one of this type.
    #[inline]
    pub(crate) fn value(self, word: u64) -> Result<Dynamic, Malformed> {
        match self {
            Self::Int => Ok(Dynamic::from_int(word.cast_signed())),
            Self::Float => Ok(Dynamic::from_float(f64::from_bits(word))),
            Self::Bool if word <= 1 => Ok(Dynamic::from_bool(word == 1)),
            Self::Char => match u32::try_from(word).ok().and_then(char::from_u32) {
                Some(char) => Ok(Dynamic::from_char(char)),
                None => Err(Malformed::Word),
            },
            Self::Bool => Err(Malformed::Word),
        }
    }
}

/// What is wrong with words that a plugin gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Malformed {
    Word,
    Size,
    Text,
    Encoding(String),
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Word => f.write_str("is a word that no value of its type has"),
            Self::Size => f.write_str("is a buffer of an impossible size"),
            Self::Text => f.write_str("is a string that is not UTF-8"),
            Self::Encoding(error) => write!(f, "cannot be read: {error}"),
        }
    }
}

/// The string of these bytes, which are copied once. (A `String` would be copied once more on its way into Rhai's.)
///
/// # Safety
///
/// If `trusted`, they are UTF-8.
pub(crate) unsafe fn text(bytes: &[u8], trusted: bool) -> Result<Dynamic, Malformed> {
    let text = if trusted {
        // SAFETY: the caller's promise.
        unsafe { std::str::from_utf8_unchecked(bytes) }
    } else {
        std::str::from_utf8(bytes).map_err(|_| Malformed::Text)?
    };
    // Appending copies a long text once; `from` copies it twice.
    let mut string = ImmutableString::new();
    string += text;
    Ok(string.into())
}

/// The array of these numbers.
pub(crate) fn array<T: Copy>(items: &[T], value: impl Fn(T) -> Dynamic) -> Dynamic {
    Dynamic::from_array(items.iter().map(|item| value(*item)).collect())
}

/// The value that is encoded in these bytes.
pub(crate) fn encoded(bytes: &[u8]) -> Result<Dynamic, Malformed> {
    match Value::decode(bytes) {
        Ok(value) => Ok(conform::from_value(value)),
        Err(error) => Err(Malformed::Encoding(error.to_string())),
    }
}
