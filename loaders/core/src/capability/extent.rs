//! How far a capability reaches.

/// Some things of a kind, or all of them. The default is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Extent<T> {
    Only(Vec<T>),
    All,
}

impl<T> Default for Extent<T> {
    fn default() -> Self {
        Self::Only(Vec::new())
    }
}

impl<T: PartialEq> Extent<T> {
    /// Whether it reaches anything that `test` holds for.
    pub(super) fn reaches(&self, test: impl FnMut(&T) -> bool) -> bool {
        match self {
            Self::All => true,
            Self::Only(items) => items.iter().any(test),
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        match (self, other) {
            (Self::All, _) => {}
            (this, Self::All) => *this = Self::All,
            (Self::Only(items), Self::Only(more)) => {
                for item in more {
                    if !items.contains(&item) {
                        items.push(item);
                    }
                }
            }
        }
    }

    /// What of it is covered by none of another's things.
    pub(super) fn beyond(&self, other: &Self, covers: impl Fn(&T, &T) -> bool) -> Self
    where
        T: Clone,
    {
        match (self, other) {
            (_, Self::All) => Self::default(),
            (Self::All, Self::Only(_)) => Self::All,
            (Self::Only(items), Self::Only(others)) => {
                let new = items.iter().filter(|item| !others.iter().any(|other| covers(other, item)));
                Self::Only(new.cloned().collect())
            }
        }
    }

    /// The things as the arguments of a flag, none of which stand for all of them. `None` if it reaches nothing.
    pub(super) fn arguments(&self, show: impl Fn(&T) -> String) -> Option<Vec<String>> {
        match self {
            Self::All => Some(Vec::new()),
            Self::Only(items) if items.is_empty() => None,
            Self::Only(items) => Some(items.iter().map(show).collect()),
        }
    }

    /// The things as a list for people: `a, b`, or `all`. `None` if there are none.
    pub(super) fn describe(&self, show: impl Fn(&T) -> String) -> Option<String> {
        match self {
            Self::All => Some("all".to_owned()),
            Self::Only(items) if items.is_empty() => None,
            Self::Only(items) => Some(items.iter().map(show).collect::<Vec<_>>().join(", ")),
        }
    }
}
