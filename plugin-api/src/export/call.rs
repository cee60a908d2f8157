//! One call, from words to words.

use super::callback_error::CallbackError;
use super::mismatch::Mismatch;
use super::out::Out;
use super::panic;
use crate::{DecodeError, Value};
use caraway_abi::Status;
use std::any::Any;
use std::error::Error;
use std::fmt::Display;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The words of a call's arguments, read one after the other. What they point at lives for `'a`.
pub struct Args<'a> {
    next: *const u64,
    call: PhantomData<&'a [u64]>,
}

impl<'a> Args<'a> {
    /// # Safety
    ///
    /// There is a word for each that will be read, and what they point at is valid during `'a`.
    #[inline]
    pub(super) unsafe fn new(words: *const u64) -> Self {
        Self { next: words, call: PhantomData }
    }

    #[inline]
    pub(super) fn word(&mut self) -> u64 {
        // SAFETY: `new`'s promise.
        unsafe {
            let word = *self.next;
            self.next = self.next.add(1);
            word
        }
    }

    /// A pointer and a count.
    ///
    /// # Safety
    ///
    /// The signature has a parameter here whose words are a pointer to `T`s and their count.
    #[inline]
    pub(super) unsafe fn slice<T>(&mut self) -> &'a [T] {
        let pointer = std::ptr::with_exposed_provenance::<T>(self.word() as usize);
        let len = self.word() as usize;
        if len == 0 {
            return &[];
        }
        // SAFETY: the host lends this memory for the duration of the call.
        unsafe { std::slice::from_raw_parts(pointer, len) }
    }

    /// A pointer and a count.
    ///
    /// # Safety
    ///
    /// The signature has a parameter here that the function writes to, whose words are a pointer to `T`s and
    /// their count.
    #[inline]
    pub(super) unsafe fn slice_mut<T>(&mut self) -> &'a mut [T] {
        let pointer = std::ptr::with_exposed_provenance_mut::<T>(self.word() as usize);
        let len = self.word() as usize;
        if len == 0 {
            return &mut [];
        }
        // SAFETY: the host lends this memory for the duration of the call, and to nobody else.
        unsafe { std::slice::from_raw_parts_mut(pointer, len) }
    }

    /// # Safety
    ///
    /// The signature has a `string` here.
    #[inline]
    pub(super) unsafe fn text(&mut self) -> &'a str {
        // SAFETY: the caller's promise; a string is passed as its UTF-8 bytes.
        unsafe { std::str::from_utf8_unchecked(self.slice()) }
    }

    pub(super) fn decode(&mut self) -> Result<Value, Failure> {
        // SAFETY: only parameters that are passed as encoded values come here.
        let bytes = unsafe { self.slice::<u8>() };
        Ok(Value::decode(bytes)?)
    }
}

/// Why a call has no result.
pub enum Failure {
    /// What the function says, or what is wrong with an argument.
    Message(String),
    /// What does not fit in an argument. Boxed, since what functions give back passes through here.
    Argument(Box<Mismatch>),
    /// The error of a callback, which this word stands for, is to be passed on.
    Raised(u64),
    /// The host has no memory for the result.
    OutOfMemory,
}

impl Failure {
    #[cold]
    pub(super) fn text(text: impl Display) -> Self {
        Self::Message(text.to_string())
    }

    /// The error of a function. One that came from a callback goes on as it was.
    #[cold]
    pub(super) fn of<E: Display + 'static>(error: &E) -> Self {
        let any: &dyn Any = error;
        let raised = None
            .or_else(|| any.downcast_ref::<CallbackError>())
            .or_else(|| any.downcast_ref::<Box<dyn Error + Send + Sync>>()?.downcast_ref())
            .or_else(|| any.downcast_ref::<Box<dyn Error + Send>>()?.downcast_ref())
            .or_else(|| any.downcast_ref::<Box<dyn Error>>()?.downcast_ref());
        match raised.and_then(CallbackError::word) {
            Some(word) => Self::Raised(word),
            None => Self::Message(error.to_string()),
        }
    }
}

impl From<Mismatch> for Failure {
    #[cold]
    fn from(mismatch: Mismatch) -> Self {
        Self::Argument(Box::new(mismatch))
    }
}

impl From<DecodeError> for Failure {
    fn from(error: DecodeError) -> Self {
        Self::Message(format!("an argument cannot be read: {error}"))
    }
}

/// The argument of the parameter `name`.
#[inline]
pub fn named<T>(argument: Result<T, Failure>, name: &str) -> Result<T, Failure> {
    argument.map_err(|failure| match failure {
        Failure::Argument(mismatch) => mismatch.at_key(name).into(),
        failure => failure,
    })
}

/// Runs `body`, which reads the arguments and writes the result; panics end here.
///
/// # Safety
///
/// `args` and `out` are those of a call of the signature that `body` implements, as `caraway_abi` describes.
#[inline]
pub unsafe fn run(
    args: *const u64,
    out: *mut u64,
    body: impl for<'a> FnOnce(&mut Args<'a>, &mut Out) -> Result<(), Failure>,
) -> i32 {
    // SAFETY: the caller's promise.
    let (mut args, mut out) = unsafe { (Args::new(args), Out::new(out)) };
    let status = match catch_unwind(AssertUnwindSafe(|| body(&mut args, &mut out))) {
        Ok(Ok(())) => Status::Ok,
        Ok(Err(failure)) => failed(failure, &mut out),
        Err(payload) => panicked(payload, &mut out),
    };
    status as i32
}

#[cold]
pub(super) fn failed(failure: Failure, out: &mut Out) -> Status {
    let message = match failure {
        Failure::Message(message) => message,
        Failure::Argument(mismatch) => format!("an argument {mismatch}"),
        Failure::Raised(word) => {
            out.word(word);
            return Status::Raised;
        }
        Failure::OutOfMemory => return Status::OutOfMemory,
    };
    match out.buffer(message.into_bytes()) {
        Ok(()) => Status::Failed,
        Err(_) => Status::OutOfMemory,
    }
}

#[cold]
pub(super) fn panicked(payload: Box<dyn Any + Send>, out: &mut Out) -> Status {
    match out.buffer(panic::message(payload).into_bytes()) {
        Ok(()) => Status::Panicked,
        Err(_) => Status::OutOfMemory,
    }
}
