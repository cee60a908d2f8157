//! Limits of resources, and the rights of root.

use super::{Confinement, refused};
use caraway_loaders_core::{Code, Error};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities, set_no_new_privs};

/// Of a main thread whose stack had no limit.
const STACK: u64 = 64 << 20;

/// Sets all limits, for good: soft and hard.
pub(super) fn apply(confinement: &Confinement) -> Result<(), Error> {
    let stack = getrlimit(Resource::Stack).current.unwrap_or(STACK);
    if let Some(bytes) = confinement.memory {
        room(bytes)?;
        lower("memory", Resource::Data, bytes, bytes)?;
    }
    if let Some(time) = confinement.cpu {
        let seconds = time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0)).max(1);
        lower("processor time", Resource::Cpu, seconds, seconds.saturating_add(1))?;
    }
    // What `RLIMIT_DATA` does not count.
    lower("stack", Resource::Stack, stack, stack)?;
    lower("open files", Resource::Nofile, confinement.open_files, confinement.open_files)?;
    lower("file size", Resource::Fsize, confinement.file_size, confinement.file_size)?;
    // 0 would still start the program that the system may have for dumps; 1 does not, and is too small for a file.
    lower("dumps", Resource::Core, 1, 1)?;
    // SAFETY: ignoring a signal installs no code, and there is no other thread that could be changing it.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    Ok(())
}

/// Whether a limit leaves anything over what is in use. Without, the next allocation would end the process.
fn room(bytes: u64) -> Result<(), Error> {
    let status = std::fs::read_to_string("/proc/self/status").map_err(|e| refused("measure memory", &e))?;
    let in_use =
        status.lines().find_map(|line| line.strip_prefix("VmData:")?.strip_suffix("kB")?.trim().parse().ok());
    let in_use = in_use.map_or(0, |kib: u64| kib.saturating_mul(1024));
    if bytes > in_use {
        return Ok(());
    }
    let message = format!("{bytes} bytes of memory are too few: a worker begins with {in_use}");
    Err(Error::new(Code::Memory, message).hint("allow several MiB more than that"))
}

/// Sets a limit, if it is not lower already.
fn lower(what: &str, resource: Resource, soft: u64, hard: u64) -> Result<(), Error> {
    let now = getrlimit(resource);
    let least = |wanted: u64, now: Option<u64>| Some(now.map_or(wanted, |now| now.min(wanted)));
    let hard = least(hard, now.maximum);
    let soft = least(soft, now.current.into_iter().chain(hard).min());
    setrlimit(resource, Rlimit { current: soft, maximum: hard })
        .map_err(|e| refused(&format!("limit {what}"), &e))
}

/// No program that is started gains rights, and root keeps none but to open files, which Landlock holds to grants.
pub(super) fn drop_privileges() -> Result<(), Error> {
    set_no_new_privs(true).map_err(|e| refused("give up new privileges", &e))?;
    let now = rustix::thread::capabilities(None).map_err(|e| refused("read capabilities", &e))?;
    let kept = CapabilitySet::DAC_OVERRIDE & now.permitted;
    let sets = CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() };
    set_capabilities(None, sets).map_err(|e| refused("drop capabilities", &e))?;
    Ok(())
}
