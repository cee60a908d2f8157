//! Types, laid out as the canonical ABI demands.

use crate::reflect::{Export, Outcome};
use crate::shape::{IntKind, Names, Shape};
use caraway_loaders_core::Type;
use rhai::{Dynamic, ImmutableString};
use wasmtime::component::__internal::CanonicalAbiInfo;
use wasmtime::component::__internal::wasmtime_environ::component::VariantInfo;

/// What values take of the host's memory, in bytes: an item of an array, and beside what is in them, an array, a
/// text or blob, and a map for each six entries.
pub(super) const ITEM: usize = size_of::<Dynamic>();
pub(super) const ARRAY: usize = 48;
const TEXT: usize = 48;
pub(super) const MAP: usize = 560;

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
    /// What any value takes of the host's memory at least, in bytes.
    pub(super) least: usize,
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
    fn new(kind: Kind, abi: &CanonicalAbiInfo, pointers: bool) -> Self {
        Self {
            least: least(&kind),
            kind,
            size: abi.size32 as usize,
            align: abi.align32,
            words: abi.flat_count.map(usize::from),
            pointers,
        }
    }

    /// Lays out a type; `None` for one that has no plan.
    pub(super) fn of(shape: &Shape) -> Option<Self> {
        Self::with_abi(shape).map(|(node, _)| node)
    }

    fn with_abi(shape: &Shape) -> Option<(Self, CanonicalAbiInfo)> {
        let scalar = |kind, abi: CanonicalAbiInfo| Some((Self::new(kind, &abi, false), abi));
        let pointer = |kind| {
            let abi = CanonicalAbiInfo::POINTER_PAIR;
            Some((Self::new(kind, &abi, true), abi))
        };
        match shape {
            Shape::Bool => scalar(Kind::Bool, CanonicalAbiInfo::SCALAR1),
            Shape::Int(int) => scalar(Kind::Int(*int), int_abi(*int)),
            Shape::F32 => scalar(Kind::F32, CanonicalAbiInfo::SCALAR4),
            Shape::F64 => scalar(Kind::F64, CanonicalAbiInfo::SCALAR8),
            Shape::Char => scalar(Kind::Char, CanonicalAbiInfo::SCALAR4),
            Shape::String => pointer(Kind::String),
            Shape::Bytes => pointer(Kind::Bytes),
            Shape::List(item) => pointer(Kind::List(Box::new(Self::of(item)?))),
            Shape::Tuple(shapes) => {
                let (places, abi) = places(shapes.iter())?;
                let pointers = places.iter().any(|place| place.node.pointers);
                Some((Self::new(Kind::Tuple(places), &abi, pointers), abi))
            }
            Shape::Record(def) => {
                let (places, abi) = places(def.fields.iter().map(|field| &field.shape))?;
                let pointers = places.iter().any(|place| place.node.pointers);
                let fields = def.fields.iter().zip(places).map(|(field, place)| Field {
                    name: field.name.script.as_str().into(),
                    place,
                    optional: matches!(field.shape, Shape::Option { .. }),
                });
                Some((Self::new(Kind::Record(fields.collect()), &abi, pointers), abi))
            }
            Shape::Variant(cases) => {
                let names = cases.iter().map(|case| case.name.script.as_str().into()).collect();
                let payloads = cases.iter().map(|case| case.payload.as_ref());
                tagged(payloads, |cases| Kind::Variant { names, cases })
            }
            Shape::Enum(names) => {
                let (info, abi) = VariantInfo::new(names.names.iter().map(|_| None));
                let kind = Kind::Enum { names: scripts(names), tag: info.size.into() };
                Some((Self::new(kind, &abi, false), abi))
            }
            Shape::Flags(names) if (1..=32).contains(&names.names.len()) => {
                let abi = CanonicalAbiInfo::flags(names.names.len());
                Some((Self::new(Kind::Flags(scripts(names)), &abi, false), abi))
            }
            Shape::Option { inner, wrapped } => {
                let wrapped = *wrapped;
                tagged([None, Some(&**inner)].into_iter(), |cases| Kind::Option { cases, wrapped })
            }
            Shape::Result { ok, err } => tagged([ok.as_deref(), err.as_deref()].into_iter(), Kind::Result),
            _ => None,
        }
    }
}

fn least(kind: &Kind) -> usize {
    match kind {
        Kind::String | Kind::Bytes => TEXT,
        Kind::List(_) | Kind::Ints | Kind::Floats => ARRAY,
        Kind::Tuple(places) => places.iter().map(|place| ITEM + place.node.least).sum::<usize>() + ARRAY,
        Kind::Record(fields) => {
            let inside: usize = fields.iter().map(|field| field.place.node.least).sum();
            inside + MAP * fields.len().div_ceil(6)
        }
        Kind::Flags(names) => ARRAY + ITEM * names.len(),
        // Payloads count when they are there.
        _ => 0,
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
            let node = tagged([ok.as_ref(), err.as_ref()].into_iter(), Kind::Result)?.0;
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

fn tagged<'a>(
    shapes: impl Iterator<Item = Option<&'a Shape>>,
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
    let cases = Cases { tag: info.size.into(), at: info.payload_offset32 as usize, payloads };
    Some((Node::new(kind(cases), &abi, pointers), abi))
}

fn scripts(names: &Names) -> Vec<ImmutableString> {
    names.names.iter().map(|name| name.script.as_str().into()).collect()
}
