//! All the files and folders that are open, one by one, for code that is handed them rather than asking.

use super::access::Access;
use super::lexical::seen_from;
use super::request::{FileMode, Request};
use std::path::PathBuf;

/// A file or folder that is both asked for and granted. See [`Access::openings`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Opening {
    /// Absolute and normalised.
    pub path: PathBuf,
    /// As the program's folder has it: relative where it lies below. Manifests call it so.
    pub name: PathBuf,
    /// Whether it may be read.
    pub read: bool,
    /// Whether it may be written.
    pub write: bool,
    /// What is denied for one of these uses, wherever it lies.
    pub denied: Vec<PathBuf>,
}

impl Access {
    /// The files and folders that are asked for, as far as they are granted; sorted by path. Each is to be opened
    /// by way of its [`place`](Access::place). Where everything is asked for and granted, it is the root and the
    /// program's folder.
    ///
    /// ```
    /// use caraway_loaders_core::capability::{Access, Asks, Grants};
    /// use std::path::Path;
    ///
    /// let folder = Path::new("/home/user/project");
    /// let mut asks = Asks::default();
    /// asks.add("filesystem", Some(&serde_json::json!({"read": ["data", "/etc"]})))?;
    /// let mut grants = Grants::new(folder);
    /// grants.allow("filesystem=data/public", folder)?;
    /// let openings = Access::plugin("stats", &asks, &grants, folder).openings();
    /// assert_eq!(openings.len(), 1);
    /// assert_eq!(openings[0].name, Path::new("data/public"));
    /// assert!(openings[0].read && !openings[0].write);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn openings(&self) -> Vec<Opening> {
        let mut paths: Vec<PathBuf> =
            [FileMode::Read, FileMode::Write].into_iter().flat_map(|mode| self.shared_paths(mode)).collect();
        paths.sort();
        paths.dedup();
        paths.into_iter().filter_map(|path| self.opening(path)).collect()
    }

    fn opening(&self, path: PathBuf) -> Option<Opening> {
        let may = |mode| self.check(&Request::File(mode, &path)).is_ok();
        let (read, write) = (may(FileMode::Read), may(FileMode::Write));
        let modes = [(FileMode::Read, read), (FileMode::Write, write)].into_iter().filter(|(_, may)| *may);
        let denied = modes.flat_map(|(mode, _)| self.denied_paths(mode)).cloned().collect();
        let name = seen_from(self.base(), &path);
        (read || write).then_some(Opening { path, name, read, write, denied })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Asks, Grants};
    use super::*;
    use serde_json::{Value, json};
    use std::path::Path;

    #[track_caller]
    fn open(asked: Option<Value>, allow: &[&str], deny: &[&str], expected: &[(&str, &str)]) {
        let folder = Path::new("/here");
        let (mut asks, mut grants) = (Asks::default(), Grants::new(folder));
        assert_eq!(asks.add("filesystem", asked.as_ref()), Ok(true));
        allow.iter().for_each(|text| grants.allow(text, folder).unwrap());
        deny.iter().for_each(|text| grants.deny(text, folder).unwrap());
        let openings = Access::plugin("p", &asks, &grants, folder).openings();
        let found: Vec<(&str, &str)> = openings
            .iter()
            .map(|opening| {
                let uses = match (opening.read, opening.write) {
                    (true, true) => "rw",
                    (true, false) => "r",
                    (false, _) => "w",
                };
                (opening.name.to_str().unwrap(), uses)
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn both_keys_open_what_both_reach() {
        let asked = || Some(json!({"read": ["data", "out"], "write": ["out", "/var/x"]}));
        open(asked(), &[], &[], &[]);
        open(asked(), &["filesystem"], &[], &[("data", "r"), ("out", "rw"), ("/var/x", "w")]);
        open(asked(), &["filesystem=out"], &[], &[("out", "rw")]);
        open(asked(), &["filesystem=read:out"], &[], &[("out", "r")]);
        open(asked(), &["filesystem=data/a", "q:filesystem=data"], &[], &[("data/a", "r")]);
        open(asked(), &["filesystem=elsewhere"], &[], &[]);
        open(
            asked(),
            &["filesystem"],
            &["filesystem=write:out"],
            &[("data", "r"), ("out", "r"), ("/var/x", "w")],
        );
        open(asked(), &["filesystem"], &["filesystem"], &[]);
        open(None, &["filesystem=data"], &[], &[("data", "rw")]);
        open(None, &["filesystem"], &[], &[("/", "rw"), (".", "rw")]);
    }

    #[test]
    fn what_is_denied_inside_is_named() {
        let (mut asks, folder) = (Asks::default(), Path::new("/here"));
        asks.add("filesystem", Some(&json!({"read": ["data"]}))).unwrap();
        let mut grants = Grants::new(folder);
        grants.allow("filesystem=data", folder).unwrap();
        grants.deny("filesystem=write:data/a", folder).unwrap();
        grants.deny("filesystem=read:data/b", folder).unwrap();
        let openings = Access::plugin("p", &asks, &grants, folder).openings();
        assert_eq!(openings[0].denied, [Path::new("/here/data/b")]);
    }
}
