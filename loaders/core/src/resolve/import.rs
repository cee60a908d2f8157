//! The text of an `import`.

use crate::code::Code;
use crate::error::Error;
use semver::VersionReq;

/// The longest text that an import may have, in bytes.
const MAX_LENGTH: usize = 1024;

/// Takes the text of an `import` apart: a plugin's name or module name, and the versions that will do.
/// Without `@` any version will do.
///
/// Whether there is such a plugin is not looked at.
///
/// ```
/// use caraway_loaders_core::resolve::parse_import;
///
/// let (name, range) = parse_import("stats@^1.2").unwrap();
/// assert_eq!((name.as_str(), range.to_string().as_str()), ("stats", "^1.2"));
/// assert_eq!(parse_import("std/fs").unwrap().0, "std/fs");
/// assert!(parse_import("./util").is_err());
/// ```
///
/// # Errors
///
/// [`Code::ImportPath`], for files (`./util`, which are not plugins), for text that is empty or longer than
/// 1024 bytes, and for a requirement that is not one.
pub fn parse_import(text: &str) -> Result<(String, VersionReq), Error> {
    if text.len() > MAX_LENGTH {
        let found = format!("an import of {} bytes is longer than {MAX_LENGTH}", text.len());
        return Err(Error::new(Code::ImportPath, found));
    }
    let wrong = |what: &str| Error::new(Code::ImportPath, format!("the import {text:?} {what}"));
    let (name, range) = match text.split_once('@') {
        Some((name, range)) => (name, Some(range)),
        None => (text, None),
    };
    if name.is_empty() {
        return Err(wrong("names no plugin").hint("write `import \"name\"` or `import \"name@^1.2\"`"));
    }
    if name.trim() != name {
        return Err(wrong("has spaces around the name"));
    }
    if name.starts_with(['.', '/', '\\']) {
        return Err(wrong("is a file, not a plugin")
            .hint("a file beside the importer is imported as \"./name\"; other folders cannot be reached"));
    }
    let Some(range) = range else { return Ok((name.to_owned(), VersionReq::STAR)) };
    match VersionReq::parse(range) {
        Ok(range) => Ok((name.to_owned(), range)),
        Err(error) => Err(wrong(&format!("has no version requirement after `@`: {error}"))
            .hint(format!("write it like `{name}@^1.2`, `{name}@~1.2.3`, `{name}@>=1, <3` or `{name}@*`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_imports() {
        for (text, name, range) in [
            ("stats", "stats", "*"),
            ("std/fs", "std/fs", "*"),
            ("stats@1.2", "stats", "^1.2"),
            ("stats@>=1, <3", "stats", ">=1, <3"),
            ("stats@=1.0.0-rc.1", "stats", "=1.0.0-rc.1"),
            ("std/fs@*", "std/fs", "*"),
        ] {
            let (found, requirement) = parse_import(text).unwrap();
            assert_eq!((found.as_str(), requirement.to_string().as_str()), (name, range), "{text}");
        }
    }

    #[test]
    fn bad_imports() {
        for (text, part) in [
            ("", "names no plugin"),
            ("@^1", "names no plugin"),
            (" stats", "spaces"),
            ("./util", "is a file"),
            ("../util", "is a file"),
            ("/etc/passwd", "is a file"),
            ("stats@", "no version requirement"),
            ("stats@latest", "no version requirement"),
            ("stats@^1@^2", "no version requirement"),
        ] {
            let error = parse_import(text).unwrap_err();
            assert_eq!(error.code(), Code::ImportPath, "{text}");
            assert!(error.message().contains(part), "{text}: {error}");
        }
        assert_eq!(parse_import(&"x".repeat(1 << 20)).unwrap_err().code(), Code::ImportPath);
    }
}
