use super::call::{Args, Failure};
use super::out::Out;
use super::sealed::Sealed;
use crate::{Type, Value};
use std::fmt;

/// A Rust type that plugins take and give back.
///
/// It is implemented for `i64`, `f64`, `bool`, `char`, `String`, [`Value`], `Vec<T>`, `HashMap<String, T>`,
/// `BTreeMap<String, T>` and `Option<T>`.
///
/// ```
/// use caraway_plugin::Value;
/// use caraway_plugin::export::Data;
///
/// assert_eq!(<Vec<Option<f64>> as Data>::ty().to_string(), "array<float?>");
///
/// let value = vec![Some(1.5), None].into_value();
/// assert_eq!(value, Value::Array(vec![Value::Float(1.5), Value::Unit]));
///
/// let error = Vec::<i64>::from_value(Value::Array(vec![Value::Bool(true)])).unwrap_err();
/// assert_eq!(error.to_string(), "must be int, found bool at `[0]`");
/// ```
///
/// It cannot be implemented elsewhere, since how a value is read must fit what its type is called. A function
/// converts types of its own:
///
/// ```
/// struct Celsius(f64);
///
/// #[caraway_plugin::plugin]
/// mod weather {
///     use super::Celsius;
///
///     pub fn freezes(degrees: f64) -> bool {
///         Celsius(degrees).0 <= 0.0
///     }
/// }
/// # fn main() {}
/// ```
///
/// ```compile_fail,E0277
/// use caraway_plugin::export::{Data, Mismatch};
/// use caraway_plugin::{Type, Value};
///
/// struct Celsius(f64);
///
/// impl Data for Celsius {
///     fn ty() -> Type {
///         Type::Float
///     }
///     fn from_value(value: Value) -> Result<Self, Mismatch> {
///         f64::from_value(value).map(Celsius)
///     }
///     fn into_value(self) -> Value {
///         Value::Float(self.0)
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "a plugin's function cannot take or give back `{Self}`",
    label = "no type of scripts stands for `{Self}`",
    note = "supported are i64, f64, bool, char, String, Value, Vec<T>, HashMap<String, T>, BTreeMap<String, T> and Option<T>",
    note = "as parameters also &str, &[u8], &[i64] and &[f64]; as results also (), &str and Result<T, E> where E: Display",
    note = "for other integers take an i64 and convert it, so that what is out of range is your decision"
)]
pub trait Data: Sealed + Sized {
    /// What the type is called in signatures.
    fn ty() -> Type;

    /// The value as this type.
    ///
    /// # Errors
    ///
    /// What does not fit, and where.
    fn from_value(value: Value) -> Result<Self, Mismatch>;

    /// This as a value.
    fn into_value(self) -> Value;

    /// Reads an argument.
    #[doc(hidden)]
    fn take(args: &mut Args<'_>) -> Result<Self, Failure> {
        Ok(Self::from_value(args.decode()?)?)
    }

    /// Writes a result.
    #[doc(hidden)]
    fn give(self, out: &mut Out) -> Result<(), Failure> {
        out.slice(&self.into_value().encode())
    }
}

/// A value that is of another type than expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    expected: Type,
    found: &'static str,
    /// From the inside out.
    path: Vec<String>,
}

impl Mismatch {
    /// `found` is not of the type `expected`.
    pub fn new(expected: Type, found: &Value) -> Self {
        Self { expected, found: found.type_name(), path: Vec::new() }
    }

    /// The same, inside an array at `index`.
    #[must_use]
    pub fn at_index(mut self, index: usize) -> Self {
        self.path.push(format!("[{index}]"));
        self
    }

    /// The same, inside a map at `key`.
    #[must_use]
    pub fn at_key(mut self, key: &str) -> Self {
        self.path.push(format!(".{key}"));
        self
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "must be {}, found {}", self.expected, self.found)?;
        if self.path.is_empty() {
            return Ok(());
        }
        let path: String = self.path.iter().rev().map(String::as_str).collect();
        write!(f, " at `{}`", path.trim_start_matches('.'))
    }
}

impl std::error::Error for Mismatch {}
