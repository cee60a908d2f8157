//! Types with types inside.

use super::call::{Args, Failure};
use super::data::{Data, mismatch};
use super::item::Item;
use super::mismatch::Mismatch;
use super::out::Out;
use super::shape::Shape;
use super::type_name::TypeName;
use crate::Value;
use caraway_abi::TypeDef;
use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;

impl<T: Item> Data for Vec<T> {
    const TYPE: TypeName = T::VEC;
    const DEFINITION: Option<&'static TypeDef> = T::DEFINITION;
    const SHAPE: Shape = T::VEC_SHAPE;

    fn from_value(value: Value) -> Result<Self, Mismatch> {
        T::vec_from_value(value)
    }

    fn into_value(self) -> Value {
        T::vec_into_value(self)
    }

    fn take(args: &mut Args<'_>) -> Result<Self, Failure> {
        T::take_vec(args)
    }

    fn give(self, out: &mut Out) -> Result<(), Failure> {
        T::give_vec(self, out)
    }
}

impl<T: Data> Data for Option<T> {
    const TYPE: TypeName = T::TYPE.optional();
    const DEFINITION: Option<&'static TypeDef> = T::DEFINITION;

    fn from_value(value: Value) -> Result<Self, Mismatch> {
        match value {
            Value::Unit => Ok(None),
            value => T::from_value(value).map(Some),
        }
    }

    fn into_value(self) -> Value {
        self.map_or(Value::Unit, T::into_value)
    }

    fn missing() -> Option<Self> {
        Some(None)
    }
}

/// It crosses as what is in it does.
impl<T: Data> Data for Box<T> {
    const TYPE: TypeName = T::TYPE;
    const DEFINITION: Option<&'static TypeDef> = T::DEFINITION;
    const SHAPE: Shape = T::SHAPE;
    const VEC_SHAPE: Shape = T::VEC_SHAPE;

    fn from_value(value: Value) -> Result<Self, Mismatch> {
        T::from_value(value).map(Box::new)
    }

    fn into_value(self) -> Value {
        (*self).into_value()
    }

    fn missing() -> Option<Self> {
        T::missing().map(Box::new)
    }

    fn take(args: &mut Args<'_>) -> Result<Self, Failure> {
        T::take(args).map(Box::new)
    }

    fn give(self, out: &mut Out) -> Result<(), Failure> {
        (*self).give(out)
    }

    fn take_vec(args: &mut Args<'_>) -> Result<Vec<Self>, Failure> {
        Ok(T::take_vec(args)?.into_iter().map(Box::new).collect())
    }

    fn give_vec(items: Vec<Self>, out: &mut Out) -> Result<(), Failure> {
        T::give_vec(items.into_iter().map(|item| *item).collect(), out)
    }
}

/// The entries of a map, each converted.
fn entries<T: Data, M: Data + FromIterator<(String, T)>>(value: Value) -> Result<M, Mismatch> {
    match value {
        Value::Map(entries) => entries
            .into_iter()
            .map(|(key, item)| match T::from_value(item) {
                Ok(item) => Ok((key, item)),
                Err(mismatch) => Err(mismatch.at_key(&key)),
            })
            .collect(),
        other => Err(mismatch::<M>(&other)),
    }
}

impl<T: Data> Data for BTreeMap<String, T> {
    const TYPE: TypeName = T::TYPE.map();
    const DEFINITION: Option<&'static TypeDef> = T::DEFINITION;

    fn from_value(value: Value) -> Result<Self, Mismatch> {
        entries(value)
    }

    fn into_value(self) -> Value {
        Value::Map(self.into_iter().map(|(key, item)| (key, item.into_value())).collect())
    }
}

impl<T: Data, S: BuildHasher + Default + 'static> Data for HashMap<String, T, S> {
    const TYPE: TypeName = T::TYPE.map();
    const DEFINITION: Option<&'static TypeDef> = T::DEFINITION;

    fn from_value(value: Value) -> Result<Self, Mismatch> {
        entries(value)
    }

    fn into_value(self) -> Value {
        Value::Map(self.into_iter().map(|(key, item)| (key, item.into_value())).collect())
    }
}
