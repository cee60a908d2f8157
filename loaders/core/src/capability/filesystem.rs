//! `filesystem`: which files and folders may be read and written.

use super::detail;
use super::extent::Extent;
use super::lexical::{absolute, flaw};
use super::request::FileMode;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A path stands for the file, or for the folder and all that is below it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Filesystem {
    read: Extent<PathBuf>,
    write: Extent<PathBuf>,
}

impl Filesystem {
    pub(super) fn all() -> Self {
        Self { read: Extent::All, write: Extent::All }
    }

    pub(super) fn from_detail(detail: &Value) -> Result<Self, String> {
        let lists = detail::lists(detail, ["read", "write"])?;
        if let Some(flaw) = lists.iter().flatten().find_map(|path| flaw(path)) {
            return Err(flaw.to_owned());
        }
        let [read, write] =
            lists.map(|paths| Extent::Only(paths.into_iter().map(PathBuf::from).collect::<Vec<_>>()));
        Ok(Self { read, write })
    }

    /// From `read:PATH`, `write:PATH` and `PATH` (both).
    ///
    /// `read:a,b` is refused: it could be meant as `read:a,read:b`, and must not grant writing to `b`.
    pub(super) fn from_arguments(arguments: &[String], base: &Path) -> Result<Self, String> {
        let mut scope = Self::default();
        let mut prefix = None;
        for argument in arguments {
            let (modes, path): (&[FileMode], &str) = if let Some(path) = argument.strip_prefix("read:") {
                (&[FileMode::Read], path)
            } else if let Some(path) = argument.strip_prefix("write:") {
                (&[FileMode::Write], path)
            } else {
                if let Some((word, _)) = argument.split_once(':')
                    && word.bytes().all(|byte| byte.is_ascii_alphabetic())
                {
                    return Err(format!(
                        "`{word}:` is neither `read:` nor `write:`; a path that begins so is written `./{argument}`"
                    ));
                }
                (&[FileMode::Read, FileMode::Write], argument)
            };
            if let Some(flaw) = flaw(path) {
                return Err(flaw.to_owned());
            }
            match (modes, prefix) {
                (&[mode], _) => prefix = Some(mode),
                (_, Some(mode)) => {
                    return Err(format!(
                        "`{path}` after `{}:` is ambiguous; write `read:{path}` or `write:{path}`",
                        mode.word()
                    ));
                }
                (_, None) => {}
            }
            for &mode in modes {
                scope.of_mut(mode).add(Extent::Only(vec![absolute(base, Path::new(path))]));
            }
        }
        Ok(scope)
    }

    /// The same with absolute paths.
    pub(super) fn based(self, base: &Path) -> Self {
        let based = |extent| match extent {
            Extent::All => Extent::All,
            Extent::Only(paths) => {
                Extent::Only(paths.iter().map(|path: &PathBuf| absolute(base, path)).collect())
            }
        };
        Self { read: based(self.read), write: based(self.write) }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.read.add(other.read);
        self.write.add(other.write);
    }

    pub(super) fn allows(&self, mode: FileMode, path: &Path) -> bool {
        self.of(mode).reaches(|root| path.starts_with(root))
    }

    /// The deepest root that `path` lies in; `None` inside is "everything".
    pub(super) fn root_of(&self, mode: FileMode, path: &Path) -> Option<Option<&Path>> {
        match self.of(mode) {
            Extent::Only(roots) => roots
                .iter()
                .filter(|root| path.starts_with(root))
                .max_by_key(|root| root.components().count())
                .map(|root| Some(root.as_path())),
            Extent::All => Some(None),
        }
    }

    /// The paths that are named for `mode`.
    pub(super) fn named(&self, mode: FileMode) -> &[PathBuf] {
        match self.of(mode) {
            Extent::Only(roots) => roots,
            Extent::All => &[],
        }
    }

    /// The paths that both reach. Where both reach everything: the root, and `base`.
    pub(super) fn shared(&self, other: &Self, mode: FileMode, base: &Path) -> Vec<PathBuf> {
        match (self.of(mode), other.of(mode)) {
            (Extent::All, Extent::All) => {
                base.ancestors().last().into_iter().chain([base]).map(Path::to_owned).collect()
            }
            (Extent::All, Extent::Only(paths)) | (Extent::Only(paths), Extent::All) => paths.clone(),
            (Extent::Only(ours), Extent::Only(theirs)) => {
                let pairs = ours.iter().flat_map(|a| theirs.iter().map(move |b| (a, b)));
                let deeper = pairs.filter_map(|(a, b)| match (a.starts_with(b), b.starts_with(a)) {
                    (true, _) => Some(a.clone()),
                    (_, true) => Some(b.clone()),
                    _ => None,
                });
                deeper.collect()
            }
        }
    }

    /// What of it lies in none of another's paths; relative ones of either start at `base`.
    pub(super) fn beyond(&self, other: &Self, base: &Path) -> Self {
        let covers = |root: &PathBuf, path: &PathBuf| absolute(base, path).starts_with(absolute(base, root));
        Self { read: self.read.beyond(&other.read, covers), write: self.write.beyond(&other.write, covers) }
    }

