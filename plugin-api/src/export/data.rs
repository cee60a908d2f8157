use super::call::{Args, Failure};
use super::crossing::crossing;
use super::lent::Slice;
use super::mismatch::Mismatch;
use super::out::Out;
use super::sealed::Sealed;
use super::shape::Shape;
use super::type_name::TypeName;
use crate::Value;
use caraway_abi::TypeDef;

crossing! {
    /// A Rust type whose values cross a plugin's boundary as copies.
    ///
    /// It is implemented for `i64`, `f64`, `bool`, `char`, `String`, [`Value`], `Vec<T>`, `HashMap<String, T>`,
    /// `BTreeMap<String, T>`, `Option<T>` and `Box<T>`, and derived for structs and enums of your own.
    ///
    /// ```
    /// use caraway_plugin::Value;
    /// use caraway_plugin::export::Data;
    ///
    /// assert_eq!(<Vec<Option<f64>> as Data>::TYPE.as_str(), "array<float?>");
    ///
    /// let value = vec![Some(1.5), None].into_value();
    /// assert_eq!(value, Value::Array(vec![Value::Float(1.5), Value::Unit]));
    ///
    /// let error = Vec::<i64>::from_value(Value::Array(vec![Value::Bool(true)])).unwrap_err();
    /// assert_eq!(error.to_string(), "must be int, found bool at `[0]`");
    /// ```
    ///
    /// It cannot be implemented by hand, since how a value is read must fit what its type is called:
    ///
    /// ```compile_fail,E0277
    /// use caraway_plugin::Value;
    /// use caraway_plugin::export::{Data, Mismatch, TypeName};
    ///
    /// struct Celsius(f64);
    ///
    /// impl Data for Celsius {
    ///     const TYPE: TypeName = TypeName::new("float");
    ///     fn from_value(value: Value) -> Result<Self, Mismatch> {
    ///         f64::from_value(value).map(Celsius)
    ///     }
    ///     fn into_value(self) -> Value {
    ///         Value::Float(self.0)
    ///     }
    /// }
    /// ```
    pub trait Data: Sealed + Sized + 'static {
        /// What the type is called in signatures.
        const TYPE: TypeName;

        /// The struct or enum that the name stands for or holds.
        #[doc(hidden)]
        const DEFINITION: Option<&'static TypeDef> = None;

        /// How a result of this type lies in memory.
        #[doc(hidden)]
        const SHAPE: Shape = Shape::ENCODED;

        /// How a result lies in memory that is a `Vec` of these.
        #[doc(hidden)]
        const VEC_SHAPE: Shape = Shape::ENCODED;

        /// The value as this type.
        ///
        /// # Errors
        ///
        /// What does not fit, and where.
        fn from_value(value: Value) -> Result<Self, Mismatch>;

        /// This as a value.
        fn into_value(self) -> Value;

        /// What stands for a field of a struct that is not there.
        #[doc(hidden)]
        fn missing() -> Option<Self> {
            None
        }

        /// Reads an argument.
        #[doc(hidden)]
        fn take(args: &mut Args<'_>) -> Result<Self, Failure> {
            Ok(Self::from_value(args.decode()?)?)
        }

        /// Writes a result.
        #[doc(hidden)]
        fn give(self, out: &mut Out) -> Result<(), Failure> {
            out.encoded(self.into_value())
        }

        /// Reads an argument that is a `Vec` of these.
        #[doc(hidden)]
        fn take_vec(args: &mut Args<'_>) -> Result<Vec<Self>, Failure> {
            Ok(<Vec<Self>>::from_value(args.decode()?)?)
        }

        /// Reads an argument that is a slice of these.
        #[doc(hidden)]
        fn lend<'a>(args: &mut Args<'a>) -> Result<Slice<'a, Self>, Failure> {
            Self::take_vec(args).map(Slice::Owned)
        }

        /// Writes a result that is a `Vec` of these.
        #[doc(hidden)]
        fn give_vec(items: Vec<Self>, out: &mut Out) -> Result<(), Failure> {
            out.encoded(items.into_value())
        }
    }
}

/// A value of another type than `T`.
#[cold]
pub(super) fn mismatch<T: Data>(found: &Value) -> Mismatch {
    Mismatch::new(const { &T::TYPE }.as_str(), found)
}
