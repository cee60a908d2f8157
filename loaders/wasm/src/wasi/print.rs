//! What a guest prints.

use super::Guest;
use caraway_loaders_core::capability::{Access, Request};
use caraway_loaders_core::output::{Output, Stream};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::cli::{stderr, stdout};
use wasmtime_wasi::p2::{DynOutputStream, OutputStream, Pollable, StreamResult};
use wasmtime_wasi_io::async_trait;
use wasmtime_wasi_io::bytes::Bytes;

/// How much a guest may write at once, and how long a line may be before it is printed in parts.
const MAX_LINE: usize = 64 << 10;

/// Where a plugin prints to: its output, or nowhere.
#[derive(Clone)]
pub(super) struct Printer {
    stdout: Option<Output>,
    stderr: Option<Output>,
}

impl Printer {
    /// The streams that the plugin may print to.
    pub(super) fn new(output: &Output, access: &Access) -> Self {
        let allowed = |stream| access.check(&Request::Print(stream)).is_ok().then(|| output.clone());
        Self { stdout: allowed(Stream::Stdout), stderr: allowed(Stream::Stderr) }
    }

    pub(super) fn lines(&self) -> (Lines, Lines) {
        let lines =
            |stream, output: &Option<Output>| Lines { stream, output: output.clone(), begun: Arc::default() };
        (lines(Stream::Stdout, &self.stdout), lines(Stream::Stderr, &self.stderr))
    }
}

/// A stream of bytes, printed line by line. Clones are the same stream.
#[derive(Clone)]
pub(super) struct Lines {
    stream: Stream,
    output: Option<Output>,
    begun: Arc<Begun>,
}

/// A line that was begun and not ended.
#[derive(Default)]
struct Begun {
    bytes: Mutex<Vec<u8>>,
    /// Whether there is one: most calls print nothing, and each call looks.
    some: AtomicBool,
}

impl Begun {
    fn take(&self) -> Vec<u8> {
        self.some.store(false, Ordering::Relaxed);
        std::mem::take(&mut *self.bytes.lock())
    }

    fn put(&self, bytes: &[u8]) {
        *self.bytes.lock() = bytes.to_vec();
        self.some.store(!bytes.is_empty(), Ordering::Relaxed);
    }
}

impl Lines {
    fn push(&self, bytes: &[u8]) {
        let Some(output) = &self.output else { return };
        // The lock is not held while the host prints: that may be slow.
        let mut begun = self.begun.take();
        begun.extend_from_slice(bytes);
        let mut rest = begun.as_slice();
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            output.line(self.stream, &String::from_utf8_lossy(&rest[..end]));
            rest = &rest[end + 1..];
        }
        if rest.len() >= MAX_LINE {
            output.line(self.stream, &String::from_utf8_lossy(rest));
            rest = &[];
        }
        self.begun.put(rest);
    }

    /// Prints a line that was begun and not ended.
    pub(super) fn flush(&self) {
        if !self.begun.some.load(Ordering::Relaxed) {
            return;
        }
        let begun = self.begun.take();
        if let Some(output) = &self.output {
            output.line(self.stream, &String::from_utf8_lossy(&begun));
        }
    }
}

impl OutputStream for Lines {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.push(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(MAX_LINE)
    }
}

#[async_trait]
impl Pollable for Lines {
    async fn ready(&mut self) {}
}

impl stdout::Host for &mut Guest {
    fn get_stdout(&mut self) -> wasmtime::Result<Resource<DynOutputStream>> {
        let stream: DynOutputStream = Box::new(self.stdout.clone());
        Ok(self.table.push(stream)?)
    }
}

impl stderr::Host for &mut Guest {
    fn get_stderr(&mut self) -> wasmtime::Result<Resource<DynOutputStream>> {
        let stream: DynOutputStream = Box::new(self.stderr.clone());
        Ok(self.table.push(stream)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_lines() {
        let printed = Arc::new(Mutex::new(Vec::new()));
        let kept = printed.clone();
        let output = Output::new(move |_, line| kept.lock().push(line.to_owned()));
        let printer = Printer { stdout: Some(output), stderr: None };
        let (stdout, stderr) = printer.lines();
        for part in ["a", "b\nc\n", "", "\u{fc}"] {
            stdout.push(part.as_bytes());
            stderr.push(part.as_bytes());
        }
        stdout.push(&[0xff]);
        stdout.flush();
        stdout.flush();
        assert_eq!(*printed.lock(), ["ab", "c", "\u{fc}\u{fffd}"]);
        stdout.push(&[b'x'; MAX_LINE]);
        assert_eq!(printed.lock().len(), 4, "a line that never ends is printed in parts");
    }
}
