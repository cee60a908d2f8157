//! Native plugins through the loader, with a plain Rhai engine.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod agreement;
mod allocations;
mod calls;
mod failures;
mod files;
mod sink;
mod support;
