//! Running what was compiled.
//!
//! | file | |
//! | --- | --- |
//! | [`machine`] | wasmtime's engine, the clock, the cache |
//! | [`code`] | a module, and calls into it |
//! | [`pool`] | the stores that calls run in |
//! | [`entry`], [`value`] | between a script's values and WebAssembly's |
//! | [`buffers`] | numbers of buffers, in memory and back |
//! | [`helpers`] | what modules ask the host for |
//! | [`import`] | functions of imported modules |
//! | [`fault`] | errors, as Rhai tells them |

mod buffers;
mod code;
mod entry;
mod fault;
mod helpers;
mod import;
mod machine;
mod pool;
#[cfg(test)]
mod tests;
mod value;

#[cfg(test)]
pub(crate) use code::Code;
pub(crate) use entry::MAX_PARAMS;
pub(crate) use import::Callee;
pub(crate) use machine::Machine;
