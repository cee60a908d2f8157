//! Compiles typed functions of Rhai scripts to WebAssembly, which wasmtime runs.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `compiler` | the [`Compiler`](caraway_loaders_script::Compiler) that the script loader asks |
//! | `ir` | functions as trees whose expressions have types |
//! | `front` | from Rhai's syntax tree to those |
//! | `emit` | from those to a module of WebAssembly |
//! | `host` | running it: stores, calls, errors as Rhai tells them |
//! | `fuzzing` | random programs, and what they come to, for tests |

mod compiler;
mod emit;
mod front;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod host;
mod ir;

pub use compiler::ScriptCompiler;
