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
mod buffer;
mod call;
mod callback;
mod callback_error;
mod containers;
mod context;
mod data;
mod error;
mod fields;
mod handle;
mod host;
mod item;
mod lent;
mod level;
mod lifecycle;
mod lock;
mod mismatch;
mod out;
mod panic;
mod result;
mod scalars;
mod sealed;
mod shape;
mod spec;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod type_name;
mod typed;

pub use crate::{Data, Handle};
pub use argument::Argument;
pub use buffer::{Buffer, Number};
pub use callback::{Answer, Arguments, Callback, Closure, Function};
pub use callback_error::CallbackError;
pub use context::Context;
pub use data::Data;
pub use error::Error;
pub use handle::Handle;
pub use item::Item;
pub use lent::{Lent, LentMut};
pub use level::Level;
pub use mismatch::Mismatch;
pub use result::Return;
pub use type_name::TypeName;

/// What the macros' expansions use. Not part of the contract: it changes with the macros.
#[doc(hidden)]
pub mod expansion {
    pub use super::call::{Args, Failure, named, run};
    pub use super::fields::{Fields, Items, case, other_payload, unit_case};
    pub use super::handle::{ClassInfo, Held, close, give, hold};
    pub use super::lent::Slice;
    pub use super::lifecycle::{Ending, Lifecycle, attach, init, shutdown};
    pub use super::out::Out;
    pub use super::sealed::Sealed;
    pub use super::shape::Shape;
    pub use super::spec::Spec;
    pub use super::table::{Collected, Counts, Export, Exports, plugin, type_count, type_def, types};
    pub use super::text::{Param, concat, concat_len, line, signature, signature_len};
    pub use super::typed::{Scalar, char, typed};
    pub use crate::__caraway_envelope as envelope;
    #[cfg(feature = "abi_stable")]
    pub use caraway_abi::envelope::{Export as Enveloped, LibHeader, header};
    pub use caraway_abi::{Class, Function, HostApi, Kind, Plugin, Ret, TypeDef, TypeList};
}

/// Exports the envelope of contract 1.0 around a table.
#[cfg(feature = "abi_stable")]
#[doc(hidden)]
#[macro_export]
macro_rules! __caraway_envelope {
    ($plugin:ident) => {
        struct Crate;

        impl $crate::export::expansion::Enveloped for Crate {
            fn plugin() -> &'static $crate::export::expansion::Plugin {
                &$plugin
            }
        }

        // The name is `caraway_abi::envelope::ROOT_SYMBOL`; an attribute takes no constant.
        #[unsafe(export_name = "_1as_0lib_1header_0root_bmodule_bloader")]
        static HEADER: $crate::export::expansion::LibHeader = $crate::export::expansion::header::<Crate>();
    };
}

/// Without the feature `abi_stable` there is none.
#[cfg(not(feature = "abi_stable"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __caraway_envelope {
    ($plugin:ident) => {};
}
