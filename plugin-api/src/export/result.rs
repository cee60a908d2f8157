use super::call::Failure;
use super::data::Data;
use super::out::Out;
use super::spec::Spec;
use super::type_name::TypeName;
use std::fmt::Display;

/// What a plugin's function gives back: every [`Data`], [`Buffer`](super::Buffer), a type that derives
/// [`Handle`](super::Handle), `&str`, `()`, and a `Result` of these, whose error is thrown in the script as it
/// displays.
///
/// An error that came from a [`Callback`](super::Callback) is thrown as it was: as a
/// [`CallbackError`](super::CallbackError) or inside an [`Error`](super::Error). It cannot be implemented
/// elsewhere.
#[diagnostic::on_unimplemented(
    message = "no type of scripts stands for `{Self}`",
    label = "not for the functions of plugins",
    note = "as a parameter it may be i64, f64, bool, char, String, Value, Vec<T>, HashMap<String, T>, BTreeMap<String, T>, Option<T>, Box<T>, &str, &[u8], &[i64], &[f64], &mut [i64], &mut [f64], Buffer, Callback, &Context",
    note = "as a result one of those that own what they hold, (), &str or a Result<T, E> of these where E: Display + 'static",
    note = "a struct or enum of your own derives `Data`, and what scripts only hold derives `Handle`: that crosses as a whole, `&T`, `&mut T` or `T`, and not inside of another type",
    note = "for other integers take an i64 and convert it, so that what is out of range is your decision"
)]
pub trait Return: Sized {
    #[doc(hidden)]
    const SPEC: Spec;

    /// Writes the result.
    #[doc(hidden)]
    fn give(self, out: &mut Out) -> Result<(), Failure>;
}

impl<T: Data> Return for T {
    const SPEC: Spec = Spec::naming(T::TYPE, &[T::DEFINITION]);

    #[inline]
    fn give(self, out: &mut Out) -> Result<(), Failure> {
        Data::give(self, out)
    }
}

impl Return for () {
    const SPEC: Spec = Spec::nothing();

    #[inline]
    fn give(self, _out: &mut Out) -> Result<(), Failure> {
        Ok(())
    }
}

impl Return for &str {
    const SPEC: Spec = Spec::plain(TypeName::new("string"));

    fn give(self, out: &mut Out) -> Result<(), Failure> {
        out.buffer(self.as_bytes().to_vec())
    }
}

impl<T: Return, E: Display + 'static> Return for Result<T, E> {
    const SPEC: Spec = T::SPEC;

    #[inline]
    fn give(self, out: &mut Out) -> Result<(), Failure> {
        match self {
            Ok(value) => value.give(out),
            Err(error) => Err(Failure::of(&error)),
        }
    }
}
