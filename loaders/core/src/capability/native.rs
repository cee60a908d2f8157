//! `native`: whether a plugin's native code may run in the host's process, with all of its rights.

/// Which plugin it is granted to is a matter of the grant; there is nothing smaller to ask for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Native(bool);

impl Native {
    pub(super) fn all() -> Self {
        Self(true)
    }

    pub(super) fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    pub(super) fn allows(self) -> bool {
        self.0
    }

    pub(super) fn beyond(self, other: Self) -> Self {
        Self(self.0 && !other.0)
    }

    pub(super) fn arguments(self) -> Option<Vec<String>> {
        self.0.then(Vec::new)
    }

    pub(super) fn describe(self) -> Option<String> {
        self.0.then(|| "all".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allows() {
        assert!(Native::all().allows());
        assert!(!Native::default().allows());
        let mut scope = Native::default();
        scope.add(Native::default());
        assert!(!scope.allows());
        scope.add(Native::all());
        assert!(scope.allows());
    }
}
