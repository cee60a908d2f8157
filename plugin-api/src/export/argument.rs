use super::call::{Args, Failure};
use super::data::Data;
use super::spec::Spec;
use super::type_name::TypeName;

/// What a plugin's function takes by value: every [`Data`], [`Buffer`](super::Buffer),
/// [`Callback`](super::Callback), and a type that derives [`Handle`](super::Handle), which closes the handle.
///
/// It cannot be implemented elsewhere. For what is taken by reference see [`Lent`](super::Lent).
#[diagnostic::on_unimplemented(
    message = "no type of scripts stands for `{Self}`",
    label = "not for the functions of plugins",
    note = "as a parameter it may be i64, f64, bool, char, String, Value, Vec<T>, HashMap<String, T>, BTreeMap<String, T>, Option<T>, Box<T>, &str, &[u8], &[i64], &[f64], &mut [i64], &mut [f64], Buffer, Callback, &Context",
    note = "as a result one of those that own what they hold, (), &str or a Result<T, E> of these where E: Display + 'static",
    note = "a struct or enum of your own derives `Data`, and what scripts only hold derives `Handle`: that crosses as a whole, `&T`, `&mut T` or `T`, and not inside of another type",
    note = "for other integers take an i64 and convert it, so that what is out of range is your decision"
)]
pub trait Argument<'a>: Sized {
    #[doc(hidden)]
    const SPEC: Spec;

    /// Reads an argument.
    #[doc(hidden)]
    fn take(args: &mut Args<'a>) -> Result<Self, Failure>;
}

impl<'a, T: Data> Argument<'a> for T {
    const SPEC: Spec = Spec::naming(T::TYPE, &[T::DEFINITION]);

    #[inline]
    fn take(args: &mut Args<'a>) -> Result<Self, Failure> {
        T::take(args)
    }
}

// A reference by another name, `type Text<'a> = &'a str`, is a parameter by value to the macro.

impl<'a> Argument<'a> for &'a str {
    const SPEC: Spec = Spec::plain(TypeName::new("string"));

    #[inline]
    fn take(args: &mut Args<'a>) -> Result<Self, Failure> {
        // SAFETY: this is how a string is passed.
        Ok(unsafe { args.text() })
    }
}

macro_rules! slices {
    ($($item:ty => $name:literal),*) => {$(
        impl<'a> Argument<'a> for &'a [$item] {
            const SPEC: Spec = Spec::plain(TypeName::new($name));

            #[inline]
            fn take(args: &mut Args<'a>) -> Result<Self, Failure> {
                // SAFETY: this is how a parameter of this type is passed.
                Ok(unsafe { args.slice() })
            }
        }
    )*};
}

slices!(u8 => "bytes", i64 => "array<int>", f64 => "array<float>");
