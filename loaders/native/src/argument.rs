//! Arguments, from Rhai's values to words.

use crate::calls::{Form, Open};
use crate::handle::{self, ClassId};
use crate::instance::Instance;
use crate::shape::{Scalar, Shape};
use caraway_loaders_core::bind::conform::{self, Functions};
use caraway_loaders_core::bind::{CallError, Callbacks};
use caraway_loaders_core::buffer::{Floats, Ints, Number, Reading, Writing};
use caraway_loaders_core::handle::Handle;
use caraway_loaders_core::{Code, Error, Type};
use rhai::{Array, Blob, Dynamic, DynamicReadLock, ImmutableString};
use smallvec::SmallVec;
use std::sync::Arc;

/// The words of one call.
pub(crate) type Words = SmallVec<[u64; 16]>;

/// How a parameter is passed that needs no memory of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plain {
    Scalar(Scalar),
    Handle(ClassId),
    Text,
    Bytes,
}

/// What keeps an argument in place that could be replaced during the call, because it is shared.
#[derive(Default)]
#[allow(dead_code, reason = "it is kept, not read")]
pub(crate) enum Kept {
    #[default]
    Nothing,
    Handle(Handle),
    Text(ImmutableString),
    Bytes(Blob),
}

impl Plain {
    /// For a parameter that is `native` to the library and `declared` in the manifest.
    pub(crate) fn of(native: &Type, declared: &Type, instance: &Instance) -> Option<Self> {
        match native {
            Type::Handle(name) => instance.class(name).map(Self::Handle),
            Type::String if declared == native => Some(Self::Text),
            Type::Bytes => Some(Self::Bytes),
            ty => Scalar::of(ty).map(Self::Scalar),
        }
    }

    /// Whether it is passed as one word.
    pub(crate) fn is_word(self) -> bool {
        matches!(self, Self::Scalar(_) | Self::Handle(_))
    }

    /// The word of a value, which the binding has seen to be of this type.
    #[inline]
    pub(crate) fn word(self, value: &Dynamic, kept: &mut Kept) -> Option<u64> {
        match self {
            Self::Scalar(scalar) => scalar.word(value),
            Self::Handle(class) => {
                let lock = value.read_lock::<Handle>()?;
                if value.is_shared() {
                    *kept = Kept::Handle(lock.clone());
                }
                handle::word(&lock, class)
            }
            Self::Text | Self::Bytes => None,
        }
    }

    /// Both words of a value, which the binding has seen to be of this type.
    #[inline]
    pub(crate) fn words(self, value: &Dynamic, kept: &mut Kept) -> Option<[u64; 2]> {
        fn place(bytes: &[u8]) -> [u64; 2] {
            [bytes.as_ptr() as usize as u64, bytes.len() as u64]
        }
        if self == Self::Text {
            let text = value.read_lock::<ImmutableString>()?;
            if value.is_shared() {
                *kept = Kept::Text(text.clone());
            }
            // A clone is the same text, at the same place.
            return Some(place(text.as_bytes()));
        }
        let bytes = value.read_lock::<Blob>()?;
        if !value.is_shared() {
            return Some(place(&bytes));
        }
        *kept = Kept::Bytes(bytes.clone());
        if let Kept::Bytes(bytes) = kept { Some(place(bytes)) } else { None }
    }
}

/// How a parameter of any type is passed.
#[derive(Debug)]
pub(crate) struct Passing {
    shape: Shape,
    /// What the manifest declares.
    declared: Type,
    /// Whether the manifest says more than the library does.
    narrowed: bool,
    /// Whether a buffer is written to.
    written: bool,
    /// For functions.
    form: Option<Arc<Form>>,
    /// For handles.
    class: Option<ClassId>,
}

