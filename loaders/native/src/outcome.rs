//! What a call gave back, from words to a Rhai value or an error.

use crate::calls;
use crate::fault::Fault;
use crate::handle::Class;
use crate::life::Life;
use crate::memory::{Given, Out};
use crate::shape::{self, Malformed, Scalar, Shape};
use caraway_abi::{Failure, NO_MEMORY, Status};
use caraway_loaders_core::bind::conform::{self, Functions};
use caraway_loaders_core::bind::{CallError, CallResult};
use caraway_loaders_core::buffer::{Buffer, Number};
use caraway_loaders_core::{Code, Error, Signature, Type, budget};
use rhai::Dynamic;
use std::fmt;
use std::sync::Arc;

/// How a function's result is read. Keeps the plugin alive.
pub(crate) struct Outcome {
    function: Named,
    shape: Shape,
    /// What the manifest declares, where that has to be looked at.
    declared: Option<Type>,
    /// For handles.
    class: Option<Class>,
    life: Arc<Life>,
}

/// A function as messages name it: `plugin::function`.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    pub(crate) plugin: Arc<str>,
    pub(crate) signature: Arc<Signature>,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.plugin, self.signature.name)
    }
}

/// Numbers of a plugin that a buffer is made of.
struct Kept<T: Copy> {
    _given: Given<T>,
    /// Outlives the numbers.
    _life: Arc<Life>,
}

impl Outcome {
    /// For a result that is `native` to the library and `declared` in the manifest; `class` is its class.
    pub(crate) fn new(
        function: Named,
        native: &Type,
        declared: &Type,
        class: Option<Class>,
        life: Arc<Life>,
    ) -> Self {
        let shape = Shape::of(native);
        let declared = (shape == Shape::Encoded || declared != native).then(|| declared.clone());
        Self { function, shape, declared, class, life }
    }

    /// The function.
    pub(crate) fn function(&self) -> &Named {
        &self.function
    }

    /// The result, or the plugin's error.
    ///
    /// # Safety
    ///
    /// `status` and `out` are what the function gave back; memory in `out` is the plugin's kind of memory, and is
    /// taken over.
    #[inline]
    pub(crate) unsafe fn read(&self, status: i32, out: &Out) -> CallResult {
        if status != Status::Ok as i32 {
            // SAFETY: the caller's promise.
            return Err(unsafe { self.failed(status, out) });
        }
        match self.shape {
            Shape::Scalar(Scalar::Int) => Ok(Dynamic::from_int(out[0].cast_signed())),
            Shape::Scalar(Scalar::Float) => Ok(Dynamic::from_float(f64::from_bits(out[0]))),
            Shape::Scalar(scalar) => {
                scalar.value(out[0]).map_err(|malformed| self.malformed(&malformed).into())
            }
            Shape::Nothing => Ok(Dynamic::UNIT),
            // SAFETY: the caller's promise.
            _ => unsafe { self.read_memory(out) },
        }
    }

    /// # Safety
    ///
    /// As [`read`](Outcome::read).
    unsafe fn read_memory(&self, out: &Out) -> CallResult {
        // SAFETY: the caller's promise; the element type of each buffer is the one of the shape, and strings are
        // UTF-8 if the plugin vouches for them.
        let value = unsafe {
            match self.shape {
                Shape::Text => self.given::<u8>(out).and_then(|given| shape::text(&given, self.life.utf8)),
                Shape::Bytes => self.given(out).map(|given| Dynamic::from_blob(given.into_vec())),
                Shape::IntArray => self.given(out).map(|given| shape::array(&given, Dynamic::from_int)),
                Shape::FloatArray => self.given(out).map(|given| shape::array(&given, Dynamic::from_float)),
                Shape::Ints => self.given::<i64>(out).map(|given| self.buffer(given)),
                Shape::Floats => self.given::<f64>(out).map(|given| self.buffer(given)),
                Shape::Encoded => self.given::<u8>(out).and_then(|given| shape::encoded(&given)),
                Shape::Handle => match &self.class {
                    Some(class) => Ok(class.handle(out[0], &self.life)),
                    None => Err(Malformed::Word),
                },
                Shape::Scalar(_) | Shape::Nothing | Shape::Function => Err(Malformed::Word),
            }
        };
        let value = value.map_err(|malformed| self.malformed(&malformed))?;
        match &self.declared {
            None => Ok(value),
            Some(ty) => Ok(conform::conform(ty, value, Functions::Refuse)
                .map_err(|error| self.wrong(error.message()))?),
        }
    }

    /// # Safety
    ///
    /// As [`Given::take`].
    unsafe fn given<T: Copy>(&self, out: &Out) -> Result<Given<T>, Malformed> {
        // SAFETY: the caller's promise.
        unsafe { Given::take(self.life.memory, out) }
    }

