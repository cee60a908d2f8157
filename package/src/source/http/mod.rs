//! Archives that are downloaded.

mod address;
mod tls;

use super::download::{Download, too_large};
use super::progress::Progress;
use super::{Fetched, Source};
use crate::archive::{Format, Limits};
use caraway_loaders_core::checksum::Digest;
use caraway_loaders_core::{Code, Error, Location};
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;
use ureq::http::{Response, header};
use ureq::{Agent, Body};
use url::Url;

/// Most redirects that are followed.
const MAX_REDIRECTS: u32 = 5;

/// From how many bytes a tar can be told.
const START: u64 = 512;

/// How long to wait for a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Until the connection is made, with its name looked up and its certificate checked; 30 seconds.
    pub connect: Duration,
    /// For the next bytes; 30 seconds.
    pub stall: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { connect: Duration::from_secs(30), stall: Duration::from_secs(30) }
    }
}

/// The URL of an archive. At most 5 redirects are followed, from https to https only; proxies are not used.
#[derive(Debug, Clone)]
pub struct Http {
    url: Url,
    digest: Option<Digest>,
    limits: Limits,
    patience: Patience,
}

impl Http {
    /// The archive of an `http://` or `https://` URL. It may end in `#sha256=` and 64 hexadecimal digits, the digest
    /// that the archive must have.
    ///
    /// # Errors
    ///
    /// [`Code::Usage`] for what is no URL, has another fragment, or has a user's name or password.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let (url, digest) = address::parse(text)?;
        Ok(Self { url, digest, limits: Limits::default(), patience: Patience::default() })
    }

    /// The same URL with these limits for the archive.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The same URL with another patience.
    #[must_use]
    pub fn with_patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// The digest that the archive must have.
    pub fn digest(&self) -> Option<Digest> {
        self.digest
    }

    fn agent(&self) -> Agent {
        let Patience { connect, stall } = self.patience;
        let builder = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .user_agent(concat!("caraway/", env!("CARGO_PKG_VERSION")))
            .accept("*/*")
            .accept_encoding("identity")
            .timeout_resolve(Some(connect))
            .timeout_connect(Some(connect))
            .timeout_recv_response(Some(stall))
            .timeout_per_read(Some(stall))
            .timeout_per_write(Some(stall));
        builder.tls_config(tls::config()).build().into()
    }

    /// What the server sends in the end, after redirects.
    fn response(&self) -> Result<Response<Body>, Error> {
        let agent = self.agent();
        let mut url = self.url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let response = agent.get(url.as_str()).call().map_err(|error| self.unreached(&url, &error))?;
            let status = response.status().as_u16();
            if status == 200 {
                return Ok(response);
            }
            let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
            match location.filter(|_| matches!(status, 301 | 302 | 303 | 307 | 308)) {
                Some(location) => {
                    url = address::redirected(&url, location).map_err(|error| error.at(self.location()))?;
                }
                None => return Err(self.refused(&url, status)),
            }
        }
        let message = format!("{} redirects more than {MAX_REDIRECTS} times", self.url);
        Err(self.failed(message).hint("give the URL that the archive has in the end"))
    }

    fn refused(&self, url: &Url, status: u16) -> Error {
        let hint = match status {
            401 | 403 => "it is not for everybody: download the archive by other means, and install the file",
            404 | 410 => "there is no such file: is the URL right, and the version still there?",
            429 | 500..=599 => "the server has trouble; try again later",
            _ => "open the URL in a browser to see what the server wants",
        };
        self.failed(format!("{url} answers with the status {status}")).hint(hint)
    }

    fn unreached(&self, url: &Url, error: &ureq::Error) -> Error {
        let (what, hint) = match error {
            ureq::Error::Timeout(_) => ("does not answer in time".to_owned(), "try again later"),
            ureq::Error::HostNotFound => ("is of no host that is known".to_owned(), "is the URL right?"),
            other => (
                format!("cannot be downloaded: {other}"),
                "is there a network, and is the URL right? proxies are not used",
            ),
        };
        self.failed(format!("{url} {what}")).hint(hint)
    }

    fn interrupted(&self, error: &io::Error) -> Error {
        let timeout = error.get_ref().and_then(|error| error.downcast_ref::<ureq::Error>());
        let what = match timeout {
            Some(ureq::Error::Timeout(_) | ureq::Error::BodyStalled) => "stopped sending".to_owned(),
            _ => format!("cannot be downloaded to its end: {error}"),
        };
        self.failed(format!("{} {what}", self.url)).hint("try again later")
    }

    fn failed(&self, message: impl AsRef<str>) -> Error {
        Error::new(Code::Io, message).at(self.location())
    }

    fn location(&self) -> Location {
        Location::file(self.name())
    }

    fn name(&self) -> PathBuf {
        PathBuf::from(self.url.as_str())
    }
}

impl Source for Http {
    fn text(&self) -> String {
        self.url.to_string()
    }

    fn fetch(&self, staging: &Path, progress: &dyn Progress) -> Result<Fetched, Error> {
        let name = self.name();
        let response = self.response()?;
        let announced = response.body().content_length();
        if announced.is_some_and(|bytes| bytes > self.limits.archive_bytes) {
            return Err(too_large(&name, &self.limits));
        }
        let is_page = response
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().to_ascii_lowercase().starts_with(b"text/html"));
        progress.total(announced);
        let mut body = response.into_body().into_reader();
        let mut start = Vec::new();
        let reading = |error: io::Error| self.interrupted(&error);
        body.by_ref().take(START).read_to_end(&mut start).map_err(reading)?;
        let text = start.trim_ascii_start().first() == Some(&b'<');
        if Format::of(&start).is_none() && (is_page || text) {
            return Err(Error::new(
                Code::ArchiveRefused,
                format!("{} is a web page, not an archive", self.url),
            )
            .at(self.location())
            .hint("give the URL of the archive itself, which the page may link to"));
        }
        let whole = Cursor::new(start).chain(body);
        let download = Download::take(whole, staging, &name, &self.limits, progress, reading)?;
        if let Some(expected) = self.digest.filter(|expected| *expected != download.digest) {
            let message = format!("{} has the digest {}, not {expected}", self.url, download.digest);
            return Err(Error::new(Code::Integrity, message)
                .at(self.location())
                .hint("it is not the archive that was meant: nothing of it was installed"));
        }
        download.unpack(staging, &name, &self.limits)
    }
}
