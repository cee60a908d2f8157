//! The numbers of buffers, in a module's memory and back.
//!
//! A page is copied when its first number is used, under the buffer's lock; what was set is written back when the call
//! ends, or before an imported function is called. Locks are held for that long only, so others can use the buffer
//! meanwhile: what they set in numbers that the call sets too is lost, as if they had done it before; what they set in
//! pages that are here already is not seen until the call has ended. Where a lock cannot be had, the call fails as it
//! does when Rhai walks it.

use super::pool::{Cause, State, stopped};
use crate::emit::Memory as Layout;
use crate::ir::Type;
use caraway_loaders_core::buffer::{Buffer, Floats, Ints, Number};
use caraway_loaders_core::{Code, Error, budget};
use rhai::{Dynamic, Position};
use std::ops::Range;
use std::time::{Duration, Instant};
use wasmtime::{AsContextMut, Caller, Memory, Result, Store};

/// How long to wait for a buffer that others use when numbers are to be written back.
const PATIENCE: Duration = Duration::from_millis(100);

/// The buffers of a call, by their numbers, and what of them is in the memory.
#[derive(Default)]
pub(super) struct Buffers {
    entries: Vec<Entry>,
    /// The pages that are there, by the buffers' numbers and their own.
    pages: Vec<(usize, usize)>,
    /// How many numbers there must be room for.
    places: usize,
}

struct Entry {
    buffer: Any,
    /// The place of its first number.
    start: usize,
    len: usize,
}

#[derive(Clone)]
enum Any {
    Ints(Ints),
    Floats(Floats),
}

/// A number as it stands in memory.
trait Word: Number {
    fn to_bytes(self) -> [u8; 8];
    fn of_bytes(bytes: [u8; 8]) -> Self;
}

impl Word for i64 {
    fn to_bytes(self) -> [u8; 8] {
        self.to_le_bytes()
    }

    fn of_bytes(bytes: [u8; 8]) -> Self {
        Self::from_le_bytes(bytes)
    }
}

impl Word for f64 {
    fn to_bytes(self) -> [u8; 8] {
        self.to_le_bytes()
    }

    fn of_bytes(bytes: [u8; 8]) -> Self {
        Self::from_le_bytes(bytes)
    }
}

impl Any {
    fn of(ty: Type, value: &Dynamic) -> Option<Self> {
        match ty {
            Type::Ints => Ints::of(value).map(Self::Ints),
            _ => Floats::of(value).map(Self::Floats),
        }
    }

    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Ints(a), Self::Ints(b)) => a.is(b),
            (Self::Floats(a), Self::Floats(b)) => a.is(b),
            _ => false,
        }
    }

    fn len(&self) -> Result<usize, Error> {
        match self {
            Self::Ints(buffer) => Ok(buffer.read()?.len()),
            Self::Floats(buffer) => Ok(buffer.read()?.len()),
        }
    }

    /// Copies numbers to `target`. Where there are none any more, there are zeros.
    fn copy(&self, numbers: Range<usize>, target: &mut [u8]) -> Result<(), Error> {
        fn copy<T: Word>(buffer: &Buffer<T>, numbers: Range<usize>, target: &mut [u8]) -> Result<(), Error> {
            let all = buffer.read()?;
            let end = numbers.end.min(all.len());
            let there = all.get(numbers.start..end).unwrap_or_default();
            let mut places = target.chunks_exact_mut(8);
            for (place, number) in places.by_ref().zip(there) {
                place.copy_from_slice(&number.to_bytes());
            }
            if there.len() < numbers.len() {
                target[there.len() * 8..].fill(0);
            }
            Ok(())
        }
        match self {
            Self::Ints(buffer) => copy(buffer, numbers, target),
            Self::Floats(buffer) => copy(buffer, numbers, target),
        }
    }

    /// Whether it can be written to now.
    fn try_write(&self) -> Result<(), Error> {
        match self {
            Self::Ints(buffer) => buffer.write().map(drop),
            Self::Floats(buffer) => buffer.write().map(drop),
        }
    }

    /// Writes back what was set in these pages of the memory.
    fn write_back(&self, start: usize, pages: &[usize], memory: &mut [u8]) -> Result<(), Error> {
        fn write_back<T: Word>(
            buffer: &Buffer<T>,
            start: usize,
            pages: &[usize],
            memory: &mut [u8],
        ) -> Result<(), Error> {
            let mut numbers = patiently(|| buffer.write())?;
            let (maps, data) = memory.split_at_mut(Layout::DATA);
            for page in pages {
                let places = page * Layout::PAGE..(page + 1) * Layout::PAGE;
                let set = &mut maps[Layout::SET..][places.clone()];
                let words = &data[places.start * 8..places.end * 8];
                let end = numbers.len().min(places.end - start);
                let numbers = numbers.get_mut(places.start - start..end).unwrap_or_default();
                // Most of a page may be as it was.
                for ((flags, words), numbers) in
                    set.chunks_exact(8).zip(words.chunks_exact(64)).zip(numbers.chunks_mut(8))
                {
                    if flags != [0; 8] {
                        set_numbers(flags, words, numbers);
                    }
                }
                set.fill(0);
            }
            Ok(())
        }
        match self {
            Self::Ints(buffer) => write_back(buffer, start, pages, memory),
            Self::Floats(buffer) => write_back(buffer, start, pages, memory),
        }
    }
}

