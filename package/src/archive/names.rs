//! The names that entries may have: those that mean one file on every system.

use super::refusal::Refusal;
use caraway_loaders_core::escape;
use std::collections::HashMap;
use unicode_normalization::UnicodeNormalization;

/// Longest path, in bytes.
const MAX_PATH: usize = 1024;

/// Longest name of a file or folder, in bytes.
const MAX_NAME: usize = 255;

/// Most names in a path.
const MAX_DEPTH: usize = 32;

/// Names that are devices on Windows, whatever extension they have.
const DEVICES: &[&str] = &["con", "prn", "aux", "nul", "conin$", "conout$"];

/// What a name belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A folder.
    Folder,
    /// A regular file.
    File,
}

/// The paths of an archive so far.
#[derive(Debug, Default)]
pub(crate) struct Names(HashMap<String, Known>);

#[derive(Debug)]
struct Known {
    /// As it is spelt.
    path: String,
    shape: Shape,
    /// Whether it has an entry of its own, rather than being a folder that others are in.
    entry: bool,
}

impl Names {
    /// Takes in the path of an entry. Folders that it lies in are taken in with it.
    pub(crate) fn add(&mut self, path: &str, shape: Shape) -> Result<(), Refusal> {
        check(path)?;
        let (mut key, mut end) = (String::with_capacity(path.len()), 0);
        for name in path.split('/') {
            if end > 0 {
                key.push('/');
                end += 1;
            }
            fold(name, &mut key);
            end += name.len();
            let entry = end == path.len();
            self.take(&key, &path[..end], if entry { shape } else { Shape::Folder }, entry)?;
        }
        Ok(())
    }

    /// How many files and folders there are, with those that have no entry of their own.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    fn take(&mut self, key: &str, path: &str, shape: Shape, entry: bool) -> Result<(), Refusal> {
        let Some(known) = self.0.get_mut(key) else {
            self.0.insert(key.to_owned(), Known { path: path.to_owned(), shape, entry });
            return Ok(());
        };
        if known.path != path {
            let other = &known.path;
            return Err(Refusal::new(format!("has a name that is the same as `{other}` on some systems")));
        }
        if known.shape != shape {
            return Err(Refusal::new(match entry {
                true => "is a file and a folder",
                false => "lies in a file",
            }));
        }
        if known.entry && entry {
            return Err(Refusal::new("is there twice"));
        }
        known.entry |= entry;
        Ok(())
    }
}

/// Appends what systems compare that do not tell letters' cases and compositions apart.
fn fold(name: &str, key: &mut String) {
    match name.is_ascii() {
        true => key.extend(name.chars().map(|c| c.to_ascii_lowercase())),
        false => key.extend(name.nfkc().collect::<String>().to_lowercase().nfkc()),
    }
}

