//! What a call gave back, from words to a Rhai value or an error.

use crate::argument::Scalar;
use caraway_abi::{OUT_WORDS, Status};
use caraway_loaders_core::bind::conform::{self, Functions};
use caraway_loaders_core::{Code, Error, Type, Value};
use rhai::Dynamic;

/// The words of a result.
pub(crate) type Out = [u64; OUT_WORDS];

/// How a function's result is read.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// `plugin::function`, for messages.
    function: String,
    shape: Shape,
    /// What the manifest declares, where that is not what the library says.
    declared: Option<Type>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Nothing,
    Scalar(Scalar),
    Text,
    Bytes,
    Ints,
    Floats,
    Encoded,
}

impl Outcome {
    /// For a result that is `native` to the library and `declared` in the manifest.
    pub(crate) fn new(function: String, native: &Type, declared: &Type) -> Self {
        let shape = match native {
            Type::Void => Shape::Nothing,
            Type::String => Shape::Text,
            Type::Bytes => Shape::Bytes,
            Type::Array(item) if **item == Type::Int => Shape::Ints,
            Type::Array(item) if **item == Type::Float => Shape::Floats,
            other => Scalar::of(other).map_or(Shape::Encoded, Shape::Scalar),
        };
        let declared = (shape == Shape::Encoded || declared != native).then(|| declared.clone());
        Self { function, shape, declared }
    }

    /// The result, or the plugin's error.
    ///
    /// # Safety
    ///
    /// `status` and `out` are what the function gave back; memory in `out` is the host's, and is taken over.
    #[inline]
    pub(crate) unsafe fn read(&self, status: i32, out: &Out) -> Result<Dynamic, Error> {
        if status != Status::Ok as i32 {
            // SAFETY: the caller's promise.
            return Err(unsafe { self.failure(status, out) });
        }
        match self.shape {
            Shape::Scalar(Scalar::Int) => Ok(Dynamic::from_int(out[0].cast_signed())),
            Shape::Scalar(Scalar::Float) => Ok(Dynamic::from_float(f64::from_bits(out[0]))),
            Shape::Scalar(Scalar::Bool) if out[0] <= 1 => Ok(Dynamic::from_bool(out[0] == 1)),
            Shape::Nothing => Ok(Dynamic::UNIT),
            // SAFETY: the caller's promise.
            _ => unsafe { self.read_rest(out) },
        }
    }

    /// # Safety
    ///
    /// As [`read`](Outcome::read).
    unsafe fn read_rest(&self, out: &Out) -> Result<Dynamic, Error> {
        // SAFETY: the caller's promise; the element type of each buffer is the one of the shape.
        let value = unsafe {
            match self.shape {
                Shape::Scalar(_) => match u32::try_from(out[0]).ok().and_then(char::from_u32) {
                    Some(char) if self.shape == Shape::Scalar(Scalar::Char) => Dynamic::from_char(char),
                    _ => return Err(self.wrong("is a word that no value of its type has")),
                },
                Shape::Text => match String::from_utf8(self.adopt(out)?) {
                    Ok(text) => text.into(),
                    Err(_) => return Err(self.wrong("is a string that is not UTF-8")),
                },
                Shape::Bytes => Dynamic::from_blob(self.adopt(out)?),
                Shape::Ints => array(self.adopt::<i64>(out)?, Dynamic::from_int),
                Shape::Floats => array(self.adopt::<f64>(out)?, Dynamic::from_float),
                Shape::Encoded => match Value::decode(&self.adopt::<u8>(out)?) {
                    Ok(value) => conform::from_value(value),
                    Err(error) => return Err(self.wrong(&format!("cannot be read: {error}"))),
                },
                Shape::Nothing => Dynamic::UNIT,
            }
        };
        match &self.declared {
            None => Ok(value),
            Some(ty) => {
                conform::conform(ty, value, Functions::Refuse).map_err(|error| self.wrong(error.message()))
            }
        }
    }

