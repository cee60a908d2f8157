//! `process`: which programs may be started.

use super::detail;
use super::extent::Extent;
use serde_json::Value;

/// A program by the name or path that it is started with; the text must be the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Process(Extent<String>);

impl Process {
    pub(super) fn all() -> Self {
        Self(Extent::All)
    }

    pub(super) fn from_detail(detail: &Value) -> Result<Self, String> {
        let [programs] = detail::lists(detail, ["programs"])?;
        Self::from_programs(programs)
    }

    pub(super) fn from_programs<'a>(programs: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let check = |program: &str| match program {
            "" => Err("a program's name is empty".to_owned()),
            _ if program.contains('\0') => Err("a program's name holds a NUL character".to_owned()),
            _ => Ok(program.to_owned()),
        };
        Ok(Self(Extent::Only(programs.into_iter().map(check).collect::<Result<_, _>>()?)))
    }

    pub(super) fn add(&mut self, other: Self) {
        self.0.add(other.0);
    }

    pub(super) fn allows(&self, program: &str) -> bool {
        self.0.reaches(|allowed| allowed == program)
    }

    pub(super) fn beyond(&self, other: &Self) -> Self {
        Self(self.0.beyond(&other.0, PartialEq::eq))
    }

    pub(super) fn arguments(&self) -> Option<Vec<String>> {
        self.0.arguments(String::clone)
    }

    pub(super) fn describe(&self) -> Option<String> {
        self.0.describe(String::clone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn allows() {
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
            assert_eq!(scope.allows(program), expected, "{program}");
        }
        assert!(Process::all().allows("anything"));
        assert!(!Process::default().allows("anything"));
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
