//! URLs of archives.

use caraway_loaders_core::checksum::Digest;
use caraway_loaders_core::{Code, Error};
use url::Url;

/// How a fragment begins that is a digest.
const DIGEST: &str = "sha256=";

/// A URL without its fragment, and the digest that this was.
pub(super) fn parse(text: &str) -> Result<(Url, Option<Digest>), Error> {
    let wrong = |why: &str| Error::new(Code::Usage, format!("{text} is no URL of an archive: {why}"));
    let mut url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
    if !url.username().is_empty() || url.password().is_some() {
        // The text itself would show it.
        return Err(Error::new(Code::Usage, "a URL with a user's name or password cannot be installed from")
            .hint("records keep URLs, which others may read: download the archive, and install the file"));
    }
    let digest = match url.fragment() {
        None => None,
        Some(fragment) => {
            let digest = fragment.strip_prefix(DIGEST).and_then(|hex| format!("sha256:{hex}").parse().ok());
            Some(digest.ok_or_else(|| {
                wrong("what follows `#` is no digest").hint("one is `#sha256=` and 64 hexadecimal digits")
            })?)
        }
    };
    url.set_fragment(None);
    Ok((url, digest))
}

/// Where a redirect leads to.
pub(super) fn redirected(from: &Url, location: &str) -> Result<Url, Error> {
    let wrong = |why: &str| {
        Error::new(Code::Io, format!("{from} redirects to {location}, {why}"))
            .hint("give the URL that the archive has in the end")
    };
    let to = from.join(location).map_err(|error| wrong(&format!("which is no URL: {error}")))?;
    match (from.scheme(), to.scheme()) {
        ("https", "https") | ("http", "http" | "https") => Ok(to),
        ("https", "http") => Err(wrong("where nobody can tell whether the archive was changed on its way")
            .hint("ask who keeps the archive for an https:// URL that stays one")),
        _ => Err(wrong("which is neither http nor https")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let (url, digest) = parse(&format!("https://example.com/x.zip#sha256={hex}")).unwrap();
        assert_eq!(url.as_str(), "https://example.com/x.zip");
        assert_eq!(digest, Some(Digest::of(b"abc")));
        for (text, why) in [
            ("http://", "empty host"),
            ("https://example.com/#abc", "no digest"),
            ("https://example.com/#sha256=ab", "no digest"),
            ("https://me:secret@example.com/x.zip", "password"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.message().contains(why), "{text}: {error}");
            assert!(!error.message().contains("secret"));
        }
    }

    #[test]
    fn redirects() {
        for (from, location, to) in [
            ("http://a/x/y", "z", Some("http://a/x/z")),
            ("http://a/x", "https://b/", Some("https://b/")),
            ("https://a/x", "//b/y", Some("https://b/y")),
            ("https://a/x", "http://a/x", None),
            ("http://a/x", "file:///etc/passwd", None),
            ("http://a/x", "http://[", None),
        ] {
            let found = redirected(&Url::parse(from).unwrap(), location).ok();
            assert_eq!(found.as_ref().map(Url::as_str), to, "{from} {location}");
        }
    }
}
