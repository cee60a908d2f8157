//! Turns sources into installed plugins, and plugin folders into archives.
//!
//! | module | what lives there |
//! | --- | --- |
//! | [`archive`] | reading archives, which are refused whole for one bad entry |
//! | [`pack`] | writing them, with equal bytes for equal contents |
//! | [`source`] | where plugins are installed from |
//! | [`store`] | the folder that they are installed into |
//!
//! Nothing here prints, asks, or reads the environment; nothing knows the interpreter.

#[cfg(feature = "archive")]
pub mod archive;
#[cfg(feature = "archive")]
mod digest;
#[cfg(feature = "archive")]
pub mod pack;
mod plugin;
pub mod source;
pub mod store;

pub use plugin::plugin_in;
