//! Values against types.
//!
//! Values are deep copies across a plugin's boundary, so checking and copying are one pass: shared variables
//! are taken out of their locks, ints become floats where floats are declared, functions are bound to their
//! home, and how deep a value nests is bounded.

use super::callback::Callbacks;
use super::kind::Kind;
use crate::code::Code;
use crate::error::Error;
use crate::handle::Handle;
use caraway_plugin::{StructType, Type};
use rhai::{Array, Blob, Dynamic, ImmutableString, Map};

/// Deepest nesting of arrays and maps that crosses a boundary.
pub const MAX_DEPTH: usize = caraway_plugin::MAX_DEPTH;

/// How an argument's outermost type goes with its declared type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passing {
    /// It is of that type.
    AsItIs,
    /// It is an int, to become a float.
    IntToFloat,
    /// It is of another type.
    No,
}

/// Compares the outermost type only.
pub fn top_level(ty: &Type, value: &Dynamic) -> Passing {
    let fits = match ty {
        Type::Any => true,
        Type::Float if value.is_int() => return Passing::IntToFloat,
        Type::Option(inner) => {
            return if value.is_unit() { Passing::AsItIs } else { top_level(inner, value) };
        }
        _ => Kind::of_type(ty).is_some_and(|kind| kind.holds(value)),
    };
    if fits { Passing::AsItIs } else { Passing::No }
}

/// What a value's type is called in signatures; a handle's with its plugin.
pub fn type_name(value: &Dynamic) -> String {
    if let Some(handle) = value.read_lock::<Handle>() {
        return handle.class().to_string();
    }
    if let Some(kind) = Kind::of_value(value) {
        return kind.name().to_owned();
    }
    let full = value.type_name();
    full.rsplit("::").next().unwrap_or(full).to_owned()
}

/// What functions become on their way across a boundary.
#[derive(Clone, Copy)]
pub enum Functions<'a> {
    /// The argument of this index: bound to the caller, for the duration of the call.
    Bind(&'a Callbacks<'a>, usize),
    /// Results, and what crosses a callback: refused.
    Refuse,
}

/// The value as one of type `ty`, taken apart no more than needed.
///
/// # Errors
///
/// [`Code::ArgumentType`] with the path to what does not fit (`[3].name`), [`Code::ValueRefused`] for values
/// that nest too deep and [`Code::CallbackExpired`] for functions that may not pass. Without a location, and
/// without a subject: see [`Error::said_of`] and [`Error::about_argument`].
pub fn conform(ty: &Type, value: Dynamic, functions: Functions<'_>) -> Result<Dynamic, Error> {
    walk(ty, value, functions, 0).map_err(|problem| problem.into_error())
}

/// What does not fit, while its path is being built inside out.
struct Problem {
    path: Vec<String>,
    misfit: Misfit,
}

enum Misfit {
    Mismatch { expected: String, found: String },
    TooDeep,
    Function,
}

impl Problem {
    fn mismatch(expected: impl ToString, value: &Dynamic) -> Self {
        let misfit = Misfit::Mismatch { expected: expected.to_string(), found: type_name(value) };
        Self { path: Vec::new(), misfit }
    }

    fn within(mut self, step: impl FnOnce() -> String) -> Self {
        // The outer steps are the telling ones; a value that nests 128 deep needs no complete path.
        self.path.push(step());
        self
    }

    fn into_error(self) -> Error {
        let mut path: String = self.path.iter().rev().take(8).map(String::as_str).collect();
        if !path.is_empty() {
            path = format!(" at `{}`", path.trim_start_matches('.'));
        }
        match self.misfit {
            Misfit::Mismatch { expected, found } => mismatch(&expected, &found, &path),
            Misfit::TooDeep => Error::new(
                Code::ValueRefused,
                format!("nests deeper than {MAX_DEPTH} levels, which cannot cross a plugin's boundary"),
            ),
            Misfit::Function => Error::new(
                Code::CallbackExpired,
                format!("holds a function{path}, which is valid only during the call that it is passed to"),
            )
            .hint("give back data, or let the caller pass a callback"),
        }
    }
}

