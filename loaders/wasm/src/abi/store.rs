//! Values to words and bytes: what [`fits`](super::fit::fits) has let through.

use super::choose::{choose, flag};
use super::fit::number;
use super::node::{Kind, Node};
use crate::shape::IntKind;
use caraway_loaders_core::buffer::Number;
use rhai::{Array, Blob, Dynamic, ImmutableString, Map};
use std::fmt;
use wasmtime::component::__internal::{InterfaceType, LowerContext};
use wasmtime::component::Lower;
use wasmtime::error::format_err;
use wasmtime::{Result, ValRaw};

/// The guest's memory.
pub(super) trait Heap {
    /// Asks the guest for memory, and gives where it is.
    fn allocate(&mut self, size: usize, align: u32) -> Result<usize>;

    /// Gives back what lies behind the first bytes of an allocation, if the guest can do that.
    fn shrink(&mut self, at: usize, size: usize, align: u32) -> Result<()>;

    /// What is there.
    fn bytes(&mut self, at: usize, size: usize) -> Result<&mut [u8]>;

    /// Copies a text into new memory, in the encoding that the guest wants. Gives both words of it.
    fn text(&mut self, text: &str) -> Result<[u64; 2]>;
}

impl<T> Heap for LowerContext<'_, T> {
    fn allocate(&mut self, size: usize, align: u32) -> Result<usize> {
        self.realloc(0, 0, align, size)
    }

    fn shrink(&mut self, at: usize, size: usize, align: u32) -> Result<()> {
        self.realloc(at, size, align, align as usize).map(|_| ())
    }

    fn bytes(&mut self, at: usize, size: usize) -> Result<&mut [u8]> {
        let memory = self.as_slice_mut().get_mut(at..).and_then(|rest| rest.get_mut(..size));
        memory.ok_or_else(|| format_err!("pointer out of bounds of memory"))
    }

    fn text(&mut self, text: &str) -> Result<[u64; 2]> {
        let mut words = std::mem::MaybeUninit::new([ValRaw::u64(0); 2]);
        text.linear_lower_to_flat(self, InterfaceType::String, &mut words)?;
        // SAFETY: it was made of two words.
        let [at, len] = unsafe { words.assume_init() };
        Ok([at.get_u64(), len.get_u64()])
    }
}

/// No memory, for what has no pointers in it.
struct Nowhere;

impl Heap for Nowhere {
    fn allocate(&mut self, _: usize, _: u32) -> Result<usize> {
        Err(misfit())
    }

    fn shrink(&mut self, _: usize, _: usize, _: u32) -> Result<()> {
        Err(misfit())
    }

    fn bytes(&mut self, _: usize, _: usize) -> Result<&mut [u8]> {
        Err(misfit())
    }

    fn text(&mut self, _: &str) -> Result<[u64; 2]> {
        Err(misfit())
    }
}

/// The words that a function is called with. All of them are 0 at first.
pub(super) struct Words<'a> {
    words: &'a mut [ValRaw],
    next: usize,
}

impl<'a> Words<'a> {
    pub(super) fn new(words: &'a mut [ValRaw]) -> Self {
        Self { words, next: 0 }
    }

    pub(super) fn push(&mut self, word: u64) -> Result<()> {
        let slot = self.words.get_mut(self.next).ok_or_else(misfit)?;
        *slot = ValRaw::u64(word);
        self.next += 1;
        Ok(())
    }
}

