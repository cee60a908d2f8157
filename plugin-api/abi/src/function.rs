use crate::Text;
use std::ffi::c_void;

/// A function of a plugin.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Function {
    /// Its name, parameters and result: `mean(xs: array<float>) -> float`; in a submodule `api::mid(...)`.
    pub signature: Text,
    /// What it does, for people; may be empty.
    pub doc: Text,
    /// Calls it. `args` are the words of all arguments in order, `out` has room for
    /// [`OUT_WORDS`](crate::OUT_WORDS) words. Gives back a [`Status`](crate::Status). May be called from any
    /// thread, and from several at once.
    pub call: unsafe extern "C" fn(args: *const u64, out: *mut u64) -> i32,

    /// Since 1.1: the same function for C's own way of calling, or null. See [`Ret`] for the signatures that may
    /// have one.
    pub typed: *const c_void,
    /// Since 1.1: a [`Kind`].
    pub kind: u32,
    /// Since 1.1: bit `i` is set if the function writes to its parameter `i`, which is `ints` or `floats`.
    pub writes: u32,
}

// SAFETY: what a function points at is never changed.
unsafe impl Send for Function {}
// SAFETY: as above.
unsafe impl Sync for Function {}

/// The size of [`Function`] in contract 1.0: the least that an entry has.
pub const FUNCTION_SIZE_1_0: usize = std::mem::offset_of!(Function, typed);

/// What a [`Function`] is to scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
#[non_exhaustive]
pub enum Kind {
    /// A function: `m::f(x)`.
    Function = 0,
    /// A method, whose first parameter is `self`, a handle: `h.f(x)`, and `m::class::f(h, x)`.
    Method = 1,
    /// A method without further parameters that is read like a field: `h.f`.
    Getter = 2,
}

impl Kind {
    /// The kind that a number stands for; `None` for those of a later contract.
    pub fn from_code(code: u32) -> Option<Self> {
        [Self::Function, Self::Method, Self::Getter].into_iter().find(|kind| *kind as u32 == code)
    }
}

/// What a [`Function::typed`] gives back.
///
/// A function may have one if it has at most [`TYPED_PARAMS`] parameters, each `int`, `bool`, `char` (as
/// `int64_t`: 0 or 1, a Unicode scalar value) or `float` (as `double`), and if its result is one of these or
/// `void` (as `int64_t`, not looked at): `Ret<i64> f(int64_t, double)`. Two words: they come back in registers.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Ret<T> {
    /// The result, if `failure` is null.
    pub value: T,
    /// Null, [`NO_MEMORY`], or a [`Failure`] in memory of [`HostApi::alloc`](crate::HostApi::alloc), which
    /// becomes the host's.
    pub failure: *mut Failure,
}

/// The most parameters that a [`Function::typed`] has.
pub const TYPED_PARAMS: usize = 3;

/// [`Ret::failure`] where the host has no memory for one.
pub const NO_MEMORY: *mut Failure = std::ptr::without_provenance_mut(align_of::<Failure>());

/// A status that is not 0, with what [`Function::call`] would have left in `out`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Failure {
    /// A [`Status`](crate::Status).
    pub status: i32,
    /// The words of `out`.
    pub out: [u64; crate::OUT_WORDS],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_the_ones_of_the_contract() {
        for (code, kind) in
            [(0, Some(Kind::Function)), (1, Some(Kind::Method)), (2, Some(Kind::Getter)), (3, None)]
        {
            assert_eq!(Kind::from_code(code), kind);
        }
    }
}
