//! Rhai with plugins.
//!
//! A [`Runtime`] runs Rhai programs whose `import`s are served by plugins: Rhai scripts, native libraries,
//! hybrids of both, WebAssembly components, and modules compiled in. The program cannot tell which. Nothing is
//! global: two runtimes in one process do not see each other.
//!
//! ```
//! use caraway::Runtime;
//!
//! let plugins = tempfile::tempdir()?;
//! let greet = plugins.path().join("greet");
//! std::fs::create_dir(&greet)?;
//! std::fs::write(greet.join("plugin.toml"), r#"
//!     name = "greet"
//!     version = "1.0.0"
//!     type = "module"
//!     functions = [{ name = "hello", params = [{ name = "who", type = "string" }], returns = "string" }]
//! "#)?;
//! std::fs::write(greet.join("main.rhai"), "fn hello(who) { `hello, ${who}` }")?;
//!
//! let runtime = Runtime::builder().plugin_path(plugins.path()).build()?;
//! let value = runtime.eval(r#"import "greet" as g; g::hello("world")"#)?;
//! assert_eq!(value.into_string()?, "hello, world");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! With an engine of your own, [`Runtime::install`] makes `import` find plugins there.
//!
//! By default nothing is granted: a plugin reads no file, opens no connection, and no native code is loaded
//! into this process, until [`Builder::allow`] says so. `docs/security.md` says what holds for which kind.

#[cfg(not(all(feature = "native", feature = "wasm-runtime")))]
mod absent;
mod authority;
mod build;
mod check;
#[cfg(feature = "cli")]
pub mod cli;
mod config;
pub mod conformance;
mod count;
#[cfg(feature = "cli")]
mod diagnostic;
#[cfg(all(feature = "cli", any(test, fuzzing)))]
#[doc(hidden)]
#[allow(clippy::panic, clippy::unwrap_used, reason = "what is wrong ends a check")]
pub mod fuzzing;
mod home;
mod inspection;
#[cfg(feature = "repl")]
mod interactive;
mod loading;
mod lock;
mod lookup;
mod notes;
mod program;
mod registry;
#[cfg(feature = "cli")]
mod replace;
mod runtime;
mod search_path;
mod secrets;
mod security;
mod session;
mod shadowing;
mod stack;
pub mod test;
mod traced;
mod trust;
#[cfg(feature = "worker")]
pub mod worker;

pub use caraway_loaders_core::bind;
pub use caraway_loaders_core::budget::{Cancel, CountingAllocator};
pub use caraway_loaders_core::capability;
pub use caraway_loaders_core::discover::{Catalog, Origin, Plugin};
pub use caraway_loaders_core::event::Event;
pub use caraway_loaders_core::limits::Limits;
pub use caraway_loaders_core::loader;
pub use caraway_loaders_core::manifest::{self, Manifest};
pub use caraway_loaders_core::observe;
pub use caraway_loaders_core::output::{Output, Stream};
pub use caraway_loaders_core::{
    Code, Error, ErrorValue, Frame, Location, Param, Signature, Type, Value, escape,
};
#[cfg(feature = "wasm-runtime")]
pub use caraway_loaders_wasm::Cache as WasmCache;
pub use check::Checked;
pub use notes::Notes;
pub use program::{Outcome, Program};
pub use runtime::{Builder, Runtime};
pub use security::Security;

/// The guide's examples, as tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/guide-embedding.md")]
struct GuideEmbedding;

/// The recipes in Rust, as tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/cookbook.md")]
struct Cookbook;
