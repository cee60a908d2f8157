//! Bytes and words to values.

use super::node::{ARRAY, Cases, ITEM, Kind, MAP, Node};
use crate::lift::Sizes;
use crate::shape::IntKind;
use crate::wasi::Stopped;
use caraway_loaders_core::budget;
use caraway_loaders_core::buffer::{Floats, Ints};
use caraway_loaders_core::{Code, Error};
use rhai::{Blob, Dynamic, ImmutableString, Map};
use wasmtime::ValRaw;
use wasmtime::component::__internal::wasmtime_environ::component::StringEncoding;
use wasmtime::component::__internal::{InterfaceType, LiftContext};
use wasmtime::component::Lift;
use wasmtime::error::format_err;

/// The budget is looked at once in so many bytes that the host takes.
const BYTES_PER_LOOK: usize = 8 << 20;

/// Why there is no value.
pub(super) enum Stop {
    /// The guest broke the rules, and its store is lost.
    Fault(wasmtime::Error),
    /// The guest is well, but a script cannot have the value.
    Refused(Error),
}

impl From<wasmtime::Error> for Stop {
    fn from(error: wasmtime::Error) -> Self {
        Self::Fault(error)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

/// What a function gave back.
pub(crate) enum Given {
    Value(Dynamic),
    /// The error of its `result`.
    Thrown(Dynamic),
    /// An argument did not fit, and nothing was called.
    Nothing,
}

/// Where values are read from: the guest's memory, or a word of its own.
pub(super) struct Source<'c, 'm> {
    bytes: &'m [u8],
    /// None for a word, which points at nothing.
    context: Option<&'c mut LiftContext<'m>>,
    sizes: &'c Sizes,
    /// How many bytes were taken since the budget was looked at.
    taken: usize,
}

/// The value that a function gave back in memory at `at`.
pub(super) fn from_memory(
    node: &Node,
    thrown: bool,
    context: &mut LiftContext<'_>,
    at: usize,
    sizes: &Sizes,
) -> Result<Given, Stop> {
    context.consume_fuel(node.least)?;
    let mut source = Source { bytes: context.memory(), context: Some(context), sizes, taken: 0 };
    source.slice(at, node.size, node.align)?;
    source.given(node, thrown, at)
}

/// The value that a function gave back as one word.
pub(super) fn from_word(node: &Node, thrown: bool, word: ValRaw, sizes: &Sizes) -> Result<Given, Stop> {
    let bytes = as_stored(node, word)?.to_le_bytes();
    Source { bytes: &bytes, context: None, sizes, taken: 0 }.given(node, thrown, 0)
}

/// A value that is one word as it would be in memory.
fn as_stored(node: &Node, word: ValRaw) -> Result<u64, Stop> {
    match &node.kind {
        Kind::Tuple(places) => match places.as_slice() {
            [place] => as_stored(&place.node, word),
            _ => Err(invalid()),
        },
        Kind::Record(fields) => match fields.as_slice() {
            [field] => as_stored(&field.place.node, word),
            _ => Err(invalid()),
        },
        Kind::Bool => Ok((word.get_u32() != 0).into()),
        Kind::Enum { tag, .. } => tag_as_stored(*tag, word),
        Kind::Variant { cases, .. } | Kind::Option { cases, .. } | Kind::Result(cases) => {
            tag_as_stored(cases.tag, word)
        }
        _ if node.size == 8 => Ok(word.get_u64()),
        _ => Ok(word.get_u32().into()),
    }
}

fn tag_as_stored(size: usize, word: ValRaw) -> Result<u64, Stop> {
    let tag = u64::from(word.get_u32());
    if tag >> (8 * size) == 0 { Ok(tag) } else { Err(invalid()) }
}

impl<'m> Source<'_, 'm> {
    fn given(&mut self, node: &Node, thrown: bool, at: usize) -> Result<Given, Stop> {
        match &node.kind {
            Kind::Result(cases) if thrown => {
                let (index, payload) = self.case(cases, at)?;
                let value = payload.unwrap_or(Dynamic::UNIT);
                Ok(if index == 0 { Given::Value(value) } else { Given::Thrown(value) })
            }
            _ => self.value(node, at).map(Given::Value),
        }
    }

    fn value(&mut self, node: &Node, at: usize) -> Result<Dynamic, Stop> {
        Ok(match &node.kind {
            Kind::Bool => (self.number(at, 1)? != 0).into(),
            Kind::Int(kind) => int(*kind, self.number(at, node.size)?)?.into(),
            Kind::F32 => f64::from(f32::from_bits(self.number(at, 4)? as u32)).into(),
            Kind::F64 => f64::from_bits(self.number(at, 8)?).into(),
            Kind::Char => match char::from_u32(self.number(at, 4)? as u32) {
                Some(char) => char.into(),
                None => return Err(format_err!("converted integer out of range for `char`").into()),
            },
            Kind::String => self.text(at)?,
            Kind::Bytes => {
                let bytes = self.list(at, 1, 1)?;
                self.sizes.bytes(bytes.len())?;
                self.consume(bytes.len())?;
                Dynamic::from_blob(Blob::from(bytes))
            }
            Kind::List(item) => self.array(item, at)?,
            Kind::Ints => {
                let ints = self.numbers(at)?;
                Dynamic::from(Ints::from(ints.iter().map(|int| i64::from_le_bytes(*int)).collect::<Vec<_>>()))
            }
            Kind::Floats => {
                let floats = self.numbers(at)?;
                let floats: Vec<f64> = floats.iter().map(|float| f64::from_le_bytes(*float)).collect();
                Dynamic::from(Floats::from(floats))
            }
            Kind::Tuple(places) => {
                let values = places.iter().map(|place| self.value(&place.node, at + place.at));
                Dynamic::from_array(values.collect::<Result<_, _>>()?)
            }
            Kind::Record(fields) => {
                let mut map = Map::new();
                for field in fields {
                    let value = self.value(&field.place.node, at + field.place.at)?;
                    map.insert(field.name.as_str().into(), value);
                }
                Dynamic::from_map(map)
            }
            Kind::Variant { names, cases } => {
                let (index, payload) = self.case(cases, at)?;
                let name = names.get(index).ok_or_else(invalid)?;
                match payload {
                    Some(value) => self.single(name, value)?,
                    None => name.clone().into(),
                }
            }
            Kind::Enum { names, tag } => {
                let index = self.number(at, *tag)? as usize;
                names.get(index).ok_or_else(invalid)?.clone().into()
            }
            Kind::Flags(names) => {
                let bits = self.number(at, node.size)?;
                let set = names.iter().enumerate().filter(|(index, _)| bits >> index & 1 == 1);
                Dynamic::from_array(set.map(|(_, name)| name.clone().into()).collect())
            }
            Kind::Option { cases, wrapped } => match self.case(cases, at)? {
                (_, None) => Dynamic::UNIT,
                (_, Some(value)) if *wrapped => {
                    self.consume(ARRAY + ITEM)?;
                    Dynamic::from_array(vec![value])
                }
                (_, Some(value)) => value,
            },
            Kind::Result(cases) => {
                let (index, payload) = self.case(cases, at)?;
                self.single(if index == 0 { "ok" } else { "err" }, payload.unwrap_or(Dynamic::UNIT))?
            }
        })
    }

    /// `#{key: value}`.
    fn single(&mut self, key: &str, value: Dynamic) -> Result<Dynamic, Stop> {
        self.consume(MAP)?;
        Ok(Dynamic::from_map(Map::from([(key.into(), value)])))
    }

    /// Which case it is, and its payload.
    fn case(&mut self, cases: &Cases, at: usize) -> Result<(usize, Option<Dynamic>), Stop> {
        let index = self.number(at, cases.tag)? as usize;
        let payload = cases.payloads.get(index).ok_or_else(invalid)?;
        let Some(node) = payload else { return Ok((index, None)) };
        self.consume(node.least)?;
        Ok((index, Some(self.value(node, at + cases.at)?)))
    }

    fn text(&mut self, at: usize) -> Result<Dynamic, Stop> {
        let sizes = self.sizes;
        let (words, whole) = (self.slice(at, 8, 4)?, self.number(at + 4, 4)? as usize);
        let context = self.context.as_mut().ok_or_else(invalid)?;
        if context.options().string_encoding != StringEncoding::Utf8 {
            // The length is in other units; what is too much for the host costs fuel.
            let text = String::linear_lift_from_memory(context, InterfaceType::String, words)?;
            sizes.bytes(text.len())?;
            return Ok(text.into());
        }
        let bytes =
            self.list(at, 1, 1).map_err(|_| format_err!("string pointer/length out of bounds of memory"))?;
        sizes.bytes(whole)?;
        self.consume(whole)?;
        let text = std::str::from_utf8(bytes).map_err(wasmtime::Error::from)?;
        Ok(ImmutableString::from(text).into())
    }

    fn array(&mut self, item: &Node, at: usize) -> Result<Dynamic, Stop> {
        let bytes = self.list(at, item.size, item.align)?;
        let len = bytes.len() / item.size.max(1);
        self.sizes.elements(len)?;
        self.consume(len.saturating_mul(ITEM + item.least))?;
        let array = match item.kind {
            Kind::F64 => {
                let floats = bytes.as_chunks::<8>().0.iter();
                floats.map(|float| Dynamic::from_float(f64::from_le_bytes(*float))).collect()
            }
            Kind::Int(IntKind::S64) => {
                let ints = bytes.as_chunks::<8>().0.iter();
                ints.map(|int| Dynamic::from_int(i64::from_le_bytes(*int))).collect()
            }
            _ => {
                let start = self.number(at, 4)? as usize;
                let mut items = Vec::with_capacity(len);
                for index in 0..len {
                    items.push(self.value(item, start + index * item.size)?);
                }
                items
            }
        };
        Ok(Dynamic::from_array(array))
    }

    /// The numbers of a list of 64 bits each.
    fn numbers(&mut self, at: usize) -> Result<&'m [[u8; 8]], Stop> {
        let bytes = self.list(at, 8, 8)?;
        self.sizes.elements(bytes.len() / 8)?;
        self.consume(bytes.len())?;
        Ok(bytes.as_chunks().0)
    }

