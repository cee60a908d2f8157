//! What this machine cannot hold a worker to.

use std::fmt;

/// Something that a [`Confinement`](super::Confinement) is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ability {
    /// Anything at all: the system is none that this is written for.
    Process,
    /// Holding a process to files and folders: Landlock with truncation (ABI 3, Linux 6.2).
    Files,
    /// Keeping system calls from a process: seccomp with filters.
    Calls,
    /// Holding it to TCP ports: Landlock's ABI 4 (Linux 6.7).
    Ports,
    /// Keeping it, and what it starts, from sending signals to others: Landlock's ABI 6 (Linux 6.12).
    Signals,
}

/// Something that this machine cannot do. [`Display`](fmt::Display) says what that means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lack {
    /// What it is.
    pub ability: Ability,
    /// What would help.
    pub help: &'static str,
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.ability {
            Ability::Process => "this system cannot confine a process",
            Ability::Files => "this kernel cannot hold a process to files",
            Ability::Calls => "this kernel cannot keep system calls from a process",
            Ability::Ports => "this kernel cannot hold a process to TCP ports",
            Ability::Signals => {
                "this kernel cannot keep programs that a process starts from sending signals to others"
            }
        })
    }
}

/// What this machine lacks, asked of its kernel. Empty where everything is held.
pub fn lacking() -> Vec<Lack> {
    #[cfg(target_os = "linux")]
    return [
        (Ability::Files, super::files::holds_files(), "boot Linux 6.2 or newer, with `landlock` in `lsm=`"),
        (
            Ability::Calls,
            super::calls::holds_calls(),
            "use a kernel with CONFIG_SECCOMP_FILTER, on x86-64 or ARM64",
        ),
        (
            Ability::Ports,
            super::files::holds_ports(),
            "use Linux 6.7 or newer, or grant `network` as a whole",
        ),
        (Ability::Signals, super::files::holds_signals(), "use Linux 6.12 or newer, or grant no programs"),
    ]
    .into_iter()
    .filter(|(_, held, _)| !held)
    .map(|(ability, _, help)| Lack { ability, help })
    .collect();
    #[cfg(not(target_os = "linux"))]
    vec![Lack { ability: Ability::Process, help: "use Linux, or run the plugin without isolation" }]
}
