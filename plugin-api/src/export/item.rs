use super::call::{Args, Failure};
use super::crossing::crossing;
use super::data::{Data, mismatch};
use super::lent::Slice;
use super::mismatch::Mismatch;
use super::out::Out;
use super::shape::Shape;
use super::type_name::TypeName;
use crate::Value;
use caraway_abi::TypeDef;

crossing! {
    /// What stands in a `Vec`: every [`Data`], and `u8`, of which `bytes` are made.
    ///
    /// It cannot be implemented elsewhere.
    pub trait Item: Sized + 'static {
        /// What a `Vec` of these is called in signatures.
        const VEC: TypeName;

        #[doc(hidden)]
        const VEC_SHAPE: Shape;

        #[doc(hidden)]
        const DEFINITION: Option<&'static TypeDef>;

        /// A `Vec` of these from a value.
        ///
        /// # Errors
        ///
        /// What does not fit, and where.
        fn vec_from_value(value: Value) -> Result<Vec<Self>, Mismatch>;

        /// A `Vec` of these as a value.
        fn vec_into_value(items: Vec<Self>) -> Value;

        #[doc(hidden)]
        fn take_vec(args: &mut Args<'_>) -> Result<Vec<Self>, Failure>;

        #[doc(hidden)]
        fn lend<'a>(args: &mut Args<'a>) -> Result<Slice<'a, Self>, Failure>;

        #[doc(hidden)]
        fn give_vec(items: Vec<Self>, out: &mut Out) -> Result<(), Failure>;
    }
}

impl<T: Data> Item for T {
    const VEC: TypeName = T::TYPE.array();
    const VEC_SHAPE: Shape = <T as Data>::VEC_SHAPE;
    const DEFINITION: Option<&'static TypeDef> = <T as Data>::DEFINITION;

    fn vec_from_value(value: Value) -> Result<Vec<Self>, Mismatch> {
        match value {
            Value::Array(items) => items
                .into_iter()
                .enumerate()
                .map(|(index, item)| T::from_value(item).map_err(|mismatch| mismatch.at_index(index)))
                .collect(),
            other => Err(mismatch::<Vec<T>>(&other)),
        }
    }

    fn vec_into_value(items: Vec<Self>) -> Value {
        Value::Array(items.into_iter().map(T::into_value).collect())
    }

    fn take_vec(args: &mut Args<'_>) -> Result<Vec<Self>, Failure> {
        <T as Data>::take_vec(args)
    }

    #[inline]
    fn lend<'a>(args: &mut Args<'a>) -> Result<Slice<'a, Self>, Failure> {
        <T as Data>::lend(args)
    }

    fn give_vec(items: Vec<Self>, out: &mut Out) -> Result<(), Failure> {
        <T as Data>::give_vec(items, out)
    }
}

impl Item for u8 {
    const VEC: TypeName = TypeName::new("bytes");
    const VEC_SHAPE: Shape = Shape::ENCODED;
    const DEFINITION: Option<&'static TypeDef> = None;

    fn vec_from_value(value: Value) -> Result<Vec<Self>, Mismatch> {
        match value {
            Value::Bytes(bytes) => Ok(bytes),
            other => Err(mismatch::<Vec<u8>>(&other)),
        }
    }

    fn vec_into_value(items: Vec<Self>) -> Value {
        Value::Bytes(items)
    }

    fn take_vec(args: &mut Args<'_>) -> Result<Vec<Self>, Failure> {
        // SAFETY: this is how bytes are passed.
        Ok(unsafe { args.slice() }.to_vec())
    }

    fn lend<'a>(args: &mut Args<'a>) -> Result<Slice<'a, Self>, Failure> {
        // SAFETY: as above.
        Ok(Slice::Lent(unsafe { args.slice() }))
    }

    fn give_vec(items: Vec<Self>, out: &mut Out) -> Result<(), Failure> {
        out.buffer(items)
    }
}