    /// What the pointer and the length at `at` stand for: items of this size.
    fn list(&self, at: usize, size: usize, align: u32) -> Result<&'m [u8], Stop> {
        let start = self.number(at, 4)? as usize;
        let len = self.number(at + 4, 4)? as usize;
        let size = len.checked_mul(size).ok_or_else(outside)?;
        self.slice(start, size, align).map_err(|stop| match stop {
            Stop::Fault(error) => Stop::Fault(error.context("list pointer/length out of bounds of memory")),
            stop => stop,
        })
    }

    fn slice(&self, at: usize, size: usize, align: u32) -> Result<&'m [u8], Stop> {
        if !at.is_multiple_of(align as usize) {
            return Err(format_err!("pointer not aligned").into());
        }
        self.bytes.get(at..).and_then(|rest| rest.get(..size)).ok_or_else(outside)
    }

    /// The bytes at `at` as a number.
    fn number(&self, at: usize, size: usize) -> Result<u64, Stop> {
        match *self.bytes.get(at..).and_then(|rest| rest.get(..size)).ok_or_else(outside)? {
            [byte] => Ok(byte.into()),
            [a, b] => Ok(u16::from_le_bytes([a, b]).into()),
            [a, b, c, d] => Ok(u32::from_le_bytes([a, b, c, d]).into()),
            [a, b, c, d, e, f, g, h] => Ok(u64::from_le_bytes([a, b, c, d, e, f, g, h])),
            _ => Err(invalid()),
        }
    }

    /// Notes that the host is about to take so many bytes for the guest.
    fn consume(&mut self, bytes: usize) -> Result<(), Stop> {
        self.taken = self.taken.saturating_add(bytes);
        if self.taken >= BYTES_PER_LOOK {
            self.taken = 0;
            budget::check().map_err(|expiry| wasmtime::Error::from(Stopped(expiry)))?;
        }
        match &mut self.context {
            Some(context) => Ok(context.consume_fuel(bytes)?),
            None => Ok(()),
        }
    }
}

/// The integer in the lowest bytes.
pub(super) fn int(kind: IntKind, bits: u64) -> Result<i64, Error> {
    Ok(match kind {
        IntKind::S8 => (bits as i8).into(),
        IntKind::S16 => (bits as i16).into(),
        IntKind::S32 => (bits as i32).into(),
        IntKind::S64 => bits as i64,
        IntKind::U8 => (bits as u8).into(),
        IntKind::U16 => (bits as u16).into(),
        IntKind::U32 => (bits as u32).into(),
        IntKind::U64 => i64::try_from(bits)
            .map_err(|_| Error::new(Code::ResultType, format!("the result {bits} is beyond an int")))?,
    })
}

#[cold]
fn outside() -> Stop {
    Stop::Fault(format_err!("pointer out of bounds of memory"))
}

#[cold]
fn invalid() -> Stop {
    Stop::Fault(format_err!("unexpected discriminant"))
}
