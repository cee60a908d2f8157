//! What a Caraway plugin author depends on.
//!
//! This crate is the contract between a host and its plugins: the [`Type`]s and [`Signature`]s that
//! functions are declared with, the [`Value`]s that cross the boundary, and, with the default feature
//! `export`, everything that a native plugin needs to export itself: see [`export`]. It does no I/O and knows
//! neither the interpreter nor any WebAssembly runtime.
//!
//! ```
//! use caraway_plugin::{Signature, Type};
//!
//! let signature: Signature = "mean(xs: array<float>) -> float".parse()?;
//! assert_eq!(signature.params[0].ty, Type::Array(Box::new(Type::Float)));
//! # Ok::<(), caraway_plugin::ParseTypeError>(())
//! ```

mod definition;
#[cfg(feature = "export")]
pub mod export;
#[cfg(feature = "export")]
pub mod prelude;
mod signature;
mod ty;
mod value;

#[cfg(feature = "export")]
pub use caraway_plugin_macros::{Data, Handle, plugin};
#[cfg(feature = "export")]
pub use export::Error;

pub use definition::Definition;
pub use signature::{Param, Signature};
pub use ty::{EnumType, Field, ParseTypeError, StructType, Type};
pub use value::{DecodeError, MAX_DEPTH, Value};
