//! Functions of scripts that plugins call.
//!
//! A plugin gets a word for each function that it is passed. Words are numbers that are never given twice, and are
//! looked up among those of the calls that are going on: one that was kept for too long, or made up, is an error
//! and nothing worse.
//!
//! What a function throws is kept while the plugin has a word for it, so that it can be passed on as it was. What
//! no script could catch, such as a limit, no plugin can keep to itself either: see [`Open::fatal`].

use crate::host::alloc;
use crate::shape::{self, Malformed, Shape};
use caraway_abi::{CALLBACK_OUT_WORDS, Status};
use caraway_loaders_core::bind::{CallError, Callable, conform};
use caraway_loaders_core::budget::Expiry;
use caraway_loaders_core::buffer::{Floats, Ints};
use caraway_loaders_core::{Code, Error, Type};
use rhai::{Array, Blob, Dynamic, EvalAltResult, ImmutableString, Position};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// What [`call`] gives back where even its error handling failed.
pub(crate) const PANICKED: i32 = Status::OutOfMemory as i32;

/// The word for the error that there is no such function.
const EXPIRED: u64 = u64::MAX;

/// The word for an error that nobody may catch, see [`Open::fatal`].
const FATAL: u64 = u64::MAX - 1;

/// How many errors of one call are kept. Beyond it the oldest is forgotten: a plugin that goes on after so many
/// does not mean to pass it on.
const MAX_ERRORS: usize = 64;

/// The words that were given away, for functions and for errors.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// The functions of all calls that are going on.
static PASSED: RwLock<BTreeMap<u64, Arc<Passed>>> = RwLock::new(BTreeMap::new());

thread_local! {
    /// The calls that are going on, on this thread, the innermost last.
    static OPEN: RefCell<Vec<Arc<Call>>> = const { RefCell::new(Vec::new()) };
}

type Raised = Box<EvalAltResult>;

/// What the words of a function's arguments and result are.
#[derive(Debug)]
pub(crate) struct Form {
    params: Vec<Shape>,
    returns: Shape,
}

impl Form {
    /// For functions of this type; `None` for what is no `fn(..)`.
    pub(crate) fn of(ty: &Type) -> Option<Self> {
        let Type::Fn(params, returns) = ty else { return None };
        Some(Self { params: params.iter().map(Shape::of).collect(), returns: Shape::of(returns) })
    }
}

/// A function that a plugin has a word for.
struct Passed {
    function: Callable,
    form: Arc<Form>,
    call: Arc<Call>,
}

/// A call of a plugin that was passed functions.
#[derive(Default)]
struct Call {
    words: Mutex<Vec<u64>>,
    errors: Mutex<Vec<(u64, Raised)>>,
    fatal: Mutex<Option<Raised>>,
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A call that functions are passed to, until it is dropped.
pub(crate) struct Open {
    call: Arc<Call>,
    /// A call belongs to its thread.
    not_send: std::marker::PhantomData<*const ()>,
}

impl Open {
    pub(crate) fn new() -> Self {
        let call = Arc::new(Call::default());
        OPEN.with_borrow_mut(|open| open.push(call.clone()));
        Self { call, not_send: std::marker::PhantomData }
    }

    /// A word for a function, valid until the call is over.
    pub(crate) fn pass(&self, function: Callable, form: &Arc<Form>) -> u64 {
        let word = NEXT.fetch_add(1, Ordering::Relaxed);
        locked(&self.call.words).push(word);
        let passed = Passed { function, form: form.clone(), call: self.call.clone() };
        PASSED.write().unwrap_or_else(PoisonError::into_inner).insert(word, Arc::new(passed));
        word
    }

