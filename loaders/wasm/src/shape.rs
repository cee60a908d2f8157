//! WIT types, and what each is in a script.

use caraway_loaders_core::{Code, Error, Type as ScriptType};
use caraway_plugin::{EnumType, Field, StructType};
use std::sync::Arc;
use wasmtime::component::types::{ResourceType, Type};

/// Deepest nesting of a WIT type.
const MAX_DEPTH: usize = 32;

/// A WIT type, taken apart once when a component is loaded.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    Bool,
    Int(IntKind),
    F32,
    F64,
    Char,
    String,
    /// `list<u8>`.
    Bytes,
    List(Box<Shape>),
    Tuple(Vec<Shape>),
    Record(Record),
    Variant(Vec<Case>),
    Enum(Names),
    Flags(Names),
    /// `option<T>`: the value or `()`. Where the value may be `()` itself, `wrapped`: `[value]` or `()`.
    Option {
        inner: Box<Shape>,
        wrapped: bool,
    },
    /// `result<T, E>` inside another type: `#{ok: value}` or `#{err: value}`.
    Result {
        ok: Option<Box<Shape>>,
        err: Option<Box<Shape>>,
    },
    /// `own<R>`: a handle, which goes with the value.
    Own(Resource),
    /// `borrow<R>`: a handle, lent for a call.
    Borrow(Resource),
}

/// A `resource` that the component exports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resource {
    /// What signatures call its handles. No two of a component are called the same.
    pub(crate) class: Arc<str>,
}

/// The integers of WIT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IntKind {
    S8,
    U8,
    S16,
    U16,
    S32,
    U32,
    S64,
    U64,
}

/// A `record`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Record {
    /// What signatures call it.
    pub(crate) name: String,
    pub(crate) fields: Vec<RecordField>,
}

/// A field of a [`Record`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RecordField {
    pub(crate) name: Name,
    pub(crate) shape: Shape,
}

/// A case of a `variant`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Case {
    pub(crate) name: Name,
    pub(crate) payload: Option<Shape>,
}

/// The cases of an `enum`, or the flags of a `flags`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Names {
    /// What signatures call the type.
    pub(crate) name: String,
    pub(crate) names: Vec<Name>,
}

/// A name in WIT and in scripts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    /// `kebab-case`.
    pub(crate) wit: String,
    /// `snake_case`.
    pub(crate) script: String,
}

impl Name {
    fn new(wit: &str) -> Self {
        Self { wit: wit.to_owned(), script: snake_case(wit) }
    }
}

impl Names {
    /// The name that a script means by `text`.
    pub(crate) fn of_script(&self, text: &str) -> Option<&Name> {
        self.names.iter().find(|name| name.script == text)
    }

    /// What a script calls the WIT name.
    pub(crate) fn of_wit(&self, text: &str) -> Option<&Name> {
        self.names.iter().find(|name| name.wit == text)
    }
}

/// The names that a component gives to its types.
#[derive(Default)]
pub(crate) struct TypeNames {
    types: Vec<(Type, String)>,
    resources: Vec<(ResourceType, Resource)>,
}

impl TypeNames {
    /// Notes that the type is called `name`. The first name of a type stays.
    pub(crate) fn add(&mut self, name: &str, ty: Type) {
        if matches!(ty, Type::Record(_) | Type::Enum(_)) {
            self.types.push((ty, camel_case(name)));
        }
    }

    /// Notes that the component exports the resource as `name`, in an interface or by itself.
    pub(crate) fn add_resource(&mut self, interface: &str, name: &str, ty: ResourceType) {
        let taken = |class: &str| self.resources.iter().any(|(_, known)| &*known.class == class);
        if self.resources.iter().any(|(known, _)| *known == ty) {
            return;
        }
        let mut class = camel_case(name);
        if taken(&class) {
            class.insert_str(0, &camel_case(interface));
        }
        while taken(&class) {
            class.push('_');
        }
        self.resources.push((ty, Resource { class: class.into() }));
    }

    fn resource(&self, ty: &ResourceType) -> Result<Resource, Error> {
        let known = self.resources.iter().find(|(known, _)| known == ty);
        known
            .map(|(_, resource)| resource.clone())
            .ok_or_else(|| unsupported("a resource of another component"))
    }

