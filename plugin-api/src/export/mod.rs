//! What a native plugin needs to export itself.
//!
//! A plugin is a module with the attribute [`plugin`](crate::plugin): each of its public functions becomes a
//! function of the plugin, public modules inside it become submodules, and doc comments become descriptions.
//! Everything else in the module stays private, and so do functions that a `macro_rules` makes. The crate is a
//! `cdylib`.
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
//!
//! assert_eq!(stats::mean(&[1.0, 2.0]), Ok(1.5));
//! ```
//!
//! # Types
//!
//! | Rust, as a parameter | as a result | in signatures |
//! | --- | --- | --- |
//! | `i64`, `f64`, `bool`, `char` | the same | `int`, `float`, `bool`, `char` |
//! | `&str`, `String` | the same | `string` |
//! | `&[u8]`, `Vec<u8>` | `Vec<u8>` | `bytes` |
//! | `&[T]`, `Vec<T>` | `Vec<T>` | `array<T>` |
//! | `HashMap<String, T>`, `BTreeMap<String, T>` | the same | `map<T>` |
//! | `Option<T>` | the same | `T?` |
//! | a struct or enum that derives [`Data`](trait@Data) | the same | its name, or `any` |
//! | [`Buffer<f64>`](Buffer), `&mut [f64]` | `Buffer<f64>` | `floats` |
//! | `Buffer<i64>`, `&mut [i64]` | `Buffer<i64>` | `ints` |
//! | `&T`, `&mut T`, `T` of a type that derives [`Handle`](trait@Handle) | `T` | its name |
//! | [`Callback<fn(A, B) -> R>`](Callback) | | `fn(A, B) -> R` |
//! | [`Value`](crate::Value) | the same | `any` |
//! | [`&Context`](Context) | | not in the signature |
//! | | `()` | `void` |
//! | | `Result<T, E>` | that of `T`; an error is thrown in the script |
//!
//! `Box<T>` is what `T` is, and every [`Data`](trait@Data) may be taken by reference too. Strings, bytes and
//! buffers are borrowed from the host without a copy, and so are `&[i64]` and `&[f64]`, whose numbers the host
//! gathers. A script may pass ints where floats are declared. There is no other conversion: an `i32` or `usize`
//! is refused by the compiler, so that what happens beyond its range is the author's decision.
//!
//! # Structs and enums
//!
//! ```
//! use caraway_plugin::prelude::*;
//!
//! /// A point of the plane. To scripts it is a map, `#{x: 1.0, y: 2.0}`.
//! #[derive(Data)]
//! pub struct Point {
//!     pub x: f64,
//!     pub y: f64,
//!     /// May be missing, since it is an `Option`. Keys that are no field are refused.
//!     pub label: Option<String>,
//! }
//!
//! /// To scripts it is a string: `"red"`, `"dark_blue"`.
//! #[derive(Data)]
//! pub enum Colour {
//!     Red,
//!     DarkBlue,
//! }
//!
//! /// `"dot"`, `#{circle: 1.5}`, `#{rect: #{w: 1.0, h: 2.0}}` or `#{line: [p, q]}`; in signatures `any`.
//! #[derive(Data)]
//! pub enum Shape {
//!     Dot,
//!     Circle(f64),
//!     Rect { w: f64, h: f64 },
//!     Line(Point, Point),
//! }
//!
//! /// To scripts it is the float in it.
//! #[derive(Data)]
//! pub struct Metres(f64);
//!
//! use caraway_plugin::Value;
//!
//! let shape = Value::from([("circle", Value::from("wide"))]);
//! let error = Vec::<Shape>::from_value(Value::from(vec![shape])).err().unwrap();
//! assert_eq!(error.to_string(), "must be float, found string at `[0].circle`");
//! ```
//!
//! # Errors and panics
//!
//! The error of a `Result` is thrown in the script as it displays. It owns what it says: `String`,
//! `&'static str`, or [`Error`], into which `?` turns any error. One that came from a [`Callback`] is thrown as
//! it was.
//!
//! A panic is caught, and is an error in the script that says where in the plugin it was; for that the plugin
//! must not be built with `panic = "abort"`. Nothing is printed. A panic in a thread of the plugin's own goes to
//! the host's log when the thread ends.
//!
//! # Beginning and end
//!
//! ```
//! use caraway_plugin::prelude::*;
//!
//! #[plugin]
//! mod cache {
//!     use caraway_plugin::prelude::*;
//!
//!     /// Called once, before any function. It need not be public, and may take nothing and give back nothing.
//!     /// With an error the plugin is not loaded.
//!     #[init]
//!     fn begin(ctx: &Context) -> Result<(), Error> {
//!         ctx.info("here we are");
//!         Ok(())
//!     }
//!
//!     /// Called once, when nothing of the plugin is in use any more.
//!     #[shutdown]
//!     fn end() {}
//!
//!     pub fn answer() -> i64 {
//!         42
//!     }
//! }
//! ```
//!
//! # Tests
//!
//! The functions stay what they are: `cargo test` of the plugin's crate calls them. [`Callback::new`],
//! [`Context::detached`], [`Buffer::new`] and [`CallbackError::new`] stand in for what a host would pass. For
//! the tests of other crates, or of its own in `tests/`, the crate is an `rlib` too:
//! `crate-type = ["cdylib", "rlib"]`.
//!
//! # Small libraries, fast builds
//!
//! A plugin depends on two small crates, and on two more to expand its macros. Most of its library is Rust's
//! standard library:
//!
//! ```toml
//! [profile.release]
//! strip = true     # symbols are nine tenths of the file
//! lto = true       # another tenth, for a few seconds
//! opt-level = "s"  # a little more, where speed does not matter
//! ```
//!
//! The feature `abi_stable`, which is off, adds what hosts of contract 1.0 look for; it makes a cold build ten
//! times as long.

mod argument;
mod buffer;
mod call;
mod callback;
mod callback_error;
mod containers;
mod context;
mod crossing;
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
    pub use super::data::Data;
    pub use super::fields::{Fields, Items, case, other_payload, unit_case};
    pub use super::handle::{ClassInfo, Held, close, give, hold};
    pub use super::lent::Slice;
    pub use super::lifecycle::{Ending, Lifecycle, attach, init, shutdown};
    pub use super::mismatch::Mismatch;
    pub use super::out::Out;
    pub use super::sealed::Sealed;
    pub use super::shape::Shape;
    pub use super::spec::Spec;
    pub use super::table::{Collected, Counts, Export, Exports, plugin, type_count, type_def, types};
    pub use super::text::{Param, concat, concat_len, line, signature, signature_len};
    pub use super::type_name::TypeName;
    pub use super::typed::{Scalar, char, typed};
    pub use crate::__caraway_envelope as envelope;
    pub use crate::Value;
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
