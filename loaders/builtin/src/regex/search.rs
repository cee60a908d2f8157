//! Matches in a text, one after the other, within the budget.
//!
//! The library's engines cannot be stopped. They search where the worst that they could do is soon done. In what is
//! longer, a table is followed byte by byte to where the first match ends, or to the end; where no table is to be had,
//! [`Steps`] go all the way.

use super::pattern::Pattern;
use super::steps::{Place, Steps, pause};
use caraway_loaders_core::budget::{self, Expiry};
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::util::primitives::NonMaxUsize;
use regex_automata::{Anchored, Input};

/// How much the library's engines may do at once, as bytes of text by a pattern's weight. Measured: the worst takes 13 ns
/// for each.
const AT_ONCE: usize = 4_000_000;

/// Finds matches in one text.
pub(super) struct Search<'a> {
    pattern: &'a Pattern,
    text: &'a str,
    /// What the library's engines may do at once.
    at_once: usize,
    cache: Option<Cache>,
    steps: Option<Steps<'a>>,
    /// Where the next search begins; `None` after the last.
    from: Option<usize>,
    /// Where the last match ended.
    last: Option<usize>,
    /// The places of the last match: two for each group, or for the whole alone.
    places: Vec<Place>,
}

/// A match: where it begins and ends, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl<'a> Search<'a> {
    /// A search for whole matches.
    pub(super) fn new(pattern: &'a Pattern, text: &'a str) -> Self {
        Self::with(pattern, text, 2, AT_ONCE)
    }

    /// One that finds each group as well.
    pub(super) fn for_groups(pattern: &'a Pattern, text: &'a str) -> Self {
        Self::with(pattern, text, pattern.slots(), AT_ONCE)
    }

    fn with(pattern: &'a Pattern, text: &'a str, slots: usize, at_once: usize) -> Self {
        let places = vec![None; slots];
        Self { pattern, text, at_once, cache: None, steps: None, from: Some(0), last: None, places }
    }

    /// The next match, which begins where the last one ended or later.
    pub(super) fn next(&mut self) -> Result<Option<Span>, Expiry> {
        while let Some(from) = self.from {
            budget::check()?;
            let Some(found) = self.first(from)? else {
                self.from = None;
                break;
            };
            let nothing = found.start == found.end;
            self.from = if nothing { self.after(found.end) } else { Some(found.end) };
            // A match of nothing right after another one is none.
            if !(nothing && self.last == Some(found.end)) {
                self.last = Some(found.end);
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// What a group of the last match holds.
    pub(super) fn group(&self, index: usize) -> Option<Span> {
        let place = |at: usize| self.places.get(at).copied().flatten().map(NonMaxUsize::get);
        Some(Span { start: place(2 * index)?, end: place(2 * index + 1)? })
    }

    fn after(&self, at: usize) -> Option<usize> {
        Some(at + self.text.get(at..)?.chars().next()?.len_utf8())
    }

    fn first(&mut self, from: usize) -> Result<Option<Span>, Expiry> {
        let end = self.text.len();
        let matched = if self.is_short(from, end) {
            self.at_once(from, end)
        } else {
            match self.end_of_match(from)? {
                Scan::None => false,
                // The first match of all is the first of those that end there or before.
                Scan::End(end) if self.is_short(from, end) => self.at_once(from, end),
                Scan::End(end) => self.step_by_step(from, end)?,
                Scan::Unknown => self.step_by_step(from, end)?,
            }
        };
        Ok(if matched { self.group(0) } else { None })
    }

    fn is_short(&self, from: usize, end: usize) -> bool {
        self.pattern.literal
            || (end - from).saturating_mul(self.pattern.weight(self.places.len())) <= self.at_once
    }

    fn at_once(&mut self, from: usize, end: usize) -> bool {
        let input = Input::new(self.text).range(from..end);
        self.pattern.regex.search_slots(&input, &mut self.places).is_some()
    }

    fn step_by_step(&mut self, from: usize, end: usize) -> Result<bool, Expiry> {
        let Self { pattern, text, places, .. } = self;
        let steps = self.steps.get_or_insert_with(|| Steps::new(pattern, text, places.len()));
        steps.search(from, end, places)
    }

    fn end_of_match(&mut self, from: usize) -> Result<Scan, Expiry> {
        let Some(dfa) = &self.pattern.dfa else { return Ok(Scan::Unknown) };
        let cache = self.cache.get_or_insert_with(|| dfa.create_cache());
        scan(dfa, cache, self.text, from, pause(self.pattern.weight(2)))
    }
}

/// What a look at the text has shown.
enum Scan {
    /// There is no match.
    None,
    /// The first match ends here.
    End(usize),
    /// The table is of no use for this text.
    Unknown,
}

fn scan(dfa: &DFA, cache: &mut Cache, text: &str, from: usize, pause: usize) -> Result<Scan, Expiry> {
    let input = Input::new(text).range(from..).anchored(Anchored::No);
    let Ok(mut state) = dfa.start_state_forward(cache, &input) else { return Ok(Scan::Unknown) };
    let mut found = Scan::None;
    let mut at = from;
    for piece in text.as_bytes()[from..].chunks(pause) {
        budget::check()?;
        cache.search_start(at);
        for &byte in piece {
            state = match dfa.next_state(cache, state, byte) {
                Ok(next) => next,
                Err(_) => return Ok(Scan::Unknown),
            };
            if state.is_tagged() {
                // A match is known one byte late.
                if state.is_match() {
                    found = Scan::End(at);
                } else if state.is_dead() {
                    return Ok(found);
                } else if state.is_quit() {
                    return Ok(Scan::Unknown);
                }
            }
            at += 1;
        }
        cache.search_finish(at);
    }
    match dfa.next_eoi_state(cache, state) {
        Ok(last) if last.is_match() => Ok(Scan::End(text.len())),
        Ok(_) => Ok(found),
        Err(_) => Ok(Scan::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ops::Range;

    /// All groups of all matches, found by way of pieces that the library may search at once, of this size.
    fn groups(pattern: &Pattern, text: &str, at_once: usize) -> Vec<Vec<Option<Range<usize>>>> {
        let mut search = Search::with(pattern, text, pattern.slots(), at_once);
        let mut all = Vec::new();
        while search.next().unwrap().is_some() {
            let one =
                (0..pattern.slots() / 2).map(|index| search.group(index).map(|span| span.start..span.end));
            all.push(one.collect());
        }
        all
    }

    fn wholes(pattern: &Pattern, text: &str, at_once: usize) -> Vec<Range<usize>> {
        let mut search = Search::with(pattern, text, 2, at_once);
        std::iter::from_fn(|| search.next().unwrap()).map(|span| span.start..span.end).collect()
    }

    #[test]
    fn all_ways_find_the_same() {
        let patterns = [
            "a",
            "",
            "a*",
            "a+?",
            "(a|ab)(c|bcd)?",
            "(a*)(a*)(b)?",
            "(?:(x)|(y))*",
            "^a",
            "a$",
            "(?m)^.*$",
            "\\b",
            "\\bé\\w*\\b",
            "\\B",
            "(?i)É",
            "[^a]",
            "(\\w+)\\s+(\\w+)",
            "(?s).*",
            "(?s).*?b",
            "(.)(.)(.)?",
            "(a{1,3}){2,3}",
            "\\p{L}{2}",
            "(?:)|a",
            "(a)|b|(c)",
            "(?:a|b)*c",
            "(?-u:\\b)a",
            "x*(?:y|$)",
            "(^|b)(a)",
            "\\d{2,4}-\\d",
            "(?P<n>é)?b",
            "a|ab|abc",
            "(?:abc|ab|a)",
        ];
        let texts = [
            "",
            "a",
            "aaa",
            "abcd abcbcd",
            "é",
            "ébé éa",
            "xyyx yx",
            "a\nb\n\nab",
            "foo bar  baz",
            "日本語 a",
            "2024-1 33-3",
            "bab aab abc",
            "aaaaaaab",
            "É é ÉÉ",
        ];
        for pattern in patterns {
            let compiled = Pattern::compile(pattern).unwrap();
            let library = regex_automata::meta::Regex::new(pattern).unwrap();
            for text in texts {
                let expected: Vec<Range<usize>> =
                    library.find_iter(text).map(|found| found.range()).collect();
                let all: Vec<Vec<Option<Range<usize>>>> = library
                    .captures_iter(text)
                    .map(|groups| groups.iter().map(|group| group.map(|span| span.range())).collect())
                    .collect();
                // None at once, a few bytes, everything.
                for at_once in [0, 3 * compiled.weight(2), usize::MAX] {
                    assert_eq!(wholes(&compiled, text, at_once), expected, "{pattern:?} {text:?} {at_once}");
                    assert_eq!(groups(&compiled, text, at_once), all, "{pattern:?} {text:?} {at_once}");
                }
                // Without the table.
                let bare = Pattern { dfa: None, ..Pattern::compile(pattern).unwrap() };
                assert_eq!(groups(&bare, text, 0), all, "{pattern:?} {text:?}");
            }
        }
    }
}
