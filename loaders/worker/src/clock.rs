//! The processor time of a process, from outside of it.

use parking_lot::Mutex;
use rustix::process::{Pid, Signal, kill_process_group};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What a process may use in the outermost call.
#[derive(Debug)]
pub(crate) struct Clock {
    pid: Pid,
    limit: Duration,
    /// What its clock will show when the call that is being made has used it up.
    end: Mutex<Option<Duration>>,
    used_up: AtomicBool,
}

/// The outermost call, or one within it.
pub(crate) struct Running<'a> {
    clock: &'a Clock,
    outermost: bool,
}

impl Clock {
    pub(crate) fn new(pid: Pid, limit: Duration) -> Self {
        Self { pid, limit, end: Mutex::new(None), used_up: AtomicBool::new(false) }
    }

    /// Starts the clock for the outermost call.
    pub(crate) fn run(&self) -> Running<'_> {
        let mut end = self.end.lock();
        let outermost = end.is_none();
        if outermost {
            *end = Some(self.now().unwrap_or_default().saturating_add(self.limit));
        }
        Running { clock: self, outermost }
    }

    /// Ends the process if it has used up what it may.
    pub(crate) fn look(&self) {
        if let (Some(end), Some(now)) = (*self.end.lock(), self.now())
            && now >= end
        {
            self.used_up.store(true, Ordering::Relaxed);
            // It may be gone already.
            let _ = kill_process_group(self.pid, Signal::KILL);
        }
    }

    /// Whether this was the end of the process.
    pub(crate) fn is_used_up(&self) -> bool {
        self.used_up.load(Ordering::Relaxed)
    }

    /// What the process has used; `None` once it is gone.
    #[cfg(not(target_os = "linux"))]
    fn now(&self) -> Option<Duration> {
        None
    }

    /// What the process has used; `None` once it is gone.
    #[cfg(target_os = "linux")]
    fn now(&self) -> Option<Duration> {
        let mut clock = 0;
        // SAFETY: the pointer is to a clock's number, which is written.
        if unsafe { libc::clock_getcpuclockid(self.pid.as_raw_nonzero().get(), &raw mut clock) } != 0 {
            return None;
        }
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the pointer is to a time, which is written.
        if unsafe { libc::clock_gettime(clock, &raw mut time) } != 0 {
            return None;
        }
        Some(Duration::new(u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).ok()?))
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if self.outermost {
            *self.clock.end.lock() = None;
        }
    }
}