    /// What one of the functions ended with that nobody may catch: then this is how the call ends, whatever the
    /// plugin made of it.
    pub(crate) fn fatal(&self) -> Option<Raised> {
        locked(&self.call.fatal).take()
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let words = std::mem::take(&mut *locked(&self.call.words));
        let mut passed = PASSED.write().unwrap_or_else(PoisonError::into_inner);
        let expired: Vec<_> = words.iter().filter_map(|word| passed.remove(word)).collect();
        drop(passed);
        // What goes with them may be anything.
        drop(expired);
        OPEN.with_borrow_mut(|open| open.retain(|call| !Arc::ptr_eq(call, &self.call)));
    }
}

/// The error that a plugin passes on by its word. `None` if there is none.
pub(crate) fn take(word: u64) -> Option<CallError> {
    if word == EXPIRED {
        return Some(expired().into());
    }
    OPEN.with_borrow(|open| {
        open.iter().rev().find_map(|call| {
            if word == FATAL {
                return locked(&call.fatal).take().map(CallError::Rhai);
            }
            let mut errors = locked(&call.errors);
            let index = errors.iter().position(|(given, _)| *given == word)?;
            Some(CallError::Rhai(errors.remove(index).1))
        })
    })
}

/// Whether a function that this thread called has ended with what nobody may catch.
pub(crate) fn stopped() -> bool {
    OPEN.with_borrow(|open| open.iter().any(|call| locked(&call.fatal).is_some()))
}

fn expired() -> Error {
    Error::new(Code::CallbackExpired, "a callback was called after the call that it was passed to")
        .hint("a callback is valid during the call only: tell the plugin's author")
}

/// Calls the function that a word stands for, see [`caraway_abi::HostApi::call`].
///
/// # Safety
///
/// `args` are the words of the function's arguments and `out` has room for those of a callback's result, if there
/// is such a function at all.
pub(crate) unsafe fn call(word: u64, args: *const u64, out: *mut u64) -> i32 {
    if out.is_null() {
        return Status::OutOfMemory as i32;
    }
    // SAFETY: the caller's promise.
    let out = unsafe { &mut *out.cast::<[u64; CALLBACK_OUT_WORDS]>() };
    let passed = PASSED.read().unwrap_or_else(PoisonError::into_inner).get(&word).cloned();
    let Some(passed) = passed else {
        return give_error(out, expired().message(), EXPIRED);
    };
    if let Some(fatal) = &*locked(&passed.call.fatal) {
        return give_error(out, &shown(fatal), FATAL);
    }
    // SAFETY: the caller's promise.
    let outcome = catch_unwind(AssertUnwindSafe(|| unsafe { passed.run(args) }));
    let outcome = outcome.unwrap_or_else(|payload| {
        // To drop it may panic again.
        std::mem::forget(payload);
        Err(Error::new(Code::Internal, "the host panicked in a callback").raise(Position::NONE))
    });
    let outcome = outcome.and_then(|value| {
        give(passed.form.returns, &value, out).map_err(|error| error.raise(Position::NONE))
    });
    match outcome {
        Ok(true) => Status::Ok as i32,
        Ok(false) => Status::OutOfMemory as i32,
        Err(error) => {
            let message = shown(&error);
            give_error(out, &message, passed.call.keep(error))
        }
    }
}

impl Call {
    /// Keeps an error, and gives the word for it.
    fn keep(&self, error: Raised) -> u64 {
        if !error.unwrap_inner().is_catchable() {
            *locked(&self.fatal) = Some(error);
            return FATAL;
        }
        let word = NEXT.fetch_add(1, Ordering::Relaxed);
        let mut errors = locked(&self.errors);
        if errors.len() >= MAX_ERRORS {
            drop(errors.remove(0));
        }
        errors.push((word, error));
        word
    }
}

impl Passed {
    /// # Safety
    ///
    /// `args` are the words of its arguments.
    unsafe fn run(&self, args: *const u64) -> Result<Dynamic, Raised> {
        let mut next = args;
        let mut values = Vec::with_capacity(self.form.params.len());
        for (index, shape) in self.form.params.iter().enumerate() {
            // SAFETY: the caller's promise.
            let value = unsafe { argument(*shape, next) }.map_err(|malformed| {
                let message = format!("argument {} of {} {malformed}", index + 1, self.function);
                Error::new(Code::ResultType, message).hint("tell the plugin's author").raise(Position::NONE)
            })?;
            values.push(value);
            next = next.wrapping_add(shape.words());
        }
        self.function.call(values)
    }
}

/// An argument from its words.
///
/// # Safety
///
/// If `words` is not null, there are as many as the shape has, and what they point at is there.
unsafe fn argument(shape: Shape, words: *const u64) -> Result<Dynamic, Malformed> {
    if words.is_null() || !words.is_aligned() {
        return Err(Malformed::Word);
    }
    // SAFETY: the caller's promise.
    unsafe {
        match shape {
            Shape::Scalar(scalar) => scalar.value(*words),
            Shape::Text => shape::text(slice(words)?, false),
            Shape::Bytes => Ok(Dynamic::from_blob(slice(words)?.to_vec())),
            Shape::IntArray => Ok(shape::array(slice(words)?, Dynamic::from_int)),
            Shape::FloatArray => Ok(shape::array(slice(words)?, Dynamic::from_float)),
            Shape::Ints => Ok(Dynamic::from(Ints::from(slice(words)?.to_vec()))),
            Shape::Floats => Ok(Dynamic::from(Floats::from(slice(words)?.to_vec()))),
            Shape::Encoded => shape::encoded(slice(words)?),
            // No signature with these is accepted.
            Shape::Nothing | Shape::Handle | Shape::Function => Err(Malformed::Word),
        }
    }
}

/// # Safety
///
/// The two words are a pointer to `T`s, which stay for as long as the slice is used, and their count.
unsafe fn slice<'a, T>(words: *const u64) -> Result<&'a [T], Malformed> {
    // SAFETY: the caller's promise.
    let (pointer, len) = unsafe { (*words as usize as *const T, *words.add(1)) };
    if len == 0 {
        return Ok(&[]);
    }
    let len = usize::try_from(len).map_err(|_| Malformed::Size)?;
    let sound = std::alloc::Layout::array::<T>(len).is_ok() && !pointer.is_null() && pointer.is_aligned();
    // SAFETY: the caller's promise.
    if sound { Ok(unsafe { std::slice::from_raw_parts(pointer, len) }) } else { Err(Malformed::Size) }
}

/// Writes a result, which is of the declared type, to `out`. False if there is no memory for it.
fn give(shape: Shape, value: &Dynamic, out: &mut [u64; CALLBACK_OUT_WORDS]) -> Result<bool, Error> {
    let another = || Error::new(Code::Internal, "the result of a callback is not of its type");
    Ok(match shape {
        Shape::Nothing => true,
        Shape::Scalar(scalar) => {
            out[0] = scalar.word(value).ok_or_else(another)?;
            true
        }
        Shape::Text => give_slice(out, value.read_lock::<ImmutableString>().ok_or_else(another)?.as_bytes()),
        Shape::Bytes => give_slice(out, &value.read_lock::<Blob>().ok_or_else(another)?),
        Shape::IntArray => give_slice(out, &gather(value, |item| item.as_int().ok()).ok_or_else(another)?),
        Shape::FloatArray => {
            give_slice(out, &gather(value, |item| item.as_float().ok()).ok_or_else(another)?)
        }
        Shape::Ints => give_slice(out, &Ints::of(value).ok_or_else(another)?.read()?),
        Shape::Floats => give_slice(out, &Floats::of(value).ok_or_else(another)?.read()?),
        Shape::Encoded => give_slice(out, &conform::to_value(value)?.encode()),
        // No signature with these is accepted.
        Shape::Handle | Shape::Function => return Err(another()),
    })
}

/// The numbers of an array.
fn gather<T>(value: &Dynamic, number: impl Fn(&Dynamic) -> Option<T>) -> Option<Vec<T>> {
    value.read_lock::<Array>()?.iter().map(number).collect()
}

/// Copies items into memory that becomes the plugin's. False if there is none.
fn give_slice<T: Copy>(out: &mut [u64; CALLBACK_OUT_WORDS], items: &[T]) -> bool {
    let size = size_of_val(items);
    out[..3].fill(0);
    if size > 0 {
        // SAFETY: `alloc` takes every size and alignment.
        let pointer = unsafe { alloc(size, align_of::<T>()) }.cast::<T>();
        if pointer.is_null() {
            return false;
        }
        // SAFETY: the new memory is as large as the items, and apart from them.
        unsafe { pointer.copy_from_nonoverlapping(items.as_ptr(), items.len()) };
        out[..3].copy_from_slice(&[pointer as usize as u64, items.len() as u64, items.len() as u64]);
    }
    true
}

fn give_error(out: &mut [u64; CALLBACK_OUT_WORDS], message: &str, word: u64) -> i32 {
    out[3] = word;
    let status = if give_slice(out, message.as_bytes()) { Status::Raised } else { Status::OutOfMemory };
    status as i32
}

/// What a plugin is told of an error.
fn shown(error: &EvalAltResult) -> String {
    match (Error::raised_in(error), error.unwrap_inner()) {
        (Some(error), _) => error.message().to_owned(),
        (None, EvalAltResult::ErrorRuntime(thrown, _)) => thrown.to_string(),
        (None, EvalAltResult::ErrorTerminated(..)) => match Expiry::of(error) {
            Some(expiry) => expiry.error().message().to_owned(),
            None => "terminated".to_owned(),
        },
        (None, other) => other.to_string(),
    }
}
