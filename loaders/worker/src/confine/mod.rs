//! What a worker's process may do, held to by the kernel.

use caraway_loaders_core::Error;
use std::os::fd::RawFd;
use std::path::PathBuf;
use std::time::Duration;

/// What a worker's process may do. The default: nothing but compute, in its own files.
#[derive(Debug, Clone, Default)]
pub struct Confinement {
    pub read: Vec<PathBuf>,
    pub write: Vec<PathBuf>,
    pub connect: Ports,
    pub programs: bool,
    pub memory: Option<u64>,
    pub cpu: Option<Duration>,
}

#[derive(Debug, Clone, Default)]
pub enum Ports {
    #[default]
    None,
    Only(Vec<u16>),
    Any,
}

impl Confinement {
    pub fn apply(&self) -> Result<(), Error> {
        Ok(())
    }
}

pub fn detach(_keep: &[RawFd], _parent: u32) -> std::io::Result<()> {
    Ok(())
}
