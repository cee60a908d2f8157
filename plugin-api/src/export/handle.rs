use super::call::{Args, Failure};
use super::lock::{Busy, Lock};
use super::out::Out;
use super::panic;
use super::sealed::Sealed;
use super::text;
use caraway_abi::{Class, Text};
use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A Rust type whose values scripts hold and cannot look into.
///
/// Derive it for a struct or enum inside the plugin's module. The public functions of its `impl` blocks there
/// become methods (`&self`, `&mut self`), getters (`#[getter]`), a constructor (`new`) and statics. Functions
/// may also take `&T`, `&mut T` and `T`, and give back `T` or a `Result` with it.
///
/// ```
/// use caraway_plugin::prelude::*;
///
/// #[plugin]
/// mod tally {
///     use caraway_plugin::prelude::*;
///
///     /// Counts. Scripts say `tally::counter(5)`.
///     #[derive(Handle)]
///     pub struct Counter {
///         count: i64,
///     }
///
///     impl Counter {
///         pub fn new(start: i64) -> Self {
///             Self { count: start }
///         }
///
///         /// `c.incr(1)`
///         pub fn incr(&mut self, by: i64) -> i64 {
///             self.count += by;
///             self.count
///         }
///
///         /// `c.count`
///         #[getter]
///         pub fn count(&self) -> i64 {
///             self.count
///         }
///
///         /// `c.finish()`, after which the handle is closed.
///         pub fn finish(self) -> i64 {
///             self.count
///         }
///     }
/// }
/// ```
///
/// A handle lives until no script holds it any more; then its value is dropped, on whatever thread that happens,
/// so it must be [`Send`]. It is locked during each call that uses it: other threads wait, and a call that comes
/// back to its own handle, through a callback or as two arguments, is refused. A panic leaves the value as it
/// is.
///
/// A handle crosses as a whole: not in a `Vec`, a map, an `Option` or a struct. The trait cannot be implemented
/// by hand.
pub trait Handle: Sealed + Send + Sized + 'static {
    #[doc(hidden)]
    const CLASS: &'static ClassInfo;
}

/// A class of the plugin's table.
pub struct ClassInfo {
    pub(super) name: &'static str,
    /// Where the type is, which tells it from others of this name.
    pub(super) path: &'static str,
    pub(super) class: Class,
}

impl ClassInfo {
    /// # Safety
    ///
    /// `doc` was made by `concat`.
    pub const unsafe fn new<T: Handle>(name: &'static str, path: &'static str, doc: &'static [u8]) -> Self {
        // SAFETY: the caller's promise.
        let doc = unsafe { text::text(doc) };
        Self { name, path, class: Class { name: Text::new(name), doc, drop: drop_handle::<T> } }
    }
}

/// What a handle's word points at. `None` once it is closed.
struct Slot<T> {
    lock: Lock,
    value: UnsafeCell<Option<T>>,
}

/// A handle's value during a call.
pub struct Held<'a, T> {
    lock: &'a Lock,
    value: *mut T,
}

impl<T> Held<'_, T> {
    /// The value.
    pub fn get(&self) -> &T {
        // SAFETY: the lock is held, so that nobody else has a reference to the value.
        unsafe { &*self.value }
    }

    /// The value.
    pub fn get_mut(&mut self) -> &mut T {
        // SAFETY: as above.
        unsafe { &mut *self.value }
    }
}

impl<T> Drop for Held<'_, T> {
    fn drop(&mut self) {
        self.lock.unlock();
    }
}

/// Reads a handle, which is locked until the end of the call.
pub fn hold<'a, T: Handle>(args: &mut Args<'a>) -> Result<Held<'a, T>, Failure> {
    // SAFETY: the host passes only words that `give` has made for this class, and keeps the handle meanwhile.
    let slot = unsafe { &*std::ptr::with_exposed_provenance::<Slot<T>>(args.word() as usize) };
    slot.lock.lock().map_err(|busy| in_use::<T>(busy))?;
    // SAFETY: the lock is held.
    match unsafe { &mut *slot.value.get() } {
        Some(value) => Ok(Held { lock: &slot.lock, value }),
        None => {
            slot.lock.unlock();
            Err(closed::<T>())
        }
    }
}

/// Reads a handle and closes it.
pub fn close<T: Handle>(args: &mut Args<'_>) -> Result<T, Failure> {
    // SAFETY: as in `hold`.
    let slot = unsafe { &*std::ptr::with_exposed_provenance::<Slot<T>>(args.word() as usize) };
    slot.lock.lock().map_err(|busy| in_use::<T>(busy))?;
    // SAFETY: the lock is held.
    let value = unsafe { &mut *slot.value.get() }.take();
    slot.lock.unlock();
    value.ok_or_else(closed::<T>)
}

#[cold]
fn closed<T: Handle>() -> Failure {
    Failure::text(format_args!("the {} is closed", T::CLASS.name))
}

#[cold]
fn in_use<T: Handle>(busy: Busy) -> Failure {
    Failure::text(format_args!(
        "the {} is in use by {}",
        T::CLASS.name,
        match busy {
            Busy::Here => "a call that is going on",
            Busy::Waiting => "a call that waits for this one",
            Busy::Interrupted => "another call, and this one has waited too long",
        }
    ))
}

/// Makes a handle.
pub fn give<T: Handle>(value: T, out: &mut Out) {
    let slot = Box::new(Slot { lock: Lock::new(), value: UnsafeCell::new(Some(value)) });
    out.word(Box::into_raw(slot).expose_provenance() as u64);
}

/// Drops a handle. For [`Class::drop`].
///
/// # Safety
///
/// [`give`] has made the word, and nobody uses it any more.
unsafe extern "C" fn drop_handle<T: Handle>(word: u64) {
    let slot = std::ptr::with_exposed_provenance_mut::<Slot<T>>(word as usize);
    // SAFETY: the caller's promise.
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(unsafe { Box::from_raw(slot) }))) {
        panic::tell(payload);
    }
}
