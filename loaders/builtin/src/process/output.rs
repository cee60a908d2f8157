//! What a program reads and writes, all at once, until it ends.

use super::child::Child;
use super::options::Options;
use caraway_loaders_core::bind::CallError;
use caraway_loaders_core::budget;
use caraway_loaders_core::{Code, Error};
use rhai::Dynamic;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitStatus;
use std::time::{Duration, Instant};

/// What is read or written at a time, in bytes.
const CHUNK: usize = 64 << 10;

/// How long a wait lasts at most, so that a cancellation is seen.
const WAIT: Duration = Duration::from_millis(20);

/// The same where nothing tells that the program has ended.
const SHORT_WAIT: Duration = Duration::from_millis(2);

/// What a program wrote to one of its streams.
#[derive(Default)]
pub(super) struct Output(Vec<u8>);

impl Output {
    /// As text, or as bytes. No text is longer than `most` bytes; 0 is no limit.
    pub(super) fn into_value(
        self,
        stream: &str,
        program: &str,
        bytes: bool,
        most: usize,
    ) -> Result<Dynamic, Error> {
        if bytes {
            return Ok(Dynamic::from_blob(self.0));
        }
        if most > 0 && self.0.len() > most {
            let message =
                format!("the {stream} of `{program}` is longer than {most} bytes, the limit for one string");
            return Err(Error::new(Code::Memory, message));
        }
        String::from_utf8(self.0).map(Dynamic::from).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            Error::new(
                Code::PluginFailed,
                format!("the {stream} of `{program}` is not UTF-8 text, from byte {at}"),
            )
            .hint("take it as bytes, with `run_with` and `bytes: true`")
        })
    }

    /// Its end, on one line or a few, at most so many bytes.
    pub(super) fn end(&self, most: usize) -> String {
        let start = self.0.len().saturating_sub(most);
        String::from_utf8_lossy(&self.0[start..]).trim().to_owned()
    }
}

/// Runs a child to its end. What is still in its group then is killed, and what was written until then is kept. A
/// process that left the group and keeps a stream open is not waited for.
pub(super) fn collect(
    mut child: Child,
    program: &str,
    options: &Options,
) -> Result<(ExitStatus, [Output; 2]), CallError> {
    let failed = |error: std::io::Error| Error::new(Code::Io, format!("cannot run `{program}`: {error}"));
    let mut streams = Streams::of(&mut child, options).map_err(failed)?;
    let end = options.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    while !child.has_ended() {
        if end.is_some_and(|end| Instant::now() >= end) {
            let timeout = options.timeout.unwrap_or_default();
            let message = format!("`{program}` ran longer than its `timeout` of {timeout:?}");
            return Err(Error::new(Code::Deadline, message).into());
        }
        streams.wait(&child, end).map_err(failed)?;
        streams.advance(program)?;
    }
    child.kill();
    streams.stdin = None;
    while streams.advance(program)? {}
    Ok((child.finish().map_err(failed)?, streams.written))
}

/// The host's ends of a program's streams.
struct Streams<'a> {
    /// What is left to be written.
    stdin: Option<(File, &'a [u8])>,
    outputs: [Option<File>; 2],
    written: [Output; 2],
    /// How much more may be written.
    left: usize,
    most: usize,
}

impl<'a> Streams<'a> {
    fn of(child: &mut Child, options: &'a Options) -> std::io::Result<Self> {
        let (stdin, stdout, stderr) = child.pipes();
        let stdin = stdin.map(|stdin| nonblocking(stdin.into())).transpose()?;
        let stdout = stdout.map(|stdout| nonblocking(stdout.into())).transpose()?;
        let stderr = stderr.map(|stderr| nonblocking(stderr.into())).transpose()?;
        Ok(Self {
            stdin: stdin.zip(options.stdin.as_deref()),
            outputs: [stdout, stderr],
            written: Default::default(),
            left: options.max_output,
            most: options.max_output,
        })
    }

    /// Waits until something can be read or written, or the program ends; not long.
    fn wait(&self, child: &Child, end: Option<Instant>) -> std::io::Result<()> {
        let mut waiting: Vec<PollFd<'_>> = Vec::with_capacity(4);
        waiting.extend(self.stdin.iter().map(|(pipe, _)| PollFd::new(pipe, PollFlags::OUT)));
        waiting.extend(self.outputs.iter().flatten().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        waiting.extend(child.ended().map(|ended| PollFd::new(ended, PollFlags::IN)));
        let longest = if child.ended().is_some() { WAIT } else { SHORT_WAIT };
        let until = [end, budget::deadline()].into_iter().flatten().min();
        let left =
            until.map_or(longest, |until| until.saturating_duration_since(Instant::now()).min(longest));
        let left = Timespec { tv_sec: 0, tv_nsec: left.subsec_nanos().into() };
        match poll(&mut waiting, Some(&left)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes and reads a piece of what can be, and says whether anything was read.
    fn advance(&mut self, program: &str) -> Result<bool, CallError> {
        budget::check()?;
        if let Some((pipe, rest)) = &mut self.stdin {
            match pipe.write(&rest[..rest.len().min(CHUNK)]) {
                Ok(written) => *rest = &rest[written..],
                Err(error) if later(&error) => {}
                // Nobody reads it any more.
                Err(_) => *rest = &[],
            }
            if rest.is_empty() {
                self.stdin = None;
            }
        }
        let mut any = false;
        for (output, written) in self.outputs.iter_mut().zip(&mut self.written) {
            let Some(pipe) = output else { continue };
            let mut chunk = [0; CHUNK];
            match pipe.read(&mut chunk) {
                Ok(0) => *output = None,
                Ok(read) => {
                    any = true;
                    self.left = self.left.checked_sub(read).ok_or_else(|| too_much(program, self.most))?;
                    if !budget::may_allocate(read as u64) {
                        return Err(too_much(program, self.most - self.left).into());
                    }
                    written.0.extend_from_slice(&chunk[..read]);
                }
                Err(error) if later(&error) => {}
                Err(_) => *output = None,
            }
        }
        Ok(any)
    }
}

fn nonblocking(pipe: OwnedFd) -> std::io::Result<File> {
    rustix::io::ioctl_fionbio(pipe.as_fd(), true)?;
    Ok(pipe.into())
}

fn later(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

fn too_much(program: &str, most: usize) -> Error {
    Error::new(Code::Memory, format!("`{program}` wrote more than {most} bytes"))
        .hint("raise `max_output`, or let the program write into a file")
}
