//! Native plugins through the loader, with a plain Rhai engine. The plugin is built once, as its author would.

mod agreement;
mod calls;
mod failures;
mod files;
mod support;
