//! A plugin as a host sees it: through its table, and by nothing else.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod callbacks;
mod context;
mod data;
mod functions;
mod handles;
mod host;
mod panics;
mod plugin;
mod table;
