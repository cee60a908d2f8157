//! What a script says of a request.

use caraway_loaders_core::bind::conform::type_name;
use caraway_loaders_core::bind::suggest;
use caraway_loaders_core::{Code, Error};
use rhai::{Blob, Dynamic, ImmutableString, Map};
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
        let error = Error::new(Code::PluginFailed, format!("`{shown}` is no method of a request"));
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

/// What is sent after the headers.
#[derive(Debug, Clone, Default)]
pub(super) enum Body {
    #[default]
    None,
    Text(ImmutableString),
    Bytes(Blob),
}

impl Body {
    pub(super) fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::None => None,
            Self::Text(text) => Some(text.as_bytes()),
            Self::Bytes(bytes) => Some(bytes),
        }
    }
}

/// All of it.
#[derive(Debug, Clone)]
pub(super) struct Options {
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
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
            body: Body::None,
            timeout: DEFAULT_TIMEOUT,
            max_bytes: DEFAULT_MAX_BYTES,
            redirects: DEFAULT_REDIRECTS,
            require_ok: false,
        }
    }
}

impl Options {
    /// The errors are predicates, said of the argument.
    pub(super) fn read(given: &Map, method: Method) -> Result<Self, Error> {
        let mut options = Self::default();
        for (name, value) in given {
            match name.as_str() {
                "headers" => options.headers = headers(value)?,
                "body" => options.body = body(value, method)?,
                "timeout" => options.timeout = timeout(value)?,
                "max_bytes" => options.max_bytes = whole(value, "max_bytes", i64::MAX)?,
                "redirects" => {
                    let most = whole(value, "redirects", MAX_REDIRECTS)?;
                    options.redirects = u32::try_from(most).unwrap_or(0);
                }
                "require_ok" => {
                    options.require_ok = value.as_bool().map_err(|_| mismatch("bool", value, name))?
                }
                other => return Err(unknown(other)),
            }
        }
        Ok(options)
    }

    /// What is left of them after a redirect with this status, from `method` to `next`, to another host or not.
    pub(super) fn redirect(&mut self, method: Method, next: Method, elsewhere: bool) {
        if next != method {
            self.body = Body::None;
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

fn headers(value: &Dynamic) -> Result<HeaderMap, Error> {
    let given = value.read_lock::<Map>().ok_or_else(|| mismatch("map<string>", value, "headers"))?;
    let (mut headers, mut size) = (HeaderMap::new(), 0);
    for (name, value) in given.iter() {
        let shown: String = name.chars().take(80).collect();
        let text = value
            .read_lock::<ImmutableString>()
            .ok_or_else(|| mismatch("map<string>", value, &format!("headers.{shown}")))?;
        size += name.len() + text.len() + ": \r\n".len();
        if size > MAX_HEADERS {
            return Err(wrong(format!("has more than {MAX_HEADERS} bytes of `headers`")));
        }
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| wrong(format!("has `{shown}` in `headers`, which is no header's name")))?;
        if OURS.contains(&name.as_str()) {
            return Err(wrong(format!("has the header `{name}`, which is not for scripts to set"))
                .hint("it follows from the URL and the body"));
        }
        // What is wrong with it is not shown: it may be secret.
        let text = HeaderValue::from_str(&text).ok().filter(|_| text.is_ascii()).ok_or_else(|| {
            wrong(format!("has a value for the header `{name}` that is not printable ASCII"))
                .hint("line ends end a header, and are refused; encode other text, for example with `percent_encode`")
        })?;
        if headers.insert(name.clone(), text).is_some() {
            return Err(wrong(format!("has the header `{name}` twice, in small and in capital letters")));
        }
    }
    Ok(headers)
}

fn body(value: &Dynamic, method: Method) -> Result<Body, Error> {
    let body = if value.is_unit() {
        Body::None
    } else if let Some(text) = value.read_lock::<ImmutableString>() {
        Body::Text(text.clone())
    } else if let Some(bytes) = value.read_lock::<Blob>() {
        Body::Bytes(bytes.clone())
    } else {
        return Err(mismatch("string or bytes", value, "body")
            .hint("`json::stringify` of `std/json` makes text of a map or an array"));
    };
    match body {
        Body::None => Ok(body),
        _ if method.has_body() => Ok(body),
        _ => Err(wrong("has a `body`, which GET and HEAD requests do not have").hint("use POST or PUT")),
    }
}

fn timeout(value: &Dynamic) -> Result<Duration, Error> {
    let seconds = match (value.as_int(), value.as_float()) {
        (Ok(seconds), _) => seconds as f64,
        (_, Ok(seconds)) => seconds,
        _ => return Err(mismatch("float", value, "timeout")),
    };
    match Duration::try_from_secs_f64(seconds) {
        Ok(timeout) if !timeout.is_zero() => Ok(timeout),
        _ => Err(wrong(format!("has a `timeout` of {seconds} seconds"))
            .hint("pass a number greater than 0 and less than 1.8e19")),
    }
}

fn whole(value: &Dynamic, name: &str, most: i64) -> Result<u64, Error> {
    let number = value.as_int().map_err(|_| mismatch("int", value, name))?;
    match u64::try_from(number) {
        Ok(valid) if number <= most => Ok(valid),
        _ => Err(wrong(format!("has {number} as `{name}`, which must be 0 to {most}"))),
    }
}

fn mismatch(expected: &str, found: &Dynamic, name: &str) -> Error {
    let found = type_name(found);
    Error::new(Code::ArgumentType, format!("must have {expected} as `{name}`, found {found}"))
}

fn unknown(name: &str) -> Error {
    let shown: String = name.chars().take(40).collect();
    let error = Error::new(Code::ArgumentType, format!("has `{shown}`, which is no option"));
    match suggest(name, NAMES) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!("the options are {}", NAMES.join(", "))),
    }
}

fn wrong(message: impl AsRef<str>) -> Error {
    Error::new(Code::PluginFailed, message)
}