    /// The arguments of a flag that grants it: each path once, in full where all of one mode is meant.
    pub(super) fn arguments(&self) -> Option<Vec<String>> {
        if self.read == Extent::All && self.write == Extent::All {
            return Some(Vec::new());
        }
        let arguments: Vec<String> = [FileMode::Read, FileMode::Write]
            .into_iter()
            .flat_map(|mode| {
                let paths = match self.of(mode) {
                    Extent::All => vec!["/".to_owned()],
                    Extent::Only(paths) => paths.iter().map(|path| path.display().to_string()).collect(),
                };
                paths.into_iter().map(move |path| format!("{}:{path}", mode.word()))
            })
            .collect();
        (!arguments.is_empty()).then_some(arguments)
    }

    pub(super) fn describe(&self) -> Option<String> {
        if self.read == Extent::All && self.write == Extent::All {
            return Some("all".to_owned());
        }
        let parts: Vec<String> = [FileMode::Read, FileMode::Write]
            .into_iter()
            .filter_map(|mode| {
                let paths = self.of(mode).describe(|path| path.display().to_string())?;
                Some(format!("{} {paths}", mode.word()))
            })
            .collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }

    fn of(&self, mode: FileMode) -> &Extent<PathBuf> {
        match mode {
            FileMode::Read => &self.read,
            FileMode::Write => &self.write,
        }
    }

    fn of_mut(&mut self, mode: FileMode) -> &mut Extent<PathBuf> {
        match mode {
            FileMode::Read => &mut self.read,
            FileMode::Write => &mut self.write,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use FileMode::{Read, Write};
    use serde_json::json;

    #[track_caller]
    fn arguments(list: &[&str]) -> Result<Filesystem, String> {
        let list: Vec<String> = list.iter().map(|&text| text.to_owned()).collect();
        Filesystem::from_arguments(&list, Path::new("/here"))
    }

    #[test]
    fn allows() {
        let scope = arguments(&["/both", "read:data", "write:/tmp/../out/x.html"]).unwrap();
        for (mode, path, expected) in [
            (Read, "/both", true),
            (Write, "/both/deep/er", true),
            (Read, "/bothersome", false),
            (Read, "/here/data/x", true),
            (Write, "/here/data/x", false),
            (Read, "/here", false),
            (Write, "/out/x.html", true),
            (Write, "/out/x.html2", false),
            (Write, "/out", false),
            (Read, "/out/x.html", false),
            (Read, "/", false),
        ] {
            assert_eq!(scope.allows(mode, Path::new(path)), expected, "{mode:?} {path}");
        }
        assert!(Filesystem::all().allows(Write, Path::new("/")));
        assert!(!Filesystem::default().allows(Read, Path::new("/")));
    }

    #[test]
    fn the_deepest_root_wins() {
        let scope = arguments(&["/a", "/a/b"]).unwrap();
        for (path, expected) in [
            ("/a/x", Some(Some("/a"))),
            ("/a/b/x", Some(Some("/a/b"))),
            ("/a/b", Some(Some("/a/b"))),
            ("/c", None),
        ] {
            let expected = expected.map(|root| root.map(Path::new));
            assert_eq!(scope.root_of(Read, Path::new(path)), expected, "{path}");
        }
        assert_eq!(Filesystem::all().root_of(Read, Path::new("/c")), Some(None));
    }

    #[test]
    fn arguments_that_make_no_sense() {
        for (list, problem) in [
            (&["read:a", "b"][..], "ambiguous"),
            (&["read:"], "empty"),
            (&["raed:data"], "`raed:` is neither `read:` nor `write:`"),
            (&[""], "empty"),
            (&["write:a\0b"], "NUL"),
            (&["read:~/x"], "not expanded"),
        ] {
            let error = arguments(list).unwrap_err();
            assert!(error.contains(problem), "{list:?}: {error}");
        }
    }

    #[test]
    fn details_of_a_manifest() {
        let scope = Filesystem::from_detail(&json!({"read": ["data", "/x"], "write": []})).unwrap();
        assert_eq!(scope.describe().as_deref(), Some("read data, /x"));
        assert!(scope.clone().based(Path::new("/p")).allows(Read, Path::new("/p/data/y")));
        assert!(!scope.based(Path::new("/p")).allows(Write, Path::new("/p/data/y")));
        assert_eq!(Filesystem::all().describe().as_deref(), Some("all"));
        for (detail, problem) in [
            (json!({"reed": ["data"]}), "did you mean `read`?"),
            (json!({}), "must name"),
            (json!([]), "found a list"),
            (json!({"read": "data"}), "must be a list of strings, found a string"),
            (json!({"read": [1]}), "found a number in it"),
            (json!({"read": [""]}), "empty"),
        ] {
            let error = Filesystem::from_detail(&detail).unwrap_err();
            assert!(error.contains(problem), "{detail}: {error}");
        }
    }
}
