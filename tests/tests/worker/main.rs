//! Native code that harms its process, in a worker: an error of the script that says what happened, and nothing else.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod callbacks;
mod capabilities;
mod crashes;
mod faults;
mod flat;
mod host;
mod limits;
mod loading;
mod plugins;
mod threads;
