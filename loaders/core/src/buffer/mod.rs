//! Buffers of numbers that keep their identity: `ints` and `floats`.
//!
//! A buffer is shared, not copied: by scripts, by the plugins that it is passed to, by native code that reads
//! and writes it in place. Whoever uses its numbers holds a lock for that long; nobody waits for one, since a
//! callback could wait for the call that it is a part of.

mod number;
mod script;

pub use number::Number;
pub(crate) use script::register;

use crate::budget;
use crate::code::Code;
use crate::error::Error;
use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use rhai::Dynamic;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::sync::Arc;

/// The buffer that signatures call `ints`.
pub type Ints = Buffer<i64>;

/// The buffer that signatures call `floats`.
pub type Floats = Buffer<f64>;

/// Numbers that scripts and plugins share. Clones are the same buffer.
///
/// ```
/// use caraway_loaders_core::buffer::Floats;
/// use rhai::Dynamic;
///
/// let buffer = Floats::from(vec![1.0, 2.0]);
/// let value = Dynamic::from(buffer.clone());
/// buffer.write()?[0] = 3.0;
/// assert_eq!(Floats::of(&value).ok_or("no buffer")?.read()?[..], [3.0, 2.0]);
///
/// let reading = buffer.read()?;
/// assert!(buffer.write().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Buffer<T: Number>(Arc<RwLock<Storage<T>>>);

/// Where the numbers are.
enum Storage<T> {
    Owned(Vec<T>),
    Foreign(Foreign<T>),
}

/// Memory of somebody else.
struct Foreign<T> {
    start: NonNull<T>,
    len: usize,
    /// Frees the memory when it is dropped.
    _owner: Box<dyn Send + Sync>,
}

// SAFETY: the memory is the buffer's alone, as `Buffer::foreign` demands, so this is as good as a `Vec<T>`; the
// owner goes anywhere.
unsafe impl<T: Send> Send for Foreign<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Foreign<T> {}

impl<T> Foreign<T> {
    fn items(&self) -> &[T] {
        // SAFETY: `Buffer::foreign` demands `len` numbers that stay until the owner is dropped.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }

    fn items_mut(&mut self) -> &mut [T] {
        // SAFETY: as above, and nobody else has the memory.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl<T> Storage<T> {
    fn items(&self) -> &[T] {
        match self {
            Storage::Owned(items) => items,
            Storage::Foreign(foreign) => foreign.items(),
        }
    }

    fn items_mut(&mut self) -> &mut [T] {
        match self {
            Storage::Owned(items) => items,
            Storage::Foreign(foreign) => foreign.items_mut(),
        }
    }
}

impl<T: Number> From<Vec<T>> for Buffer<T> {
    fn from(items: Vec<T>) -> Self {
        Self(Arc::new(RwLock::new(Storage::Owned(items))))
    }
}

impl<T: Number> Buffer<T> {
    /// A buffer of `len` numbers that are not copied. `owner` is dropped when they are not needed any more,
    /// on whichever thread that happens: with the last clone, or when the buffer has grown.
    ///
    /// # Safety
    ///
    /// From `start` on there are `len` numbers, aligned; nobody but the buffer reads or writes them, or frees
    /// them before `owner` is dropped. Together they are no larger than `isize::MAX` bytes.
    pub unsafe fn foreign(start: NonNull<T>, len: usize, owner: Box<dyn Send + Sync>) -> Self {
        Self(Arc::new(RwLock::new(Storage::Foreign(Foreign { start, len, _owner: owner }))))
    }

    /// The buffer that a value is.
    pub fn of(value: &Dynamic) -> Option<Self> {
        value.read_lock::<Self>().map(|buffer| buffer.clone())
    }

    /// Whether both are the same buffer.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The numbers, to be read. Others may read them, too, for as long as the guard lives.
    ///
    /// # Errors
    ///
    /// [`Code::BufferBusy`] while somebody writes.
    pub fn read(&self) -> Result<Reading<'_, T>, Error> {
        self.0.try_read().map(Reading).ok_or_else(busy)
    }

    /// The numbers, to be changed. Nobody else has them for as long as the guard lives.
    ///
    /// # Errors
    ///
    /// [`Code::BufferBusy`] while somebody reads or writes.
    pub fn write(&self) -> Result<Writing<'_, T>, Error> {
        self.0.try_write().map(Writing).ok_or_else(busy)
    }
}

#[cold]
fn busy() -> Error {
    Error::new(Code::BufferBusy, "the buffer is being used by a call that is going on")
        .hint("let the call end first, or give it a `copy()`")
}

/// Does not look at the numbers, which may be locked.
impl<T: Number> fmt::Debug for Buffer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::BUFFER)
    }
}

/// A buffer's numbers while they are being read, as a slice.
pub struct Reading<'a, T: Number>(RwLockReadGuard<'a, Storage<T>>);

impl<T: Number> Deref for Reading<'_, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.0.items()
    }
}

/// A buffer's numbers while they are being changed, as a slice.
pub struct Writing<'a, T: Number>(RwLockWriteGuard<'a, Storage<T>>);

impl<T: Number> Deref for Writing<'_, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.0.items()
    }
}

impl<T: Number> DerefMut for Writing<'_, T> {
    fn deref_mut(&mut self) -> &mut [T] {
        self.0.items_mut()
    }
}

impl<T: Number> Writing<'_, T> {
    /// Drops all but the first `len` numbers.
    pub fn truncate(&mut self, len: usize) {
        match &mut *self.0 {
            Storage::Owned(items) => items.truncate(len),
            Storage::Foreign(foreign) => foreign.len = foreign.len.min(len),
        }
    }

    /// The numbers as a vector with room for `more`; those in foreign memory are copied first.
    ///
    /// # Errors
    ///
    /// [`Code::Memory`] if there is no room.
    pub fn vec(&mut self, more: usize) -> Result<&mut Vec<T>, Error> {
        if let Storage::Foreign(foreign) = &*self.0 {
            let mut items = Vec::new();
            reserve(&mut items, foreign.len.saturating_add(more))?;
            items.extend_from_slice(foreign.items());
            *self.0 = Storage::Owned(items);
        }
        match &mut *self.0 {
            Storage::Owned(items) => {
                reserve(items, more)?;
                Ok(items)
            }
            Storage::Foreign(_) => Err(Error::new(Code::Internal, "a copied buffer is still foreign")),
        }
    }
}

/// Makes room for `more` numbers.
fn reserve<T>(items: &mut Vec<T>, more: usize) -> Result<(), Error> {
    if items.capacity() - items.len() >= more {
        return Ok(());
    }
    let len = items.len().saturating_add(more);
    let grown = len.max(items.capacity().saturating_mul(2)) - items.capacity();
    let fits = budget::may_allocate((grown as u64).saturating_mul(size_of::<T>() as u64));
    if fits && items.try_reserve(more).is_ok() {
        return Ok(());
    }
    Err(Error::new(Code::Memory, format!("there is no room for a buffer of {len} numbers"))
        .hint("the limit is `memory` in `[limits]` of caraway.toml, or `max_memory` of the plugin"))
}
