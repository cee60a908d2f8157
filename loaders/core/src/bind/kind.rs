//! What Rhai tells apart.

use crate::buffer::{Floats, Ints};
use crate::handle::Handle;
use caraway_plugin::Type;
use rhai::{Array, Blob, Dynamic, FnPtr, ImmutableString, Map};
use std::any::TypeId;

/// The outermost type of a value: what Rhai finds functions by. The one place that knows how the types of
/// signatures, Rust and Rhai go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Unit,
    Int,
    Float,
    Bool,
    Char,
    String,
    Bytes,
    Ints,
    Floats,
    Array,
    Map,
    Fn,
    Handle,
}

impl Kind {
    /// All, in their order.
    pub(super) const ALL: [Kind; 13] = [
        Kind::Unit,
        Kind::Int,
        Kind::Float,
        Kind::Bool,
        Kind::Char,
        Kind::String,
        Kind::Bytes,
        Kind::Ints,
        Kind::Floats,
        Kind::Array,
        Kind::Map,
        Kind::Fn,
        Kind::Handle,
    ];

    /// What values of this type are; `None` for types that several kinds go with, `any` and `T?`.
    #[inline]
    pub(super) fn of_type(ty: &Type) -> Option<Kind> {
        Some(match ty {
            Type::Void => Kind::Unit,
            Type::Int => Kind::Int,
            Type::Float => Kind::Float,
            Type::Bool => Kind::Bool,
            Type::Char => Kind::Char,
            Type::String | Type::Enum(_) => Kind::String,
            Type::Bytes => Kind::Bytes,
            Type::Ints => Kind::Ints,
            Type::Floats => Kind::Floats,
            Type::Array(_) => Kind::Array,
            Type::Map(_) | Type::Struct(_) => Kind::Map,
            Type::Fn(..) => Kind::Fn,
            Type::Handle(_) => Kind::Handle,
            _ => return None,
        })
    }

    /// What a value is; `None` for types of a host.
    pub(super) fn of_value(value: &Dynamic) -> Option<Kind> {
        Self::ALL.into_iter().find(|kind| kind.holds(value))
    }

    /// Whether a value is of this kind.
    #[inline]
    pub(super) fn holds(self, value: &Dynamic) -> bool {
        match self {
            Kind::Unit => value.is_unit(),
            Kind::Int => value.is_int(),
            Kind::Float => value.is_float(),
            Kind::Bool => value.is_bool(),
            Kind::Char => value.is_char(),
            Kind::String => value.is_string(),
            Kind::Bytes => value.is_blob(),
            Kind::Ints => value.is::<Ints>(),
            Kind::Floats => value.is::<Floats>(),
            Kind::Array => value.is_array(),
            Kind::Map => value.is_map(),
            Kind::Fn => value.is_fnptr(),
            Kind::Handle => value.is::<Handle>(),
        }
    }

    /// What Rhai finds functions by.
    pub(super) fn type_id(self) -> TypeId {
        match self {
            Kind::Unit => TypeId::of::<()>(),
            Kind::Int => TypeId::of::<i64>(),
            Kind::Float => TypeId::of::<f64>(),
            Kind::Bool => TypeId::of::<bool>(),
            Kind::Char => TypeId::of::<char>(),
            Kind::String => TypeId::of::<ImmutableString>(),
            Kind::Bytes => TypeId::of::<Blob>(),
            Kind::Ints => TypeId::of::<Ints>(),
            Kind::Floats => TypeId::of::<Floats>(),
            Kind::Array => TypeId::of::<Array>(),
            Kind::Map => TypeId::of::<Map>(),
            Kind::Fn => TypeId::of::<FnPtr>(),
            Kind::Handle => TypeId::of::<Handle>(),
        }
    }

    /// What signatures call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Unit => "()",
            Kind::Int => "int",
            Kind::Float => "float",
            Kind::Bool => "bool",
            Kind::Char => "char",
            Kind::String => "string",
            Kind::Bytes => "bytes",
            Kind::Ints => "ints",
            Kind::Floats => "floats",
            Kind::Array => "array",
            Kind::Map => "map",
            Kind::Fn => "fn",
            Kind::Handle => "handle",
        }
    }

    /// Whether Rhai's errors call it so.
    pub(super) fn is_called(self, rhai: &str) -> bool {
        match self {
            Kind::Int => rhai == "i64",
            Kind::Float => rhai == "f64",
            Kind::String => rhai == "string" || rhai == "&str" || rhai.contains("String"),
            Kind::Bytes => rhai == "blob",
            Kind::Fn => rhai == "Fn",
            other => rhai == other.name(),
        }
    }
}
