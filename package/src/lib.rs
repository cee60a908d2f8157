//! Turns sources into installed plugins, and plugin folders into archives.
//!
//! | module | what lives there |
//! | --- | --- |
//! | [`archive`] | reading archives, which are refused whole for one bad entry |
//!
//! Nothing here prints, asks, or reads the environment; nothing knows the interpreter.

#[cfg(feature = "archive")]
pub mod archive;
