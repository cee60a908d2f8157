//! Turns sources into installed plugins, and plugin folders into archives.
//!
//! | module | what lives there |
//! | --- | --- |
//! | [`archive`] | reading archives, which are refused whole for one bad entry |
//! | [`pack`] | writing them, with equal bytes for equal contents |
//!
//! Nothing here prints, asks, or reads the environment; nothing knows the interpreter.

#[cfg(feature = "archive")]
pub mod archive;
#[cfg(feature = "archive")]
mod digest;
#[cfg(feature = "archive")]
pub mod pack;
mod plugin;

pub use plugin::plugin_in;
