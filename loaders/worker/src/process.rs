//! A worker's process: started, listened to, ended.

use caraway_loaders_core::output::{Level, Output};
use parking_lot::{Condvar, Mutex};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process_group};
use std::ffi::OsString;
use std::fmt;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// The argument that tells a program that it is to be a worker.
pub(crate) const ARGUMENT: &str = "--caraway-worker";

/// How long to wait for the end of a process that was killed.
const END: Duration = Duration::from_secs(1);

/// How much of a line that a worker prints is shown, in bytes.
const MAX_LINE: usize = 4 << 10;

/// How a worker is started.
pub(crate) struct Start<'a> {
    pub(crate) program: &'a Path,
    /// The plugin's name, which what it prints is shown with.
    pub(crate) name: &'a str,
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// A folder of its own, removed when the process has ended.
    pub(crate) scratch: TempDir,
    pub(crate) output: Output,
}

/// A process that runs, until this is dropped.
pub(crate) struct Process {
    pid: Pid,
    end: Arc<End>,
}

/// How a process ended, once it has.
#[derive(Default)]
struct End {
    status: Mutex<Option<ExitStatus>>,
    known: Condvar,
}

impl Process {
    /// Starts a process, and gives the host's end of its socket.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(crate) fn start(start: Start<'_>) -> io::Result<(Self, UnixStream)> {
        let (ours, theirs) = UnixStream::pair()?;
        let mut command = Command::new(start.program);
        command
            .arg0(format!("caraway-worker {}", start.name))
            .arg(ARGUMENT)
            .arg(std::process::id().to_string())
            .env_clear()
            .envs(start.environment)
            .env("TMPDIR", start.scratch.path())
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Of its own, so that all that it starts can be ended with it.
            .process_group(0);
        let (name, output, scratch) = (start.name.to_owned(), start.output, start.scratch);
        let end = Arc::new(End::default());
        let kept = end.clone();
        let (started, wait) = std::sync::mpsc::sync_channel(1);
        // The system ends a worker with the thread that started it: so that is one that lives as long.
        std::thread::Builder::new().name(format!("worker {name}")).stack_size(256 << 10).spawn(
            move || {
                match command.spawn() {
                    Ok(mut child) => {
                        // Without this end the worker's is the only one, and closes with it.
                        drop(command);
                        let _ = started.send(Ok(child.id()));
                        drop(started);
                        listen(&mut child, &name, &output);
                        kill(child.id());
                        let status = child.wait();
                        drop(scratch);
                        *kept.status.lock() = status.ok();
                        kept.known.notify_all();
                    }
                    Err(error) => {
                        let _ = started.send(Err(error));
                    }
                }
            },
        )?;
        let id = wait.recv().map_err(|_| io::Error::other("the thread of a worker ended"))??;
        let pid = i32::try_from(id)
            .ok()
            .and_then(Pid::from_raw)
            .ok_or_else(|| io::Error::other("no such process"))?;
        Ok((Self { pid, end }, ours))
    }

    /// Its number.
    pub(crate) fn pid(&self) -> Pid {
        self.pid
    }

    /// Ends it and all that it started, at once.
    pub(crate) fn kill(&self) {
        if self.end.status.lock().is_none() {
            // It may be gone already.
            let _ = kill_process_group(self.pid, Signal::KILL);
        }
    }

    /// How it ended, if it does so within this time.
    pub(crate) fn ended_within(&self, time: Duration) -> Option<Ended> {
        let mut status = self.end.status.lock();
        if status.is_none() {
            self.end.known.wait_for(&mut status, time);
        }
        status.map(Ended)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        // Its folder is removed after it. A killed process is gone at once, but for one that the kernel is busy with.
        let _ = self.ended_within(END);
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Process({:?})", self.pid)
    }
}

fn kill(id: u32) {
    if let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(pid, Signal::KILL);
    }
}

/// How a process ended, as messages say it: "ended by SIGSEGV".
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ended(ExitStatus);

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.signal(), self.0.code()) {
            (Some(signal), _) => write!(f, "was ended by {}", Name(signal)),
            (None, Some(code)) => write!(f, "ended by `exit({code})`"),
            (None, None) => f.write_str("ended"),
        }
    }
}

