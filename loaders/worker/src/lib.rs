//! Plugins of any kind in a process of their own, which may crash, hang and leak without harm to the host.

mod clock;
pub mod confine;
mod exports;
mod isolated;
mod peer;
mod process;
mod references;
mod remote;
mod serve;
mod shared;
mod supervisor;
mod wire;
mod workers;

pub use isolated::IsolatedLoader;
pub use workers::{Workers, maybe_run};
