//! Arguments to WIT values.
//!
//! All of it happens before the call: an argument that does not fit is the caller's mistake and must not cost
//! the plugin its state.

use crate::resource::Held;
use crate::shape::{IntKind, Names, Record, Shape};
use caraway_loaders_core::bind::conform::type_name;
use caraway_loaders_core::buffer::{Floats, Ints};
use caraway_loaders_core::handle::Handle;
use caraway_loaders_core::{Code, Error};
use rhai::{Array, Blob, Dynamic, ImmutableString, Map};
use wasmtime::component::Val;

/// What does not fit, while the path to it is built from the inside out.
pub(crate) struct Misfit {
    expected: String,
    found: String,
    path: Vec<String>,
}

impl Misfit {
    fn new(expected: impl Into<String>, value: &Dynamic) -> Self {
        Self { expected: expected.into(), found: type_name(value), path: Vec::new() }
    }

    fn found(expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { expected: expected.into(), found: found.into(), path: Vec::new() }
    }

    fn within(mut self, step: String) -> Self {
        self.path.push(step);
        self
    }

    /// The error for the argument at `index`, worded as for all kinds of plugins.
    pub(crate) fn into_error(self, index: usize) -> Error {
        let mut path: String = self.path.iter().rev().map(String::as_str).collect();
        if !path.is_empty() {
            path = format!(" at `{}`", path.trim_start_matches('.'));
        }
        Error::new(Code::ArgumentType, format!("must be {}, found {}{path}", self.expected, self.found))
            .about_argument(index)
    }
}

/// The integer in `value`, if the type can hold it.
pub(crate) fn int(kind: IntKind, value: &Dynamic) -> Result<i64, Misfit> {
    let Ok(int) = value.as_int() else { return Err(Misfit::new("int", value)) };
    let (least, greatest) = kind.range();
    if (least..=greatest).contains(&int) {
        return Ok(int);
    }
    Err(Misfit::found(format!("an int from {least} to {greatest}"), int.to_string()))
}

/// The float in `value`; an int will do.
pub(crate) fn float(value: &Dynamic) -> Result<f64, Misfit> {
    match (value.as_float(), value.as_int()) {
        (Ok(float), _) => Ok(float),
        (_, Ok(int)) => Ok(int as f64),
        _ => Err(Misfit::new("float", value)),
    }
}