/// The buffer that an argument is.
pub(crate) enum Borrowed<'a> {
    Ints(DynamicReadLock<'a, Ints>),
    Floats(DynamicReadLock<'a, Floats>),
}

/// An argument that is kept in place during the call.
pub(crate) enum Held<'a> {
    Word(u64),
    Handle {
        word: u64,
        /// Keeps the handle where it is.
        _lock: DynamicReadLock<'a, Handle>,
    },
    Text(DynamicReadLock<'a, ImmutableString>),
    Bytes(DynamicReadLock<'a, Blob>),
    IntArray(Vec<i64>),
    FloatArray(Vec<f64>),
    Ints(InUse<'a, i64>),
    Floats(InUse<'a, f64>),
    Encoded(Vec<u8>),
}

/// A buffer during the call.
pub(crate) enum InUse<'a, T: Number> {
    Reading(Reading<'a, T>),
    Writing(Writing<'a, T>),
}

impl Passing {
    /// A parameter that is `native` to the library and `declared` in the manifest.
    pub(crate) fn new(native: &Type, declared: &Type, written: bool, instance: &Instance) -> Self {
        let class = if let Type::Handle(name) = native { instance.class(name) } else { None };
        Self {
            class,
            shape: Shape::of(native),
            declared: declared.clone(),
            narrowed: declared != native,
            written,
            form: Form::of(native).map(Arc::new),
        }
    }

    /// Whether arguments are buffers.
    pub(crate) fn is_buffer(&self) -> bool {
        matches!(self.shape, Shape::Ints | Shape::Floats)
    }

    /// Whether arguments are functions.
    pub(crate) fn is_function(&self) -> bool {
        self.shape == Shape::Function
    }

    /// The buffer that a value is, if this is a parameter for one.
    pub(crate) fn borrow<'a>(&self, value: &'a Dynamic) -> Option<Borrowed<'a>> {
        match self.shape {
            Shape::Ints => value.read_lock().map(Borrowed::Ints),
            Shape::Floats => value.read_lock().map(Borrowed::Floats),
            _ => None,
        }
    }

    /// The argument of this index in the form in which it is passed. `value` may be the caller's variable: it is
    /// only read. `borrowed` is its buffer, and `open` is there if the function takes functions.
    ///
    /// # Errors
    ///
    /// What does not fit the declared type, or cannot cross into native code, or is in use.
    pub(crate) fn hold<'a>(
        &self,
        index: usize,
        value: &'a Dynamic,
        borrowed: Option<&'a Borrowed<'a>>,
        callbacks: &Callbacks,
        open: Option<&Open>,
    ) -> Result<Held<'a>, CallError> {
        let held = match self.shape {
            Shape::Scalar(scalar) => scalar.word(value).map(Held::Word),
            Shape::Text => {
                if self.narrowed {
                    let _: Dynamic = conform::conform(&self.declared, value.clone(), Functions::Refuse)
                        .map_err(|error| error.about_argument(index))?;
                }
                value.read_lock().map(Held::Text)
            }
            Shape::Bytes => value.read_lock().map(Held::Bytes),
            Shape::IntArray => gather(value).map(Held::IntArray),
            Shape::FloatArray => gather(value).map(Held::FloatArray),
            Shape::Ints | Shape::Floats => match borrowed {
                Some(Borrowed::Ints(buffer)) => Some(Held::Ints(InUse::of(buffer, self.written)?)),
                Some(Borrowed::Floats(buffer)) => Some(Held::Floats(InUse::of(buffer, self.written)?)),
                None => None,
            },
            Shape::Handle => value.read_lock::<Handle>().and_then(|lock| {
                let word = handle::word(&lock, self.class?)?;
                Some(Held::Handle { word, _lock: lock })
            }),
            Shape::Function => {
                let function = callbacks.callable(index, value);
                function
                    .zip(open)
                    .zip(self.form.as_ref())
                    .map(|((f, open), form)| Held::Word(open.pass(f, form)))
            }
            Shape::Encoded => {
                // Functions pass the check, to be refused for what they are.
                let encoded =
                    conform::conform(&self.declared, value.clone(), Functions::Bind(callbacks, index))
                        .and_then(|value| conform::to_value(&value));
                Some(Held::Encoded(encoded.map_err(|error| error.about_argument(index))?.encode()))
            }
            Shape::Nothing => None,
        };
        held.ok_or_else(|| self.misfit(value).about_argument(index).into())
    }

    #[cold]
    fn misfit(&self, value: &Dynamic) -> Error {
        match conform::conform(&self.declared, value.clone(), Functions::Refuse) {
            Err(error) => error,
            Ok(_) => Error::new(Code::ValueRefused, "is being changed elsewhere"),
        }
    }
}

impl<'a, T: Number> InUse<'a, T> {
    fn of(buffer: &'a caraway_loaders_core::buffer::Buffer<T>, written: bool) -> Result<Self, Error> {
        Ok(if written { Self::Writing(buffer.write()?) } else { Self::Reading(buffer.read()?) })
    }

    fn words(&mut self) -> (*const T, usize) {
        match self {
            Self::Reading(items) => (items.as_ptr(), items.len()),
            Self::Writing(items) => (items.as_mut_ptr().cast_const(), items.len()),
        }
    }
}

/// The numbers of an array, if they are.
fn gather<T: Number>(value: &Dynamic) -> Option<Vec<T>> {
    let items = value.read_lock::<Array>()?;
    let mut numbers = Vec::with_capacity(items.len());
    for item in items.iter() {
        numbers.push(T::of(item)?);
    }
    Some(numbers)
}

impl Held<'_> {
    /// Appends the argument's words, which are valid as long as this is.
    pub(crate) fn push_to(&mut self, words: &mut Words) {
        fn place<T>(words: &mut Words, (start, len): (*const T, usize)) {
            words.push(start as usize as u64);
            words.push(len as u64);
        }
        fn slice<T>(words: &mut Words, items: &[T]) {
            place(words, (items.as_ptr(), items.len()));
        }
        match self {
            Held::Word(word) | Held::Handle { word, .. } => words.push(*word),
            Held::Text(text) => slice(words, text.as_bytes()),
            Held::Bytes(bytes) => slice(words, bytes),
            Held::IntArray(ints) => slice(words, ints),
            Held::FloatArray(floats) => slice(words, floats),
            Held::Ints(ints) => place(words, ints.words()),
            Held::Floats(floats) => place(words, floats.words()),
            Held::Encoded(bytes) => slice(words, bytes),
        }
    }
}
