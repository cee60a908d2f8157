//! Types, laid out as the canonical ABI demands.

use crate::reflect::{Export, Outcome};
use crate::shape::{IntKind, Names, Shape};
use caraway_loaders_core::Type;
use rhai::ImmutableString;
use wasmtime::component::__internal::CanonicalAbiInfo;
use wasmtime::component::__internal::wasmtime_environ::component::VariantInfo;

/// What one value of a script takes on the heap, in bytes, beside what is in it: a scalar, a text or blob, an
/// array, and a map with up to six entries.
const FOOTPRINT: usize = 16;
const TEXT_FOOTPRINT: usize = 64;
const ARRAY_FOOTPRINT: usize = 64;
const MAP_FOOTPRINT: usize = 560;

/// A type with its place in memory.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// Bytes in the guest's memory, and how they are aligned.
    pub(super) size: usize,
    pub(super) align: u32,
    /// How many words it is outside of memory; `None` for too many.
    pub(super) words: Option<usize>,
    /// Whether there are pointers in it.
    pub(super) pointers: bool,
    /// What a value takes of the host's memory, but for texts and lists in it.
    pub(super) footprint: usize,
}

/// What a [`Node`] is.
#[derive(Debug)]
pub(super) enum Kind {
    Bool,
    Int(IntKind),
    F32,
    F64,
    Char,
    String,
    Bytes,
    List(Box<Node>),
    /// `list<s64>` and `list<f64>` that become buffers. Results only.
    Ints,
    Floats,
    Tuple(Vec<Place>),
    Record(Vec<Field>),
    Variant {
        names: Vec<ImmutableString>,
        cases: Cases,
    },
    Enum {
        names: Vec<ImmutableString>,
        tag: usize,
    },
    Flags(Vec<ImmutableString>),
    Option {
        cases: Cases,
        wrapped: bool,
    },
    Result(Cases),
}

/// A type, and where it begins in the one that it is a part of.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) at: usize,
    pub(super) node: Node,
}

/// A field of a record.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: ImmutableString,
    pub(super) place: Place,
    /// Whether a map may be without it.
    pub(super) optional: bool,
}

/// The cases of a type that has several.
#[derive(Debug)]
pub(super) struct Cases {
    /// Bytes of the number that says which case it is.
    pub(super) tag: usize,
    /// Where the payload begins.
    pub(super) at: usize,
    pub(super) payloads: Vec<Option<Node>>,
}

impl Node {
    fn new(kind: Kind, abi: &CanonicalAbiInfo, pointers: bool, footprint: usize) -> Self {
        Self {
            kind,
            size: abi.size32 as usize,
            align: abi.align32,
            words: abi.flat_count.map(usize::from),
            pointers,
            footprint,
        }
    }

    /// Lays out a type; `None` for one that has no plan.
    pub(super) fn of(shape: &Shape) -> Option<Self> {
        Self::with_abi(shape).map(|(node, _)| node)
    }

    fn with_abi(shape: &Shape) -> Option<(Self, CanonicalAbiInfo)> {
        let scalar = |kind, abi: CanonicalAbiInfo| Some((Self::new(kind, &abi, false, FOOTPRINT), abi));
        let pointer = |kind, footprint| {
            let abi = CanonicalAbiInfo::POINTER_PAIR;
            Some((Self::new(kind, &abi, true, footprint), abi))
        };
        match shape {
            Shape::Bool => scalar(Kind::Bool, CanonicalAbiInfo::SCALAR1),
            Shape::Int(int) => scalar(Kind::Int(*int), int_abi(*int)),
            Shape::F32 => scalar(Kind::F32, CanonicalAbiInfo::SCALAR4),
            Shape::F64 => scalar(Kind::F64, CanonicalAbiInfo::SCALAR8),
            Shape::Char => scalar(Kind::Char, CanonicalAbiInfo::SCALAR4),
            Shape::String => pointer(Kind::String, TEXT_FOOTPRINT),
            Shape::Bytes => pointer(Kind::Bytes, TEXT_FOOTPRINT),
            Shape::List(item) => pointer(Kind::List(Box::new(Self::of(item)?)), ARRAY_FOOTPRINT),
            Shape::Tuple(shapes) => {
                let (places, abi) = places(shapes.iter())?;
                let (pointers, inside) = sum(places.iter());
                Some((Self::new(Kind::Tuple(places), &abi, pointers, ARRAY_FOOTPRINT + inside), abi))
            }
            Shape::Record(def) => {
                let (places, abi) = places(def.fields.iter().map(|field| &field.shape))?;
                let (pointers, inside) = sum(places.iter());
                let fields = def.fields.iter().zip(places).map(|(field, place)| Field {
                    name: field.name.script.as_str().into(),
                    place,
                    optional: matches!(field.shape, Shape::Option { .. }),
                });
                let footprint = MAP_FOOTPRINT * def.fields.len().div_ceil(6) + inside;
                Some((Self::new(Kind::Record(fields.collect()), &abi, pointers, footprint), abi))
            }
            Shape::Variant(cases) => {
                let names = cases.iter().map(|case| case.name.script.as_str().into()).collect();
                let payloads = cases.iter().map(|case| case.payload.as_ref());
                tagged(payloads, MAP_FOOTPRINT, |cases| Kind::Variant { names, cases })
            }
            Shape::Enum(names) => {
                let (info, abi) = VariantInfo::new(names.names.iter().map(|_| None));
                let kind = Kind::Enum { names: scripts(names), tag: info.size.into() };
                Some((Self::new(kind, &abi, false, TEXT_FOOTPRINT), abi))
            }
            Shape::Flags(names) if (1..=32).contains(&names.names.len()) => {
                let abi = CanonicalAbiInfo::flags(names.names.len());
                let footprint = ARRAY_FOOTPRINT + TEXT_FOOTPRINT * names.names.len();
                Some((Self::new(Kind::Flags(scripts(names)), &abi, false, footprint), abi))
            }
            Shape::Option { inner, wrapped } => {
                let wrapped = *wrapped;
                tagged([None, Some(&**inner)].into_iter(), ARRAY_FOOTPRINT, |cases| Kind::Option {
                    cases,
                    wrapped,
                })
            }
            Shape::Result { ok, err } => {
                tagged([ok.as_deref(), err.as_deref()].into_iter(), MAP_FOOTPRINT, Kind::Result)
            }
            _ => None,
        }
    }
}