/// The WIT value of an argument.
pub(crate) fn lower(shape: &Shape, value: &Dynamic) -> Result<Val, Misfit> {
    Ok(match shape {
        Shape::Bool => Val::Bool(value.as_bool().map_err(|_| Misfit::new("bool", value))?),
        Shape::Int(kind) => integer(*kind, int(*kind, value)?),
        Shape::F32 => {
            let wide = float(value)?;
            let narrow = wide as f32;
            if narrow.is_infinite() && wide.is_finite() {
                return Err(Misfit::found("a float of 32 bits", wide.to_string()));
            }
            Val::Float32(narrow)
        }
        Shape::F64 => Val::Float64(float(value)?),
        Shape::Char => Val::Char(value.as_char().map_err(|_| Misfit::new("char", value))?),
        Shape::String => Val::String(text(value, "string")?.to_string()),
        Shape::Bytes => {
            let bytes = value.read_lock::<Blob>().ok_or_else(|| Misfit::new("bytes", value))?;
            Val::List(bytes.iter().map(|byte| Val::U8(*byte)).collect())
        }
        Shape::List(item) => {
            if let Some(numbers) = numbers(item, value)? {
                return Ok(Val::List(numbers));
            }
            let items = array(value, "array")?;
            let lowered = items.iter().enumerate().map(|(index, value)| element(item, index, value));
            Val::List(lowered.collect::<Result<_, _>>()?)
        }
        Shape::Tuple(shapes) => {
            let items = array(value, "array")?;
            if items.len() != shapes.len() {
                let expected = format!("an array of {}", shapes.len());
                return Err(Misfit::found(expected, format!("one of {}", items.len())));
            }
            let lowered = shapes.iter().zip(items.iter()).enumerate();
            let lowered = lowered.map(|(index, (shape, value))| element(shape, index, value));
            Val::Tuple(lowered.collect::<Result<_, _>>()?)
        }
        Shape::Record(def) => record(def, value)?,
        Shape::Variant(cases) => variant(cases, value)?,
        Shape::Enum(names) => {
            let text = text(value, "string")?;
            Val::Enum(one_of(names, &text)?)
        }
        Shape::Flags(names) => {
            let mut flags = Vec::new();
            for (index, item) in array(value, "array")?.iter().enumerate() {
                let flag = text(item, "string").and_then(|text| one_of(names, &text));
                let flag = flag.map_err(|misfit| misfit.within(format!("[{index}]")))?;
                if !flags.contains(&flag) {
                    flags.push(flag);
                }
            }
            Val::Flags(flags)
        }
        Shape::Option { .. } if value.is_unit() => Val::Option(None),
        Shape::Option { inner, wrapped: false } => Val::Option(Some(Box::new(lower(inner, value)?))),
        Shape::Option { inner, wrapped: true } => match array(value, "() or an array of 1")?.as_slice() {
            [value] => Val::Option(Some(Box::new(element(inner, 0, value)?))),
            items => return Err(Misfit::found("() or an array of 1", format!("one of {}", items.len()))),
        },
        Shape::Own(resource) | Shape::Borrow(resource) => {
            let handle = Handle::of(value).filter(|handle| handle.class().name() == &*resource.class);
            let any = handle.as_ref().and_then(Handle::resource).map(Held::any);
            Val::Resource(any.ok_or_else(|| Misfit::new(&*resource.class, value))?)
        }
        Shape::Result { ok, err } => {
            let map = map(value, "#{ok: ...} or #{err: ...}")?;
            let payload = |shape: &Option<Box<Shape>>, key: &str, value: &Dynamic| {
                payload(shape.as_deref(), value).map_err(|misfit| misfit.within(format!(".{key}")))
            };
            match (map.len(), map.get("ok"), map.get("err")) {
                (1, Some(value), None) => Val::Result(Ok(payload(ok, "ok", value)?)),
                (1, None, Some(value)) => Val::Result(Err(payload(err, "err", value)?)),
                _ => return Err(Misfit::found("#{ok: ...} or #{err: ...}", "another map")),
            }
        }
    })
}

/// What is in a value that is a buffer, if it may stand for a list of these.
fn numbers(item: &Shape, value: &Dynamic) -> Result<Option<Vec<Val>>, Misfit> {
    let busy = |_| Misfit::found("a buffer that nobody changes", "one that is being used");
    Ok(match item {
        Shape::Int(IntKind::S64) => match Ints::of(value) {
            Some(ints) => Some(ints.read().map_err(busy)?.iter().map(|int| Val::S64(*int)).collect()),
            None => None,
        },
        Shape::F64 => match Floats::of(value) {
            Some(floats) => Some(floats.read().map_err(busy)?.iter().map(|x| Val::Float64(*x)).collect()),
            None => None,
        },
        _ => None,
    })
}

fn integer(kind: IntKind, int: i64) -> Val {
    // `int` is in the type's range.
    match kind {
        IntKind::S8 => Val::S8(int as i8),
        IntKind::U8 => Val::U8(int as u8),
        IntKind::S16 => Val::S16(int as i16),
        IntKind::U16 => Val::U16(int as u16),
        IntKind::S32 => Val::S32(int as i32),
        IntKind::U32 => Val::U32(int as u32),
        IntKind::S64 => Val::S64(int),
        IntKind::U64 => Val::U64(int as u64),
    }
}