/// The error for a value of one type where another is expected; `path` says where in it, if it is not all of it.
#[cold]
pub(super) fn mismatch(expected: &str, found: &str, path: &str) -> Error {
    let error = Error::new(Code::ArgumentType, format!("must be {expected}, found {found}{path}"));
    match (expected, found) {
        ("ints" | "floats", "array") => error.hint(format!("make a buffer of it: `{expected}(array)`")),
        ("floats", "ints") => error.hint("copy it into floats: `floats(buffer)`"),
        (expected, "ints" | "floats") if expected.starts_with("array<") => {
            error.hint("make an array of it: `buffer.to_array()`")
        }
        _ => error,
    }
}

fn walk(ty: &Type, value: Dynamic, functions: Functions<'_>, depth: usize) -> Result<Dynamic, Problem> {
    let value = value.flatten();
    match ty {
        Type::Float if value.is_int() => {
            return Ok(Dynamic::from_float(value.as_int().unwrap_or_default() as f64));
        }
        Type::Option(_) if value.is_unit() => return Ok(value),
        Type::Option(inner) => return walk(inner, value, functions, depth),
        Type::Any => {}
        _ if top_level(ty, &value) == Passing::No => return Err(Problem::mismatch(ty, &value)),
        _ => {}
    }
    if value.is_fnptr() {
        return match functions {
            Functions::Bind(callbacks, index) => Ok(callbacks.bind(index, ty, &value)),
            Functions::Refuse => Err(Problem { path: Vec::new(), misfit: Misfit::Function }),
        };
    }
    if value.is_array() || value.is_map() {
        if depth >= MAX_DEPTH {
            return Err(Problem { path: Vec::new(), misfit: Misfit::TooDeep });
        }
        return walk_inside(ty, value, functions, depth + 1);
    }
    if let Type::Enum(def) = ty {
        let text = value.as_immutable_string_ref().map(|s| s.to_string()).unwrap_or_default();
        if !def.values.contains(&text) {
            let expected = format!("one of {}", quoted(&def.values));
            let misfit = Misfit::Mismatch { expected, found: format!("{text:?}") };
            return Err(Problem { path: Vec::new(), misfit });
        }
    }
    if let Type::Handle(name) = ty
        && value.read_lock::<Handle>().is_none_or(|handle| handle.class().name() != &**name)
    {
        return Err(Problem::mismatch(ty, &value));
    }
    Ok(value)
}

fn walk_inside(
    ty: &Type,
    value: Dynamic,
    functions: Functions<'_>,
    depth: usize,
) -> Result<Dynamic, Problem> {
    match value.try_cast_result::<Array>() {
        Ok(mut items) => {
            let item_type = if let Type::Array(item) = ty { item } else { &Type::Any };
            for (index, item) in items.iter_mut().enumerate() {
                if passes(item_type, item) {
                    continue;
                }
                *item = walk(item_type, std::mem::take(item), functions, depth)
                    .map_err(|problem| problem.within(|| format!("[{index}]")))?;
            }
            Ok(items.into())
        }
        Err(value) => {
            let mut map = value.try_cast::<Map>().unwrap_or_default();
            if let Type::Struct(def) = ty {
                check_keys(def, &map)?;
            }
            for (key, item) in &mut map {
                let item_type = match ty {
                    Type::Map(item) => item,
                    Type::Struct(def) => match def.fields.iter().find(|f| f.name == key.as_str()) {
                        Some(field) => &field.ty,
                        None => &Type::Any,
                    },
                    _ => &Type::Any,
                };
                if passes(item_type, item) {
                    continue;
                }
                *item = walk(item_type, std::mem::take(item), functions, depth)
                    .map_err(|problem| problem.within(|| format!(".{key}")))?;
            }
            Ok(map.into())
        }
    }
}

/// Whether a value passes as it is, at the price of a look at its tag: one that has nothing inside, is of just
/// the declared type and not shared. What does not may still [`conform`].
pub fn passes(ty: &Type, value: &Dynamic) -> bool {
    if value.is_shared() {
        return false;
    }
    match ty {
        Type::Any => {
            value.is_int() || value.is_float() || value.is_string() || value.is_bool() || value.is_unit()
        }
        // These have something inside, or names to be looked at.
        Type::Array(_) | Type::Map(_) | Type::Struct(_) | Type::Enum(_) | Type::Fn(..) | Type::Handle(_) => {
            false
        }
        _ => Kind::of_type(ty).is_some_and(|kind| kind.holds(value)),
    }
}