/// What a function takes, laid out; see [`Node::of`].
pub(super) fn params(export: &Export) -> Option<(Vec<Place>, CanonicalAbiInfo)> {
    places(export.params.iter())
}

/// What a function gives back, laid out. `Some(None)` for nothing.
pub(super) fn result(export: &Export) -> Option<Option<Node>> {
    let mut node = match &export.result {
        Outcome::Nothing => return Some(None),
        Outcome::Value(shape) => Node::of(shape)?,
        Outcome::Fallible { ok, err } => {
            let node = tagged([ok.as_ref(), err.as_ref()].into_iter(), MAP_FOOTPRINT, Kind::Result)?.0;
            return Some(Some(into_buffer_if_ok(node, &export.signature.returns)));
        }
    };
    into_buffer(&mut node, &export.signature.returns);
    Some(Some(node))
}

fn into_buffer_if_ok(mut node: Node, declared: &Type) -> Node {
    if let Kind::Result(cases) = &mut node.kind
        && let Some(Some(ok)) = cases.payloads.first_mut()
    {
        into_buffer(ok, declared);
    }
    node
}

/// Makes a buffer of a list where the manifest declares one.
fn into_buffer(node: &mut Node, declared: &Type) {
    match declared {
        Type::Ints => node.kind = Kind::Ints,
        Type::Floats => node.kind = Kind::Floats,
        _ => {}
    }
}

fn int_abi(int: IntKind) -> CanonicalAbiInfo {
    match int {
        IntKind::S8 | IntKind::U8 => CanonicalAbiInfo::SCALAR1,
        IntKind::S16 | IntKind::U16 => CanonicalAbiInfo::SCALAR2,
        IntKind::S32 | IntKind::U32 => CanonicalAbiInfo::SCALAR4,
        IntKind::S64 | IntKind::U64 => CanonicalAbiInfo::SCALAR8,
    }
}

fn places<'a>(shapes: impl Iterator<Item = &'a Shape>) -> Option<(Vec<Place>, CanonicalAbiInfo)> {
    let mut offset = 0;
    let mut abis = Vec::new();
    let mut places = Vec::new();
    for shape in shapes {
        let (node, abi) = Node::with_abi(shape)?;
        places.push(Place { at: abi.next_field32(&mut offset) as usize, node });
        abis.push(abi);
    }
    Some((places, CanonicalAbiInfo::record(abis.iter())))
}

fn sum<'a>(places: impl Iterator<Item = &'a Place>) -> (bool, usize) {
    places.fold((false, 0), |(pointers, footprint), place| {
        (pointers || place.node.pointers, footprint + place.node.footprint)
    })
}

fn tagged<'a>(
    shapes: impl Iterator<Item = Option<&'a Shape>>,
    footprint: usize,
    kind: impl FnOnce(Cases) -> Kind,
) -> Option<(Node, CanonicalAbiInfo)> {
    let mut abis = Vec::new();
    let mut payloads = Vec::new();
    for shape in shapes {
        let (node, abi) = match shape {
            Some(shape) => Node::with_abi(shape).map(|(node, abi)| (Some(node), Some(abi)))?,
            None => (None, None),
        };
        payloads.push(node);
        abis.push(abi);
    }
    let (info, abi) = VariantInfo::new(abis.iter().map(Option::as_ref));
    let pointers = payloads.iter().flatten().any(|node| node.pointers);
    let inside = payloads.iter().flatten().map(|node| node.footprint).max().unwrap_or_default();
    let cases = Cases { tag: info.size.into(), at: info.payload_offset32 as usize, payloads };
    Some((Node::new(kind(cases), &abi, pointers, footprint + inside), abi))
}

fn scripts(names: &Names) -> Vec<ImmutableString> {
    names.names.iter().map(|name| name.script.as_str().into()).collect()
}
