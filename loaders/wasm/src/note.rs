//! What a loader says of its work.

use std::fmt;
use std::sync::Arc;

/// What a loader says of its work, for whoever waits for it or wonders about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note<'a> {
    /// A component has been compiling for a second, and is not done.
    Compiling {
        /// The plugin's name.
        plugin: &'a str,
    },
    /// The cache was not used, and why.
    CacheUnused {
        /// What is wrong with it.
        problem: &'a str,
    },
}

/// Who is told.
#[derive(Clone, Default)]
pub(crate) struct Notes(Option<Arc<Listener>>);

type Listener = dyn Fn(Note<'_>) + Send + Sync;

impl Notes {
    pub(crate) fn new(listener: impl Fn(Note<'_>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(listener)))
    }

    pub(crate) fn tell(&self, note: Note<'_>) {
        if let Some(listener) = &self.0 {
            listener(note);
        }
    }
}

impl fmt::Debug for Notes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Notes").field(&self.0.is_some()).finish()
    }
}