fn check_keys(def: &StructType, map: &Map) -> Result<(), Problem> {
    let unknown = map.keys().find(|key| !def.fields.iter().any(|f| f.name == key.as_str()));
    if let Some(key) = unknown {
        let names: Vec<String> = def.fields.iter().map(|f| f.name.clone()).collect();
        let expected = format!("{} with the keys {}", def.name, quoted(&names));
        let misfit = Misfit::Mismatch { expected, found: format!("the key {key:?}") };
        return Err(Problem { path: Vec::new(), misfit });
    }
    let missing =
        def.fields.iter().find(|f| !map.contains_key(f.name.as_str()) && !matches!(f.ty, Type::Option(_)));
    if let Some(field) = missing {
        let expected = format!("{} with the key `{}`", def.name, field.name);
        let misfit = Misfit::Mismatch { expected, found: "none".to_owned() };
        return Err(Problem { path: Vec::new(), misfit });
    }
    Ok(())
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
}

/// The [`Dynamic`] of a [`Value`](caraway_plugin::Value).
pub fn from_value(value: caraway_plugin::Value) -> Dynamic {
    use caraway_plugin::Value;
    match value {
        Value::Unit => Dynamic::UNIT,
        Value::Bool(bool) => bool.into(),
        Value::Int(int) => int.into(),
        Value::Float(float) => float.into(),
        Value::Char(char) => char.into(),
        Value::String(text) => text.into(),
        Value::Bytes(bytes) => Dynamic::from_blob(bytes),
        Value::Array(items) => Dynamic::from_array(items.into_iter().map(from_value).collect()),
        Value::Map(entries) => Dynamic::from_map(
            entries.into_iter().map(|(key, value)| (key.into(), from_value(value))).collect(),
        ),
    }
}

/// The [`Value`](caraway_plugin::Value) of a `Dynamic` that has passed [`conform`].
///
/// # Errors
///
/// [`Code::ValueRefused`] for what has no equivalent: functions, buffers, handles, timestamps, types of the host,
/// and values that nest too deep.
pub fn to_value(value: &Dynamic) -> Result<caraway_plugin::Value, Error> {
    to_value_at(value, 0)
}

fn to_value_at(value: &Dynamic, depth: usize) -> Result<caraway_plugin::Value, Error> {
    use caraway_plugin::Value;
    if depth > MAX_DEPTH {
        return Err(Problem { path: Vec::new(), misfit: Misfit::TooDeep }.into_error());
    }
    if let Ok(int) = value.as_int() {
        return Ok(Value::Int(int));
    }
    if let Ok(float) = value.as_float() {
        return Ok(Value::Float(float));
    }
    if let Ok(bool) = value.as_bool() {
        return Ok(Value::Bool(bool));
    }
    if let Ok(char) = value.as_char() {
        return Ok(Value::Char(char));
    }
    if value.is_unit() {
        return Ok(Value::Unit);
    }
    if let Some(text) = value.read_lock::<ImmutableString>() {
        return Ok(Value::String(text.to_string()));
    }
    if let Some(bytes) = value.read_lock::<Blob>() {
        return Ok(Value::Bytes(bytes.clone()));
    }
    if let Some(items) = value.read_lock::<Array>() {
        return Ok(Value::Array(
            items.iter().map(|item| to_value_at(item, depth + 1)).collect::<Result<_, _>>()?,
        ));
    }
    if let Some(map) = value.read_lock::<Map>() {
        return Ok(Value::Map(
            map.iter()
                .map(|(key, item)| Ok((key.to_string(), to_value_at(item, depth + 1)?)))
                .collect::<Result<_, Error>>()?,
        ));
    }
    let kind = Kind::of_value(value);
    let what = if kind == Some(Kind::Fn) { "a function".to_owned() } else { type_name(value) };
    let error = Error::new(Code::ValueRefused, format!("holds {what}, which cannot cross into this plugin"));
    Err(match kind {
        Some(Kind::Ints | Kind::Floats) => {
            error.hint(format!("`to_array()` makes an array of it; a parameter may be `{what}` itself"))
        }
        Some(Kind::Handle) => error.hint("a handle is passed as an argument of its own, to its own plugin"),
        _ => error,
    })
}