/// Takes those words that were set.
fn set_numbers<T: Word>(flags: &[u8], words: &[u8], numbers: &mut [T]) {
    for ((flag, word), number) in flags.iter().zip(words.chunks_exact(8)).zip(numbers) {
        if *flag != 0
            && let Ok(word) = word.try_into()
        {
            *number = T::of_bytes(word);
        }
    }
}

/// Tries again for a while. Nobody up the stack can have the lock that is waited for here: then the buffer would not
/// have been claimed.
fn patiently<T>(lock: impl Fn() -> Result<T, Error>) -> Result<T, Error> {
    let start = Instant::now();
    loop {
        match lock() {
            Err(_) if start.elapsed() < PATIENCE => std::thread::yield_now(),
            outcome => return outcome,
        }
    }
}

impl Buffers {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The number of a buffer, a new one for each. None if it is no buffer, or one that others use, or if there is no
    /// room for its numbers.
    pub(super) fn number(&mut self, ty: Type, value: &Dynamic) -> Option<i64> {
        let buffer = Any::of(ty, value)?;
        let known = self.entries.iter().position(|entry| entry.buffer.is(&buffer));
        let number = match known {
            Some(number) => number,
            None => {
                self.entries.push(Entry { buffer, start: 0, len: 0 });
                let number = self.entries.len() - 1;
                self.place(number).ok()?;
                // Rhai needs no room for them. What the call itself makes is counted when it is made.
                if !budget::may_allocate(self.places as u64 * 8) {
                    return None;
                }
                number
            }
        };
        i64::try_from(number).ok()
    }

    /// The buffer of this number, as a script's value.
    pub(super) fn value(&self, number: i64) -> Dynamic {
        let entry = usize::try_from(number).ok().and_then(|number| self.entries.get(number));
        match entry.map(|entry| entry.buffer.clone()) {
            Some(Any::Ints(buffer)) => Dynamic::from(buffer),
            Some(Any::Floats(buffer)) => Dynamic::from(buffer),
            None => Dynamic::UNIT,
        }
    }

    /// Gives a buffer its place, behind those that have theirs.
    fn place(&mut self, number: usize) -> Result<(), Error> {
        let Some(entry) = self.entries.get_mut(number) else { return Ok(()) };
        let len = entry.buffer.len()?;
        let places = len.checked_next_multiple_of(Layout::PAGE).unwrap_or(usize::MAX);
        let end = self.places.saturating_add(places);
        if end > Layout::NUMBERS {
            return Err(Error::new(Code::Memory, format!("there is no room for a buffer of {len} numbers"))
                .hint("all buffers of a compiled function can have 512 MiB"));
        }
        (entry.start, entry.len, self.places) = (self.places, len, end);
        Ok(())
    }

    /// Gives all buffers their places anew.
    fn measure(&mut self) -> Result<(), Error> {
        self.places = 0;
        (0..self.entries.len()).try_for_each(|number| self.place(number))
    }

    /// Writes the table.
    fn tabulate(&self, memory: &mut [u8]) {
        for (entry, place) in self.entries.iter().zip(memory.chunks_exact_mut(Layout::ENTRY)) {
            let start = u32::try_from(entry.start).unwrap_or_default();
            place[..4].copy_from_slice(&start.to_le_bytes());
            place[Layout::LEN_IN_ENTRY..].copy_from_slice(&(entry.len as u64).to_le_bytes());
        }
    }

    /// Writes back what was set, and forgets what is in the memory.
    fn write_back(&mut self, memory: &mut [u8]) -> Result<(), Error> {
        let mut outcome = Ok(());
        self.pages.sort_unstable();
        for pages in self.pages.chunk_by(|a, b| a.0 == b.0) {
            let entry = &self.entries[pages[0].0];
            let pages: Vec<usize> = pages.iter().map(|(_, page)| *page).collect();
            let is_claimed = |page: &usize| memory[Layout::PAGES + page] == Layout::CLAIMED;
            let claimed: Vec<usize> = pages.iter().copied().filter(is_claimed).collect();
            if !claimed.is_empty() {
                outcome = outcome.and(entry.buffer.write_back(entry.start, &claimed, memory));
            }
            for page in pages {
                memory[Layout::PAGES + page] = 0;
            }
        }
        if outcome.is_err() {
            // What could not be written back must not be taken for what the next call sets.
            for (_, page) in &self.pages {
                memory[Layout::SET..][page * Layout::PAGE..(page + 1) * Layout::PAGE].fill(0);
            }
        }
        self.pages.clear();
        outcome
    }
}

