//! Types with types inside.

use super::call::{Args, Failure};
use super::data::{Data, Mismatch};
use super::item::Item;
use super::out::Out;
use crate::{Type, Value};
use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;

impl<T: Item> Data for Vec<T> {
    fn ty() -> Type {
        T::array_ty()
    }

    fn from_value(value: Value) -> Result<Self, Mismatch> {
        T::array_from_value(value)
    }

    fn into_value(self) -> Value {
        T::array_into_value(self)
    }

    fn take(args: &mut Args<'_>) -> Result<Self, Failure> {
        T::take_array(args)
    }

    fn give(self, out: &mut Out) -> Result<(), Failure> {
        T::give_array(self, out)
    }
}

impl<T: Data> Data for Option<T> {
    fn ty() -> Type {
        match T::ty() {
            // These include `()` already.
            ty @ (Type::Any | Type::Option(_)) => ty,
            ty => Type::Option(Box::new(ty)),
        }
    }

    fn from_value(value: Value) -> Result<Self, Mismatch> {
        match value {
            Value::Unit => Ok(None),
            value => T::from_value(value).map(Some),
        }
    }

    fn into_value(self) -> Value {
        self.map_or(Value::Unit, T::into_value)
    }
}

/// The entries of a map, each converted.
fn entries<T: Data, M: FromIterator<(String, T)>>(value: Value) -> Result<M, Mismatch> {
    match value {
        Value::Map(entries) => entries
            .into_iter()
            .map(|(key, item)| match T::from_value(item) {
                Ok(item) => Ok((key, item)),
                Err(mismatch) => Err(mismatch.at_key(&key)),
            })
            .collect(),
        other => Err(Mismatch::new(Type::Map(Box::new(T::ty())), &other)),
    }
}

impl<T: Data> Data for BTreeMap<String, T> {
    fn ty() -> Type {
        Type::Map(Box::new(T::ty()))
    }

    fn from_value(value: Value) -> Result<Self, Mismatch> {
        entries(value)
    }

    fn into_value(self) -> Value {
        Value::Map(self.into_iter().map(|(key, item)| (key, item.into_value())).collect())
    }
}

impl<T: Data, S: BuildHasher + Default> Data for HashMap<String, T, S> {
    fn ty() -> Type {
        Type::Map(Box::new(T::ty()))
    }

    fn from_value(value: Value) -> Result<Self, Mismatch> {
        entries(value)
    }

    fn into_value(self) -> Value {
        Value::Map(self.into_iter().map(|(key, item)| (key, item.into_value())).collect())
    }
}
