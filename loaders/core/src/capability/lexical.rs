//! Paths as text: nothing here looks at the file system.

use std::path::{Component, Path, PathBuf};

/// The path without `.`, without `name/..` and without doubled or trailing separators. `..` at the root is the
/// root; `..` at the start of a relative path stays; what is left empty is `.`.
///
/// ```
/// use caraway_loaders_core::capability::normalize;
/// use std::path::Path;
///
/// assert_eq!(normalize(Path::new("a/./b//../c/")), Path::new("a/c"));
/// assert_eq!(normalize(Path::new("/../etc")), Path::new("/etc"));
/// assert_eq!(normalize(Path::new("a/../..")), Path::new(".."));
/// ```
pub fn normalize(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => match out.components().next_back() {
                Some(Component::Normal(_)) => {
                    out.pop();
                }
                Some(Component::RootDir | Component::Prefix(_)) => {}
                _ => out.push(".."),
            },
            other => out.push(other),
        }
    }
    if out.as_os_str().is_empty() {
        out.push(".");
    }
    out
}

/// The path, normalised, with relative ones below `base`.
pub(super) fn absolute(base: &Path, path: &Path) -> PathBuf {
    normalize(&base.join(path))
}

/// The path as somebody in `folder` would name it: relative where it lies below, else as it is.
pub(super) fn seen_from(folder: &Path, path: &Path) -> PathBuf {
    match path.strip_prefix(folder) {
        Ok(rest) if rest.as_os_str().is_empty() => PathBuf::from("."),
        Ok(rest) => rest.to_owned(),
        Err(_) => path.to_owned(),
    }
}

/// What is wrong with a path in a manifest or on the command line.
pub(super) fn flaw(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        Some("a path is empty")
    } else if path.contains('\0') {
        Some("a path holds a NUL character")
    } else if path == "~" || path.starts_with("~/") {
        Some("`~` is not expanded here; write the whole path")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normalised_by_their_text() {
        for (path, expected) in [
            ("", "."),
            (".", "."),
            ("./", "."),
            ("a", "a"),
            ("a/b/", "a/b"),
            ("a//b", "a/b"),
            ("a/./b", "a/b"),
            ("a/../b", "b"),
            ("a/..", "."),
            ("..", ".."),
            ("../..", "../.."),
            ("a/../../b", "../b"),
            ("/", "/"),
            ("/..", "/"),
            ("/a/../../b", "/b"),
            ("...", "..."),
        ] {
            assert_eq!(normalize(Path::new(path)), Path::new(expected), "{path:?}");
        }
    }

    #[test]
    fn relative_paths_lie_below_the_base() {
        for (path, expected) in
            [("data", "/p/data"), ("../x", "/x"), ("/etc", "/etc"), ("", "/p"), ("../../..", "/")]
        {
            assert_eq!(absolute(Path::new("/p"), Path::new(path)), Path::new(expected), "{path:?}");
        }
    }
}
