//! Values that scripts throw, on their way out.
//!
//! `throw` takes any value. One that leaves its script is a copy, as results are: without functions, which belong to
//! their engine, and of bounded depth, so that whoever catches it can drop it on a small stack.

use super::conform::{Functions, MAX_DEPTH, conform};
use crate::code::Code;
use crate::error::{Error, ErrorValue};
use crate::text;
use caraway_plugin::Type;
use rhai::{Array, Dynamic, EvalAltResult, Map};

/// An error of a script as it may leave it: what was thrown is copied, or told in words if it may not leave.
pub fn leaving(mut error: Box<EvalAltResult>) -> Box<EvalAltResult> {
    let mut inner = &mut *error;
    loop {
        match inner {
            EvalAltResult::ErrorInFunctionCall(_, _, next, _) | EvalAltResult::ErrorInModule(_, next, _) => {
                inner = next;
            }
            EvalAltResult::ErrorRuntime(value, _) => {
                if !value.is::<ErrorValue>() {
                    *value = copied(std::mem::take(value));
                }
                return error;
            }
            _ => return error,
        }
    }
}

fn copied(value: Dynamic) -> Dynamic {
    if may_leave(&value, 0)
        && let Ok(copy) = conform(&Type::Any, value.clone(), Functions::Refuse)
    {
        return copy;
    }
    Dynamic::from(ErrorValue(Error::new(Code::PluginFailed, text::message(&value)).into()))
}

/// Whether a thrown value can be given to whoever handles the error.
pub(crate) fn may_leave(value: &Dynamic, depth: usize) -> bool {
    if value.is_fnptr() || depth > MAX_DEPTH {
        return false;
    }
    if let Some(items) = value.read_lock::<Array>() {
        return items.iter().all(|item| may_leave(item, depth + 1));
    }
    if let Some(entries) = value.read_lock::<Map>() {
        return entries.values().all(|item| may_leave(item, depth + 1));
    }
    true
}