/// Appends a value's words.
pub(super) fn flatten(
    node: &Node,
    value: &Dynamic,
    heap: &mut dyn Heap,
    words: &mut Words<'_>,
) -> Result<()> {
    match &node.kind {
        Kind::Tuple(places) => {
            let items = value.read_lock::<Array>().ok_or_else(misfit)?;
            places
                .iter()
                .zip(items.iter())
                .try_for_each(|(place, value)| flatten(&place.node, value, heap, words))
        }
        Kind::Record(fields) => {
            let map = value.read_lock::<Map>().ok_or_else(misfit)?;
            fields.iter().try_for_each(|field| {
                let value = map.get(field.name.as_str()).unwrap_or(&Dynamic::UNIT);
                flatten(&field.place.node, value, heap, words)
            })
        }
        Kind::Variant { .. } | Kind::Option { .. } | Kind::Result(_) => {
            let end = words.next + node.words.ok_or_else(misfit)?;
            choose(&node.kind, value, |index, payload| {
                words.push(index as u64)?;
                payload.map_or(Ok(()), |(node, value)| flatten(node, value, heap, words))
            })
            .ok_or_else(misfit)??;
            // What the other cases would have more stays 0.
            words.next = end;
            Ok(())
        }
        Kind::String | Kind::Bytes | Kind::List(_) => {
            let [at, len] = outside(node, value, heap)?;
            words.push(at)?;
            words.push(len)
        }
        _ => words.push(word(node, value)?),
    }
}

/// Writes a value to `to`, which has its size.
pub(super) fn store(node: &Node, value: &Dynamic, heap: &mut dyn Heap, to: &mut [u8]) -> Result<()> {
    match &node.kind {
        Kind::Tuple(places) => {
            let items = value.read_lock::<Array>().ok_or_else(misfit)?;
            places.iter().zip(items.iter()).try_for_each(|(place, value)| {
                store(&place.node, value, heap, part(to, place.at, place.node.size)?)
            })
        }
        Kind::Record(fields) => {
            let map = value.read_lock::<Map>().ok_or_else(misfit)?;
            fields.iter().try_for_each(|field| {
                let value = map.get(field.name.as_str()).unwrap_or(&Dynamic::UNIT);
                let place = &field.place;
                store(&place.node, value, heap, part(to, place.at, place.node.size)?)
            })
        }
        Kind::Variant { .. } | Kind::Option { .. } | Kind::Result(_) => {
            let cases = node.kind.cases().ok_or_else(misfit)?;
            choose(&node.kind, value, |index, payload| {
                put(part(to, 0, cases.tag)?, index as u64);
                match payload {
                    Some((node, value)) => store(node, value, heap, part(to, cases.at, node.size)?),
                    None => Ok(()),
                }
            })
            .ok_or_else(misfit)?
        }
        Kind::String | Kind::Bytes | Kind::List(_) => put_pair(to, outside(node, value, heap)?),
        _ => {
            put(to, word(node, value)?);
            Ok(())
        }
    }
}

/// Copies numbers into new memory.
pub(super) fn store_numbers<const N: usize, T: Copy>(
    numbers: &[T],
    bytes: impl Fn(T) -> [u8; N],
    heap: &mut dyn Heap,
) -> Result<[u64; 2]> {
    let size = numbers.len().checked_mul(N).ok_or_else(misfit)?;
    let at = heap.allocate(size, N as u32)?;
    let (chunks, _) = heap.bytes(at, size)?.as_chunks_mut::<N>();
    chunks.iter_mut().zip(numbers).for_each(|(chunk, number)| *chunk = bytes(*number));
    Ok([at as u64, numbers.len() as u64])
}

/// Copies a text, blob or list into new memory, and gives where it is and how long.
fn outside(node: &Node, value: &Dynamic, heap: &mut dyn Heap) -> Result<[u64; 2]> {
    match &node.kind {
        Kind::String => heap.text(&value.read_lock::<ImmutableString>().ok_or_else(misfit)?),
        Kind::Bytes => {
            let blob = value.read_lock::<Blob>().ok_or_else(misfit)?;
            let at = heap.allocate(blob.len(), 1)?;
            heap.bytes(at, blob.len())?.copy_from_slice(&blob);
            Ok([at as u64, blob.len() as u64])
        }
        Kind::List(item) => {
            let items = value.read_lock::<Array>().ok_or_else(misfit)?;
            list(item, &items, heap)
        }
        _ => Err(misfit()),
    }
}