    fn buffer<T: Number>(&self, given: Given<T>) -> Dynamic {
        if given.is_hosts() {
            return Dynamic::from(Buffer::from(given.into_vec()));
        }
        let (start, len) = (given.start(), given.len());
        let owner = Box::new(Kept { _given: given, _life: self.life.clone() });
        // SAFETY: the numbers are there until `Kept` gives them back, and nobody else has them.
        Dynamic::from(unsafe { Buffer::foreign(start, len, owner) })
    }

    #[cold]
    pub(crate) fn malformed(&self, malformed: &Malformed) -> Error {
        self.wrong(&malformed.to_string())
    }

    #[cold]
    fn wrong(&self, what: &str) -> Error {
        Error::new(Code::ResultType, format!("the result of `{}` {what}", self.function))
            .hint("the plugin's manifest and its code disagree: tell its author")
    }

    /// What a typed function's failure says.
    ///
    /// # Safety
    ///
    /// `failure` is not null, and what the function gave back.
    #[cold]
    pub(crate) unsafe fn failed_typed(&self, failure: *mut Failure) -> CallError {
        if failure == NO_MEMORY {
            return self.raise(Fault::OutOfMemory);
        }
        if !failure.is_aligned() {
            return self.raise(Fault::Malformed);
        }
        // SAFETY: the caller's promise; the memory is the host's, as that of a box is.
        let Failure { status, out } = *unsafe { Box::from_raw(failure) };
        // SAFETY: these are what the function gave back. A status of 0 is no failure.
        unsafe { self.failed(status, &out) }
    }

    /// # Safety
    ///
    /// As [`read`](Outcome::read).
    #[cold]
    unsafe fn failed(&self, status: i32, out: &Out) -> CallError {
        // SAFETY: the caller's promise.
        self.raise(unsafe { Fault::read(self.life.memory, status, out) })
    }

