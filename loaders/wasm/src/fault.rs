//! How a call into a guest can fail.

use crate::dependency::CalleeFailed;
use crate::machine::MAX_STACK;
use crate::memory::MemoryMeter;
use crate::module::Broken;
use crate::wasi::Stopped;
use caraway_loaders_core::bind::CallError;
use caraway_loaders_core::budget::Frame;
use caraway_loaders_core::{Code, Error};
use std::fmt::Display;
use wasmtime::Trap;
use wasmtime_wasi::I32Exit;

/// Begins the message of wasmtime's own error when a guest hands over more than [`crate::instance`] allows;
/// it has no type.
const TOO_MUCH_DATA: &str = "fuel allocated for hostcalls has been exhausted";

/// What the error of wasmtime is to the caller of `function`. The store that it came from is lost.
pub(crate) fn explain(
    error: &wasmtime::Error,
    function: &str,
    memory: &mut MemoryMeter,
    frame: &Frame,
) -> CallError {
    let error = match error.downcast_ref::<Stopped>() {
        Some(Stopped(expiry)) => CallError::at_boundary(expiry.clone(), frame),
        None => fault(error, function, memory).into(),
    };
    match error {
        CallError::Error(error) => error.with_state_lost().into(),
        other => other,
    }
}

/// What went wrong in a guest that no limit of time stopped.
fn fault(error: &wasmtime::Error, function: &str, memory: &mut MemoryMeter) -> Error {
    if memory.take_refused() {
        let limit = memory.limit();
        let message = format!("`{function}` needs more than its limit of {limit} bytes of memory");
        return Error::new(Code::Memory, message).hint("raise `max_memory` in the plugin's `security`");
    }
    if let Some(I32Exit(code)) = error.downcast_ref::<I32Exit>() {
        return Error::new(Code::PluginCrashed, format!("`{function}` called `exit({code})`"))
            .hint("a plugin's function gives back its result; it does not end the program");
    }
    if let Some(broken) = error.downcast_ref::<Broken>() {
        return broken.to_error(function);
    }
    if let Some(CalleeFailed(callee)) = error.downcast_ref::<CalleeFailed>() {
        let message = format!("`{function}` stopped: {}", callee.message());
        let error = Error::new(callee.code(), message);
        return match callee.hint_text() {
            Some(hint) => error.hint(hint),
            None => error,
        };
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => Error::new(
            Code::Limit,
            format!("`{function}` recursed too deep for its stack of {MAX_STACK} bytes"),
        ),
        Some(trap) => Error::new(Code::PluginCrashed, format!("`{function}` crashed: {}", reason(trap))),
        None if error.is::<std::str::Utf8Error>() => {
            Error::new(Code::ResultType, format!("`{function}` gave back a string that is not UTF-8"))
        }
        None => {
            let cause = error.root_cause().to_string();
            match cause.contains(TOO_MUCH_DATA) {
                true => Error::new(Code::Memory, format!("`{function}` gave back too much data")),
                false => {
                    Error::new(Code::PluginCrashed, format!("`{function}` broke the component ABI: {cause}"))
                }
            }
        }
    }
}

/// `wasm trap: integer divide by zero` without what goes without saying.
fn reason(trap: &impl Display) -> String {
    let text = trap.to_string();
    text.strip_prefix("wasm trap: ").unwrap_or(&text).to_owned()
}
