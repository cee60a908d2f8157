//! Where a request goes.

use caraway_loaders_core::{Code, Error};
use url::Url;

/// The most bytes of a URL.
const MAX_URL: usize = 8192;

/// An http or https URL, as browsers read it: names in their ASCII form, addresses written out. It has no user's name
/// or password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address(Url);

impl Address {
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        Self::checked(Code::ValueRefused, text, || Url::parse(text))
    }

    /// Where a redirect leads. It never leads from https to http.
    pub(super) fn redirected(&self, location: &str) -> Result<Self, Error> {
        let from = self.shown();
        let wrong = |error: Error| error.said_of(&format!("{from} redirects:"));
        let to = Self::checked(Code::PluginFailed, location, || self.0.join(location)).map_err(wrong)?;
        if self.is_secure() && !to.is_secure() {
            let to = to.shown();
            return Err(Error::new(
                Code::Denied,
                format!("{from} redirects to {to}, which everybody on the way could read and change"),
            )
            .hint("request the address that is meant; if that is right, set `redirects` to 0 and follow it yourself"));
        }
        Ok(to)
    }

    /// An error is of this code.
    fn checked(
        code: Code,
        text: &str,
        parse: impl FnOnce() -> Result<Url, url::ParseError>,
    ) -> Result<Self, Error> {
        // The text may have a password in it, where nobody can tell: none of it is shown.
        let wrong = |what: &str| {
            Error::new(code, format!("that is no URL to request: {what}"))
                .hint("for example `https://example.com/path?query`")
        };
        if text.len() > MAX_URL {
            return Err(wrong(&format!("it has more than {MAX_URL} bytes")));
        }
        if text.contains(char::is_control) {
            return Err(wrong("it has control characters"));
        }
        let mut url = parse().map_err(|error| wrong(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            let scheme = url.scheme();
            return Err(Error::new(code, format!("`{scheme}:` is neither http nor https"))
                .hint("files are read with `std/fs`"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::new(code, "a URL with a user's name or password is not requested")
                .hint("send the header `authorization`"));
        }
        if url.as_str().len() > MAX_URL {
            return Err(wrong(&format!("it has more than {MAX_URL} bytes")));
        }
        let without_dot =
            url.domain().and_then(|name| name.strip_suffix('.')).filter(|name| !name.is_empty());
        if let Some(name) = without_dot.map(str::to_owned) {
            url.set_host(Some(&name)).map_err(|error| wrong(&error.to_string()))?;
        }
        url.set_fragment(None);
        Ok(Self(url))
    }

    fn is_secure(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Whether the other one is of the same scheme, host and port.
    pub(super) fn is_neighbour(&self, other: &Self) -> bool {
        self.0.origin() == other.0.origin()
    }

    pub(super) fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// What messages show: all but the query, which may hold secrets.
    pub(super) fn shown(&self) -> String {
        let mut url = self.0.clone();
        url.set_query(None);
        let text = url.as_str();
        match text.char_indices().nth(120) {
            Some((end, _)) => format!("{}...", &text[..end]),
            None => text.to_owned(),
        }
    }
}

/// A host without the brackets that an address of version 6 has in URLs.
pub(super) fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::super::connect::target;
    use super::*;

    #[test]
    fn hosts_are_read_as_they_are_connected_to() {
        for (text, host, port) in [
            ("http://a.example/x", "a.example", 80),
            ("https://A.Example", "a.example", 443),
            ("https://a.example.:8443/", "a.example", 8443),
            ("http:a.example", "a.example", 80),
            ("http:\\\\a.example\\@b.example/", "a.example", 80),
            ("http://[0:0::1]:8080/", "::1", 8080),
            ("http://[::ffff:127.0.0.1]/", "::ffff:7f00:1", 80),
            ("http://2130706433/", "127.0.0.1", 80),
            ("http://0x7f.1/", "127.0.0.1", 80),
            ("http://0177.0.0.1./", "127.0.0.1", 80),
            ("http://b\u{fc}cher.example/", "xn--bcher-kva.example", 80),
            ("http://\u{ff41}.example/", "a.example", 80),
            ("http://a\u{3002}example/", "a.example", 80),
        ] {
            // What is checked is what `ureq` reads.
            let uri = Address::parse(text).unwrap().as_str().parse().unwrap();
            assert_eq!(target(&uri).unwrap(), (host, port), "{text}");
        }
    }

    #[test]
    fn what_is_not_requested() {
        let long = format!("http://a/{}", "x".repeat(MAX_URL));
        let grows = format!("http://a/{}", "\u{fc}".repeat(MAX_URL / 3));
        let long_secret = format!("http://me:secret@a/{}", "x".repeat(MAX_URL));
        for (text, message) in [
            ("", "no URL to request"),
            ("a.example", "no URL to request"),
            ("http://", "empty host"),
            ("http://a:65536/", "port"),
            ("http://a b/", "no URL to request"),
            ("http://a\r\nb/", "control characters"),
            ("http://a/\0", "control characters"),
            ("http://a/\u{85}", "control characters"),
            ("\thttp://a/", "control characters"),
            ("file:///etc/passwd", "`file:` is neither http nor https"),
            ("data:text/plain,x", "`data:` is neither http nor https"),
            ("unix:///x", "`unix:` is neither http nor https"),
            ("http://me:secret@a/", "user's name or password"),
            ("http://secret@a/", "user's name or password"),
            ("http://me:secret@a:99999/", "no URL to request"),
            ("http://me:secret@a/\0", "control characters"),
            ("http:\\\\me:secret@a/\n", "control characters"),
            (&long_secret, "more than 8192 bytes"),
            (&long, "more than 8192 bytes"),
            (&grows, "more than 8192 bytes"),
        ] {
            let error = Address::parse(text).unwrap_err();
            assert!(error.message().contains(message), "{text}: {error}");
            assert!(!error.message().contains("secret"), "{text}: {error}");
        }
    }

    #[test]
    fn redirects() {
        for (from, location, to) in [
            ("http://a/x/y", "z", Ok("http://a/x/z")),
            ("http://a/x#y", "?z#f", Ok("http://a/x?z")),
            ("http://a/x", "https://b/", Ok("https://b/")),
            ("https://a/x", "//b/y", Ok("https://b/y")),
            ("https://a/x", "http://a/x?q", Err("https://a/x redirects to http://a/x, which everybody")),
            ("http://a/x", "file:///etc/passwd", Err("http://a/x redirects: `file:` is neither")),
            ("http://a/x", "http://me:secret@a", Err("http://a/x redirects: a URL with a user's name")),
            ("http://a/x", "http://[", Err("http://a/x redirects: that is no URL")),
        ] {
            match (Address::parse(from).unwrap().redirected(location), to) {
                (Ok(found), Ok(to)) => assert_eq!(found.as_str(), to),
                (Err(error), Err(message)) => assert!(error.message().starts_with(message), "{error}"),
                (found, _) => panic!("{from} {location}: {found:?}"),
            }
        }
    }

    #[test]
    fn queries_are_not_shown() {
        let shown = |text: &str| Address::parse(text).unwrap().shown();
        assert_eq!(shown("https://a/b?key=secret#c"), "https://a/b");
        assert_eq!(shown(&format!("https://a/{}", "x".repeat(500))).len(), 123);
    }
}
