use super::call::{Args, Failure};
use super::data::{Data, Mismatch};
use super::out::Out;
use super::sealed::Sealed;
use crate::{Type, Value};

/// What stands in a `Vec`: every [`Data`], and `u8`, of which `bytes` are made.
///
/// It cannot be implemented elsewhere:
///
/// ```compile_fail,E0277
/// use caraway_plugin::export::{Item, Mismatch};
/// use caraway_plugin::{Type, Value};
///
/// struct Flag;
///
/// impl Item for Flag {
///     fn array_ty() -> Type {
///         Type::Array(Box::new(Type::Bool))
///     }
///     fn array_from_value(_: Value) -> Result<Vec<Self>, Mismatch> {
///         Ok(Vec::new())
///     }
///     fn array_into_value(_: Vec<Self>) -> Value {
///         Value::Array(Vec::new())
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "a plugin's function cannot take or give back `Vec<{Self}>`",
    label = "no type of scripts stands for `{Self}`",
    note = "in a Vec are supported u8 (bytes), i64, f64, bool, char, String, Value, Vec<T>, HashMap<String, T>, BTreeMap<String, T> and Option<T>"
)]
pub trait Item: Sealed + Sized {
    /// What a `Vec` of these is called in signatures.
    fn array_ty() -> Type;

    /// A `Vec` of these from a value.
    ///
    /// # Errors
    ///
    /// What does not fit, and where.
    fn array_from_value(value: Value) -> Result<Vec<Self>, Mismatch>;

    /// A `Vec` of these as a value.
    fn array_into_value(items: Vec<Self>) -> Value;

    /// Reads an argument.
    #[doc(hidden)]
    fn take_array(args: &mut Args<'_>) -> Result<Vec<Self>, Failure> {
        Ok(Self::array_from_value(args.decode()?)?)
    }

    /// Writes a result.
    #[doc(hidden)]
    fn give_array(items: Vec<Self>, out: &mut Out) -> Result<(), Failure> {
        out.slice(&Self::array_into_value(items).encode())
    }
}

fn from_value<T: Data>(value: Value) -> Result<Vec<T>, Mismatch> {
    match value {
        Value::Array(items) => items
            .into_iter()
            .enumerate()
            .map(|(index, item)| T::from_value(item).map_err(|mismatch| mismatch.at_index(index)))
            .collect(),
        other => Err(Mismatch::new(Type::Array(Box::new(T::ty())), &other)),
    }
}

fn into_value<T: Data>(items: Vec<T>) -> Value {
    Value::Array(items.into_iter().map(T::into_value).collect())
}

/// Items that are passed as part of an encoded value.
macro_rules! encoded {
    ($([$($generics:tt)*] $item:ty),* $(,)?) => {$(
        impl<$($generics)*> Item for $item {
            fn array_ty() -> Type {
                Type::Array(Box::new(<$item>::ty()))
            }

            fn array_from_value(value: Value) -> Result<Vec<Self>, Mismatch> {
                from_value(value)
            }

            fn array_into_value(items: Vec<Self>) -> Value {
                into_value(items)
            }
        }
    )*};
}

encoded!(
    [] bool,
    [] char,
    [] String,
    [] Value,
    [T: Item] Vec<T>,
    [T: Data] Option<T>,
    [T: Data, S: std::hash::BuildHasher + Default] std::collections::HashMap<String, T, S>,
    [T: Data] std::collections::BTreeMap<String, T>,
);

/// Items that are passed as a slice.
macro_rules! gathered {
    ($($item:ty),*) => {$(
        impl Item for $item {
            fn array_ty() -> Type {
                Type::Array(Box::new(<$item>::ty()))
            }

            fn array_from_value(value: Value) -> Result<Vec<Self>, Mismatch> {
                from_value(value)
            }

            fn array_into_value(items: Vec<Self>) -> Value {
                into_value(items)
            }

            fn take_array(args: &mut Args<'_>) -> Result<Vec<Self>, Failure> {
                // SAFETY: this is how an array of these is passed.
                Ok(unsafe { args.slice() }.to_vec())
            }

            fn give_array(items: Vec<Self>, out: &mut Out) -> Result<(), Failure> {
                out.slice(&items)
            }
        }
    )*};
}

gathered!(i64, f64);

impl Item for u8 {
    fn array_ty() -> Type {
        Type::Bytes
    }

    fn array_from_value(value: Value) -> Result<Vec<Self>, Mismatch> {
        match value {
            Value::Bytes(bytes) => Ok(bytes),
            other => Err(Mismatch::new(Type::Bytes, &other)),
        }
    }

    fn array_into_value(items: Vec<Self>) -> Value {
        Value::Bytes(items)
    }

    fn take_array(args: &mut Args<'_>) -> Result<Vec<Self>, Failure> {
        // SAFETY: this is how bytes are passed.
        Ok(unsafe { args.slice() }.to_vec())
    }

    fn give_array(items: Vec<Self>, out: &mut Out) -> Result<(), Failure> {
        out.slice(&items)
    }
}