    fn find(&self, ty: &Type, otherwise: &str) -> String {
        self.types
            .iter()
            .find(|(known, _)| known == ty)
            .map_or_else(|| otherwise.to_owned(), |(_, n)| n.clone())
    }
}

impl IntKind {
    /// Whether it takes 64 bits.
    pub(crate) fn is_64_bits(self) -> bool {
        matches!(self, Self::S64 | Self::U64)
    }

    /// The least and the greatest value that both the type and a script's int can hold.
    pub(crate) fn range(self) -> (i64, i64) {
        match self {
            Self::S8 => (i8::MIN.into(), i8::MAX.into()),
            Self::U8 => (0, u8::MAX.into()),
            Self::S16 => (i16::MIN.into(), i16::MAX.into()),
            Self::U16 => (0, u16::MAX.into()),
            Self::S32 => (i32::MIN.into(), i32::MAX.into()),
            Self::U32 => (0, u32::MAX.into()),
            Self::S64 => (i64::MIN, i64::MAX),
            Self::U64 => (0, i64::MAX),
        }
    }
}

impl Shape {
    /// Takes a type apart.
    ///
    /// # Errors
    ///
    /// [`Code::NotEnforced`] for resources, streams, futures and what else is not built.
    pub(crate) fn of(ty: &Type, names: &TypeNames) -> Result<Self, Error> {
        Self::at(ty, names, 0)
    }

    fn at(ty: &Type, names: &TypeNames, depth: usize) -> Result<Self, Error> {
        if depth > MAX_DEPTH {
            return Err(unsupported("a type that nests too deep"));
        }
        let inner = |ty: &Type| Self::at(ty, names, depth + 1);
        let boxed = |ty: Type| inner(&ty).map(Box::new);
        Ok(match ty {
            Type::Bool => Self::Bool,
            Type::S8 => Self::Int(IntKind::S8),
            Type::U8 => Self::Int(IntKind::U8),
            Type::S16 => Self::Int(IntKind::S16),
            Type::U16 => Self::Int(IntKind::U16),
            Type::S32 => Self::Int(IntKind::S32),
            Type::U32 => Self::Int(IntKind::U32),
            Type::S64 => Self::Int(IntKind::S64),
            Type::U64 => Self::Int(IntKind::U64),
            Type::Float32 => Self::F32,
            Type::Float64 => Self::F64,
            Type::Char => Self::Char,
            Type::String => Self::String,
            Type::List(list) => match list.ty() {
                Type::U8 => Self::Bytes,
                item => Self::List(boxed(item)?),
            },
            Type::Tuple(tuple) => Self::Tuple(tuple.types().map(|ty| inner(&ty)).collect::<Result<_, _>>()?),
            Type::Record(record) => Self::Record(Record {
                name: names.find(ty, "Record"),
                fields: record
                    .fields()
                    .map(|field| Ok(RecordField { name: Name::new(field.name), shape: inner(&field.ty)? }))
                    .collect::<Result<_, Error>>()?,
            }),
            Type::Variant(variant) => Self::Variant(
                variant
                    .cases()
                    .map(|case| {
                        let payload = case.ty.map(|ty| inner(&ty)).transpose()?;
                        Ok(Case { name: Name::new(case.name), payload })
                    })
                    .collect::<Result<_, Error>>()?,
            ),
            Type::Enum(cases) => Self::Enum(Names {
                name: names.find(ty, "Enum"),
                names: cases.names().map(Name::new).collect(),
            }),
            Type::Flags(flags) => {
                Self::Flags(Names { name: "flags".to_owned(), names: flags.names().map(Name::new).collect() })
            }
            Type::Option(option) => {
                let inner = boxed(option.ty())?;
                let wrapped = matches!(*inner, Self::Option { .. });
                Self::Option { inner, wrapped }
            }
            Type::Result(result) => Self::Result {
                ok: result.ok().map(boxed).transpose()?,
                err: result.err().map(boxed).transpose()?,
            },
            Type::Own(resource) => Self::Own(names.resource(resource)?),
            Type::Borrow(resource) => Self::Borrow(names.resource(resource)?),
            Type::Future(_) => return Err(unsupported("a future")),
            Type::Stream(_) => return Err(unsupported("a stream")),
            Type::ErrorContext => return Err(unsupported("an error context")),
            Type::Map(_) => return Err(unsupported("a map")),
            Type::FixedLengthList(_) => return Err(unsupported("a list of fixed length")),
        })
    }

