//! `env`: which environment variables may be read.

use super::detail;
use super::extent::Extent;
use serde_json::Value;

/// Variables by their whole names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Env(Extent<String>);

impl Env {
    pub(super) fn all() -> Self {
        Self(Extent::All)
    }

    pub(super) fn from_detail(detail: &Value) -> Result<Self, String> {
        let [names] = detail::lists(detail, ["names"])?;
        Self::from_names(names)
    }

    pub(super) fn from_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let check = |name: &str| match name {
            "" => Err("a variable's name is empty".to_owned()),
            _ if name.contains(['=', '\0']) => {
                Err(format!("`{}` is no variable's name", name.escape_debug()))
            }
            _ => Ok(name.to_owned()),
        };
        Ok(Self(Extent::Only(names.into_iter().map(check).collect::<Result<_, _>>()?)))
    }

    pub(super) fn add(&mut self, other: Self) {
        self.0.add(other.0);
    }

    pub(super) fn allows(&self, name: &str) -> bool {
        self.0.reaches(|allowed| allowed == name)
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
        let scope = Env::from_detail(&json!({"names": ["LANG", "TZ"]})).unwrap();
        for (name, expected) in
            [("LANG", true), ("TZ", true), ("lang", false), ("LANGUAGE", false), ("LAN", false), ("", false)]
        {
            assert_eq!(scope.allows(name), expected, "{name}");
        }
        assert!(Env::all().allows("HOME"));
        assert!(!Env::default().allows("HOME"));
    }

    #[test]
    fn names_that_make_no_sense() {
        for (detail, problem) in [
            (json!({"names": [""]}), "empty"),
            (json!({"names": ["A=B"]}), "`A=B` is no variable's name"),
            (json!({"name": ["A"]}), "did you mean `names`?"),
        ] {
            let error = Env::from_detail(&detail).unwrap_err();
            assert!(error.contains(problem), "{detail}: {error}");
        }
    }
}
