//! Calls of functions of a few numbers in C's own way.

use super::call::{Failure, failed, panicked};
use super::host;
use super::out::Out;
use super::sealed::Sealed;
use caraway_abi::{NO_MEMORY, OUT_WORDS, Ret, Status};
use std::any::Any;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A result that has a register: `i64`, `f64`, `bool`, `char`, `()`, and a `Result` of these.
pub trait Scalar: Sealed {
    /// `i64` or `f64`.
    type Word: Copy + Default;

    /// What the register holds.
    fn word(self) -> Result<Self::Word, Failure>;
}

macro_rules! scalars {
    ($($ty:ty => $word:ty: |$value:pat_param| $convert:expr),* $(,)?) => {$(
        impl Scalar for $ty {
            type Word = $word;

            #[inline]
            fn word(self) -> Result<$word, Failure> {
                let $value = self;
                Ok($convert)
            }
        }
    )*};
}

scalars!(
    i64 => i64: |int| int,
    f64 => f64: |float| float,
    bool => i64: |bool| i64::from(bool),
    char => i64: |char| i64::from(u32::from(char)),
    () => i64: |()| 0,
);

impl<T: Scalar, E: Display + 'static> Scalar for Result<T, E> {
    type Word = T::Word;

    #[inline]
    fn word(self) -> Result<T::Word, Failure> {
        match self {
            Ok(value) => value.word(),
            Err(error) => Err(Failure::of(&error)),
        }
    }
}

/// The argument that a register holds.
#[inline]
pub fn char(word: i64) -> Result<char, Failure> {
    u32::try_from(word)
        .ok()
        .and_then(char::from_u32)
        .ok_or_else(|| Failure::text("an argument is no Unicode scalar value"))
}

/// Runs `body`; panics end here.
#[inline]
pub fn typed<R: Scalar>(body: impl FnOnce() -> Result<R, Failure>) -> Ret<R::Word> {
    match catch_unwind(AssertUnwindSafe(|| body()?.word())) {
        Ok(Ok(value)) => Ret { value, failure: std::ptr::null_mut() },
        Ok(Err(failure)) => Ret { value: R::Word::default(), failure: refused(Ok(failure)) },
        Err(payload) => Ret { value: R::Word::default(), failure: refused(Err(payload)) },
    }
}

/// A failure or a panic in memory of the host.
#[cold]
fn refused(reason: Result<Failure, Box<dyn Any + Send>>) -> *mut caraway_abi::Failure {
    let mut words = [0; OUT_WORDS];
    // SAFETY: there is room for the words.
    let mut out = unsafe { Out::new(words.as_mut_ptr()) };
    let status = match reason {
        Ok(failure) => failed(failure, &mut out),
        Err(payload) => panicked(payload, &mut out),
    };
    if status == Status::OutOfMemory {
        return NO_MEMORY;
    }
    let size = size_of::<caraway_abi::Failure>();
    let failure = host::alloc(size, align_of::<caraway_abi::Failure>()).cast::<caraway_abi::Failure>();
    if failure.is_null() {
        return NO_MEMORY;
    }
    // SAFETY: the host gave room for just this.
    unsafe { failure.write(caraway_abi::Failure { status: status as i32, out: words }) };
    failure
}
