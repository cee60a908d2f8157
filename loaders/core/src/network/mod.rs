//! The network: which addresses are public, who may connect to which, names to addresses, and sockets that never wait.
//!
//! All that opens connections for a script or a plugin decides by these: [`Gate`] says by name whether a host may be
//! connected to, and again on the very address that is connected to.

mod address;
mod gate;
mod resolve;
mod socket;
#[cfg(feature = "tls")]
pub mod trust;

pub use address::is_public;
pub use gate::{Gate, Refused};
pub use resolve::{Pending, Resolve, System};
pub use socket::{Readiness, Socket};
