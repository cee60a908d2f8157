use super::call::Failure;
use super::crossing::crossing;
use super::data::Data;
use super::out::Out;
use super::spec::Spec;
use super::type_name::TypeName;
use std::fmt::Display;

crossing! {
    /// What a plugin's function gives back: every [`Data`], [`Buffer`](super::Buffer), a type that derives
    /// [`Handle`](super::Handle), `&str`, `()`, and a `Result` of these, whose error is thrown in the script as it
    /// displays.
    ///
    /// An error that came from a [`Callback`](super::Callback) is thrown as it was: as a
    /// [`CallbackError`](super::CallbackError) or inside an [`Error`](super::Error). It cannot be implemented
    /// elsewhere.
    pub trait Return: Sized {
        #[doc(hidden)]
        const SPEC: Spec;

        /// Writes the result.
        #[doc(hidden)]
        fn give(self, out: &mut Out) -> Result<(), Failure>;
    }
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
