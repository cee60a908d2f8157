//! Native plugins through the loader, with a plain Rhai engine.

mod agreement;
mod allocations;
mod calls;
mod failures;
mod files;
mod sink;
mod support;
