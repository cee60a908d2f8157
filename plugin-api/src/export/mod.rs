//! What a native plugin needs to export itself.
//!
//! A plugin is a module with the attribute [`plugin`](crate::plugin): each of its public functions becomes a
//! function of the plugin, public modules inside it become submodules, and doc comments become descriptions.
//! Everything else in the module stays private. The crate is a `cdylib`.
//!
//! ```
//! use caraway_plugin::prelude::*;
//!
//! #[plugin]
//! mod stats {
//!     /// The arithmetic mean.
//!     pub fn mean(xs: &[f64]) -> Result<f64, String> {
//!         if xs.is_empty() {
//!             return Err("the mean of nothing".to_owned());
//!         }
//!         Ok(xs.iter().sum::<f64>() / xs.len() as f64)
//!     }
//! }
//! # fn main() {}
//! ```
//!
//! # Types
//!
//! | Rust, as a parameter | as a result | in signatures |
//! | --- | --- | --- |
//! | `i64`, `f64`, `bool`, `char` | the same | `int`, `float`, `bool`, `char` |
//! | `&str`, `String` | the same | `string` |
//! | `&[u8]`, `Vec<u8>` | the same | `bytes` |
//! | `&[i64]`, `Vec<i64>` | the same | `array<int>` |
//! | `&[f64]`, `Vec<f64>` | the same | `array<float>` |
//! | `Vec<T>` | `Vec<T>` | `array<T>` |
//! | `HashMap<String, T>`, `BTreeMap<String, T>` | the same | `map<T>` |
//! | `Option<T>` | `Option<T>` | `T?` |
//! | [`Value`](crate::Value) | the same | `any` |
//! | | `()` | `void` |
//! | | `Result<T, E: Display>` | that of `T`; an error is thrown in the script |
//!
//! Slices and `&str` are borrowed from the host without a copy, but for arrays, whose numbers are gathered
//! once. A script may pass ints where floats are declared. There is no other conversion: an `i32` or `usize`
//! is refused by the compiler, so that what happens beyond its range is the author's decision. The traits of
//! this module are sealed: a type of your own is made from one of these, and into one, in the function.
//!
//! A panic is caught, and is an error in the script that names the function; for that the plugin must not be
//! built with `panic = "abort"`.

mod argument;
mod call;
mod containers;
mod data;
mod item;
mod out;
mod result;
mod scalars;
mod sealed;
mod table;
#[cfg(test)]
mod tests;

pub use argument::Argument;
pub use data::{Data, Mismatch};
pub use item::Item;
pub use result::Return;

/// What the attribute macro's expansion uses. Not part of the contract: it changes with the macro.
#[doc(hidden)]
pub mod expansion {
    pub use super::call::run;
    pub use super::table::{attach, function, plugin};
    pub use caraway_abi::envelope::{Export, LibHeader, header};
    pub use caraway_abi::{Function, Plugin};
    pub use std::sync::OnceLock;
    pub use std::vec::Vec;
}
