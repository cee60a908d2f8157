//! `io`: standard output, standard error and standard input.

use super::extent::Extent;
use crate::suggest::suggest;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Channel {
    Stdout,
    Stderr,
    Stdin,
}

impl Channel {
    const ALL: [Channel; 3] = [Channel::Stdout, Channel::Stderr, Channel::Stdin];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
            Self::Stdin => "stdin",
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Io(Extent<Channel>);

impl Io {
    pub(super) fn all() -> Self {
        Self(Extent::All)
    }

    /// What a program may do without a grant.
    pub(super) fn printing() -> Self {
        Self(Extent::Only(vec![Channel::Stdout, Channel::Stderr]))
    }

    pub(super) fn from_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let parse = |name: &str| {
            Channel::ALL.into_iter().find(|channel| channel.name() == name).ok_or_else(|| {
                let meant = suggest(name, Channel::ALL.map(Channel::name));
                let meant = meant.map(|name| format!("; did you mean `{name}`?"));
                format!("`{name}` is none of `stdout`, `stderr`, `stdin`{}", meant.unwrap_or_default())
            })
        };
        Ok(Self(Extent::Only(names.into_iter().map(parse).collect::<Result<_, _>>()?)))
    }

    pub(super) fn add(&mut self, other: Self) {
        self.0.add(other.0);
    }

    pub(super) fn allows(&self, channel: Channel) -> bool {
        self.0.reaches(|allowed| *allowed == channel)
    }

    pub(super) fn beyond(&self, other: &Self) -> Self {
        Self(self.0.beyond(&other.0, PartialEq::eq))
    }

    pub(super) fn arguments(&self) -> Option<Vec<String>> {
        self.0.arguments(|channel| channel.name().to_owned())
    }

    pub(super) fn describe(&self) -> Option<String> {
        self.0.describe(|channel| channel.name().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Channel::{Stderr, Stdin, Stdout};

    #[test]
    fn allows() {
        for (scope, channel, expected) in [
            (Io::default(), Stdout, false),
            (Io::all(), Stdout, true),
            (Io::all(), Stdin, true),
            (Io::printing(), Stdout, true),
            (Io::printing(), Stderr, true),
            (Io::printing(), Stdin, false),
            (Io::from_names(["stderr"]).unwrap(), Stderr, true),
            (Io::from_names(["stderr"]).unwrap(), Stdout, false),
        ] {
            assert_eq!(scope.allows(channel), expected, "{scope:?} {channel:?}");
        }
    }

    #[test]
    fn channels_that_do_not_exist() {
        let error = Io::from_names(["stdotu"]).unwrap_err();
        assert!(error.contains("did you mean `stdout`?"), "{error}");
    }
}
