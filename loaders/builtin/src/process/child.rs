//! A program that runs, with all that it started in its process group.

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use std::io;
use std::os::fd::OwnedFd;
use std::process::{ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus};

/// Dropping it kills the whole group and reaps the leader. The leader is reaped last: until then its number, which is the
/// group's too, stands for nobody else.
pub(super) struct Child {
    inner: std::process::Child,
    /// Readable once the leader has ended; where the system has that.
    ended: Option<OwnedFd>,
    reaped: bool,
}

impl Child {
    /// Starts a command that leads a group of its own.
    pub(super) fn start(command: &mut Command) -> io::Result<Self> {
        let inner = command.spawn()?;
        let mut child = Self { inner, ended: None, reaped: false };
        child.ended = child.pid().and_then(notice);
        Ok(child)
    }

    /// Its ends of the pipes, which must be taken once.
    pub(super) fn pipes(&mut self) -> (Option<ChildStdin>, Option<ChildStdout>, Option<ChildStderr>) {
        (self.inner.stdin.take(), self.inner.stdout.take(), self.inner.stderr.take())
    }

    /// Readable once the leader has ended.
    pub(super) fn ended(&self) -> Option<&OwnedFd> {
        self.ended.as_ref()
    }

    /// Whether the leader has ended; it stays to be reaped.
    pub(super) fn has_ended(&self) -> bool {
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let found = self.pid().map(|pid| waitid(WaitId::Pid(pid), look));
        // An error means that somebody else has reaped it.
        !matches!(found, Some(Ok(None) | Err(rustix::io::Errno::INTR)))
    }

    /// Kills everything in the group.
    pub(super) fn kill(&mut self) {
        if self.reaped {
            return;
        }
        if let Some(pid) = self.pid() {
            let _ = kill_process_group(pid, Signal::KILL);
        }
        // The leader may have gone into another group.
        let _ = self.inner.kill();
    }

    /// Kills what is left, and gives how the leader ended.
    pub(super) fn finish(mut self) -> io::Result<ExitStatus> {
        self.reap()
    }

    fn reap(&mut self) -> io::Result<ExitStatus> {
        self.kill();
        let status = self.inner.wait();
        self.reaped = true;
        status
    }

    fn pid(&self) -> Option<Pid> {
        Pid::from_raw(self.inner.id().cast_signed())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if !self.reaped {
            let _ = self.reap();
        }
    }
}

#[cfg(target_os = "linux")]
fn notice(pid: Pid) -> Option<OwnedFd> {
    rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).ok()
}

#[cfg(not(target_os = "linux"))]
fn notice(_: Pid) -> Option<OwnedFd> {
    None
}
