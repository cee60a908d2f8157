//! Search paths to plugins and errors.
//!
//! A search path holds plugin folders, one level deep, or is one. A plugin folder has a `plugin.json` or a
//! `plugin.toml`; a folder with a single file that a loader adopts, or such a file in a search path, is a
//! plugin too. Hidden names and folders that are no plugins are passed over. One broken plugin never spoils
//! the others: [`discover`] gives results and errors.

mod candidate;
mod catalog;
mod folder;
mod manifest_file;
mod plugin;
mod search_path;

pub use catalog::{Catalog, Shadowed, discover};
pub use manifest_file::{has_manifest, is_manifest};
pub use plugin::{Origin, Plugin};
pub use search_path::SearchPath;
