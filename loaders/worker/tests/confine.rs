//! Confined processes, real ones: each row runs this program again, which confines itself, does something, and tells what
//! came of it. There is no harness, since a process must have one thread to be confined.
#![cfg_attr(not(target_os = "linux"), allow(dead_code, unused_imports))]
#![allow(clippy::unwrap_used, clippy::panic)]

#[cfg(not(target_os = "linux"))]
fn main() {
    use caraway_loaders_worker::confine::{Ability, Confinement, lacking};
    assert!(lacking().iter().any(|lack| lack.ability == Ability::Process));
    assert!(Confinement::default().apply().is_err());
}

#[cfg(target_os = "linux")]
fn main() {
    linux::main();
}

#[cfg(target_os = "linux")]
#[path = "confine/mod.rs"]
mod linux;
