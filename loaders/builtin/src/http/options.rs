//! What a script says of a request.

use crate::options::{self, Data, Given, refused};
use caraway_loaders_core::Error;
use caraway_loaders_core::bind::suggest;
use rhai::Map;
use std::time::Duration;
use ureq::http::{self, HeaderMap, HeaderName, HeaderValue, header};

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
const DEFAULT_MAX_BYTES: u64 = 16 << 20;
const DEFAULT_REDIRECTS: u32 = 10;

/// The most redirects that can be asked for.
const MAX_REDIRECTS: i64 = 30;

/// The most bytes of a request's headers together.
const MAX_HEADERS: usize = 16 << 10;

const NAMES: [&str; 6] = ["headers", "body", "timeout", "max_bytes", "redirects", "require_ok"];

/// Headers that say where a request goes and where it ends: a script that set them could reach another host behind the
/// one that is granted, or send a second request inside of the first.
const OURS: [&str; 12] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What is sent to another host that a redirect leads to. Of all else nobody but the script knows whether it is secret.
const HARMLESS: [HeaderName; 5] = [
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::ACCEPT_LANGUAGE,
    header::CONTENT_TYPE,
    header::USER_AGENT,
];

/// How a request is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
}

impl Method {
    const ALL: [(&str, Method); 7] = [
        ("GET", Method::Get),
        ("HEAD", Method::Head),
        ("POST", Method::Post),
        ("PUT", Method::Put),
        ("PATCH", Method::Patch),
        ("DELETE", Method::Delete),
        ("OPTIONS", Method::Options),
    ];

    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        if let Some((_, method)) = Self::ALL.iter().find(|(name, _)| *name == text) {
            return Ok(*method);
        }
        let names = Self::ALL.map(|(name, _)| name);
        let shown: String = text.chars().take(20).collect();
        let error = refused(format!("`{shown}` is no method of a request"));
        Err(match suggest(&text.to_ascii_uppercase(), names) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("they are {}", names.join(", "))),
        })
    }

    pub(super) fn as_http(self) -> http::Method {
        match self {
            Self::Get => http::Method::GET,
            Self::Head => http::Method::HEAD,
            Self::Post => http::Method::POST,
            Self::Put => http::Method::PUT,
            Self::Patch => http::Method::PATCH,
            Self::Delete => http::Method::DELETE,
            Self::Options => http::Method::OPTIONS,
        }
    }

    fn has_body(self) -> bool {
        !matches!(self, Self::Get | Self::Head)
    }

    /// The method after a redirect with this status.
    pub(super) fn redirected(self, status: u16) -> Self {
        match (status, self) {
            (303, Self::Head) | (301 | 302, Self::Head) => Self::Head,
            (303, _) | (301 | 302, Self::Post) => Self::Get,
            _ => self,
        }
    }
}

/// What a call says beside method and URL.
#[derive(Debug, Clone)]
pub(super) struct Options {
    pub(super) headers: HeaderMap,
    /// What is sent after the headers.
    pub(super) body: Option<Data>,
    pub(super) timeout: Duration,
    pub(super) max_bytes: u64,
    /// How many are followed; with 0 the redirect is the answer.
    pub(super) redirects: u32,
    /// Whether a status other than 200 to 299 is an error.
    pub(super) require_ok: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            headers: HeaderMap::new(),
            body: None,
            timeout: DEFAULT_TIMEOUT,
            max_bytes: DEFAULT_MAX_BYTES,
            redirects: DEFAULT_REDIRECTS,
            require_ok: false,
        }
    }
}

impl Options {
    /// Errors are about the argument, without naming it.
    pub(super) fn read(map: &Map, method: Method) -> Result<Self, Error> {
        let mut read = Self::default();
        for given in options::of(map) {
            match given.name {
                "headers" => read.headers = headers(given)?,
                "body" => read.body = body(given, method)?,
                "timeout" => read.timeout = given.seconds()?,
                "max_bytes" => read.max_bytes = given.whole(i64::MAX)?,
                "redirects" => {
                    read.redirects = u32::try_from(given.whole(MAX_REDIRECTS)?).unwrap_or(u32::MAX)
                }
                "require_ok" => read.require_ok = given.flag()?,
                _ => return Err(given.unknown(&NAMES)),
            }
        }
        Ok(read)
    }

    /// What is left of them after a redirect with this status, from `method` to `next`, to another host or not.
    pub(super) fn redirect(&mut self, method: Method, next: Method, elsewhere: bool) {
        if next != method {
            self.body = None;
            for name in [
                header::CONTENT_TYPE,
                header::CONTENT_ENCODING,
                header::CONTENT_LANGUAGE,
                header::CONTENT_LOCATION,
            ] {
                self.headers.remove(name);
            }
        }
        if elsewhere {
            let kept =
                HARMLESS.into_iter().filter_map(|name| Some((name.clone(), self.headers.remove(name)?)));
            self.headers = kept.collect();
        }
    }
}

fn headers(given: Given<'_>) -> Result<HeaderMap, Error> {
    let (mut headers, mut size) = (HeaderMap::new(), 0);
    given.texts(|name, text| {
        size += name.len() + text.len() + ": \r\n".len();
        if size > MAX_HEADERS {
            return Err(refused(format!("has more than {MAX_HEADERS} bytes of `headers`")));
        }
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
            refused(format!("has `{}` in `headers`, which is no header's name", options::shown(name)))
        })?;
        if OURS.contains(&name.as_str()) {
            return Err(refused(format!("has the header `{name}`, which is not for scripts to set"))
                .hint("it follows from the URL and the body"));
        }
        // What is wrong with it is not shown: it may be secret.
        let text = HeaderValue::from_str(&text).ok().filter(|_| text.is_ascii()).ok_or_else(|| {
            refused(format!("has a value for the header `{name}` that is not printable ASCII"))
                .hint("line ends end a header, and are refused; encode other text, for example with `percent_encode`")
        })?;
        match headers.insert(name.clone(), text) {
            None => Ok(()),
            Some(_) => {
                Err(refused(format!("has the header `{name}` twice, in small and in capital letters")))
            }
        }
    })?;
    Ok(headers)
}

fn body(given: Given<'_>, method: Method) -> Result<Option<Data>, Error> {
    if given.value.is_unit() {
        return Ok(None);
    }
    let body = given
        .data()
        .map_err(|error| error.hint("`json::stringify` of `std/json` makes text of a map or an array"))?;
    if !method.has_body() {
        return Err(refused("has a `body`, which GET and HEAD requests do not have").hint("use POST or PUT"));
    }
    Ok(Some(body))
}