    /// Takes over a buffer of the host that the plugin has filled.
    ///
    /// # Safety
    ///
    /// If `out` describes a buffer of `T`s at all, it came from the host's `alloc` and nobody else frees it.
    unsafe fn adopt<T: Copy>(&self, out: &Out) -> Result<Vec<T>, Error> {
        let pointer = out[0] as usize as *mut T;
        let (len, capacity) = (usize::try_from(out[1]), usize::try_from(out[2]));
        let (Ok(len), Ok(capacity)) = (len, capacity) else {
            return Err(self.wrong("is a buffer of an impossible size"));
        };
        if len == 0 && capacity == 0 {
            return Ok(Vec::new());
        }
        let sound = len <= capacity
            && capacity.checked_mul(size_of::<T>()).is_some_and(|size| isize::try_from(size).is_ok())
            && !pointer.is_null()
            && pointer.is_aligned();
        if !sound {
            return Err(self.wrong("is a buffer of an impossible size"));
        }
        // SAFETY: the caller's promise; `alloc` uses the allocator of `Vec`, and the layout is the same.
        Ok(unsafe { Vec::from_raw_parts(pointer, len, capacity) })
    }

    #[cold]
    fn wrong(&self, what: &str) -> Error {
        Error::new(Code::ResultType, format!("the result of `{}` {what}", self.function))
            .hint("the plugin's manifest and its code disagree: tell its author")
    }

    /// # Safety
    ///
    /// As [`read`](Outcome::read).
    #[cold]
    unsafe fn failure(&self, status: i32, out: &Out) -> Error {
        let function = &self.function;
        let status = match Status::from_code(status) {
            Some(Status::OutOfMemory) => {
                return Error::new(
                    Code::Memory,
                    format!("there is no memory for the result of `{function}`"),
                );
            }
            Some(status @ (Status::Failed | Status::Panicked)) => status,
            _ => {
                let message = format!("`{function}` gave back the status {status}, which means nothing");
                return Error::new(Code::PluginCrashed, message).hint("tell the plugin's author");
            }
        };
        // SAFETY: the caller's promise; a message is passed as a string.
        let bytes = match unsafe { self.adopt::<u8>(out) } {
            Ok(bytes) => bytes,
            Err(error) => return error,
        };
        let text = String::from_utf8_lossy(&bytes);
        let colon = if text.is_empty() { "" } else { ": " };
        match status {
            Status::Panicked => {
                Error::new(Code::PluginCrashed, format!("`{function}` panicked{colon}{text}"))
                    .hint("this is a bug in the plugin: tell its author")
            }
            _ => Error::new(Code::PluginFailed, format!("`{function}` failed{colon}{text}")),
        }
    }
}

fn array<T>(items: Vec<T>, value: impl Fn(T) -> Dynamic) -> Dynamic {
    Dynamic::from_array(items.into_iter().map(value).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::HOST_API;

    fn outcome(native: &str, declared: &str) -> Outcome {
        Outcome::new("p::f".to_owned(), &native.parse().unwrap(), &declared.parse().unwrap())
    }

    /// Bytes in the host's memory, with room to spare.
    fn buffer(bytes: &[u8], align: usize) -> Out {
        let capacity = bytes.len() + 16;
        // SAFETY: the memory is large enough for what is copied.
        unsafe {
            let pointer = (HOST_API.alloc)(capacity, align);
            pointer.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            [pointer as usize as u64, (bytes.len() / align) as u64, (capacity / align) as u64]
        }
    }

    #[track_caller]
    fn reads(outcome: &Outcome, status: i32, out: Out) -> Result<Dynamic, (Code, String)> {
        // SAFETY: buffers come from `buffer`, which gives the layout of the shape, or are refused unread.
        let result = unsafe { outcome.read(status, &out) };
        result.map_err(|error| (error.code(), error.message().to_owned()))
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
    }

    #[test]
    fn lies_are_refused() {
        let odd = &raw const HOST_API as usize as u64 + 1;
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
            (99, [9; 3], Code::PluginCrashed, "`p::f` gave back the status 99, which means nothing"),
            (1, [0, 1, 1], Code::ResultType, "the result of `p::f` is a buffer of an impossible size"),
        ] {
            assert_eq!(reads(&outcome("int", "int"), status, out).unwrap_err(), (code, message.to_owned()));
        }
    }
}
