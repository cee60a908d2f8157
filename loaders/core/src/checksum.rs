//! SHA-256 digests of files, and those that a plugin's files must have.

use crate::code::Code;
use crate::error::{Error, escape};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read};
use std::str::FromStr;

/// How a digest begins in text.
const PREFIX: &str = "sha256:";

/// A SHA-256 digest (FIPS 180-4). As text it is `sha256:` and 64 hexadecimal digits.
///
/// ```
/// use caraway_loaders_core::checksum::Digest;
///
/// let digest = Digest::of(b"abc");
/// let text = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
/// assert_eq!(digest.to_string(), text);
/// assert_eq!(text.parse(), Ok(digest));
/// assert!("sha256:ba78".parse::<Digest>().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest of what is left in a reader.
    ///
    /// # Errors
    ///
    /// What the reader fails with.
    pub fn of_reader(mut reader: impl Read) -> io::Result<Self> {
        let mut hash = Sha256::new();
        io::copy(&mut reader, &mut hash)?;
        Ok(Self(hash.finalize().into()))
    }

    /// The digest as bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for Digest {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A text that is no digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no digest; one is `sha256:` and 64 hexadecimal digits")]
pub struct ParseDigestError(String);

impl FromStr for Digest {
    type Err = ParseDigestError;

    fn from_str(text: &str) -> Result<Self, ParseDigestError> {
        let wrong = || ParseDigestError(text.to_owned());
        let digits = text.strip_prefix(PREFIX).filter(|digits| digits.len() == 64).ok_or_else(wrong)?;
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
            let digit = |letter: u8| char::from(letter).to_digit(16);
            let (Some(high), Some(low)) = (digit(pair[0]), digit(pair[1])) else { return Err(wrong()) };
            *byte = u8::try_from(high << 4 | low).map_err(|_| wrong())?;
        }
        Ok(Self(bytes))
    }
}

/// The digests that the files of a plugin must have, by their paths below its folder, with `/` between the parts.
///
/// ```
/// use caraway_loaders_core::checksum::{Checksums, Digest};
///
/// let mut checksums = Checksums::new("caraway.lock", "accept it with `caraway lock`");
/// checksums.insert("main.rhai", Digest::of(b"fn f() {}"));
/// assert!(checksums.check("main.rhai", b"fn f() {}").is_ok());
/// assert_eq!(checksums.check("main.rhai", b"fn g() {}").unwrap_err().code().as_str(), "E0601");
/// assert_eq!(checksums.check("other.rhai", b"").unwrap_err().code().as_str(), "E0601");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checksums {
    files: BTreeMap<String, Digest>,
    source: String,
    remedy: String,
}

impl Checksums {
    /// None yet. Errors name `source`, which says so, and give `remedy` as the hint.
    pub fn new(source: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { files: BTreeMap::new(), source: source.into(), remedy: remedy.into() }
    }

    /// Says what a file must be.
    pub fn insert(&mut self, path: impl Into<String>, digest: Digest) {
        self.files.insert(path.into(), digest);
    }

    /// What says so.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What to do if a file is another.
    pub fn remedy(&self) -> &str {
        &self.remedy
    }

    /// The paths and their digests, in the order of the paths.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Digest)> {
        self.files.iter().map(|(path, digest)| (path.as_str(), *digest))
    }

    /// One digest for all of them: that of a text with a line for each, `DIGEST  PATH`, as `sha256sum` prints.
    pub fn total(&self) -> Digest {
        let lines: String = self.iter().map(|(path, digest)| format!("{digest}  {path}\n")).collect();
        Digest::of(lines.as_bytes())
    }

    /// Lets the bytes of a file through that are what they must be.
    ///
    /// # Errors
    ///
    /// [`Code::Integrity`] if they are not, or if nothing is said of the file.
    pub fn check(&self, path: &str, bytes: &[u8]) -> Result<(), Error> {
        self.check_digest(path, Digest::of(bytes))
    }

    /// As [`check`](Self::check), for a file whose digest is known.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check).
    pub fn check_digest(&self, path: &str, found: Digest) -> Result<(), Error> {
        let what = match self.files.get(path) {
            Some(expected) if *expected == found => return Ok(()),
            Some(expected) => format!("is {found}, and {} says {expected}", self.source),
            None => format!("is not in {}", self.source),
        };
        Err(Error::new(Code::Integrity, format!("{} {what}", escape(path))).hint(&*self.remedy))
    }
}