/// A signal's name, with what it means.
struct Name(i32);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(signal) = Signal::from_named_raw(self.0) else { return write!(f, "signal {}", self.0) };
        let meaning = match signal {
            Signal::ABORT => "SIGABRT (it aborted)",
            Signal::SEGV => "SIGSEGV (it used memory that it does not have)",
            Signal::BUS => "SIGBUS (it used memory that is not there)",
            Signal::ILL => "SIGILL (an illegal instruction)",
            Signal::FPE => "SIGFPE (an illegal operation on numbers)",
            Signal::TRAP => "SIGTRAP (a trap)",
            Signal::SYS => "SIGSYS (a forbidden system call)",
            Signal::XCPU => "SIGXCPU (its processor time was used up)",
            Signal::XFSZ => "SIGXFSZ (a file grew too large)",
            Signal::KILL => "SIGKILL",
            Signal::TERM => "SIGTERM",
            Signal::INT => "SIGINT",
            Signal::HUP => "SIGHUP",
            Signal::PIPE => "SIGPIPE",
            Signal::ALARM => "SIGALRM",
            _ => return write!(f, "signal {}", self.0),
        };
        f.write_str(meaning)
    }
}

/// Shows what a process prints, with its name, until it has ended.
fn listen(child: &mut Child, name: &str, output: &Output) {
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else { return };
    let Some(pid) = end_of(child.id()) else { return };
    let mut pipes = [Pipe::new(stdout.into()), Pipe::new(stderr.into())];
    loop {
        let mut fds = vec![PollFd::new(&pid, PollFlags::IN)];
        fds.extend(pipes.iter().filter(|pipe| pipe.open).map(|pipe| PollFd::new(&pipe.pipe, PollFlags::IN)));
        match poll(&mut fds, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return,
        }
        let ended = !fds[0].revents().is_empty();
        drop(fds);
        for pipe in &mut pipes {
            pipe.read(|line| output.log(Level::Info, name, line));
        }
        if ended {
            pipes.iter_mut().for_each(|pipe| pipe.end(|line| output.log(Level::Info, name, line)));
            return;
        }
    }
}

/// What can be read once a process has ended. Without such a thing the end of its output is taken for its own.
#[cfg(target_os = "linux")]
fn end_of(id: u32) -> Option<OwnedFd> {
    use rustix::process::{PidfdFlags, pidfd_open};

    let pid = i32::try_from(id).ok().and_then(Pid::from_raw)?;
    pidfd_open(pid, PidfdFlags::empty()).ok()
}

#[cfg(not(target_os = "linux"))]
fn end_of(_: u32) -> Option<OwnedFd> {
    None
}

/// What comes through a pipe, line by line.
struct Pipe {
    pipe: std::fs::File,
    open: bool,
    begun: Vec<u8>,
}

impl Pipe {
    fn new(pipe: OwnedFd) -> Self {
        let open = rustix::io::ioctl_fionbio(pipe.as_fd(), true).is_ok();
        Self { pipe: pipe.into(), open, begun: Vec::new() }
    }

    /// Gives all lines that are there.
    fn read(&mut self, mut line: impl FnMut(&str)) {
        let mut chunk = [0; 4096];
        // So much at once, and no more: an endless stream must not keep the end of its process from being seen.
        for _ in 0..64 {
            if !self.open {
                return;
            }
            match self.pipe.read(&mut chunk) {
                Ok(0) => self.open = false,
                Ok(count) => self.take(&chunk[..count], &mut line),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => self.open = false,
            }
        }
    }

    fn take(&mut self, bytes: &[u8], line: &mut impl FnMut(&str)) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let text = part.strip_suffix(b"\n").unwrap_or(part);
            let room = MAX_LINE.saturating_sub(self.begun.len());
            self.begun.extend_from_slice(&text[..text.len().min(room)]);
            if part.len() > text.len() {
                line(&String::from_utf8_lossy(&self.begun));
                self.begun.clear();
            }
        }
    }

    fn end(&mut self, mut line: impl FnMut(&str)) {
        if !self.begun.is_empty() {
            line(&String::from_utf8_lossy(&self.begun));
            self.begun.clear();
        }
    }
}
