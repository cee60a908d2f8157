//! A connection that is waited for no longer than it may.

use caraway_loaders_core::budget::{self, Expiry};
use caraway_loaders_core::network::{Readiness, Socket};
use std::fmt;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use ureq::Timeout;
use ureq::unversioned::transport::NextTimeout;

/// The longest wait between two looks at the limits of whoever called.
pub(super) const LOOK: Duration = Duration::from_millis(20);

/// A limit of a caller that ended the request, on its way through libraries.
#[derive(Debug)]
pub(super) struct Expired(pub(super) Expiry);

impl fmt::Display for Expired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.error().fmt(f)
    }
}

impl std::error::Error for Expired {}

/// Until when something may take: the request's own time, and the limits of whoever called.
#[derive(Debug, Clone, Copy)]
pub(super) struct Until {
    end: Option<Instant>,
    reason: Timeout,
}

impl Until {
    pub(super) fn new(timeout: NextTimeout) -> Self {
        let after = if timeout.after.is_not_happening() { None } else { Some(*timeout.after) };
        let end = after.and_then(|after| Instant::now().checked_add(after));
        Self { end, reason: timeout.reason }
    }

    /// At the latest at the time when half of what is left is over.
    pub(super) fn half(self) -> Self {
        let now = Instant::now();
        let end = self.end.map(|end| now + end.saturating_duration_since(now) / 2);
        Self { end, ..self }
    }

    /// How long to wait before the next look at it.
    pub(super) fn look(&self) -> Result<Duration, ureq::Error> {
        budget::check().map_err(|expiry| ureq::Error::Other(Box::new(Expired(expiry))))?;
        let Some(end) = self.end else { return Ok(LOOK) };
        match end.saturating_duration_since(Instant::now()) {
            Duration::ZERO => Err(ureq::Error::Timeout(self.reason)),
            left => Ok(left.min(LOOK)),
        }
    }
}

/// A connection.
#[derive(Debug)]
pub(super) struct Line {
    socket: Socket,
    until: Until,
}

impl Line {
    /// Connects to an address.
    pub(super) fn connect(address: SocketAddr, until: Until) -> Result<Self, ureq::Error> {
        let system = |error| ureq::Error::Io(io::Error::from(error));
        let socket = if address.is_ipv4() { Socket::v4() } else { Socket::v6() }.map_err(system)?;
        socket.connect(address).map_err(system)?;
        loop {
            let most = until.look()?;
            if !socket.wait(Readiness::Write, most) {
                continue;
            }
            if let Some(connected) = socket.connected() {
                connected.map_err(system)?;
                return Ok(Self { socket, until });
            }
        }
    }

    /// From now on until then.
    pub(super) fn within(&mut self, until: Until) {
        self.until = until;
    }

    /// Whether it could be used for another request: it is open, and nothing came that nobody asked for.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.socket.receive(&mut [0]), Ok(None))
    }

    fn retry<E: Into<io::Error>>(
        &self,
        readiness: Readiness,
        mut act: impl FnMut(&Socket) -> Result<Option<usize>, E>,
    ) -> io::Result<usize> {
        loop {
            let most = self.until.look().map_err(ureq::Error::into_io)?;
            if let Some(done) = act(&self.socket).map_err(Into::into)? {
                return Ok(done);
            }
            self.socket.wait(readiness, most);
        }
    }
}

impl Read for Line {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.retry(Readiness::Read, |socket| socket.receive(buffer))
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.retry(Readiness::Write, |socket| socket.send(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
