//! What a worker does not share with its host.

use std::io;
use std::os::fd::RawFd;

/// Closes all descriptors but the three streams and `keep`, so that nothing of the host's is inherited. On Linux it also
/// makes the process end (`SIGKILL`) when the thread that started it does.
///
/// To be called before anything is opened: descriptors that somebody in this process owns are closed, too. The kernel
/// looks at the thread and not the process that started this one: a host starts workers on a thread that lives on.
///
/// # Errors
/// If `parent` is not this process's parent (any more), or the system refuses.
pub fn detach(keep: &[RawFd], parent: u32) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    if std::os::unix::process::parent_id() != parent {
        return Err(io::Error::other("the process that started this one is gone"));
    }
    let mut kept: Vec<u32> =
        keep.iter().filter_map(|fd| u32::try_from(*fd).ok()).filter(|fd| *fd > 2).collect();
    kept.sort_unstable();
    kept.dedup();
    let mut first = 3;
    for fd in kept {
        if fd > first {
            close(first, fd - 1)?;
        }
        first = fd + 1;
    }
    close(first, u32::MAX)
}

/// Closes the descriptors from `first` to `last`.
fn close(first: u32, last: u32) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        // SAFETY: the call takes three words and touches no memory; what it closes is the caller's to close.
        if unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) } == 0 {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        if error.raw_os_error() != Some(libc::ENOSYS) {
            return Err(error);
        }
    }
    // Before Linux 5.9, and elsewhere.
    let end =
        rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::from(u16::MAX));
    let end = u32::try_from(end).unwrap_or(u32::MAX).min(last.saturating_add(1));
    for fd in (first..end).filter_map(|fd| RawFd::try_from(fd).ok()) {
        // SAFETY: as above. A number that is no descriptor is an error, and of no interest.
        unsafe { libc::close(fd) };
    }
    Ok(())
}
