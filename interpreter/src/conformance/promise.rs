//! What is checked.

/// A check, in the order in which they are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Promise {
    Manifest,
    Files,
    Code,
    Names,
    Load,
    Exports,
    LoadAgain,
    Arity,
    Types,
    Calls,
    Extremes,
    Results,
    Recovery,
    Threads,
}

impl Promise {
    pub(super) const ALL: [Self; 14] = [
        Self::Manifest,
        Self::Files,
        Self::Code,
        Self::Names,
        Self::Load,
        Self::Exports,
        Self::LoadAgain,
        Self::Arity,
        Self::Types,
        Self::Calls,
        Self::Extremes,
        Self::Results,
        Self::Recovery,
        Self::Threads,
    ];

    /// Its name, one word or two.
    pub(super) fn name(self) -> &'static str {
        self.words().0
    }

    /// What holds if the check passes.
    pub(super) fn text(self) -> &'static str {
        self.words().1
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Manifest => {
                ("manifest", "the manifest says nothing that its kind cannot keep, and fits this host")
            }
            Self::Files => ("files", "the files that it is loaded from are there, inside its folder"),
            Self::Code => ("code", "the code offers the functions that are declared"),
            Self::Names => ("names", "each function can be called from a script, and its types are whole"),
            Self::Load => ("load", "it loads"),
            Self::Exports => ("exports", "what is loaded is what the code offers"),
            Self::LoadAgain => ("load again", "a second load is another one, and both go on"),
            Self::Arity => ("arity", "too few and too many arguments are E0103"),
            Self::Types => ("types", "arguments of another type are E0104"),
            Self::Calls => ("calls", "ordinary values neither crash nor hang it"),
            Self::Extremes => ("extremes", "extreme values neither crash nor hang it"),
            Self::Results => ("results", "results are of the declared types"),
            Self::Recovery => ("recovery", "after errors, calls end as they did before"),
            Self::Threads => ("threads", "calls from several threads end as those of one do"),
        }
    }
}
