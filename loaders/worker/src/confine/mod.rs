//! What a worker's process may do, held to by the kernel.
//!
//! [`detach`] and [`Confinement::apply`] are what a worker does to itself before it opens anything of a plugin. On Linux,
//! Landlock holds it to files and TCP ports, seccomp keeps system calls from it, and limits of resources do the counting.
//! Elsewhere nothing of that exists, and `apply` is an error.

#[cfg(target_os = "linux")]
mod calls;
#[cfg(unix)]
mod detach;
#[cfg(target_os = "linux")]
mod files;
#[cfg(target_os = "linux")]
mod filter;
mod lack;
#[cfg(target_os = "linux")]
mod limits;
#[cfg(target_os = "linux")]
mod system;

#[cfg(unix)]
pub use detach::detach;
pub use lack::{Ability, Lack, lacking};

use caraway_loaders_core::{Code, Error};
use std::fmt::Display;
use std::path::PathBuf;
use std::time::Duration;

/// The TCP ports that a worker may connect to, on any host: the kernel knows addresses, and no names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Ports {
    /// None, and no socket can be made.
    #[default]
    None,
    /// These. No UDP, since the kernel cannot hold that to ports; so no names can be looked up.
    Only(Vec<u16>),
    /// All, and UDP.
    Any,
}

/// What a worker's process may do. The default: to compute, and to read the system's libraries.
///
/// Whatever is set here, a confined process cannot listen for connections, reach sockets of other programs on this machine,
/// watch, trace or signal other processes, leave its process group, make namespaces, mount, or change the modes, owners,
/// times and attributes of files. What it starts is held to the same. Calls of the system that are newer than this list do
/// not exist for it.
///
/// ```no_run
/// use caraway_loaders_worker::confine::{Confinement, Ports, detach};
///
/// # fn worker(host: u32, socket: i32) -> Result<(), Box<dyn std::error::Error>> {
/// detach(&[socket], host)?;
/// Confinement {
///     read: vec!["/srv/plugins/stats".into()],
///     connect: Ports::Only(vec![443]),
///     memory: Some(100 << 20),
///     ..Confinement::default()
/// }
/// .apply()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confinement {
    /// Files and folders that may be read, mapped and opened as libraries, with all below them.
    pub read: Vec<PathBuf>,
    /// Files and folders that may be changed: files and folders in them made, renamed and removed. To be read they must be
    /// among the others, too.
    pub write: Vec<PathBuf>,
    /// Where it may connect to.
    pub connect: Ports,
    /// Whether other programs may be started; else neither `fork` nor `exec` works. Threads always do.
    pub programs: bool,
    /// Bytes of memory that can be written and is the process's own (`RLIMIT_DATA`): heap, data and the stacks of threads
    /// in their full size, with what is in use already. `RLIMIT_AS` would count address space that is only reserved, of
    /// which allocators and components take gigabytes. Memory that this does not count cannot be had under a limit:
    /// shared mappings of no file, files in memory, mappings that grow downward.
    pub memory: Option<u64>,
    /// Processor time of the process in all, rounded up to seconds. Then it ends by `SIGXCPU`, or `SIGKILL` a second later.
    pub cpu: Option<Duration>,
    /// At most so many descriptors (256).
    pub open_files: u64,
    /// Bytes that a file may be written to at most (1 GiB). Further writes fail with `EFBIG`.
    pub file_size: u64,
}

impl Default for Confinement {
    fn default() -> Self {
        Self {
            read: Vec::new(),
            write: Vec::new(),
            connect: Ports::None,
            programs: false,
            memory: None,
            cpu: None,
            open_files: 256,
            file_size: 1 << 30,
        }
    }
}

impl Confinement {
    /// Holds this process, and what it starts, to it for good. To be called while the process has one thread.
    ///
    /// # Errors
    /// [`Code::NotEnforced`] where the system lacks what this needs (see [`lacking`]), where there are other threads, or
    /// where the system refuses; [`Code::Io`] for a path that cannot be opened; [`Code::Memory`] for a limit below what is in use. After an error the process may be held to
    /// some of it and not to the rest: it should end.
    pub fn apply(&self) -> Result<(), Error> {
        let lacks = lacking();
        if let Some(lack) = lacks.iter().find(|lack| self.needs(lack.ability)) {
            return Err(Error::new(Code::NotEnforced, lack.to_string()).hint(lack.help));
        }
        self.hold(lacks.iter().all(|lack| lack.ability != Ability::Signals))
    }

    /// Whether it cannot be applied without.
    fn needs(&self, ability: Ability) -> bool {
        match ability {
            Ability::Process | Ability::Files | Ability::Calls => true,
            Ability::Ports => matches!(self.connect, Ports::Only(_)),
            Ability::Signals => self.programs,
        }
    }

    #[cfg(target_os = "linux")]
    fn hold(&self, signals_are_scoped: bool) -> Result<(), Error> {
        let threads = std::fs::read_dir("/proc/self/task").map_err(|e| refused("count threads", &e))?.count();
        if threads != 1 {
            return Err(refused("hold all threads", &format!("there are {threads}")));
        }
        // All that can fail for a reason of the caller's comes before what cannot be taken back.
        let files = files::rules(self)?;
        let filters = calls::filters(self, signals_are_scoped)?;
        limits::apply(self)?;
        limits::drop_privileges()?;
        files.restrict()?;
        filters.iter().try_for_each(|filter| {
            seccompiler::apply_filter(filter).map_err(|e| refused("filter system calls", &e))
        })
    }

    #[cfg(not(target_os = "linux"))]
    fn hold(&self, _: bool) -> Result<(), Error> {
        Err(refused("hold it to anything", &"this system is not Linux"))
    }
}

/// That something could not be done.
fn refused(what: &str, why: &dyn Display) -> Error {
    Error::new(Code::NotEnforced, format!("cannot confine this process: cannot {what}: {why}"))
        .hint("`caraway doctor` tells what this system lacks")
}
