//! Paths inside a plugin's folder.

use super::problems::{Wrong, shown};
use std::path::{Component, Path, PathBuf};

/// A path that stays inside the folder that it is relative to, as far as its text tells.
pub(super) fn inside(text: &str) -> Result<PathBuf, Wrong> {
    let refuse = |why: &str| {
        Err(Wrong::new(format!("is {}, {why}", shown(text)))
            .hint("give a path inside the plugin's folder, with `/` between its parts"))
    };
    if text.is_empty() {
        return refuse("which is empty");
    }
    if text.contains(|c: char| c.is_control()) {
        return refuse("which has a control character");
    }
    if text.contains('\\') {
        return refuse("which has a backslash");
    }
    if text.starts_with('/') || text.as_bytes().get(1) == Some(&b':') {
        return refuse("which is absolute");
    }
    let mut path = PathBuf::new();
    for component in Path::new(text).components() {
        match component {
            Component::Normal(part) => path.push(part),
            Component::CurDir => {}
            Component::ParentDir => return refuse("which leaves the plugin's folder with `..`"),
            Component::RootDir | Component::Prefix(_) => return refuse("which is absolute"),
        }
    }
    if path.as_os_str().is_empty() {
        return refuse("which is the plugin's folder itself");
    }
    Ok(path)
}

/// As [`inside`], for fields whose patterns other tools would expand.
pub(super) fn inside_without_pattern(text: &str) -> Result<PathBuf, Wrong> {
    if text.contains(['*', '?']) {
        return Err(Wrong::new(format!("is {}, and patterns are not expanded", shown(text)))
            .hint("name the folder: all that is in it counts"));
    }
    inside(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside() {
        for (text, path) in
            [("main.rhai", "main.rhai"), ("./a//b", "a/b"), ("target/release/x.so", "target/release/x.so")]
        {
            assert_eq!(inside(text), Ok(PathBuf::from(path)), "{text}");
        }
        for (text, message) in [
            ("", "empty"),
            (".", "itself"),
            ("..", "leaves"),
            ("a/../b", "leaves"),
            ("/etc/passwd", "absolute"),
            ("C:/x", "absolute"),
            ("..\\x", "backslash"),
            ("a\0b", "control"),
            ("a\nb", "control"),
        ] {
            let wrong = inside(text).unwrap_err();
            assert!(wrong.message.contains(message), "{text:?}: {}", wrong.message);
        }
        assert!(inside_without_pattern("src/**/*.rs").is_err());
    }
}
