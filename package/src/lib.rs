//! Turns sources into installed plugins, and plugin folders into archives.
//!
//! | module | what lives there |
//! | --- | --- |
//! | [`archive`] | reading archives, which are refused whole for one bad entry |
//! | [`pack`] | writing them, with equal bytes for equal contents |
//! | [`source`] | where plugins are installed from |
//! | [`store`] | the folder that they are installed into |
//!
//! ```no_run
//! use caraway_package::source::parse;
//! use caraway_package::store::{Record, Store};
//! use caraway_package::plugin_in;
//! use std::path::Path;
//!
//! # fn install(loaders: &[std::sync::Arc<dyn caraway_loaders_core::loader::Loader>]) -> Result<(), caraway_loaders_core::Error> {
//! let source = parse("./stats-1.2.0.tar.gz", Path::new("/home/me"), loaders)?;
//! let store = Store::new("/home/me/.local/share/caraway/plugins");
//! let locked = store.lock("caraway install (process 123)", &mut |holder| eprintln!("waiting for {holder}"))?;
//! let staging = locked.stage()?;
//! let fetched = source.fetch(staging.path(), &())?;
//! let manifest = plugin_in(&fetched.folder, loaders)?.manifest.clone();
//! // Here is the time to ask whether it may have what it asks for.
//! let record =
//!     Record { name: manifest.name, version: manifest.version, source: source.text(), archive: fetched.archive };
//! locked.place(staging, &fetched, &record, false)?;
//! # Ok(())
//! # }
//! ```
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