/// Makes room for the buffers of a call, and takes them.
pub(super) fn begin(store: &mut Store<State>, memory: Memory, buffers: Buffers) -> Result<()> {
    make_room(&mut *store, memory, buffers.places)?;
    buffers.tabulate(memory.data_mut(&mut *store));
    store.data_mut().buffers = buffers;
    Ok(())
}

fn make_room(mut store: impl AsContextMut, memory: Memory, places: usize) -> Result<()> {
    let needed = Layout::DATA + places * 8;
    let missing = needed.saturating_sub(memory.data_size(&store));
    if missing > 0 {
        memory.grow(&mut store, missing.div_ceil(64 << 10) as u64)?;
    }
    Ok(())
}

/// Writes back what a call has set, and lets go of its buffers.
pub(super) fn end(store: &mut Store<State>, memory: Memory) -> Result<(), Error> {
    let (memory, state) = memory.data_and_store_mut(store);
    let outcome = state.buffers.write_back(memory);
    state.buffers = Buffers::default();
    outcome
}

/// Makes a buffer, and gives its number.
pub(super) fn fill(
    mut caller: Caller<'_, State>,
    is_floats: u32,
    len: i64,
    word: i64,
    site: u32,
) -> Result<u32> {
    let Some(memory) = caller.data().memory else {
        return Err(wasmtime::Error::msg("a buffer without a memory"));
    };
    let state = caller.data_mut();
    let limit = state.max_numbers;
    let made = match is_floats {
        0 => Ints::filled(len, word, limit).map(Any::Ints),
        _ => Floats::filled(len, f64::from_bits(word.cast_unsigned()), limit).map(Any::Floats),
    };
    let placed = made.and_then(|buffer| {
        let number = state.buffers.entries.len();
        state.buffers.entries.push(Entry { buffer, start: 0, len: 0 });
        state.buffers.place(number).map(|()| number)
    });
    let number = placed.map_err(|error| stopped(state, Cause::Buffer { error, site }))?;
    let places = state.buffers.places;
    make_room(&mut caller, memory, places)?;
    let (memory, state) = memory.data_and_store_mut(&mut caller);
    state.buffers.tabulate(memory);
    Ok(u32::try_from(number)?)
}

/// Lets go of the numbers of all buffers, which an imported function at `position` may read and write.
pub(super) fn release(caller: &mut Caller<'_, State>, position: Position) -> Result<()> {
    let Some(memory) = caller.data().memory else { return Ok(()) };
    let (memory, state) = memory.data_and_store_mut(&mut *caller);
    match state.buffers.write_back(memory) {
        Ok(()) => Ok(()),
        Err(error) => Err(stopped(state, Cause::Import(error.raise(position)))),
    }
}

/// Takes them again, as they are now.
pub(super) fn renew(caller: &mut Caller<'_, State>, position: Position) -> Result<()> {
    let Some(memory) = caller.data().memory.filter(|_| !caller.data().buffers.is_empty()) else {
        return Ok(());
    };
    if let Err(error) = caller.data_mut().buffers.measure() {
        return Err(stopped(caller.data_mut(), Cause::Import(error.raise(position))));
    }
    let places = caller.data().buffers.places;
    make_room(&mut *caller, memory, places)?;
    let (memory, state) = memory.data_and_store_mut(caller);
    state.buffers.tabulate(memory);
    Ok(())
}

/// Copies a page into the memory.
pub(super) fn fetch(mut caller: Caller<'_, State>, number: u32, page: u32, site: u32) -> Result<()> {
    ask(&mut caller, number, page, site, false)
}

/// The same, and sees whether it can be written to.
pub(super) fn claim(mut caller: Caller<'_, State>, number: u32, page: u32, site: u32) -> Result<()> {
    ask(&mut caller, number, page, site, true)
}

fn ask(caller: &mut Caller<'_, State>, number: u32, page: u32, site: u32, to_write: bool) -> Result<()> {
    let broken = || wasmtime::Error::msg("a buffer that is not there");
    let memory = caller.data().memory.ok_or_else(broken)?;
    let (memory, state) = memory.data_and_store_mut(&mut *caller);
    let (number, page) = (usize::try_from(number)?, usize::try_from(page)?);
    let entry = state.buffers.entries.get(number).ok_or_else(broken)?;
    let busy = |error| Cause::Buffer { error, site };
    if memory[Layout::PAGES + page] == 0 {
        let places = page * Layout::PAGE..(page + 1) * Layout::PAGE;
        let target = &mut memory[Layout::DATA..][places.start * 8..places.end * 8];
        let numbers = places.start - entry.start..places.end - entry.start;
        if let Err(error) = entry.buffer.copy(numbers, target) {
            return Err(stopped(state, busy(error)));
        }
        memory[Layout::PAGES + page] = Layout::PRESENT;
        state.buffers.pages.push((number, page));
    }
    if to_write {
        if let Err(error) = state.buffers.entries[number].buffer.try_write() {
            return Err(stopped(state, busy(error)));
        }
        memory[Layout::PAGES + page] = Layout::CLAIMED;
    }
    Ok(())
}
