//! From functions as trees to a module of WebAssembly.
//!
//! | file | |
//! | --- | --- |
//! | [`module`] | sections, and the functions that calls come in by |
//! | [`body`] | one function: control flow, calls |
//! | [`repeat`] | loops |
//! | [`turns`] | how often a loop is written |
//! | [`restart`] | whether a turn of a loop can be begun again |
//! | [`integer`] | operators of ints, which are checked |
//! | [`comparison`] | floats, as Rhai compares them |
//! | [`math`] | the standard package's functions |
//! | [`buffer`] | numbers in buffers |
//! | [`helper`] | what the host does |
//!
//! Each function takes the level of the call first, as Rhai counts them. Where something fails, the module calls the
//! host's [`Helper::Fail`] with two numbers and the place in [`Program::sites`], and does not go on.

mod body;
mod buffer;
mod comparison;
mod helper;
mod integer;
mod math;
mod module;
mod repeat;
mod restart;
mod turns;

use crate::ir::{FunctionId, Program, SiteId};
pub(crate) use buffer::{MEMORY, Memory};
pub(crate) use helper::Helper;

/// What modules import the host's [`Helper`]s from.
pub(crate) const HELPERS: &str = "helper";

/// What modules import the script's own imports from, by their numbers.
pub(crate) const IMPORTS: &str = "import";

/// The exported global with the deepest level that a call may have.
pub(crate) const MAX_LEVEL: &str = "max-level";

/// Told in place of a site when a call is too deep.
pub(crate) const TOO_DEEP: u32 = u32::MAX;

/// A module, and what is to be known of it.
#[derive(Debug)]
pub(crate) struct Emitted {
    pub bytes: Vec<u8>,
    /// For each function of the module, by its index, the calls in it in order.
    calls: Vec<Vec<Call>>,
}

/// A call within a function.
#[derive(Debug)]
struct Call {
    /// Of the instruction, in bytes from the beginning of the function's body.
    offset: usize,
    site: SiteId,
}

impl Emitted {
    /// The site of the call at this offset of the function with this index; none for the module's own.
    pub(crate) fn call(&self, function: u32, offset: usize) -> Option<SiteId> {
        let calls = self.calls.get(usize::try_from(function).ok()?)?;
        let found = calls.binary_search_by_key(&offset, |call| call.offset).ok()?;
        Some(calls[found].site)
    }
}

/// A module with all functions of a program. Each of `roots` is exported by its place in them, as a function from the
/// level and the parameters, each an `i64`, to an `i64`: floats by their bits, bools as 0 and 1, buffers by their
/// numbers, nothing as 0.
pub(crate) fn module(program: &Program, roots: &[FunctionId]) -> Emitted {
    module::emit(program, roots)
}