    #[cold]
    fn raise(&self, fault: Fault) -> CallError {
        let function = &self.function;
        // A plugin may have come back because a limit told it to; then that is what happened.
        if let Err(expiry) = budget::check() {
            return expiry.into();
        }
        let error = match &fault {
            Fault::Raised(word) => match calls::take(*word) {
                Some(error) => return error,
                None => Error::new(Code::PluginCrashed, format!("`{function}` {}", fault.predicate()))
                    .hint("tell the plugin's author"),
            },
            Fault::OutOfMemory => {
                Error::new(Code::Memory, format!("there is no memory for the result of `{function}`"))
            }
            Fault::Failed(_) => Error::new(Code::PluginFailed, format!("`{function}` {}", fault.predicate())),
            Fault::Panicked(_) => {
                Error::new(Code::PluginCrashed, format!("`{function}` {}", fault.predicate()))
                    .hint("this is a bug in the plugin: tell its author")
            }
            Fault::Unknown(_) | Fault::Malformed => {
                Error::new(Code::PluginCrashed, format!("`{function}` {}", fault.predicate()))
                    .hint("tell the plugin's author")
            }
        };
        error.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::alloc;

    fn outcome(native: &str, declared: &str) -> Outcome {
        let (native, declared) = (native.parse().unwrap(), declared.parse().unwrap());
        let function = Named { plugin: "p".into(), signature: Arc::new("f()".parse().unwrap()) };
        Outcome::new(function, &native, &declared, None, Arc::new(Life::without_plugin()))
    }

    /// Bytes in the host's memory, with room to spare.
    fn buffer(bytes: &[u8], align: usize) -> Out {
        let capacity = bytes.len() + 16;
        // SAFETY: the memory is large enough for what is copied.
        unsafe {
            let pointer = alloc(capacity, align);
            pointer.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            [pointer as usize as u64, (bytes.len() / align) as u64, (capacity / align) as u64]
        }
    }

    #[track_caller]
    fn reads(outcome: &Outcome, status: i32, out: Out) -> Result<Dynamic, (Code, String)> {
        // SAFETY: buffers come from `buffer`, which gives the layout of the shape, or are refused unread.
        match unsafe { outcome.read(status, &out) } {
            Ok(value) => Ok(value),
            Err(CallError::Error(error)) => Err((error.code(), error.message().to_owned())),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn results_are_read() {
        for (ty, out, expected) in [
            ("int", [u64::MAX, 0, 0], Dynamic::from_int(-1)),
            ("float", [1.5_f64.to_bits(), 0, 0], Dynamic::from_float(1.5)),
            ("bool", [1, 0, 0], Dynamic::from_bool(true)),
            ("char", [0x10ffff, 0, 0], Dynamic::from_char('\u{10ffff}')),
            ("void", [7, 7, 7], Dynamic::UNIT),
            ("string", [0, 0, 0], "".into()),
            ("string", buffer("ü\0".as_bytes(), 1), "ü\0".into()),
            ("bytes", buffer(&[0, 255], 1), Dynamic::from_blob(vec![0, 255])),
            ("array<int>", buffer(&[255; 8], 8), Dynamic::from_array(vec![Dynamic::from_int(-1)])),
            ("int?", buffer(&[0], 1), Dynamic::UNIT),
        ] {
            let read = reads(&outcome(ty, ty), 0, out).unwrap();
            assert_eq!(format!("{read:?}"), format!("{expected:?}"), "{ty}");
        }
        let read = reads(&outcome("ints", "ints"), 0, buffer(&[255; 16], 8)).unwrap();
        assert_eq!(Buffer::<i64>::of(&read).unwrap().read().unwrap()[..], [-1, -1]);
    }

    #[test]
    fn lies_are_refused() {
        let odd = 0x1001;
        for (native, declared, out, message) in [
            ("bool", "bool", [2, 0, 0], "no value of its type"),
            ("char", "char", [0xd800, 0, 0], "no value of its type"),
            ("char", "char", [u64::MAX, 0, 0], "no value of its type"),
            ("string", "string", buffer(&[255], 1), "not UTF-8"),
            ("string", "string", [0, 1, 1], "impossible size"),
            ("string", "string", [1, 2, 1], "impossible size"),
            ("bytes", "bytes", [1, 1, u64::MAX], "impossible size"),
            ("array<float>", "array<float>", [8, u64::MAX / 8, u64::MAX / 8], "impossible size"),
            ("array<float>", "array<float>", [odd, 1, 1], "impossible size"),
            ("floats", "floats", [odd, 1, 1], "impossible size"),
            ("ints", "ints", [8, 2, 1], "impossible size"),
            ("int?", "int?", [0, 0, 0], "ends too early"),
            ("int?", "int?", buffer(&[200], 1), "no value has the tag"),
            ("int?", "int?", buffer(&[1], 1), "must be int, found bool"),
            ("any", "int", buffer(&[0], 1), "must be int, found ()"),
        ] {
            let (code, found) = reads(&outcome(native, declared), 0, out).unwrap_err();
            assert_eq!(code, Code::ResultType, "{native} {out:?}");
            assert!(found.contains(message), "{native} {out:?}: {found}");
        }
    }

    #[test]
    fn failures_are_told_apart() {
        for (status, out, code, message) in [
            (1, buffer(b"no", 1), Code::PluginFailed, "`p::f` failed: no"),
            (1, [0; 3], Code::PluginFailed, "`p::f` failed"),
            (1, buffer(&[b'a', 255], 1), Code::PluginFailed, "`p::f` failed: a\u{fffd}"),
            (2, buffer(b"boom", 1), Code::PluginCrashed, "`p::f` panicked: boom"),
            (3, [9; 3], Code::Memory, "there is no memory for the result of `p::f`"),
            (4, [9; 3], Code::PluginCrashed, "`p::f` passes on an error of a callback that there was not"),
            (
                4,
                [u64::MAX; 3],
                Code::CallbackExpired,
                "a callback was called after the call that it was passed to",
            ),
            (99, [9; 3], Code::PluginCrashed, "`p::f` gave back the status 99, which means nothing"),
            (-1, [9; 3], Code::PluginCrashed, "`p::f` gave back the status -1, which means nothing"),
            (
                1,
                [0, 1, 1],
                Code::PluginCrashed,
                "`p::f` gave back a message that is a buffer of an impossible size",
            ),
        ] {
            assert_eq!(reads(&outcome("int", "int"), status, out).unwrap_err(), (code, message.to_owned()));
        }
    }

    #[test]
    fn failures_of_typed_functions_are_read_and_freed() {
        let outcome = outcome("int", "int");
        let failed = |failure| {
            // SAFETY: the failure is one, or none that is looked at.
            match unsafe { outcome.failed_typed(failure) } {
                CallError::Error(error) => (error.code(), error.message().to_owned()),
                other => panic!("{other:?}"),
            }
        };
        let boxed = |status, out| Box::into_raw(Box::new(Failure { status, out }));
        for (failure, code, message) in [
            (NO_MEMORY, Code::Memory, "there is no memory for the result of `p::f`"),
            (boxed(1, buffer(b"no", 1)), Code::PluginFailed, "`p::f` failed: no"),
            (boxed(0, [0; 3]), Code::PluginCrashed, "`p::f` gave back the status 0, which means nothing"),
            (std::ptr::without_provenance_mut(12), Code::PluginCrashed, "impossible size"),
        ] {
            let (found, text) = failed(failure);
            assert!(found == code && text.contains(message), "{text}");
        }
    }
}