fn record(def: &Record, value: &Dynamic) -> Result<Val, Misfit> {
    let map = map(value, "map")?;
    let unknown = map.keys().find(|key| !def.fields.iter().any(|field| field.name.script == key.as_str()));
    if let Some(key) = unknown {
        let names: Vec<&str> = def.fields.iter().map(|field| field.name.script.as_str()).collect();
        let expected = format!("{} with the keys {}", def.name, quoted(&names));
        return Err(Misfit::found(expected, format!("the key {key:?}")));
    }
    let mut fields = Vec::with_capacity(def.fields.len());
    for field in &def.fields {
        let key = field.name.script.as_str();
        let lowered = match map.get(key) {
            Some(value) => lower(&field.shape, value).map_err(|misfit| misfit.within(format!(".{key}")))?,
            None if matches!(field.shape, Shape::Option { .. }) => Val::Option(None),
            None => return Err(Misfit::found(format!("{} with the key {key:?}", def.name), "none")),
        };
        fields.push((field.name.wit.clone(), lowered));
    }
    Ok(Val::Record(fields))
}

fn variant(cases: &[crate::shape::Case], value: &Dynamic) -> Result<Val, Misfit> {
    let unknown = |found: String| {
        let names: Vec<&str> = cases.iter().map(|case| case.name.script.as_str()).collect();
        Misfit::found(format!("one of the cases {}", quoted(&names)), found)
    };
    let (name, given) = if let Some(text) = value.read_lock::<ImmutableString>() {
        (text.to_string(), None)
    } else {
        let map = map(value, "a case as a string or #{case: payload}")?;
        match (map.len(), map.iter().next()) {
            (1, Some((key, value))) => (key.to_string(), Some(value.clone())),
            (len, _) => return Err(unknown(format!("a map with {len} keys"))),
        }
    };
    let case = cases.iter().find(|case| case.name.script == name);
    let case = case.ok_or_else(|| unknown(format!("{name:?}")))?;
    let lowered = match (&case.payload, given) {
        (None, None) => None,
        (Some(shape), Some(value)) => {
            payload(Some(shape), &value).map_err(|m| m.within(format!(".{name}")))?
        }
        (None, Some(_)) => {
            return Err(Misfit::found(format!("the case {name:?} without a payload"), "one with a payload"));
        }
        (Some(_), None) => {
            return Err(Misfit::found(format!("the case with its payload, #{{{name}: ...}}"), "none"));
        }
    };
    Ok(Val::Variant(case.name.wit.clone(), lowered))
}

fn payload(shape: Option<&Shape>, value: &Dynamic) -> Result<Option<Box<Val>>, Misfit> {
    match shape {
        Some(shape) => Ok(Some(Box::new(lower(shape, value)?))),
        None if value.is_unit() => Ok(None),
        None => Err(Misfit::new("()", value)),
    }
}

fn element(shape: &Shape, index: usize, value: &Dynamic) -> Result<Val, Misfit> {
    lower(shape, value).map_err(|misfit| misfit.within(format!("[{index}]")))
}

fn one_of(names: &Names, text: &str) -> Result<String, Misfit> {
    match names.of_script(text) {
        Some(name) => Ok(name.wit.clone()),
        None => {
            let known: Vec<&str> = names.names.iter().map(|name| name.script.as_str()).collect();
            Err(Misfit::found(format!("one of {}", quoted(&known)), format!("{text:?}")))
        }
    }
}

fn text(value: &Dynamic, expected: &str) -> Result<ImmutableString, Misfit> {
    value.read_lock::<ImmutableString>().map(|text| text.clone()).ok_or_else(|| Misfit::new(expected, value))
}

fn array<'a>(
    value: &'a Dynamic,
    expected: &str,
) -> Result<impl std::ops::Deref<Target = Array> + 'a, Misfit> {
    value.read_lock::<Array>().ok_or_else(|| Misfit::new(expected, value))
}

fn map<'a>(value: &'a Dynamic, expected: &str) -> Result<impl std::ops::Deref<Target = Map> + 'a, Misfit> {
    value.read_lock::<Map>().ok_or_else(|| Misfit::new(expected, value))
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
}
