//! What a text means as a source.

use super::Source;
use caraway_loaders_core::loader::Loader;
use caraway_loaders_core::{Code, Error};
use std::path::Path;
use std::sync::Arc;

/// What a source can be.
const KNOWN: &str = "a source is a plugin's folder, an archive (.tar.gz, .tar.zst, .zip), or the http:// or https:// \
                     URL of an archive";

/// The source that a text means: the URL of an archive, else the path of a folder or an archive, which is relative to
/// `base`. A URL may end in `#sha256=` and 64 hexadecimal digits: the archive must then have this digest.
///
/// # Errors
///
/// [`Code::Usage`] for an empty text, for a URL of another scheme, or that is none, and for what this build leaves out; [`Code::Io`] for a
/// path that does not exist.
///
/// ```
/// use caraway_package::source::parse;
/// use std::path::Path;
///
/// let error = parse("ftp://example.com/x.zip", Path::new("/"), &[]).unwrap_err();
/// assert!(error.message().contains("`ftp`"));
/// ```
pub fn parse(text: &str, base: &Path, loaders: &[Arc<dyn Loader>]) -> Result<Box<dyn Source>, Error> {
    if text.is_empty() {
        return Err(Error::new(Code::Usage, "the source is empty").hint(KNOWN));
    }
    match scheme(text) {
        Some("http" | "https") => url(text),
        Some(other) => {
            Err(Error::new(Code::Usage, format!("no plugin can be got by `{other}`: {text}")).hint(KNOWN))
        }
        None => path(&base.join(text), loaders),
    }
}

/// What a text has before `://`, in lower case only if it is one that is known.
fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once("://")?;
    let of_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    if scheme.is_empty() || !scheme.chars().all(of_scheme) {
        return None;
    }
    ["http", "https"].into_iter().find(|known| known.eq_ignore_ascii_case(scheme)).or(Some(scheme))
}

#[cfg(feature = "http")]
fn url(text: &str) -> Result<Box<dyn Source>, Error> {
    Ok(Box::new(super::Http::parse(text)?))
}

#[cfg(not(feature = "http"))]
fn url(text: &str) -> Result<Box<dyn Source>, Error> {
    Err(Error::new(Code::Usage, format!("this build of Caraway cannot download {text}"))
        .hint("download the archive, and install the file; or build Caraway with the feature `http`"))
}

#[cfg(feature = "archive")]
fn path(path: &Path, loaders: &[Arc<dyn Loader>]) -> Result<Box<dyn Source>, Error> {
    let absolute = path.canonicalize().map_err(|error| Error::io(path, "read", &error).hint(KNOWN))?;
    if absolute.to_str().is_none() {
        let message = format!("{} is not UTF-8, and no record could name it", absolute.display());
        return Err(Error::new(Code::Usage, message).hint("move it to a path that is"));
    }
    Ok(match absolute.is_dir() {
        true => Box::new(super::Folder::new(absolute, loaders)),
        false => Box::new(super::ArchiveFile::new(absolute)),
    })
}

#[cfg(not(feature = "archive"))]
fn path(path: &Path, _: &[Arc<dyn Loader>]) -> Result<Box<dyn Source>, Error> {
    Err(Error::new(Code::Usage, format!("this build of Caraway cannot install {}", path.display())).hint(
        "build Caraway with the feature `archive`, or put the plugin's folder into a search path by hand",
    ))
}
