//! Buffers as arguments.

use super::node::{Kind, Node};
use super::store::{Heap, store_numbers};
use crate::shape::IntKind;
use caraway_loaders_core::Error;
use caraway_loaders_core::buffer::{Floats, Ints, Reading};
use rhai::Dynamic;

/// A buffer among the arguments.
pub(super) enum Buffer {
    Ints(Ints),
    Floats(Floats),
}

/// A buffer that nobody changes meanwhile.
pub(super) enum Locked<'a> {
    Ints(Reading<'a, i64>),
    Floats(Reading<'a, f64>),
}

/// What a buffer holds.
#[derive(Clone, Copy)]
pub(super) enum Numbers<'a> {
    Ints(&'a [i64]),
    Floats(&'a [f64]),
}

/// Whether a value is a buffer.
pub(super) fn is_buffer(value: &Dynamic) -> bool {
    value.is::<Floats>() || value.is::<Ints>()
}

impl Node {
    /// Whether it is a list that may be a buffer.
    pub(super) fn takes_buffers(&self) -> bool {
        matches!(&self.kind, Kind::List(item) if matches!(item.kind, Kind::F64 | Kind::Int(IntKind::S64)))
    }

    /// The buffer that a value is, if it may be one.
    pub(super) fn buffer(&self, value: &Dynamic) -> Option<Buffer> {
        match &self.kind {
            Kind::List(item) => match item.kind {
                Kind::F64 => Floats::of(value).map(Buffer::Floats),
                Kind::Int(IntKind::S64) => Ints::of(value).map(Buffer::Ints),
                _ => None,
            },
            _ => None,
        }
    }
}

impl Buffer {
    /// The numbers, for the duration of the call.
    ///
    /// # Errors
    ///
    /// If somebody is writing them.
    pub(super) fn read(&self) -> Result<Locked<'_>, Error> {
        Ok(match self {
            Self::Ints(ints) => Locked::Ints(ints.read()?),
            Self::Floats(floats) => Locked::Floats(floats.read()?),
        })
    }
}

impl Locked<'_> {
    pub(super) fn numbers(&self) -> Numbers<'_> {
        match self {
            Self::Ints(ints) => Numbers::Ints(ints),
            Self::Floats(floats) => Numbers::Floats(floats),
        }
    }
}

impl Numbers<'_> {
    /// How many bytes of the guest's memory they take.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Ints(ints) => size_of_val(*ints),
            Self::Floats(floats) => size_of_val(*floats),
        }
    }

    /// Copies them into the guest, and gives where they are and how many.
    pub(super) fn store(&self, heap: &mut dyn Heap) -> wasmtime::Result<[u64; 2]> {
        match self {
            Self::Ints(ints) => store_numbers(ints, i64::to_le_bytes, heap),
            Self::Floats(floats) => store_numbers(floats, f64::to_le_bytes, heap),
        }
    }
}
