//! Loads Rhai script plugins.
//!
//! A script plugin runs on an engine of its own, so that it has its own limits, its own view of other plugins
//! and no more authority than it was granted. [`engine`] builds such engines, for the program too;
//! [`ImportResolver`] serves their imports; [`Instance`] is a script whose top level has been run and whose
//! functions can be called; [`ScriptLoader`] is the loader.

mod compile;
mod dispatch;
pub mod engine;
mod equal;
mod files;
mod guard;
mod instance;
mod json;
mod loader;
mod parsing;
mod resolver;
mod sort;
mod source;
mod text;
mod tier;

pub use compile::{Compiled, Compiler, Obstacle, Script};
pub use files::script_files;
pub use instance::{Entry, Instance, exported};
pub use loader::{ScriptLoader, bind_instance, script_of_plugin, validate_script};
pub use resolver::{ImportResolver, is_file, locate};
pub use source::{parse_file, parse_text};
