//! Types that are one word, strings, and values of any type.

use super::call::{Args, Failure};
use super::data::{Data, mismatch};
use super::lent::Slice;
use super::mismatch::Mismatch;
use super::out::Out;
use super::shape::Shape;
use super::type_name::TypeName;
use crate::Value;

impl Data for i64 {
    const TYPE: TypeName = TypeName::new("int");
    const SHAPE: Shape = Shape::Word;
    const VEC_SHAPE: Shape = Shape::NUMBERS;

    fn from_value(value: Value) -> Result<Self, Mismatch> {
        match value {
            Value::Int(int) => Ok(int),
            other => Err(mismatch::<Self>(&other)),
        }
    }

    fn into_value(self) -> Value {
        Value::Int(self)
    }

    #[inline]
    fn take(args: &mut Args<'_>) -> Result<Self, Failure> {
        Ok(args.word().cast_signed())
    }

    #[inline]
    fn give(self, out: &mut Out) -> Result<(), Failure> {
        out.word(self.cast_unsigned());
        Ok(())
    }

    fn take_vec(args: &mut Args<'_>) -> Result<Vec<Self>, Failure> {
        // SAFETY: this is how an array of these is passed.
        Ok(unsafe { args.slice() }.to_vec())
    }

    #[inline]
    fn lend<'a>(args: &mut Args<'a>) -> Result<Slice<'a, Self>, Failure> {
        // SAFETY: as above.
        Ok(Slice::Lent(unsafe { args.slice() }))
    }

    fn give_vec(items: Vec<Self>, out: &mut Out) -> Result<(), Failure> {
        out.buffer(items)
    }
}

impl Data for f64 {
    const TYPE: TypeName = TypeName::new("float");
    const SHAPE: Shape = Shape::Word;
    const VEC_SHAPE: Shape = Shape::NUMBERS;

    fn from_value(value: Value) -> Result<Self, Mismatch> {
        match value {
            Value::Float(float) => Ok(float),
            Value::Int(int) => Ok(int as f64),
            other => Err(mismatch::<Self>(&other)),
        }
    }

    fn into_value(self) -> Value {
        Value::Float(self)
    }

    #[inline]
    fn take(args: &mut Args<'_>) -> Result<Self, Failure> {
        Ok(f64::from_bits(args.word()))
    }

    #[inline]
    fn give(self, out: &mut Out) -> Result<(), Failure> {
        out.word(self.to_bits());
        Ok(())
    }

    fn take_vec(args: &mut Args<'_>) -> Result<Vec<Self>, Failure> {
        // SAFETY: this is how an array of these is passed.
        Ok(unsafe { args.slice() }.to_vec())
    }

    #[inline]
    fn lend<'a>(args: &mut Args<'a>) -> Result<Slice<'a, Self>, Failure> {
        // SAFETY: as above.
        Ok(Slice::Lent(unsafe { args.slice() }))
    }

    fn give_vec(items: Vec<Self>, out: &mut Out) -> Result<(), Failure> {
        out.buffer(items)
    }
}

impl Data for bool {
    const TYPE: TypeName = TypeName::new("bool");
    const SHAPE: Shape = Shape::Word;

    fn from_value(value: Value) -> Result<Self, Mismatch> {
        match value {
            Value::Bool(bool) => Ok(bool),
            other => Err(mismatch::<Self>(&other)),
        }
    }

    fn into_value(self) -> Value {
        Value::Bool(self)
    }

    #[inline]
    fn take(args: &mut Args<'_>) -> Result<Self, Failure> {
        Ok(args.word() != 0)
    }

    #[inline]
    fn give(self, out: &mut Out) -> Result<(), Failure> {
        out.word(u64::from(self));
        Ok(())
    }
}

impl Data for char {
    const TYPE: TypeName = TypeName::new("char");
    const SHAPE: Shape = Shape::Word;

    fn from_value(value: Value) -> Result<Self, Mismatch> {
        match value {
            Value::Char(char) => Ok(char),
            other => Err(mismatch::<Self>(&other)),
        }
    }

    fn into_value(self) -> Value {
        Value::Char(self)
    }

    #[inline]
    fn take(args: &mut Args<'_>) -> Result<Self, Failure> {
        u32::try_from(args.word())
            .ok()
            .and_then(char::from_u32)
            .ok_or_else(|| Failure::text("an argument is no Unicode scalar value"))
    }

    #[inline]
    fn give(self, out: &mut Out) -> Result<(), Failure> {
        out.word(u64::from(u32::from(self)));
        Ok(())
    }
}

impl Data for String {
    const TYPE: TypeName = TypeName::new("string");

    fn from_value(value: Value) -> Result<Self, Mismatch> {
        match value {
            Value::String(text) => Ok(text),
            other => Err(mismatch::<Self>(&other)),
        }
    }

    fn into_value(self) -> Value {
        Value::String(self)
    }

    fn take(args: &mut Args<'_>) -> Result<Self, Failure> {
        // SAFETY: this is how a string is passed.
        Ok(unsafe { args.text() }.to_owned())
    }

    fn give(self, out: &mut Out) -> Result<(), Failure> {
        out.buffer(self.into_bytes())
    }
}

impl Data for Value {
    const TYPE: TypeName = TypeName::new("any");

    fn from_value(value: Value) -> Result<Self, Mismatch> {
        Ok(value)
    }

    fn into_value(self) -> Value {
        self
    }
}
