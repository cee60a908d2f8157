use super::call::Failure;
use super::data::Data;
use super::out::Out;
use super::sealed::Sealed;
use crate::Type;
use std::fmt::Display;

/// What a plugin's function gives back: every [`Data`], `&str`, `()`, and a `Result` of these whose error is
/// thrown in the script as it displays. It cannot be implemented elsewhere.
#[diagnostic::on_unimplemented(
    message = "a plugin's function cannot give back `{Self}`",
    label = "no type of scripts stands for `{Self}`",
    note = "supported are (), i64, f64, bool, char, &str, String, Value, Vec<T>, HashMap<String, T>, BTreeMap<String, T>, Option<T> and Result<T, E> where E: Display"
)]
pub trait Return: Sealed + Sized {
    /// What the type is called in signatures.
    fn ty() -> Type;

    /// Writes the result.
    #[doc(hidden)]
    fn give(self, out: &mut Out) -> Result<(), Failure>;
}

impl<T: Data> Return for T {
    fn ty() -> Type {
        T::ty()
    }

    fn give(self, out: &mut Out) -> Result<(), Failure> {
        Data::give(self, out)
    }
}

impl Return for () {
    fn ty() -> Type {
        Type::Void
    }

    fn give(self, _out: &mut Out) -> Result<(), Failure> {
        Ok(())
    }
}

impl Return for &str {
    fn ty() -> Type {
        Type::String
    }

    fn give(self, out: &mut Out) -> Result<(), Failure> {
        out.slice(self.as_bytes())
    }
}

impl<T: Return, E: Display> Return for Result<T, E> {
    fn ty() -> Type {
        T::ty()
    }

    fn give(self, out: &mut Out) -> Result<(), Failure> {
        match self {
            Ok(value) => value.give(out),
            Err(error) => Err(Failure::Message(error.to_string())),
        }
    }
}