/// Checks that a path, with `/` between its names and none at its end, stays in its folder and means the same on
/// every system.
pub(crate) fn check(path: &str) -> Result<(), Refusal> {
    let refuse = |why: &str| Err(Refusal::new(why));
    if path.len() > MAX_PATH {
        return Err(Refusal::new(format!("has a path longer than {MAX_PATH} bytes")));
    }
    if path.starts_with('/') {
        return refuse("has an absolute path");
    }
    if path.contains('\0') {
        return refuse("has a NUL character in its name");
    }
    if path.contains(char::is_control) {
        return refuse("has a control character in its name");
    }
    if path.contains('\u{61c}') || escape(path) != path {
        return refuse("has an invisible character in its name, or one that turns the reading direction");
    }
    if path.contains('\\') {
        return refuse("has a backslash in its name");
    }
    if let Some(c) = path.chars().find(|c| matches!(c, ':' | '<' | '>' | '"' | '|' | '?' | '*')) {
        return Err(Refusal::new(format!("has a `{c}` in its name, which Windows does not allow")));
    }
    let mut depth = 0;
    for name in path.split('/') {
        depth += 1;
        if name.is_empty() {
            return refuse("has an empty name in its path");
        }
        if name == ".." {
            return refuse("leaves its folder with `..`");
        }
        if name == "." {
            return refuse("has a `.` in its path");
        }
        if name.len() > MAX_NAME {
            return Err(Refusal::new(format!("has a name longer than {MAX_NAME} bytes")));
        }
        if name.ends_with(['.', ' ']) {
            return refuse("has a name that ends with a dot or a space, which Windows drops");
        }
        if is_device(name) {
            return refuse("has a name that is a device on Windows");
        }
    }
    if depth > MAX_DEPTH {
        return Err(Refusal::new(format!("lies deeper than {MAX_DEPTH} folders")));
    }
    Ok(())
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim_end_matches(' ').to_lowercase();
    if DEVICES.contains(&stem.as_str()) {
        return true;
    }
    let port = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt"));
    let mut port = port.unwrap_or_default().chars();
    matches!((port.next(), port.next()), (Some('0'..='9' | '¹' | '²' | '³'), None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_names() {
        for path in ["plugin.json", "a/b/c.rhai", "ü/日本", ".hidden", "com10", "console", "nul-x", "a b"]
        {
            assert!(check(path).is_ok(), "{path}");
        }
    }

    #[test]
    fn bad_names() {
        let long = "x".repeat(256);
        let longer = "xyz/".repeat(257);
        let deep = format!("{}x", "a/".repeat(32));
        for (path, why) in [
            ("", "empty"),
            ("../x", "`..`"),
            ("a/../b", "`..`"),
            ("a/./b", "`.`"),
            ("/etc/passwd", "absolute"),
            ("C:/x", "`:`"),
            ("a\\b", "backslash"),
            ("a\0", "NUL"),
            ("a\u{1b}[31m", "control"),
            ("a\nb", "control"),
            ("a\u{202e}b", "reading direction"),
            ("a\u{200b}b", "invisible"),
            ("a//b", "empty"),
            ("a?", "`?`"),
            (&long, "longer than 255"),
            (&longer, "longer than 1024"),
            (&deep, "deeper than 32"),
            ("NUL", "device"),
            ("a/con.txt", "device"),
            ("Com1", "device"),
            ("lpt³.x", "device"),
            ("aux .c", "device"),
            ("a.", "dot or a space"),
            ("a /b", "dot or a space"),
        ] {
            let refusal = check(path).unwrap_err().to_string();
            assert!(refusal.contains(why), "{path:?}: {refusal}");
        }
    }

    #[test]
    fn names_that_collide() {
        for (paths, why) in [
            (&[("a", Shape::File), ("a", Shape::File)], "twice"),
            (&[("a", Shape::Folder), ("a", Shape::Folder)], "twice"),
            (&[("a", Shape::File), ("A", Shape::File)], "on some systems"),
            (&[("A/x", Shape::File), ("a/y", Shape::File)], "on some systems"),
            (&[("\u{e9}", Shape::File), ("e\u{301}", Shape::File)], "on some systems"),
            (&[("\u{fb01}", Shape::File), ("fi", Shape::File)], "on some systems"),
            (&[("a", Shape::File), ("a/b", Shape::File)], "lies in a file"),
            (&[("a/b", Shape::File), ("a", Shape::File)], "a file and a folder"),
        ] {
            let mut names = Names::default();
            let refused = paths.iter().find_map(|(path, shape)| names.add(path, *shape).err());
            let refused = refused.map(|refusal| refusal.to_string()).unwrap_or_default();
            assert!(refused.contains(why), "{paths:?}: {refused}");
        }
        let mut names = Names::default();
        for (path, shape) in [("a/b", Shape::File), ("a", Shape::Folder), ("a/c", Shape::File)] {
            assert!(names.add(path, shape).is_ok(), "{path}");
        }
    }
}
