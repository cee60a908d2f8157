use super::argument::Argument;
use super::call::{Args, Failure};
use super::out::Out;
use super::result::Return;
use super::sealed::Sealed;
use super::spec::Spec;
use super::type_name::TypeName;
use std::borrow::Cow;
use std::ops::Deref;

/// A script's `ints` or `floats`: numbers in one piece, `T` being `i64` or `f64`.
///
/// As a parameter it borrows the script's buffer without a copy, to be read; `&mut [f64]` is one that the
/// function writes to. As a result it is made of a `Vec`, without a copy either. `&[f64]` and `Vec<f64>` are
/// not buffers but ordinary arrays, whose numbers the host gathers.
///
/// ```
/// use caraway_plugin::prelude::*;
///
/// #[plugin]
/// mod waves {
///     use caraway_plugin::prelude::*;
///
///     /// In signatures: `sum(xs: floats) -> float`.
///     pub fn sum(xs: Buffer<f64>) -> f64 {
///         xs.iter().sum()
///     }
///
///     pub fn ramp(n: i64) -> Buffer<'static, f64> {
///         (0..n).map(|i| i as f64).collect::<Vec<_>>().into()
///     }
///
///     /// In the script's own buffer.
///     pub fn scale(xs: &mut [f64], factor: f64) {
///         xs.iter_mut().for_each(|x| *x *= factor);
///     }
/// }
///
/// assert_eq!(waves::sum(waves::ramp(4)), 6.0);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Buffer<'a, T: Number> {
    numbers: Cow<'a, [T]>,
}

/// What a [`Buffer`] holds: `i64` or `f64`.
#[diagnostic::on_unimplemented(
    message = "there are no buffers of `{Self}`",
    label = "neither `i64` nor `f64`",
    note = "bytes are `&[u8]` and `Vec<u8>`; other things are in a `Vec<T>`"
)]
pub trait Number: Sealed + Copy + PartialEq + 'static {
    #[doc(hidden)]
    const BUFFER: TypeName;
}

impl Number for i64 {
    const BUFFER: TypeName = TypeName::new("ints");
}

impl Number for f64 {
    const BUFFER: TypeName = TypeName::new("floats");
}

impl<'a, T: Number> Buffer<'a, T> {
    /// A buffer that borrows these numbers.
    pub const fn new(numbers: &'a [T]) -> Self {
        Self { numbers: Cow::Borrowed(numbers) }
    }

    /// The numbers, copied where they are borrowed.
    pub fn into_vec(self) -> Vec<T> {
        self.numbers.into_owned()
    }
}

impl<T: Number> From<Vec<T>> for Buffer<'_, T> {
    fn from(numbers: Vec<T>) -> Self {
        Self { numbers: Cow::Owned(numbers) }
    }
}

impl<T: Number> Deref for Buffer<'_, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.numbers
    }
}

impl<T: Number> Sealed for Buffer<'_, T> {}

impl<'a, T: Number> Argument<'a> for Buffer<'a, T> {
    const SPEC: Spec = Spec::plain(T::BUFFER);

    #[inline]
    fn take(args: &mut Args<'a>) -> Result<Self, Failure> {
        // SAFETY: this is how a buffer is passed.
        Ok(Self::new(unsafe { args.slice() }))
    }
}

impl<T: Number> Return for Buffer<'_, T> {
    const SPEC: Spec = Spec::plain(T::BUFFER);

    fn give(self, out: &mut Out) -> Result<(), Failure> {
        out.buffer(self.into_vec())
    }
}
