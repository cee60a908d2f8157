//! Strings and bytes in a module's memory.
//!
//! Nothing that the module says is believed: every place and size is looked at before it is used.

use super::slot::Text;
use crate::keeper::Failure;
use crate::lift::Sizes;
use crate::memory::MemoryMeter;
use caraway_loaders_core::{Code, Error};
use rhai::{Blob, Dynamic, ImmutableString};
use std::fmt;
use std::ops::Range;
use wasmtime::{Instance, Memory, Store, TypedFunc};

/// The exports that make room in a module's memory.
pub(super) const MEMORY: &str = "memory";
/// `alloc(size: i32) -> i32`.
pub(super) const ALLOC: &str = "alloc";
/// `dealloc(at: i32, size: i32)`, which a module may do without.
pub(super) const DEALLOC: &str = "dealloc";

/// A module's memory, and how room is made in it.
pub(super) struct Heap {
    memory: Memory,
    alloc: TypedFunc<u32, u32>,
    dealloc: Option<TypedFunc<(u32, u32), ()>>,
}

/// Bytes in a module's memory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) at: u32,
    pub(super) size: u32,
}

/// How a module breaks the contract.
#[derive(Debug)]
pub(crate) enum Broken {
    /// It has no room for so many bytes.
    Full(u32),
    /// It says that something is where its memory is not.
    Outside { at: u32, size: u32, memory: usize },
    /// It gave up.
    Aborted,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(size) => write!(f, "has no room for {size} bytes: its `{ALLOC}` gave 0"),
            Self::Outside { at, size, memory } => {
                write!(f, "gave {size} bytes at {at}, outside of its memory of {memory} bytes")
            }
            Self::Aborted => f.write_str("called `abort`"),
        }
    }
}

impl std::error::Error for Broken {}

impl Broken {
    /// What it is to the caller of `function`.
    pub(crate) fn to_error(&self, function: &str) -> Error {
        let code = if matches!(self, Self::Full(_)) { Code::Memory } else { Code::PluginCrashed };
        Error::new(code, format!("`{function}` {self}"))
    }
}

impl Heap {
    /// The heap of an instance.
    pub(super) fn of(instance: &Instance, store: &mut Store<MemoryMeter>) -> wasmtime::Result<Self> {
        let memory = instance.get_memory(&mut *store, MEMORY);
        let dealloc = instance.get_func(&mut *store, DEALLOC);
        Ok(Self {
            memory: memory.ok_or_else(|| wasmtime::Error::msg("no memory"))?,
            alloc: instance.get_typed_func(&mut *store, ALLOC)?,
            dealloc: dealloc.map(|dealloc| dealloc.typed(&*store)).transpose()?,
        })
    }

    /// Puts an argument into the memory.
    ///
    /// # Errors
    ///
    /// [`Code::ArgumentType`] for more bytes than an `i32` counts, and whatever `alloc` ends in.
    pub(super) fn put(
        &self,
        store: &mut Store<MemoryMeter>,
        text: Text,
        value: &Dynamic,
    ) -> Result<Place, Failure> {
        let other = || Failure::Refused(Error::new(Code::Internal, "an argument of another type"));
        match text {
            Text::String => {
                let text = value.read_lock::<ImmutableString>().ok_or_else(other)?;
                self.copy_in(store, text.as_bytes())
            }
            Text::Bytes => {
                let bytes = value.read_lock::<Blob>().ok_or_else(other)?;
                self.copy_in(store, &bytes)
            }
        }
    }

    fn copy_in(&self, store: &mut Store<MemoryMeter>, bytes: &[u8]) -> Result<Place, Failure> {
        let Ok(size) = u32::try_from(bytes.len()) else {
            let message = format!("has {} bytes; a core module has room for less than 4 GiB", bytes.len());
            return Err(Failure::Refused(Error::new(Code::ArgumentType, message)));
        };
        // A place of no bytes would be nowhere in some languages.
        let asked = size.max(1);
        let at = self.alloc.call(&mut *store, asked)?;
        if at == 0 {
            return Err(Failure::Fault(Broken::Full(asked).into()));
        }
        let place = Place { at, size: asked };
        let range = self.within(store, place)?;
        if let Some(target) =
            self.memory.data_mut(store).get_mut(range).and_then(|range| range.get_mut(..bytes.len()))
        {
            target.copy_from_slice(bytes);
        }
        Ok(Place { at, size })
    }

    /// Takes what a function gave back: the value, or why it cannot be used.
    pub(super) fn take(
        &self,
        store: &mut Store<MemoryMeter>,
        text: Text,
        place: Place,
        sizes: &Sizes,
    ) -> Result<Result<Dynamic, Error>, Failure> {
        let range = self.within(store, place)?;
        if let Err(error) = sizes.bytes(range.len()) {
            return Ok(Err(error));
        }
        let bytes = self.memory.data(&*store).get(range).unwrap_or_default();
        Ok(match text {
            Text::Bytes => Ok(Dynamic::from_blob(bytes.to_vec())),
            Text::String => match std::str::from_utf8(bytes) {
                Ok(text) => Ok(text.into()),
                Err(error) => Err(Error::new(
                    Code::ResultType,
                    format!("the result is a string that is not UTF-8, from byte {} on", error.valid_up_to()),
                )),
            },
        })
    }

    /// Gives room back to the module, if it wants it.
    pub(super) fn free(&self, store: &mut Store<MemoryMeter>, place: Place) -> Result<(), Failure> {
        match &self.dealloc {
            Some(dealloc) => Ok(dealloc.call(store, (place.at, place.size))?),
            None => Ok(()),
        }
    }

    fn within(&self, store: &Store<MemoryMeter>, place: Place) -> Result<Range<usize>, Failure> {
        let memory = self.memory.data_size(store);
        let at = place.at as usize;
        match at.checked_add(place.size as usize) {
            Some(end) if end <= memory => Ok(at..end),
            _ => Err(Failure::Fault(Broken::Outside { at: place.at, size: place.size, memory }.into())),
        }
    }
}

impl Place {
    /// The place that an `i64` says.
    pub(super) fn of_packed(packed: u64) -> Self {
        Self { at: (packed >> 32) as u32, size: packed as u32 }
    }

    /// The place as it was asked for: at least one byte.
    pub(super) fn as_asked(self) -> Self {
        Self { size: self.size.max(1), ..self }
    }

    /// Whether what begins at `at` begins in it.
    pub(super) fn holds(self, at: u32) -> bool {
        (self.at..self.at.saturating_add(self.size.max(1))).contains(&at)
    }
}
