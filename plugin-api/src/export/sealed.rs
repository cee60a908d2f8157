//! Which types cross the boundary is settled here, and not in a plugin.

use crate::Value;
use std::collections::{BTreeMap, HashMap};

/// A type whose words are those of its type in signatures.
///
/// The host passes words as a signature says, and what reads them trusts it: a type that said `float` and read
/// a string would read any memory, without a line of unsafe code in the plugin.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be made a type of plugins' functions",
    label = "only the types that `caraway_plugin::export` lists cross the boundary",
    note = "take and give back one of them, and convert it in the function"
)]
pub trait Sealed {}

macro_rules! sealed {
    ($([$($generics:tt)*] $ty:ty),* $(,)?) => {$(
        impl<$($generics)*> Sealed for $ty {}
    )*};
}

sealed!(
    [] (),
    [] u8,
    [] i64,
    [] f64,
    [] bool,
    [] char,
    [] &str,
    [] String,
    [] Value,
    [T] &[T],
    [T] Vec<T>,
    [T] Option<T>,
    [T] BTreeMap<String, T>,
    [T, S] HashMap<String, T, S>,
    [T, E] Result<T, E>,
);
