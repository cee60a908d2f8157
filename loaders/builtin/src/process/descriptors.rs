//! What a program does not inherit.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Leaves the command its three streams, and none of the descriptors that the host was given itself, or that some library
/// opened without a thought for children. On Linux it is also killed if the host is.
pub(super) fn keep_to_itself(command: &mut Command) {
    // SAFETY: between fork and exec this makes system calls and nothing else. It allocates nothing and takes no lock.
    unsafe {
        command.pre_exec(|| {
            close_on_exec()?;
            #[cfg(target_os = "linux")]
            let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
            Ok(())
        });
    }
}

/// Marks all descriptors but the three streams to be closed by exec.
fn close_on_exec() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        const FLAG: libc::c_uint = libc::CLOSE_RANGE_CLOEXEC;
        // SAFETY: marking descriptors touches no memory; the arguments are the three words that the call takes.
        let done =
            unsafe { libc::syscall(libc::SYS_close_range, 3 as libc::c_uint, libc::c_uint::MAX, FLAG) };
        if done == 0 {
            return Ok(());
        }
    }
    // Before Linux 5.11, and elsewhere.
    let end =
        rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::from(u16::MAX));
    for descriptor in 3..libc::c_int::try_from(end).unwrap_or(libc::c_int::MAX) {
        // SAFETY: as above. A number that is no descriptor is an error, and of no interest.
        unsafe { libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
    Ok(())
}
