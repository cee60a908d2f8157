//! Results back to scripts.

use crate::shape::{Names, Resource, Shape};
use caraway_loaders_core::buffer::{Buffer, Number};
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::{Code, Error, Type};
use rhai::{Array, Dynamic, Map};
use wasmtime::component::{ResourceAny, Val};

/// What a script may hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    string: usize,
    array: usize,
}

impl Sizes {
    /// The sizes that the limits allow.
    pub(crate) fn of(limits: &Limits) -> Self {
        let or_all = |limit: Option<usize>| limit.unwrap_or(usize::MAX);
        Self { string: or_all(limits.string_size), array: or_all(limits.array_size) }
    }

    /// Refuses a text or blob that is too long.
    pub(crate) fn bytes(&self, len: usize) -> Result<(), Error> {
        check("bytes", len, self.string)
    }

    /// Refuses a list that is too long.
    pub(crate) fn elements(&self, len: usize) -> Result<(), Error> {
        check("elements", len, self.array)
    }
}

/// What a result is lifted with.
pub(crate) struct Lifting<'a> {
    pub(crate) sizes: Sizes,
    /// Makes a handle of a resource.
    pub(crate) handle: &'a dyn Fn(&Resource, ResourceAny) -> Result<Dynamic, Error>,
}

impl Lifting<'_> {
    /// For values that no resource is in.
    pub(crate) fn plain(sizes: Sizes) -> Self {
        Self { sizes, handle: &|_, _| Err(unexpected()) }
    }
}

fn check(what: &str, len: usize, limit: usize) -> Result<(), Error> {
    if len <= limit {
        return Ok(());
    }
    Err(Error::new(Code::Memory, format!("the result has {len} {what}; at most {limit} are allowed")))
}

/// The value as a script sees it.
///
/// # Errors
///
/// [`Code::ResultType`] for integers beyond a script's, [`Code::Memory`] for what is too large.
pub(crate) fn lift(shape: &Shape, value: Val, lifting: &Lifting<'_>) -> Result<Dynamic, Error> {
    Ok(match (shape, value) {
        (_, Val::Bool(bool)) => bool.into(),
        (_, Val::S8(int)) => i64::from(int).into(),
        (_, Val::U8(int)) => i64::from(int).into(),
        (_, Val::S16(int)) => i64::from(int).into(),
        (_, Val::U16(int)) => i64::from(int).into(),
        (_, Val::S32(int)) => i64::from(int).into(),
        (_, Val::U32(int)) => i64::from(int).into(),
        (_, Val::S64(int)) => int.into(),
        (_, Val::U64(int)) => match i64::try_from(int) {
            Ok(int) => int.into(),
            Err(_) => return Err(Error::new(Code::ResultType, format!("the result {int} is beyond an int"))),
        },
        (_, Val::Float32(float)) => f64::from(float).into(),
        (_, Val::Float64(float)) => float.into(),
        (_, Val::Char(char)) => char.into(),
        (_, Val::String(text)) => {
            lifting.sizes.bytes(text.len())?;
            text.into()
        }
        (Shape::Bytes, Val::List(items)) => {
            lifting.sizes.bytes(items.len())?;
            let bytes = items.iter().map(|item| if let Val::U8(byte) = item { *byte } else { 0 });
            Dynamic::from_blob(bytes.collect())
        }
        (Shape::List(item), Val::List(items)) => {
            lifting.sizes.elements(items.len())?;
            let lifted = items.into_iter().map(|value| lift(item, value, lifting));
            Dynamic::from_array(lifted.collect::<Result<_, _>>()?)
        }
        (Shape::Tuple(shapes), Val::Tuple(items)) => {
            let lifted = shapes.iter().zip(items).map(|(shape, value)| lift(shape, value, lifting));
            Dynamic::from_array(lifted.collect::<Result<_, _>>()?)
        }
        (Shape::Record(def), Val::Record(fields)) => {
            let mut map = Map::new();
            for (field, (_, value)) in def.fields.iter().zip(fields) {
                map.insert(field.name.script.as_str().into(), lift(&field.shape, value, lifting)?);
            }
            Dynamic::from_map(map)
        }
        (Shape::Variant(cases), Val::Variant(name, payload)) => {
            let case = cases.iter().find(|case| case.name.wit == name).ok_or_else(unexpected)?;
            match (&case.payload, payload) {
                (Some(shape), Some(value)) => single(&case.name.script, lift(shape, *value, lifting)?),
                _ => case.name.script.as_str().into(),
            }
        }
        (Shape::Enum(names), Val::Enum(name)) => script_name(names, &name)?,
        (Shape::Flags(names), Val::Flags(flags)) => {
            let lifted = flags.iter().map(|flag| script_name(names, flag));
            Dynamic::from_array(lifted.collect::<Result<_, _>>()?)
        }
        (Shape::Option { .. }, Val::Option(None)) => Dynamic::UNIT,
        (Shape::Option { inner, wrapped }, Val::Option(Some(value))) => {
            let value = lift(inner, *value, lifting)?;
            if *wrapped { Dynamic::from_array(vec![value]) } else { value }
        }
        (Shape::Result { ok, .. }, Val::Result(Ok(value))) => {
            single("ok", lift_optional(ok.as_deref(), value, lifting)?)
        }
        (Shape::Result { err, .. }, Val::Result(Err(value))) => {
            single("err", lift_optional(err.as_deref(), value, lifting)?)
        }
        (Shape::Own(resource), Val::Resource(any)) => (lifting.handle)(resource, any)?,
        _ => return Err(unexpected()),
    })
}

/// A lifted list as the buffer that it is declared to be.
pub(crate) fn declared(ty: &Type, value: Dynamic) -> Dynamic {
    fn buffer<T: Number>(value: Dynamic) -> Dynamic {
        let numbers = value.read_lock::<Array>().map(|items| items.iter().filter_map(T::of).collect());
        numbers.map_or(value.clone(), |numbers: Vec<T>| Dynamic::from(Buffer::from(numbers)))
    }
    match ty {
        Type::Ints => buffer::<i64>(value),
        Type::Floats => buffer::<f64>(value),
        _ => value,
    }
}

/// The payload of a case that may have none: then `()`.
pub(crate) fn lift_optional(
    shape: Option<&Shape>,
    value: Option<Box<Val>>,
    lifting: &Lifting<'_>,
) -> Result<Dynamic, Error> {
    match (shape, value) {
        (Some(shape), Some(value)) => lift(shape, *value, lifting),
        _ => Ok(Dynamic::UNIT),
    }
}

fn single(key: &str, value: Dynamic) -> Dynamic {
    let mut map = Map::new();
    map.insert(key.into(), value);
    Dynamic::from_map(map)
}

fn script_name(names: &Names, wit: &str) -> Result<Dynamic, Error> {
    names.of_wit(wit).map(|name| name.script.as_str().into()).ok_or_else(unexpected)
}

/// wasmtime gives values of the types that it reports; anything else is a bug.
#[cold]
fn unexpected() -> Error {
    Error::new(Code::Internal, "a WebAssembly value of another type than its function declares")
}
