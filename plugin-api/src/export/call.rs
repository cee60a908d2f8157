//! One call, from words to words.

use super::data::Mismatch;
use super::out::Out;
use crate::{DecodeError, Value};
use caraway_abi::Status;
use std::any::Any;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The words of a call's arguments, read one after the other. What they point at lives for `'a`.
pub struct Args<'a> {
    next: *const u64,
    call: PhantomData<&'a [u64]>,
}

impl<'a> Args<'a> {
    pub(super) fn word(&mut self) -> u64 {
        // SAFETY: `run`'s caller promises a word for each read that the signature asks for, and the expansion
        // reads each parameter once.
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
    pub(super) unsafe fn slice<T>(&mut self) -> &'a [T] {
        let pointer = self.word() as usize as *const T;
        let len = self.word() as usize;
        if len == 0 {
            return &[];
        }
        // SAFETY: the host lends this memory for the duration of the call.
        unsafe { std::slice::from_raw_parts(pointer, len) }
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
    /// The host has no memory for the result.
    OutOfMemory,
}

impl From<Mismatch> for Failure {
    fn from(mismatch: Mismatch) -> Self {
        Self::Message(format!("an argument {mismatch}"))
    }
}

impl From<DecodeError> for Failure {
    fn from(error: DecodeError) -> Self {
        Self::Message(format!("an argument cannot be read: {error}"))
    }
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
    let mut args = Args { next: args, call: PhantomData };
    // SAFETY: the caller's promise.
    let mut out = unsafe { Out::new(out) };
    let status = match catch_unwind(AssertUnwindSafe(|| body(&mut args, &mut out))) {
        Ok(Ok(())) => Status::Ok,
        Ok(Err(failure)) => failed(failure, &mut out),
        Err(payload) => panicked(payload, &mut out),
    };
    status as i32
}

#[cold]
fn failed(failure: Failure, out: &mut Out) -> Status {
    match failure {
        Failure::Message(message) => match out.slice(message.as_bytes()) {
            Ok(()) => Status::Failed,
            Err(_) => Status::OutOfMemory,
        },
        Failure::OutOfMemory => Status::OutOfMemory,
    }
}

#[cold]
fn panicked(payload: Box<dyn Any + Send>, out: &mut Out) -> Status {
    let message = match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (None, Some(text)) => text.as_str(),
        (None, None) => "without a message",
    };
    let written = out.slice(message.as_bytes());
    // A payload may panic in turn when it is dropped; that one's payload is left alone.
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(second);
    }
    match written {
        Ok(()) => Status::Panicked,
        Err(_) => Status::OutOfMemory,
    }
}
