//! Native plugins through the loader, with a plain Rhai engine.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod agreement;
mod allocations;
mod buffers;
mod callbacks;
mod calls;
mod failures;
mod files;
mod handles;
mod lies;
mod life;
mod sample;
mod sink;
mod support;
mod typed;
mod types;
