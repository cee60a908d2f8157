//! Where what scripts and plugins say goes to: lines, messages of the log, events.

use crate::error::escape;
use crate::event::Event;
use crate::secret::Secrets;
use std::fmt;
use std::io::Write;
use std::sync::Arc;

/// The target of `tracing` that messages of plugins and scripts have.
pub const LOG_TARGET: &str = "caraway::log";

/// One of the two streams that scripts write to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// What `print` writes.
    Stdout,
    /// What `debug`, `std/log` and warnings write.
    Stderr,
}

/// How much a message of the log matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// What went wrong.
    Error,
    /// What may be wrong, though it goes on.
    Warn,
    /// What happens.
    Info,
    /// What helps to find a mistake.
    Debug,
    /// What only somebody who looks for a mistake wants to know.
    Trace,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Level::Error => "error",
            Level::Warn => "warn",
            Level::Info => "info",
            Level::Debug => "debug",
            Level::Trace => "trace",
        })
    }
}

/// A sink for what scripts print. Lines come without their newline.
///
/// ```
/// use caraway_loaders_core::output::{Output, Stream};
/// use std::sync::{Arc, Mutex};
///
/// let lines = Arc::new(Mutex::new(Vec::new()));
/// let kept = lines.clone();
/// let output = Output::new(move |_, line| kept.lock().unwrap().push(line.to_owned()));
/// output.line(Stream::Stdout, "hello");
/// assert_eq!(*lines.lock().unwrap(), ["hello"]);
/// ```
#[derive(Clone)]
pub struct Output {
    write: Arc<WriteLine>,
    listener: Option<Arc<Listener>>,
    secrets: Secrets,
}

type WriteLine = dyn Fn(Stream, &str) + Send + Sync;
type Listener = dyn Fn(&Event<'_>) + Send + Sync;

impl Output {
    /// A sink that calls `write` for each line.
    pub fn new(write: impl Fn(Stream, &str) + Send + Sync + 'static) -> Self {
        Self { write: Arc::new(write), listener: None, secrets: Secrets::default() }
    }

    /// Also calls `listener` for each event that a plugin or a script tells, on the thread that it runs on, while it
    /// waits. Without a listener nobody hears of events.
    ///
    /// ```
    /// use caraway_loaders_core::event::Event;
    /// use caraway_loaders_core::output::Output;
    /// use std::sync::{Arc, Mutex};
    ///
    /// let heard = Arc::new(Mutex::new(Vec::new()));
    /// let kept = heard.clone();
    /// let output = Output::inherit().on_event(move |event| kept.lock().unwrap().push(event.name.to_owned()));
    /// output.event(&Event::new("stats", "done", "{}")?);
    /// assert_eq!(*heard.lock().unwrap(), ["done"]);
    /// # Ok::<(), caraway_loaders_core::Error>(())
    /// ```
    #[must_use]
    pub fn on_event(mut self, listener: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        self.listener = Some(Arc::new(listener));
        self
    }

    /// What it takes out of all that goes to [`Stream::Stderr`]; clones share it. What goes to [`Stream::Stdout`] and
    /// what events carry is data, and stays as it is.
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// Tells an event.
    pub fn event(&self, event: &Event<'_>) {
        if let Some(listener) = &self.listener {
            listener(event);
        }
    }

    /// The process's own streams. A closed or full stream is ignored: nobody is there to be told.
    pub fn inherit() -> Self {
        Self::new(|stream, line| {
            let _ = match stream {
                Stream::Stdout => writeln!(std::io::stdout(), "{line}"),
                Stream::Stderr => writeln!(std::io::stderr(), "{line}"),
            };
        })
    }

    /// Writes a line.
    pub fn line(&self, stream: Stream, line: &str) {
        match stream {
            Stream::Stdout => (self.write)(stream, line),
            Stream::Stderr => (self.write)(stream, &self.secrets.hide(line)),
        }
    }

    /// Writes a message to the log, which is [`Stream::Stderr`], and tells it to `tracing` under [`LOG_TARGET`]: each of its lines signed with the level and with
    /// `who` says it, and escaped, so that it cannot pass for another's. `[warn] stats: no data`.
    pub fn log(&self, level: Level, who: &str, message: &str) {
        // A secret of several lines is only found in all of them.
        let message = escape(&self.secrets.hide(message));
        match level {
            Level::Error => tracing::error!(target: LOG_TARGET, who, "{message}"),
            Level::Warn => tracing::warn!(target: LOG_TARGET, who, "{message}"),
            Level::Info => tracing::info!(target: LOG_TARGET, who, "{message}"),
            Level::Debug => tracing::debug!(target: LOG_TARGET, who, "{message}"),
            Level::Trace => tracing::trace!(target: LOG_TARGET, who, "{message}"),
        }
        for line in message.split('\n') {
            self.line(Stream::Stderr, &format!("[{level}] {who}: {line}"));
        }
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Output")
    }
}
