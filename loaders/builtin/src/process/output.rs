//! What a program reads and writes, all at once, until it ends.

use super::child::Child;
use super::options::Options;
use crate::options::Data;
use caraway_loaders_core::bind::{CallError, CallResult};
use caraway_loaders_core::budget;
use caraway_loaders_core::growth::Bytes;
use caraway_loaders_core::{Code, Error};
use rhai::{Dynamic, Engine};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitStatus;
use std::time::{Duration, Instant};

/// What is read or written at a time, in bytes.
const CHUNK: usize = 64 << 10;

/// How long a wait lasts at most, so that a cancellation is seen.
const WAIT: Duration = Duration::from_millis(20);

/// The same where nothing tells that the program has ended.
const SHORT_WAIT: Duration = Duration::from_millis(2);

/// One of a program's streams, and what was written to it.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) name: &'static str,
    pipe: Option<File>,
    written: Bytes,
}

impl Output {
    fn new(name: &'static str, pipe: Option<OwnedFd>, empty: Bytes) -> io::Result<Self> {
        Ok(Self { name, pipe: pipe.map(nonblocking).transpose()?, written: empty })
    }

    /// Reads a piece of at most so many bytes, and gives its size; 0 if there is none now.
    fn read(&mut self, most: usize, program: &str) -> Result<usize, CallError> {
        let Some(pipe) = &mut self.pipe else { return Ok(0) };
        let mut chunk = [0; CHUNK];
        match pipe.read(&mut chunk[..most.min(CHUNK)]) {
            Err(error) if later(&error) => Ok(0),
            Ok(0) | Err(_) => {
                self.pipe = None;
                Ok(0)
            }
            Ok(read) => {
                self.written
                    .push(&chunk[..read])
                    .map_err(|full| full.into_error(&format!("the {} of `{program}`", self.name)))?;
                Ok(read)
            }
        }
    }

    /// How many bytes have been written and not been read.
    fn waiting(&self) -> usize {
        let bytes = self.pipe.as_ref().and_then(|pipe| rustix::io::ioctl_fionread(pipe).ok());
        usize::try_from(bytes.unwrap_or(0)).unwrap_or(usize::MAX)
    }

    /// As text, or as bytes.
    pub(super) fn into_value(self, program: &str, bytes: bool) -> CallResult {
        let name = self.name;
        let written = self.written.finish().map_err(|full| full.into_error(name))?;
        if bytes {
            return Ok(Dynamic::from_blob(written));
        }
        String::from_utf8(written).map(Dynamic::from).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let message = format!("the {name} of `{program}` is not UTF-8 text, from byte {at}");
            Error::new(Code::PluginFailed, message)
                .hint("take it as bytes, with `run_with` and `bytes: true`")
                .into()
        })
    }

    /// Its end, on one line or a few, at most so many bytes.
    pub(super) fn end(&self, most: usize) -> String {
        let written = self.written.as_slice();
        let start = written.len().saturating_sub(most);
        String::from_utf8_lossy(&written[start..]).trim().to_owned()
    }
}

/// Runs a child to its end. What is still in its group then is killed, and what was written until then is kept. A
/// process that left the group and keeps a stream open is not waited for.
pub(super) fn collect(
    mut child: Child,
    program: &str,
    options: &Options,
    engine: &Engine,
) -> Result<(ExitStatus, [Output; 2]), CallError> {
    let failed = |error: io::Error| Error::new(Code::Io, format!("cannot run `{program}`: {error}"));
    let mut streams = Streams::of(&mut child, options, engine).map_err(failed)?;
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
    streams.drain(program)?;
    Ok((child.finish().map_err(failed)?, streams.outputs))
}

/// The host's ends of a program's streams.
struct Streams<'a> {
    /// What is left to be written.
    stdin: Option<(File, &'a [u8])>,
    outputs: [Output; 2],
    /// How much more may be written.
    left: usize,
    most: usize,
}

impl<'a> Streams<'a> {
    fn of(child: &mut Child, options: &'a Options, engine: &Engine) -> io::Result<Self> {
        let (stdin, stdout, stderr) = child.pipes();
        let stdin = stdin.map(|stdin| nonblocking(stdin.into())).transpose()?;
        let empty = match options.bytes {
            true => Bytes::within(engine.max_array_size()),
            false => Bytes::of_string(engine),
        };
        Ok(Self {
            stdin: stdin.zip(options.stdin.as_ref().map(Data::as_bytes)),
            outputs: [
                Output::new("stdout", stdout.map(OwnedFd::from), empty.clone())?,
                Output::new("stderr", stderr.map(OwnedFd::from), empty)?,
            ],
            left: options.max_output,
            most: options.max_output,
        })
    }

    /// Waits until something can be read or written, or the program ends; not long.
    fn wait(&self, child: &Child, end: Option<Instant>) -> io::Result<()> {
        let mut waiting: Vec<PollFd<'_>> = Vec::with_capacity(4);
        waiting.extend(self.stdin.iter().map(|(pipe, _)| PollFd::new(pipe, PollFlags::OUT)));
        let pipes = self.outputs.iter().filter_map(|output| output.pipe.as_ref());
        waiting.extend(pipes.map(|pipe| PollFd::new(pipe, PollFlags::IN)));
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

    /// Writes and reads a piece of what can be.
    fn advance(&mut self, program: &str) -> Result<(), CallError> {
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
        for index in 0..self.outputs.len() {
            self.read(index, CHUNK, program)?;
        }
        Ok(())
    }

    /// Reads what has been written until now, and no more: somebody who is not waited for may go on writing.
    fn drain(&mut self, program: &str) -> Result<(), CallError> {
        for index in 0..self.outputs.len() {
            let mut left = self.outputs[index].waiting();
            while left > 0 {
                budget::check()?;
                match self.read(index, left, program)? {
                    0 => break,
                    read => left -= read,
                }
            }
        }
        Ok(())
    }

    fn read(&mut self, index: usize, most: usize, program: &str) -> Result<usize, CallError> {
        let read = self.outputs[index].read(most, program)?;
        self.left = self.left.checked_sub(read).ok_or_else(|| too_much(program, self.most))?;
        Ok(read)
    }
}

fn nonblocking(pipe: OwnedFd) -> io::Result<File> {
    rustix::io::ioctl_fionbio(pipe.as_fd(), true)?;
    Ok(pipe.into())
}

fn later(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

fn too_much(program: &str, most: usize) -> Error {
    Error::new(Code::Memory, format!("`{program}` wrote more than {most} bytes"))
        .hint("raise `max_output`, or let the program write into a file")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_goes_on_writing_is_not_waited_for() {
        let (reader, writer) = io::pipe().unwrap();
        let stream = |pipe| Output::new("stdout", pipe, Bytes::within(0)).unwrap();
        let outputs = [stream(Some(reader.into())), stream(None)];
        let mut streams = Streams { stdin: None, outputs, left: usize::MAX, most: usize::MAX };
        let (started, wait) = std::sync::mpsc::channel();
        let writing = std::thread::spawn(move || {
            let mut writer = writer;
            while writer.write_all(&[b'y'; 4096]).is_ok() {
                let _ = started.send(());
            }
        });
        wait.recv().unwrap();
        streams.drain("yes").unwrap();
        // No pipe holds more by itself.
        let read = streams.outputs[0].written.as_slice().len();
        assert!((4096..=1 << 20).contains(&read), "{read}");
        drop(streams);
        writing.join().unwrap();
    }
}
