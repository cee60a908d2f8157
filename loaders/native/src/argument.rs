//! Arguments, from Rhai's values to words.

use caraway_loaders_core::bind::{Callbacks, conform};
use caraway_loaders_core::{Code, Error, Type};
use conform::Functions;
use rhai::{Array, Blob, Dynamic, DynamicReadLock, ImmutableString};
use smallvec::SmallVec;

/// The words of one call.
pub(crate) type Words = SmallVec<[u64; 16]>;

/// How a parameter of one word is passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scalar {
    Int,
    Float,
    Bool,
    Char,
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
}

/// How a parameter of any type is passed.
#[derive(Debug)]
pub(crate) struct Passing {
    shape: Shape,
    /// What the manifest declares.
    declared: Type,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Scalar(Scalar),
    Text,
    /// Text that must be one of an enum's values.
    CheckedText,
    Bytes,
    Ints,
    Floats,
    Encoded,
}

/// An argument that is kept in place during the call.
pub(crate) enum Held<'a> {
    Word(u64),
    Text(DynamicReadLock<'a, ImmutableString>),
    Bytes(DynamicReadLock<'a, Blob>),
    Ints(Vec<i64>),
    Floats(Vec<f64>),
    Encoded(Vec<u8>),
}

impl Passing {
    /// A parameter that is `native` to the library and `declared` in the manifest.
    pub(crate) fn new(native: &Type, declared: &Type) -> Self {
        let shape = match native {
            Type::String if declared != native => Shape::CheckedText,
            Type::String => Shape::Text,
            Type::Bytes => Shape::Bytes,
            Type::Array(item) if **item == Type::Int => Shape::Ints,
            Type::Array(item) if **item == Type::Float => Shape::Floats,
            other => Scalar::of(other).map_or(Shape::Encoded, Shape::Scalar),
        };
        Self { shape, declared: declared.clone() }
    }

    /// The argument in the form in which it is passed. `value` may be the caller's variable: it is only read.
    ///
    /// # Errors
    ///
    /// What does not fit the declared type, or cannot cross into native code.
    pub(crate) fn hold<'a>(&self, value: &'a Dynamic, callbacks: &Callbacks) -> Result<Held<'a>, Error> {
        let held = match self.shape {
            Shape::Scalar(scalar) => scalar.word(value).map(Held::Word),
            Shape::Text => value.read_lock().map(Held::Text),
            Shape::CheckedText => {
                let _: Dynamic = conform::conform(&self.declared, value.clone(), Functions::Refuse)?;
                value.read_lock().map(Held::Text)
            }
            Shape::Bytes => value.read_lock().map(Held::Bytes),
            Shape::Ints => gather(value, |item| item.as_int().ok()).map(Held::Ints),
            Shape::Floats => {
                let float =
                    |item: &Dynamic| item.as_float().or_else(|_| item.as_int().map(|int| int as f64)).ok();
                gather(value, float).map(Held::Floats)
            }
            Shape::Encoded => return self.encode(value, callbacks),
        };
        held.ok_or_else(|| self.misfit(value))
    }

    fn encode<'a>(&self, value: &Dynamic, callbacks: &Callbacks) -> Result<Held<'a>, Error> {
        // Functions pass the check, to be refused for what they are.
        let value = conform::conform(&self.declared, value.clone(), Functions::Bind(callbacks))?;
        Ok(Held::Encoded(conform::to_value(&value)?.encode()))
    }

    #[cold]
    fn misfit(&self, value: &Dynamic) -> Error {
        match conform::conform(&self.declared, value.clone(), Functions::Refuse) {
            Err(error) => error,
            Ok(_) => Error::new(Code::ValueRefused, "is being changed elsewhere"),
        }
    }
}

/// The numbers of an array, if they are.
fn gather<T>(value: &Dynamic, number: impl Fn(&Dynamic) -> Option<T>) -> Option<Vec<T>> {
    let items = value.read_lock::<Array>()?;
    let mut numbers = Vec::with_capacity(items.len());
    for item in items.iter() {
        numbers.push(number(item)?);
    }
    Some(numbers)
}

impl Held<'_> {
    /// Appends the argument's words, which are valid as long as this is.
    pub(crate) fn push_to(&self, words: &mut Words) {
        fn slice<T>(words: &mut Words, items: &[T]) {
            words.push(items.as_ptr() as usize as u64);
            words.push(items.len() as u64);
        }
        match self {
            Held::Word(word) => words.push(*word),
            Held::Text(text) => slice(words, text.as_bytes()),
            Held::Bytes(bytes) => slice(words, bytes),
            Held::Ints(ints) => slice(words, ints),
            Held::Floats(floats) => slice(words, floats),
            Held::Encoded(bytes) => slice(words, bytes),
        }
    }
}
