use super::argument::Argument;
use super::call::{Args, Failure};
use super::callback_error::CallbackError;
use super::data::Data;
use super::host;
use super::out::{Out, release};
use super::sealed::Sealed;
use super::shape::Shape;
use super::spec::Spec;
use super::type_name::TypeName;
use caraway_abi::{CALLBACK_OUT_WORDS, HostApi, OUT_WORDS, Status, TypeDef};
use std::fmt;

/// A function that a script has passed, `|x| x > 1`, to be called during this call.
///
/// `F` says what it takes and gives back, as a type of Rust functions with at most four parameters: each of them
/// a [`Data`], the result one too or `()`. Any thread may call it while the plugin's function runs.
///
/// ```
/// use caraway_plugin::prelude::*;
///
/// #[plugin]
/// mod search {
///     use caraway_plugin::prelude::*;
///
///     /// The first number that the script likes. In signatures: `likes: fn(int) -> bool`.
///     pub fn find(xs: &[i64], likes: Callback<fn(i64) -> bool>) -> Result<Option<i64>, CallbackError> {
///         for x in xs {
///             if likes.call(*x)? {
///                 return Ok(Some(*x));
///             }
///         }
///         Ok(None)
///     }
/// }
///
/// // A test of the plugin's own passes a closure.
/// let found = search::find(&[1, 2, 3], Callback::new(&|x: i64| Ok(x > 1)));
/// assert_eq!(found.unwrap(), Some(2));
/// ```
pub struct Callback<'a, F: Function> {
    target: Target<'a, F>,
}

enum Target<'a, F: Function> {
    /// A word of the host's.
    Host(u64),
    /// A closure of the plugin's own tests.
    Closure(&'a F::Closure<'a>),
}

/// The types of functions that a [`Callback`] may have: `fn() -> R` to `fn(A, B, C, D) -> R`, each parameter a
/// [`Data`] and the result one too or `()`. It cannot be implemented elsewhere.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no type of a callback",
    label = "not for a `Callback`",
    note = "it is written `Callback<fn(i64, String) -> bool>`, with at most four parameters and without references"
)]
pub trait Function: Sealed {
    #[doc(hidden)]
    type Closure<'a>: ?Sized;

    #[doc(hidden)]
    const NAME: TypeName;

    /// The structs and enums that it names.
    #[doc(hidden)]
    const TYPES: &'static [Option<&'static TypeDef>];
}

impl<'a, F: Function> Callback<'a, F> {
    /// A callback that calls this closure, `&|x: i64| Ok(x > 1)`. For the plugin's own tests: they have no host.
    pub fn new(closure: &'a impl Closure<F>) -> Self {
        Self { target: Target::Closure(closure.as_dyn()) }
    }
}

/// A closure that stands for a [`Callback`] of the type `F`: `Fn(A) -> Result<R, CallbackError> + Sync` for
/// `fn(A) -> R`.
pub trait Closure<F: Function> {
    #[doc(hidden)]
    fn as_dyn<'a>(&'a self) -> &'a F::Closure<'a>;
}

impl<F: Function> Sealed for Callback<'_, F> {}

impl<'a, F: Function> Argument<'a> for Callback<'a, F> {
    const SPEC: Spec = Spec::naming(F::NAME, F::TYPES);

    fn take(args: &mut Args<'a>) -> Result<Self, Failure> {
        Ok(Self { target: Target::Host(args.word()) })
    }
}

impl<F: Function> Clone for Callback<'_, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F: Function> Copy for Callback<'_, F> {}

impl<F: Function> Clone for Target<'_, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F: Function> Copy for Target<'_, F> {}

impl<F: Function> fmt::Debug for Callback<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(F::NAME.as_str())
    }
}

macro_rules! arities {
    ($(($($param:ident $value:ident),*))*) => {$(
        impl<$($param: Data,)* R: Answer> Sealed for fn($($param),*) -> R {}

        impl<$($param: Data,)* R: Answer> Function for fn($($param),*) -> R {
            type Closure<'a> = dyn Fn($($param),*) -> Result<R, CallbackError> + Sync + 'a;

            const NAME: TypeName = R::NAME.of_function(&[$($param::TYPE),*]);
            const TYPES: &'static [Option<&'static TypeDef>] = &[$($param::DEFINITION,)* R::TYPES];
        }

        impl<Fun, $($param: Data,)* R: Answer> Closure<fn($($param),*) -> R> for Fun
        where
            Fun: Fn($($param),*) -> Result<R, CallbackError> + Sync,
        {
            fn as_dyn<'a>(&'a self) -> &'a (dyn Fn($($param),*) -> Result<R, CallbackError> + Sync + 'a) {
                self
            }
        }

        impl<'a, $($param: Data,)* R: Answer> Callback<'a, fn($($param),*) -> R> {
            /// Calls it with a tuple of arguments, `f.call((x, y))`; a single one may stand for itself, `f.call(x)`.
            ///
            /// # Errors
            ///
            /// What the script's function throws, and a result of another type than `R`.
            pub fn call(&self, arguments: impl Arguments<($($param,)*)>) -> Result<R, CallbackError> {
                let ($($value,)*) = arguments.tuple();
                match self.target {
                    Target::Closure(closure) => closure($($value),*),
                    Target::Host(function) => {
                        #[allow(unused_mut)]
                        let mut words = Words::new();
                        $(words.push($value)?;)*
                        words.call(function)
                    }
                }
            }
        }
    )*};
}

arities!(
    ()
    (A a)
    (A a, B b)
    (A a, B b, C c)
    (A a, B b, C c, D d)
);

