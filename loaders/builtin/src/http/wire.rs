//! What `ureq` sends and receives through: a connection, with or without TLS.

use super::line::{Line, Until};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use std::fmt;
use std::io::{Read, Write};
use std::sync::Arc;
use ureq::Error;
use ureq::unversioned::transport::{Buffers, LazyBuffers, NextTimeout, Transport};

/// How much is received at once: an answer's headers must fit.
pub(super) const INPUT: usize = 64 << 10;
const OUTPUT: usize = 32 << 10;

pub(super) struct Wire {
    stream: Stream,
    buffers: LazyBuffers,
}

enum Stream {
    Plain(Line),
    Secure(Box<StreamOwned<ClientConnection, Line>>),
}

impl Wire {
    pub(super) fn plain(line: Line) -> Self {
        Self::new(Stream::Plain(line))
    }

    /// The same, once the other end has proved that it is `host`.
    pub(super) fn secure(mut line: Line, host: &str, config: Arc<ClientConfig>) -> Result<Self, Error> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| Error::Tls("no certificate can be of a host with this name"))?;
        let mut connection = ClientConnection::new(config, name).map_err(Error::Rustls)?;
        connection.complete_io(&mut line)?;
        Ok(Self::new(Stream::Secure(Box::new(StreamOwned::new(connection, line)))))
    }

    fn new(stream: Stream) -> Self {
        Self { stream, buffers: LazyBuffers::new(INPUT, OUTPUT) }
    }

    fn line(&mut self) -> &mut Line {
        match &mut self.stream {
            Stream::Plain(line) => line,
            Stream::Secure(stream) => &mut stream.sock,
        }
    }
}

impl Transport for Wire {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.line().within(Until::new(timeout.for_write()));
        let output = &self.buffers.output()[..amount];
        match &mut self.stream {
            Stream::Plain(line) => line.write_all(output)?,
            Stream::Secure(stream) => stream.write_all(output)?,
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.line().within(Until::new(timeout.for_read()));
        let input = self.buffers.input_append_buf();
        if input.is_empty() {
            return Err(Error::LargeResponseHeader(INPUT, INPUT));
        }
        let amount = match &mut self.stream {
            Stream::Plain(line) => line.read(input)?,
            Stream::Secure(stream) => stream.read(input)?,
        };
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.line().is_idle()
    }

    fn is_tls(&self) -> bool {
        matches!(self.stream, Stream::Secure(_))
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").field("is_tls", &self.is_tls()).finish_non_exhaustive()
    }
}