fn list(item: &Node, items: &[Dynamic], heap: &mut dyn Heap) -> Result<[u64; 2]> {
    let size = items.len().checked_mul(item.size).ok_or_else(misfit)?;
    let at = heap.allocate(size, item.align)?;
    match item.kind {
        Kind::F64 => copy_numbers(items, at, heap, f64::to_le_bytes)?,
        Kind::Int(IntKind::S64) => copy_numbers(items, at, heap, i64::to_le_bytes)?,
        _ if item.pointers => {
            // What the items point at is placed between them: they are written when all of it is there.
            let mut written = vec![0; size];
            for (chunk, value) in written.chunks_exact_mut(item.size).zip(items) {
                store(item, value, heap, chunk)?;
            }
            heap.bytes(at, size)?.copy_from_slice(&written);
        }
        _ => {
            let chunks = heap.bytes(at, size)?.chunks_exact_mut(item.size);
            for (chunk, value) in chunks.zip(items) {
                store(item, value, &mut Nowhere, chunk)?;
            }
        }
    }
    Ok([at as u64, items.len() as u64])
}

/// Copies numbers to where room for them was made.
///
/// # Errors
///
/// [`NoNumber`] for an item that is none, or shared with others who might change it. The room is given back but for one
/// item's: the canonical ABI knows no way to free all of it.
fn copy_numbers<T: Number>(
    items: &[Dynamic],
    at: usize,
    heap: &mut dyn Heap,
    bytes: impl Fn(T) -> [u8; 8],
) -> Result<()> {
    let size = items.len() * 8;
    let (chunks, _) = heap.bytes(at, size)?.as_chunks_mut::<8>();
    for (chunk, item) in chunks.iter_mut().zip(items) {
        match T::of(item) {
            Some(number) if !item.is_shared() => *chunk = bytes(number),
            _ => {
                heap.shrink(at, size, 8)?;
                return Err(NoNumber.into());
            }
        }
    }
    Ok(())
}

/// An item of a list of numbers is none. The guest was not called.
#[derive(Debug)]
pub(super) struct NoNumber;

impl fmt::Display for NoNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an item that is no number")
    }
}

impl std::error::Error for NoNumber {}

/// The one word that a value is.
fn word(node: &Node, value: &Dynamic) -> Result<u64> {
    Ok(match &node.kind {
        Kind::Bool => value.as_bool().map_err(|_| misfit())?.into(),
        Kind::Int(kind) => {
            let int = value.as_int().map_err(|_| misfit())?;
            // Two's complement; in words, smaller integers are extended to 32 bits.
            if kind.is_64_bits() { int as u64 } else { (int as u32).into() }
        }
        Kind::F32 => (number(value).ok_or_else(misfit)? as f32).to_bits().into(),
        Kind::F64 => number(value).ok_or_else(misfit)?.to_bits(),
        Kind::Char => u32::from(value.as_char().map_err(|_| misfit())?).into(),
        Kind::Enum { .. } => choose(&node.kind, value, |index, _| index as u64).ok_or_else(misfit)?,
        Kind::Flags(names) => {
            let items = value.read_lock::<Array>().ok_or_else(misfit)?;
            let mut bits = 0;
            for item in items.iter() {
                bits |= flag(names, item).ok_or_else(misfit)?;
            }
            bits.into()
        }
        _ => return Err(misfit()),
    })
}

/// Writes the lowest bytes of a word.
fn put(to: &mut [u8], word: u64) {
    to.iter_mut().zip(word.to_le_bytes()).for_each(|(to, byte)| *to = byte);
}

/// Writes a pointer and a length.
pub(super) fn put_pair(to: &mut [u8], [at, len]: [u64; 2]) -> Result<()> {
    put(part(to, 0, 4)?, at);
    put(part(to, 4, 4)?, len);
    Ok(())
}

/// The bytes of a part of something.
pub(super) fn part(of: &mut [u8], at: usize, size: usize) -> Result<&mut [u8]> {
    of.get_mut(at..).and_then(|rest| rest.get_mut(..size)).ok_or_else(misfit)
}

/// What was found to fit does not: a bug.
#[cold]
fn misfit() -> wasmtime::Error {
    format_err!("a value that was found to fit does not")
}
