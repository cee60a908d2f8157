//! Which types cross the boundary is settled here and by the derives, and not by hand.

use crate::Value;
use std::collections::{BTreeMap, HashMap};

/// A type whose words are those of its type in signatures.
///
/// The host passes words as a signature says, and what reads them trusts it: a type that said `float` and read
/// a string would read any memory, without a line of unsafe code in the plugin.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be made a type of plugins' functions by hand",
    label = "`caraway_plugin` settles which types cross the boundary",
    note = "use `#[derive(Data)]` for a struct or enum, `#[derive(Handle)]` for what scripts only hold"
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
    [] str,
    [] &str,
    [] String,
    [] Value,
    [T] [T],
    [T] &[T],
    [T] Vec<T>,
    [T] Box<T>,
    [T] Option<T>,
    [T] BTreeMap<String, T>,
    [T, S] HashMap<String, T, S>,
    [T, E] Result<T, E>,
);
