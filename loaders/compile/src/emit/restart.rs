//! Whether a turn of a loop can be begun again.
//!
//! Where a page of a buffer is not there, the host has to be called. In a loop, what is carried from turn to turn would
//! be in memory because of that call, even if it never comes. So as long as a turn has done nothing that cannot be done
//! again, it is given up instead: the host is called behind the loop, which is then entered again.

use crate::ir::Local;
use std::collections::BTreeSet;

/// What a turn has done so far.
#[derive(Clone)]
pub(super) struct Restart {
    /// The block behind the loop.
    pub(super) label: u32,
    is_possible: bool,
    /// What was read as the turn before has left it.
    read: BTreeSet<Local>,
    written: BTreeSet<Local>,
}

impl Restart {
    /// That of a turn that begins; none if the loop has no such block.
    pub(super) fn new(label: Option<u32>) -> Self {
        Self {
            label: label.unwrap_or_default(),
            is_possible: label.is_some(),
            read: BTreeSet::new(),
            written: BTreeSet::new(),
        }
    }

    pub(super) fn is_possible(&self) -> bool {
        self.is_possible
    }

    /// Something is done that must be done once.
    pub(super) fn prevent(&mut self) {
        self.is_possible = false;
    }

    pub(super) fn read(&mut self, local: Local) {
        if !self.written.contains(&local) {
            self.read.insert(local);
        }
    }

    /// A second time, what was read before would be another value.
    pub(super) fn write(&mut self, local: Local) {
        if self.read.contains(&local) {
            self.prevent();
        }
        self.written.insert(local);
    }

    /// What certainly has been written, to come back to behind what may not be done.
    pub(super) fn certain(&self) -> BTreeSet<Local> {
        self.written.clone()
    }

    pub(super) fn go_back_to(&mut self, certain: &BTreeSet<Local>) {
        self.written.clone_from(certain);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_must_not_be_written() {
        let mut turn = Restart::new(Some(1));
        turn.write(0);
        turn.read(0);
        turn.write(0);
        assert!(turn.is_possible());
        turn.read(1);
        turn.write(1);
        assert!(!turn.is_possible());
    }

    #[test]
    fn what_may_have_been_written_may_be_read_as_it_was() {
        let mut turn = Restart::new(Some(1));
        let certain = turn.certain();
        turn.write(0);
        turn.go_back_to(&certain);
        turn.read(0);
        assert!(turn.is_possible());
        turn.write(0);
        assert!(!turn.is_possible());
    }
}