    /// The type in signatures.
    pub(crate) fn script_type(&self) -> ScriptType {
        match self {
            Self::Bool => ScriptType::Bool,
            Self::Int(_) => ScriptType::Int,
            Self::F32 | Self::F64 => ScriptType::Float,
            Self::Char => ScriptType::Char,
            Self::String => ScriptType::String,
            Self::Bytes => ScriptType::Bytes,
            Self::List(item) => ScriptType::Array(Box::new(item.part_type())),
            Self::Tuple(_) => ScriptType::Array(Box::new(ScriptType::Any)),
            Self::Record(record) => ScriptType::Struct(Arc::new(StructType {
                name: record.name.clone(),
                fields: record
                    .fields
                    .iter()
                    .map(|field| Field { name: field.name.script.clone(), ty: field.shape.part_type() })
                    .collect(),
            })),
            Self::Enum(names) => ScriptType::Enum(Arc::new(EnumType {
                name: names.name.clone(),
                values: names.names.iter().map(|name| name.script.clone()).collect(),
            })),
            Self::Flags(_) => ScriptType::Array(Box::new(ScriptType::String)),
            Self::Option { wrapped: true, .. } => ScriptType::Any,
            Self::Option { inner, .. } => match inner.part_type() {
                ScriptType::Any => ScriptType::Any,
                inner => ScriptType::Option(Box::new(inner)),
            },
            Self::Variant(_) | Self::Result { .. } => ScriptType::Any,
            Self::Own(resource) | Self::Borrow(resource) => ScriptType::Handle(resource.class.clone()),
        }
    }

    /// The type of a part of another type, of which signatures cannot say that it is a handle.
    fn part_type(&self) -> ScriptType {
        match self {
            Self::Own(_) | Self::Borrow(_) => ScriptType::Any,
            shape => shape.script_type(),
        }
    }

    /// Gives the resources in it to `give`.
    pub(crate) fn each_resource(&self, give: &mut dyn FnMut(&Resource)) {
        match self {
            Self::Own(resource) | Self::Borrow(resource) => give(resource),
            Self::List(inner) | Self::Option { inner, .. } => inner.each_resource(give),
            Self::Tuple(items) => items.iter().for_each(|item| item.each_resource(give)),
            Self::Record(record) => record.fields.iter().for_each(|field| field.shape.each_resource(give)),
            Self::Variant(cases) => {
                cases.iter().filter_map(|case| case.payload.as_ref()).for_each(|s| s.each_resource(give));
            }
            Self::Result { ok, err } => {
                ok.iter().chain(err).for_each(|shape| shape.each_resource(give));
            }
            _ => {}
        }
    }
}

fn unsupported(what: &str) -> Error {
    Error::new(Code::NotEnforced, format!("it uses {what}, which cannot be passed to a script yet"))
        .hint("export functions over numbers, strings, lists, records, variants and the like")
}

/// `two-words` as scripts write it: `two_words`.
pub(crate) fn snake_case(wit: &str) -> String {
    wit.replace('-', "_").to_lowercase()
}

/// `two-words` as types are called: `TwoWords`.
fn camel_case(wit: &str) -> String {
    let mut out = String::with_capacity(wit.len());
    for word in wit.split('-') {
        let mut chars = word.chars();
        out.extend(chars.next().map(|c| c.to_ascii_uppercase()));
        out.push_str(chars.as_str());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_translated() {
        for (wit, snake, camel) in
            [("a", "a", "A"), ("next-color", "next_color", "NextColor"), ("to-URL", "to_url", "ToURL")]
        {
            assert_eq!((snake_case(wit), camel_case(wit)), (snake.to_owned(), camel.to_owned()));
        }
    }

    #[test]
    fn an_option_of_an_option_loses_nothing() {
        let inner = Shape::Option { inner: Box::new(Shape::Bool), wrapped: false };
        assert_eq!(inner.script_type().to_string(), "bool?");
        let outer = Shape::Option { inner: Box::new(inner), wrapped: true };
        assert_eq!(outer.script_type(), ScriptType::Any);
    }
}
