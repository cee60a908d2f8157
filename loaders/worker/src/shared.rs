//! Buffers of numbers that both sides have a copy of while a call lasts.
//!
//! A buffer keeps its identity on its way through a plugin, and what one side writes to it the other sees when it goes on:
//! each message brings what was changed since the last one.

use crate::wire::{Malformed, Reader, Word, Writer};
use caraway_loaders_core::Error;
use caraway_loaders_core::buffer::{Buffer, Floats, Ints};
use rhai::Dynamic;

/// The buffers of the call that is going on.
#[derive(Default)]
pub(crate) struct Shared {
    depth: usize,
    next: u32,
    entries: Vec<Entry>,
}

struct Entry {
    id: u32,
    copy: Copy,
}

/// A buffer, and what both sides know to be in it.
enum Copy {
    Ints(Ints, Vec<i64>),
    Floats(Floats, Vec<f64>),
}

/// Numbers that this side gave are even here and odd there.
const STEP: u32 = 2;

impl Shared {
    /// A call begins, or one within it; says whether it is the outermost.
    pub(crate) fn enter(&mut self) -> bool {
        self.depth += 1;
        self.depth == 1
    }

    /// It has ended. After the outermost, which is said, nothing is shared.
    pub(crate) fn leave(&mut self) -> bool {
        self.depth = self.depth.saturating_sub(1);
        if self.depth == 0 {
            self.entries.clear();
        }
        self.depth == 0
    }

    /// The number of a buffer, and whether the other side knows it already.
    pub(crate) fn share(&mut self, value: &Dynamic) -> Result<Option<(u32, bool)>, Error> {
        if let Some(known) = self.entries.iter().find(|entry| entry.copy.is(value)) {
            return Ok(Some((known.id, true)));
        }
        let Some(copy) = Copy::of(value)? else { return Ok(None) };
        let id = self.next;
        self.next = self.next.wrapping_add(STEP);
        self.entries.push(Entry { id, copy });
        Ok(Some((id, false)))
    }

    /// A buffer that the other side has given a number.
    pub(crate) fn received(&mut self, id: u32, value: &Dynamic) {
        // What is odd here is even there.
        if let Ok(Some(copy)) = Copy::of(value) {
            self.entries.push(Entry { id: id ^ 1, copy });
        }
    }

    /// The buffer that the other side means by a number.
    pub(crate) fn known(&self, id: u32) -> Result<Dynamic, Malformed> {
        let entry = self.entries.iter().find(|entry| entry.id == id ^ 1);
        Ok(entry.ok_or(Malformed("no buffer has this number"))?.copy.value())
    }

    /// Writes what was changed since the last message.
    pub(crate) fn write_changes(&mut self, out: &mut Writer) {
        let changed: Vec<&mut Entry> =
            self.entries.iter_mut().filter_map(|entry| entry.copy.is_changed().then_some(entry)).collect();
        out.list(changed.into_iter(), |out, entry| {
            out.u32(entry.id);
            entry.copy.write_change(out);
        });
    }

    /// Takes over what the other side has changed.
    pub(crate) fn read_changes(&mut self, from: &mut Reader<'_>) -> Result<(), Malformed> {
        for _ in 0..from.count(4)? {
            let id = from.u32()? ^ 1;
            let entry = self.entries.iter_mut().find(|entry| entry.id == id);
            entry.ok_or(Malformed("no buffer has this number"))?.copy.read_change(from)?;
        }
        Ok(())
    }
}

impl Copy {
    fn of(value: &Dynamic) -> Result<Option<Self>, Error> {
        if let Some(ints) = Ints::of(value) {
            let numbers = ints.read()?.to_vec();
            return Ok(Some(Self::Ints(ints, numbers)));
        }
        let Some(floats) = Floats::of(value) else { return Ok(None) };
        let numbers = floats.read()?.to_vec();
        Ok(Some(Self::Floats(floats, numbers)))
    }

    fn is(&self, value: &Dynamic) -> bool {
        match self {
            Self::Ints(buffer, _) => Ints::of(value).is_some_and(|other| other.is(buffer)),
            Self::Floats(buffer, _) => Floats::of(value).is_some_and(|other| other.is(buffer)),
        }
    }

    fn value(&self) -> Dynamic {
        match self {
            Self::Ints(buffer, _) => Dynamic::from(buffer.clone()),
            Self::Floats(buffer, _) => Dynamic::from(buffer.clone()),
        }
    }

    fn is_changed(&self) -> bool {
        match self {
            Self::Ints(buffer, known) => differs(buffer, known),
            Self::Floats(buffer, known) => differs(buffer, known),
        }
    }

    fn write_change(&mut self, out: &mut Writer) {
        match self {
            Self::Ints(buffer, known) => write(out, buffer, known),
            Self::Floats(buffer, known) => write(out, buffer, known),
        }
    }

    fn read_change(&mut self, from: &mut Reader<'_>) -> Result<(), Malformed> {
        match self {
            Self::Ints(buffer, known) => read(from, buffer, known),
            Self::Floats(buffer, known) => read(from, buffer, known),
        }
    }
}

/// Bit by bit: a NaN is not equal to itself. A buffer that is being written to is told of later.
fn differs<T: Word>(buffer: &Buffer<T>, known: &[T]) -> bool {
    buffer.read().is_ok_and(|now| {
        now.len() != known.len() || now.iter().zip(known).any(|(now, known)| now.to_word() != known.to_word())
    })
}

fn write<T: Word>(out: &mut Writer, buffer: &Buffer<T>, known: &mut Vec<T>) {
    if let Ok(now) = buffer.read() {
        known.clear();
        known.extend_from_slice(&now);
    }
    out.count(known.len());
    out.words(known.iter().map(|number| number.to_word()));
}

fn read<T: Word>(from: &mut Reader<'_>, buffer: &Buffer<T>, known: &mut Vec<T>) -> Result<(), Malformed> {
    *known = from.words(T::from_word)?;
    // Whoever has it locked sees the change when it lets go of it and the next message comes.
    if let Ok(mut now) = buffer.write()
        && let Ok(numbers) = now.vec(known.len())
    {
        numbers.clear();
        numbers.extend_from_slice(known);
    }
    Ok(())
}
