//! Patterns, compiled within bounds.

use caraway_loaders_core::{Code, Error};
use regex_automata::MatchKind;
use regex_automata::hybrid::dfa::DFA;
use regex_automata::meta;
use regex_automata::nfa::thompson::NFA;
use regex_automata::util::syntax;
use regex_syntax::hir::Hir;

/// The longest pattern, in bytes. Measured: 2048 bytes of nothing but classes of characters in any case take 0.1 s.
const MAX_PATTERN: usize = 2048;

/// How deep groups and classes of a pattern nest.
const MAX_NESTING: u32 = 100;

/// What a compiled pattern may take, in bytes: `\w{50}` takes 2.8 MiB, `(a{1,100}){1,100}` 1 MiB.
const MAX_COMPILED: usize = 4 << 20;

/// How many places a search may keep in mind, for all states together: 8 MiB of them.
const MAX_PLACES: usize = 1 << 20;

/// What the tables take that a search makes as it goes, in bytes.
const TABLES: usize = 1 << 20;

/// A pattern that is ready to search.
pub(super) struct Pattern {
    /// All engines of the library, which cannot be stopped.
    pub(super) regex: meta::Regex,
    /// What they are made from, and [`Steps`](super::steps::Steps) go by.
    pub(super) nfa: NFA,
    /// A table of what follows what, made as it is needed; not for patterns that match nothing at all, since it does not
    /// know where characters begin.
    pub(super) dfa: Option<DFA>,
    /// Whether it is a text that stands for itself.
    pub(super) literal: bool,
}

impl Pattern {
    pub(super) fn compile(pattern: &str) -> Result<Self, Error> {
        if pattern.len() > MAX_PATTERN {
            let message = format!("has {} bytes; a pattern may have {MAX_PATTERN}", pattern.len());
            return Err(refused(&message).hint("search for its parts one by one"));
        }
        let hir = parsed(pattern)?;
        let config = NFA::config().nfa_size_limit(Some(MAX_COMPILED));
        let nfa = NFA::compiler().configure(config).build_from_hir(&hir).map_err(|_| too_large())?;
        let places = nfa.states().len().saturating_mul(nfa.group_info().slot_len());
        if places > MAX_PLACES {
            return Err(
                refused("has too many groups for its size").hint("use groups that do not count: `(?:...)`")
            );
        }
        let config = meta::Config::new()
            .nfa_size_limit(Some(MAX_COMPILED))
            .onepass_size_limit(Some(TABLES))
            .hybrid_cache_capacity(TABLES)
            .dfa(false);
        let regex = meta::Regex::builder().configure(config).build_from_hir(&hir).map_err(|_| too_large())?;
        let dfa = if nfa.has_empty() { None } else { table(&nfa) };
        Ok(Self { regex, nfa, dfa, literal: hir.properties().is_literal() })
    }

    /// What a search costs for each byte at most, in steps of a few nanoseconds each, when it finds `slots` places.
    pub(super) fn weight(&self, slots: usize) -> usize {
        let states = self.nfa.states().len();
        states + states.saturating_mul(slots) / 8
    }

    /// How many places it finds: two for each group.
    pub(super) fn slots(&self) -> usize {
        self.nfa.group_info().slot_len()
    }

    /// The names of its groups, by number; the first is the whole, and has none.
    pub(super) fn names(&self) -> impl Iterator<Item = Option<&str>> {
        self.nfa.group_info().pattern_names(regex_automata::PatternID::ZERO)
    }

    /// What it takes in memory, with what the first search adds.
    pub(super) fn bytes(&self) -> usize {
        self.regex.memory_usage()
            + self.nfa.memory_usage()
            + 8 * self.nfa.states().len() * self.slots()
            + 2 * TABLES
    }
}

fn parsed(pattern: &str) -> Result<Hir, Error> {
    syntax::parse_with(pattern, &syntax::Config::new().nest_limit(MAX_NESTING)).map_err(|error| {
        let (what, at) = match &error {
            regex_syntax::Error::Parse(error) => (error.kind().to_string(), error.span().start.offset),
            regex_syntax::Error::Translate(error) => (error.kind().to_string(), error.span().start.offset),
            _ => (error.to_string(), 0),
        };
        let before = pattern.get(..at).unwrap_or_default().chars().count();
        refused(&format!("is wrong at character {}: {what}", before + 1))
            .hint("`regex::escape` makes a pattern of a text that stands for itself")
    })
}

fn table(nfa: &NFA) -> Option<DFA> {
    let config = DFA::config()
        .match_kind(MatchKind::LeftmostFirst)
        .unicode_word_boundary(true)
        .cache_capacity(TABLES)
        // Where it is made anew again and again, the other way is faster.
        .minimum_cache_clear_count(Some(3))
        .minimum_bytes_per_state(Some(10));
    DFA::builder().configure(config).build_from_nfa(nfa.clone()).ok()
}

fn too_large() -> Error {
    refused(&format!("is larger than {} MiB when it is compiled", MAX_COMPILED >> 20))
        .hint("repeat less often, and use ASCII classes: `(?-u:\\w)`, `[0-9]`")
}

/// The pattern is the first argument of every function.
fn refused(problem: &str) -> Error {
    Error::new(Code::ValueRefused, problem).about_argument(0)
}
