//! A search that can be stopped: all ways through a pattern at once, byte by byte.
//!
//! It is Pike's machine on the library's own program. The library has one, which cannot be stopped, and takes 18 seconds
//! for a hostile pattern and 100 kB of text.

use super::pattern::Pattern;
use caraway_loaders_core::budget::{self, Expiry};
use regex_automata::nfa::thompson::State;
use regex_automata::util::primitives::{NonMaxUsize, StateID};

/// A place in the text, if there is one.
pub(super) type Place = Option<NonMaxUsize>;

/// How much is done between two looks at the budget: some milliseconds of it.
const WORK_PER_LOOK: usize = 500_000;

/// The ways that are open after some byte, the preferred first.
struct Threads {
    /// The states in order.
    order: Vec<StateID>,
    /// For each state, its index in `order`, where that is its own.
    index: Vec<usize>,
    /// For each state, the places that its way has passed.
    places: Vec<Place>,
}

impl Threads {
    fn new(states: usize, slots: usize) -> Self {
        Self { order: Vec::with_capacity(states), index: vec![0; states], places: vec![None; states * slots] }
    }

    /// Adds a state, unless it is there.
    fn insert(&mut self, state: StateID) -> bool {
        let index = self.index[state.as_usize()];
        if self.order.get(index) == Some(&state) {
            return false;
        }
        self.index[state.as_usize()] = self.order.len();
        self.order.push(state);
        true
    }
}

/// What is left to do while the states are found that no byte lies before.
enum Task {
    Visit(StateID),
    /// Puts back the place that another way has.
    Restore(usize, Place),
}

/// The machine for one pattern and one text.
pub(super) struct Steps<'a> {
    pattern: &'a Pattern,
    text: &'a str,
    now: Threads,
    next: Threads,
    tasks: Vec<Task>,
}

impl<'a> Steps<'a> {
    /// A machine that finds up to `slots` places.
    pub(super) fn new(pattern: &'a Pattern, text: &'a str, slots: usize) -> Self {
        let states = pattern.nfa.states().len();
        let (now, next) = (Threads::new(states, slots), Threads::new(states, slots));
        Self { pattern, text, now, next, tasks: Vec::new() }
    }

    /// The first match that begins at `start` or later and ends at `end` or before.
    pub(super) fn search(&mut self, start: usize, end: usize, found: &mut [Place]) -> Result<bool, Expiry> {
        let Self { pattern, text, now, next, tasks } = self;
        let mut closure = Closure { pattern, text: text.as_bytes(), tasks, way: vec![None; found.len()] };
        let pause = pause(pattern.weight(found.len()));
        let mut matched = false;
        now.order.clear();
        next.order.clear();
        for at in start..=end {
            if (at - start).is_multiple_of(pause) {
                budget::check()?;
            }
            if now.order.is_empty() && matched {
                break;
            }
            // A match of nothing within a character is none.
            if !matched && text.is_char_boundary(at) {
                closure.way.fill(None);
                closure.follow(pattern.nfa.start_anchored(), at, now);
            }
            matched |= closure.step(at, end, now, next, found);
            std::mem::swap(now, next);
            next.order.clear();
        }
        Ok(matched)
    }
}

/// After how many bytes the budget is looked at, where each costs so much.
pub(super) fn pause(weight: usize) -> usize {
    (WORK_PER_LOOK / weight.max(1)).clamp(1, 1 << 14)
}

/// Finds the states that are reached from one without reading a byte.
struct Closure<'a> {
    pattern: &'a Pattern,
    text: &'a [u8],
    tasks: &'a mut Vec<Task>,
    /// The places that the way has passed which is followed.
    way: Vec<Place>,
}

impl Closure<'_> {
    /// Reads the byte at `at` on every way; says whether one of them has come to its end, before that byte.
    fn step(
        &mut self,
        at: usize,
        end: usize,
        now: &Threads,
        next: &mut Threads,
        found: &mut [Place],
    ) -> bool {
        let slots = found.len();
        let byte = self.text.get(at).copied().filter(|_| at < end);
        for &state in &now.order {
            let places = || &now.places[state.as_usize() * slots..][..slots];
            let to = match (self.pattern.nfa.state(state), byte) {
                // What comes after it is not preferred to it.
                (State::Match { .. }, _) => {
                    found.copy_from_slice(places());
                    return true;
                }
                (State::ByteRange { trans }, Some(byte)) => trans.matches_byte(byte).then_some(trans.next),
                (State::Sparse(transitions), Some(byte)) => transitions.matches_byte(byte),
                (State::Dense(transitions), Some(byte)) => transitions.matches_byte(byte),
                _ => None,
            };
            if let Some(to) = to {
                self.way.copy_from_slice(places());
                self.follow(to, at + 1, next);
            }
        }
        false
    }

    /// Adds what a state leads to at `at`.
    fn follow(&mut self, state: StateID, at: usize, threads: &mut Threads) {
        self.tasks.push(Task::Visit(state));
        while let Some(task) = self.tasks.pop() {
            match task {
                Task::Restore(slot, place) => self.way[slot] = place,
                Task::Visit(state) => self.visit(state, at, threads),
            }
        }
    }

    fn visit(&mut self, mut state: StateID, at: usize, threads: &mut Threads) {
        let nfa = &self.pattern.nfa;
        while threads.insert(state) {
            state = match nfa.state(state) {
                State::Look { look, next } if nfa.look_matcher().matches(*look, self.text, at) => *next,
                State::Look { .. } | State::Fail => return,
                State::BinaryUnion { alt1, alt2 } => {
                    self.tasks.push(Task::Visit(*alt2));
                    *alt1
                }
                State::Union { alternates } => {
                    let Some((first, others)) = alternates.split_first() else { return };
                    self.tasks.extend(others.iter().rev().map(|&other| Task::Visit(other)));
                    *first
                }
                State::Capture { next, slot, .. } => {
                    let slot = slot.as_usize();
                    if let Some(place) = self.way.get_mut(slot) {
                        self.tasks.push(Task::Restore(slot, *place));
                        *place = NonMaxUsize::new(at);
                    }
                    *next
                }
                State::ByteRange { .. } | State::Sparse(_) | State::Dense(_) | State::Match { .. } => {
                    let slots = self.way.len();
                    threads.places[state.as_usize() * slots..][..slots].copy_from_slice(&self.way);
                    return;
                }
            };
        }
    }
}
