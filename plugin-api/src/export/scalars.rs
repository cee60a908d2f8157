//! Types that are one word, and strings.

use super::call::{Args, Failure};
use super::data::{Data, Mismatch};
use super::out::Out;
use crate::{Type, Value};

impl Data for i64 {
    fn ty() -> Type {
        Type::Int
    }

    fn from_value(value: Value) -> Result<Self, Mismatch> {
        match value {
            Value::Int(int) => Ok(int),
            other => Err(Mismatch::new(Type::Int, &other)),
        }
    }

    fn into_value(self) -> Value {
        Value::Int(self)
    }

    fn take(args: &mut Args<'_>) -> Result<Self, Failure> {
        Ok(args.word().cast_signed())
    }

    fn give(self, out: &mut Out) -> Result<(), Failure> {
        out.word(self.cast_unsigned());
        Ok(())
    }
}

impl Data for f64 {
    fn ty() -> Type {
        Type::Float
    }

    fn from_value(value: Value) -> Result<Self, Mismatch> {
        match value {
            Value::Float(float) => Ok(float),
            Value::Int(int) => Ok(int as f64),
            other => Err(Mismatch::new(Type::Float, &other)),
        }
    }

    fn into_value(self) -> Value {
        Value::Float(self)
    }

    fn take(args: &mut Args<'_>) -> Result<Self, Failure> {
        Ok(f64::from_bits(args.word()))
    }

    fn give(self, out: &mut Out) -> Result<(), Failure> {
        out.word(self.to_bits());
        Ok(())
    }
}

impl Data for bool {
    fn ty() -> Type {
        Type::Bool
    }

    fn from_value(value: Value) -> Result<Self, Mismatch> {
        match value {
            Value::Bool(bool) => Ok(bool),
            other => Err(Mismatch::new(Type::Bool, &other)),
        }
    }

    fn into_value(self) -> Value {
        Value::Bool(self)
    }

    fn take(args: &mut Args<'_>) -> Result<Self, Failure> {
        Ok(args.word() != 0)
    }

    fn give(self, out: &mut Out) -> Result<(), Failure> {
        out.word(u64::from(self));
        Ok(())
    }
}

impl Data for char {
    fn ty() -> Type {
        Type::Char
    }

    fn from_value(value: Value) -> Result<Self, Mismatch> {
        match value {
            Value::Char(char) => Ok(char),
            other => Err(Mismatch::new(Type::Char, &other)),
        }
    }

    fn into_value(self) -> Value {
        Value::Char(self)
    }

    fn take(args: &mut Args<'_>) -> Result<Self, Failure> {
        u32::try_from(args.word())
            .ok()
            .and_then(char::from_u32)
            .ok_or_else(|| Failure::Message("an argument is no Unicode scalar value".to_owned()))
    }

    fn give(self, out: &mut Out) -> Result<(), Failure> {
        out.word(u64::from(u32::from(self)));
        Ok(())
    }
}

impl Data for String {
    fn ty() -> Type {
        Type::String
    }

    fn from_value(value: Value) -> Result<Self, Mismatch> {
        match value {
            Value::String(text) => Ok(text),
            other => Err(Mismatch::new(Type::String, &other)),
        }
    }

    fn into_value(self) -> Value {
        Value::String(self)
    }

    fn take(args: &mut Args<'_>) -> Result<Self, Failure> {
        <&str as super::Argument>::take(args).map(str::to_owned)
    }

    fn give(self, out: &mut Out) -> Result<(), Failure> {
        out.slice(self.as_bytes())
    }
}

impl Data for Value {
    fn ty() -> Type {
        Type::Any
    }

    fn from_value(value: Value) -> Result<Self, Mismatch> {
        Ok(value)
    }

    fn into_value(self) -> Value {
        self
    }
}
