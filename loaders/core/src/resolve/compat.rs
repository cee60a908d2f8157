//! Which versions replace each other.

use semver::Version;

/// A group of versions that replace each other: those that share their leftmost part that is not zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Compat(u64, u64, u64);

impl Compat {
    /// The group of a version. A pre-release is in the group of its release.
    pub(super) fn of(version: &Version) -> Self {
        match (version.major, version.minor, version.patch) {
            (0, 0, patch) => Compat(0, 0, patch),
            (0, minor, _) => Compat(0, minor, 0),
            (major, _, _) => Compat(major, 0, 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups() {
        for (a, b, same) in [
            ("1.0.0", "1.9.3", true),
            ("1.0.0", "2.0.0", false),
            ("2.0.0-rc.1", "2.4.0", true),
            ("0.1.0", "0.1.9", true),
            ("0.1.0", "0.2.0", false),
            ("0.0.1", "0.0.2", false),
            ("0.0.1", "0.0.1+build", true),
            ("0.1.0", "1.0.0", false),
            ("0.0.0", "0.0.0-a", true),
        ] {
            let group = |text| Compat::of(&Version::parse(text).unwrap());
            assert_eq!(group(a) == group(b), same, "{a} {b}");
        }
    }
}
