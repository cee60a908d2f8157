//! The streams that a run prints to.

use caraway_loaders_core::budget::Cancel;
use caraway_loaders_core::output::{Output, Stream};
use caraway_loaders_core::{Code, Error};
use std::io::{ErrorKind, Write};
use std::sync::{Arc, OnceLock};

/// Writes to the process's own streams, and stops the run when standard output can take no more.
#[derive(Clone)]
pub(super) struct Streams {
    failure: Arc<OnceLock<std::io::Error>>,
    cancel: Cancel,
}

impl Streams {
    pub(super) fn new(cancel: Cancel) -> Self {
        Self { failure: Arc::default(), cancel }
    }

    pub(super) fn output(&self) -> Output {
        let streams = self.clone();
        Output::new(move |stream, line| match stream {
            Stream::Stdout => {
                if let Err(error) = writeln!(std::io::stdout(), "{line}") {
                    let _ = streams.failure.set(error);
                    streams.cancel.cancel();
                }
            }
            // Nobody is left to be told.
            Stream::Stderr => drop(writeln!(std::io::stderr(), "{line}")),
        })
    }

    /// What a run that ended with `outcome` comes to: one whose reader went away is over and fine, one whose
    /// output was lost is not.
    ///
    /// # Errors
    ///
    /// [`Code::Io`] if standard output could not be written, else that of `outcome`.
    pub(super) fn settle(&self, outcome: Result<u8, Error>) -> Result<u8, Error> {
        match self.failure.get() {
            None => outcome,
            Some(error) if error.kind() == ErrorKind::BrokenPipe => Ok(0),
            Some(error) => Err(Error::new(Code::Io, format!("cannot write to standard output: {error}"))),
        }
    }
}
