use super::call::{Args, Failure};
use super::data::Data;
use super::sealed::Sealed;
use crate::Type;

/// What a plugin's function takes: every [`Data`], and what it can borrow for the duration of the call.
///
/// Borrowed are `&str`, `&[u8]` (`bytes`), `&[i64]` (`array<int>`) and `&[f64]` (`array<float>`).
/// It cannot be implemented elsewhere.
#[diagnostic::on_unimplemented(
    message = "a plugin's function cannot take `{Self}`",
    label = "no type of scripts stands for `{Self}`",
    note = "supported are i64, f64, bool, char, &str, String, &[u8], &[i64], &[f64], Value, Vec<T>, HashMap<String, T>, BTreeMap<String, T> and Option<T>"
)]
pub trait Argument<'a>: Sealed + Sized {
    /// What the type is called in signatures.
    fn ty() -> Type;

    /// Reads an argument.
    #[doc(hidden)]
    fn take(args: &mut Args<'a>) -> Result<Self, Failure>;
}

impl<'a, T: Data> Argument<'a> for T {
    fn ty() -> Type {
        T::ty()
    }

    fn take(args: &mut Args<'a>) -> Result<Self, Failure> {
        T::take(args)
    }
}

impl<'a> Argument<'a> for &'a str {
    fn ty() -> Type {
        Type::String
    }

    fn take(args: &mut Args<'a>) -> Result<Self, Failure> {
        // SAFETY: a string is passed as its UTF-8 bytes.
        Ok(unsafe { std::str::from_utf8_unchecked(args.slice()) })
    }
}

macro_rules! slices {
    ($($item:ty => $ty:expr),*) => {$(
        impl<'a> Argument<'a> for &'a [$item] {
            fn ty() -> Type {
                $ty
            }

            fn take(args: &mut Args<'a>) -> Result<Self, Failure> {
                // SAFETY: this is how a parameter of this type is passed.
                Ok(unsafe { args.slice() })
            }
        }
    )*};
}

slices!(
    u8 => Type::Bytes,
    i64 => Type::Array(Box::new(Type::Int)),
    f64 => Type::Array(Box::new(Type::Float))
);
