//! `process`: which programs may be started, with which arguments.

mod pattern;

use super::detail;
use super::extent::Extent;
use pattern::Pattern;
use serde_json::Value;

pub(super) use pattern::{narrowest, shown};

/// Programs by the name or path that they are started with; the text must be the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Process(Extent<Pattern>);

impl Process {
    pub(super) fn all() -> Self {
        Self(Extent::All)
    }

    pub(super) fn from_detail(detail: &Value) -> Result<Self, String> {
        let [programs] = detail::lists(detail, ["programs"])?;
        Self::from_programs(programs)
    }

    pub(super) fn from_programs<'a>(programs: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        Ok(Self(Extent::Only(programs.into_iter().map(Pattern::parse).collect::<Result<_, _>>()?)))
    }

    pub(super) fn add(&mut self, other: Self) {
        self.0.add(other.0);
    }

    pub(super) fn allows(&self, program: &str, arguments: &[String]) -> bool {
        self.0.reaches(|pattern| pattern.allows(program, arguments))
    }

    pub(super) fn beyond(&self, other: &Self) -> Self {
        Self(self.0.beyond(&other.0, Pattern::covers))
    }

    pub(super) fn arguments(&self) -> Option<Vec<String>> {
        self.0.arguments(Pattern::to_string)
    }

    pub(super) fn describe(&self) -> Option<String> {
        self.0.describe(Pattern::to_string)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn allows(scope: &Process, program: &str, arguments: &[&str]) -> bool {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        scope.allows(program, &arguments)
    }

    #[test]
    fn programs_by_their_text() {
        let scope = Process::from_detail(&json!({"programs": ["git", "/usr/bin/env"]})).unwrap();
        for (program, expected) in [
            ("git", true),
            ("/usr/bin/env", true),
            ("env", false),
            ("/tmp/git", false),
            ("git push", false),
            ("Git", false),
            ("", false),
        ] {
            assert_eq!(allows(&scope, program, &["any", "thing"]), expected, "{program}");
        }
        assert!(allows(&Process::all(), "anything", &["at all"]));
        assert!(!allows(&Process::default(), "anything", &[]));
    }

    #[test]
    fn what_is_beyond() {
        let scope = |programs: &[&str]| Process::from_programs(programs.iter().copied()).unwrap();
        let new = scope(&["git log *", "make", "ls -l"]);
        for (old, beyond) in [
            (scope(&[]), "git log *, make, ls -l"),
            (scope(&["git"]), "make, ls -l"),
            (scope(&["git log *", "make all", "ls **"]), "make"),
            (scope(&["git log -1", "make"]), "git log *, ls -l"),
        ] {
            assert_eq!(new.beyond(&old).describe().unwrap(), beyond);
        }
        assert_eq!(new.beyond(&Process::all()).describe(), None);
        assert_eq!(Process::all().beyond(&new).describe().unwrap(), "all");
    }

    #[test]
    fn programs_that_make_no_sense() {
        for (detail, problem) in [
            (json!({"programs": [""]}), "empty"),
            (json!({"programs": ["a\0"]}), "NUL"),
            (json!({"program": ["git"]}), "did you mean `programs`?"),
            (json!(true), "found a boolean"),
        ] {
            let error = Process::from_detail(&detail).unwrap_err();
            assert!(error.contains(problem), "{detail}: {error}");
        }
    }
}
