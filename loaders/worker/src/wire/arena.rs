//! Memory that both sides have, for what is large.
//!
//! Each direction has a file in memory that its sender writes to and its receiver reads from. The receiver copies what it
//! needs with one call of the system, and looks at nothing in place: a worker can write to it at any time.

use caraway_loaders_core::budget;
use rustix::buffer::spare_capacity;
use rustix::io::Errno;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// From so many bytes on, something is large.
pub(crate) const LARGE: usize = 64 << 10;

/// How much of it one call may use, in bytes; what comes first may be larger.
const ROOM: u64 = 64 << 20;

/// How much of it is kept from call to call, in bytes.
const KEPT: u64 = 16 << 20;

/// What is written for the other side. Nothing is written over while a call lasts.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing(Option<Arc<Space>>);

#[derive(Debug)]
struct Space {
    file: File,
    top: AtomicU64,
}

impl Outgoing {
    pub(crate) fn new(file: Option<File>) -> Self {
        Self(file.map(|file| Arc::new(Space { file, top: AtomicU64::new(0) })))
    }

    /// Writes something large, and says where; `None` where it has to go another way.
    pub(crate) fn store(&self, bytes: &[u8]) -> Option<u64> {
        let space = self.0.as_ref()?;
        let len = bytes.len() as u64;
        let fits = |top: u64| (top == 0 || top + len <= ROOM).then_some(top + len);
        let place = space.top.try_update(Ordering::Relaxed, Ordering::Relaxed, fits).ok()?;
        space.file.write_all_at(bytes, place).ok()?;
        Some(place)
    }

    /// All that was written has been read.
    pub(crate) fn reset(&self) {
        if let Some(space) = &self.0
            && space.top.swap(0, Ordering::Relaxed) > KEPT
        {
            // It is made larger again as it is written.
            let _ = space.file.set_len(0);
        }
    }
}

/// What the other side has written.
#[derive(Debug, Clone)]
pub(crate) struct Incoming(Option<Arc<File>>);

impl Incoming {
    pub(crate) fn new(file: Option<File>) -> Self {
        Self(file.map(Arc::new))
    }

    /// A copy of what was written there; `None` if it is not there, or too large.
    pub(crate) fn fetch(&self, place: u64, len: usize) -> Option<Vec<u8>> {
        let file = self.0.as_ref()?;
        if !budget::can_allocate(len as u64) {
            return None;
        }
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(len).ok()?;
        while bytes.len() < len {
            let at = place.checked_add(bytes.len() as u64)?;
            match rustix::io::pread(file, spare_capacity(&mut bytes), at) {
                Ok(0) => return None,
                Ok(_) | Err(Errno::INTR) => {}
                Err(_) => return None,
            }
        }
        bytes.truncate(len);
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_fetched_until_the_call_ends() {
        let file = tempfile::tempfile().unwrap();
        let incoming = Incoming::new(Some(file.try_clone().unwrap()));
        let outgoing = Outgoing::new(Some(file));
        let (first, second) = (vec![1; LARGE], vec![2; 3 * LARGE]);
        let places = [&first, &second].map(|bytes| outgoing.store(bytes).unwrap());
        assert_eq!(places, [0, LARGE as u64]);
        assert_eq!(incoming.fetch(places[1], second.len()).as_deref(), Some(&second[..]));
        assert_eq!(incoming.fetch(places[0], first.len()).as_deref(), Some(&first[..]));
        assert_eq!(incoming.fetch(places[1], second.len() + 1), None);
        assert_eq!(incoming.fetch(u64::MAX, 1), None);
        assert_eq!(outgoing.store(&vec![0; ROOM as usize]), None);
        outgoing.reset();
        assert_eq!(outgoing.store(&vec![3; ROOM as usize + 1]), Some(0));
        outgoing.reset();
        assert_eq!(incoming.fetch(0, 1), None);
    }

    #[test]
    fn without_memory_everything_goes_another_way() {
        assert_eq!(Outgoing::new(None).store(&[0; LARGE]), None);
        assert_eq!(Incoming::new(None).fetch(0, 1), None);
    }
}