/// The arguments of a callback: `T`, a tuple, or what stands in it alone.
pub trait Arguments<T>: Sized {
    #[doc(hidden)]
    fn tuple(self) -> T;
}

impl<A: Data> Arguments<(A,)> for A {
    fn tuple(self) -> (A,) {
        (self,)
    }
}

macro_rules! tuples {
    ($(($($param:ident),*))*) => {$(
        impl<$($param: Data),*> Arguments<($($param,)*)> for ($($param,)*) {
            fn tuple(self) -> Self {
                self
            }
        }
    )*};
}

tuples!(()(A)(A, B)(A, B, C)(A, B, C, D));

/// What a callback gives back: every [`Data`], and `()`. It cannot be implemented elsewhere.
pub trait Answer: Sealed + Sized {
    #[doc(hidden)]
    const NAME: TypeName;

    #[doc(hidden)]
    const TYPES: Option<&'static TypeDef>;

    #[doc(hidden)]
    const SHAPE: Shape;

    #[doc(hidden)]
    fn read(words: &mut Args<'_>) -> Result<Self, Failure>;
}

impl<T: Data> Answer for T {
    const NAME: TypeName = T::TYPE;
    const TYPES: Option<&'static TypeDef> = T::DEFINITION;
    const SHAPE: Shape = T::SHAPE;

    fn read(words: &mut Args<'_>) -> Result<Self, Failure> {
        T::take(words)
    }
}

impl Answer for () {
    const NAME: TypeName = TypeName::new("void");
    const TYPES: Option<&'static TypeDef> = None;
    const SHAPE: Shape = Shape::Word;

    fn read(_words: &mut Args<'_>) -> Result<Self, Failure> {
        Ok(())
    }
}

/// The most parameters of a callback.
const PARAMS: usize = 4;

/// The words of a callback's arguments, and the memory that they point at.
struct Words {
    words: [u64; 2 * PARAMS],
    len: usize,
    kept: [[u64; OUT_WORDS]; PARAMS],
    shapes: [Shape; PARAMS],
    count: usize,
}

impl Words {
    fn new() -> Self {
        Self {
            words: [0; 2 * PARAMS],
            len: 0,
            kept: [[0; OUT_WORDS]; PARAMS],
            shapes: [Shape::Word; PARAMS],
            count: 0,
        }
    }

    /// Adds an argument. Its words are those of a result, less the capacity.
    fn push<T: Data>(&mut self, value: T) -> Result<(), CallbackError> {
        let mut out = [0; OUT_WORDS];
        // SAFETY: there is room for the words.
        value.give(&mut unsafe { Out::new(out.as_mut_ptr()) }).map_err(unsuitable)?;
        let words = T::SHAPE.argument_words();
        self.words[self.len..self.len + words].copy_from_slice(&out[..words]);
        self.len += words;
        self.kept[self.count] = out;
        self.shapes[self.count] = T::SHAPE;
        self.count += 1;
        Ok(())
    }

    fn call<R: Answer>(self, function: u64) -> Result<R, CallbackError> {
        let Some((host, call)) = host::get().and_then(|host| Some((host, host.call?))) else {
            return Err(CallbackError::new("the host cannot call a script's function"));
        };
        let mut out = [0; CALLBACK_OUT_WORDS];
        // SAFETY: the callback is the host's, and borrowed for as long as it is valid; the words are those of
        // its parameters, and `out` has room.
        let status = unsafe { call(function, self.words.as_ptr(), out.as_mut_ptr()) };
        match Status::from_code(status) {
            Some(Status::Ok) => {
                let _memory = Memory { host, words: &out, shape: R::SHAPE };
                // SAFETY: the words of a result begin as those of an argument do.
                R::read(&mut unsafe { Args::new(out.as_ptr()) }).map_err(unsuitable)
            }
            Some(Status::Raised) => {
                let _memory = Memory { host, words: &out, shape: Shape::ENCODED };
                // SAFETY: a message is passed as a string is, but the host is not believed that it is UTF-8.
                let message = unsafe { Args::new(out.as_ptr()).slice::<u8>() };
                Err(CallbackError::raised(String::from_utf8_lossy(message).into_owned(), out[OUT_WORDS]))
            }
            Some(Status::OutOfMemory) => Err(CallbackError::new("the host has no memory for the call")),
            _ => Err(CallbackError::new(format!("the host gave back the status {status}"))),
        }
    }
}

impl Drop for Words {
    fn drop(&mut self) {
        for (words, shape) in self.kept.iter().zip(self.shapes).take(self.count) {
            if let Some((pointer, size, align)) = shape.memory(words) {
                // SAFETY: `Out::buffer` has made the words.
                unsafe { release(pointer, size, align) };
            }
        }
    }
}

/// The host's memory of a result.
struct Memory<'a> {
    host: &'a HostApi,
    words: &'a [u64; CALLBACK_OUT_WORDS],
    shape: Shape,
}

impl Drop for Memory<'_> {
    fn drop(&mut self) {
        if let Some((pointer, size, align)) = self.shape.memory(self.words) {
            // SAFETY: the host has given this memory to the plugin, to be freed like this.
            unsafe { (self.host.free)(pointer, size, align) };
        }
    }
}

/// What cannot be passed, or read.
#[cold]
fn unsuitable(failure: Failure) -> CallbackError {
    CallbackError::new(match failure {
        Failure::Message(message) => message,
        Failure::Argument(mismatch) => format!("the function's result {mismatch}"),
        Failure::Raised(_) | Failure::OutOfMemory => "there is no memory for the call".to_owned(),
    })
}
