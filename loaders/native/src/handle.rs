//! The plugin's words for its handles.

use crate::life::Life;
use caraway_loaders_core::handle::{Class as Kind, Handle};
use rhai::Dynamic;
use std::sync::Arc;

/// A class of the library, and what to do with its words.
#[derive(Debug, Clone)]
pub(crate) struct Class {
    pub(crate) kind: Arc<Kind>,
    pub(crate) drop: unsafe extern "C" fn(handle: u64),
}

/// A handle's word, which goes back to the plugin when nobody has it any more.
struct Held {
    word: u64,
    drop: unsafe extern "C" fn(handle: u64),
    /// Outlives the call of `drop`.
    _life: Arc<Life>,
}

impl Drop for Held {
    fn drop(&mut self) {
        // SAFETY: a function gave the word back as a handle, for this one `Held`; the plugin is alive.
        unsafe { (self.drop)(self.word) }
    }
}

impl Class {
    /// The handle that a function gave back.
    pub(crate) fn handle(&self, word: u64, life: &Arc<Life>) -> Dynamic {
        Handle::new(&self.kind, Held { word, drop: self.drop, _life: life.clone() })
    }
}

/// The plugin's word for a handle of just this class, good for as long as the handle is. The binding has looked at
/// the class already; but who has a shared variable can put another handle into it.
#[inline]
pub(crate) fn word(handle: &Handle, class: ClassId) -> Option<u64> {
    let same = ClassId::of(handle.class()) == class;
    handle.resource::<Held>().filter(|_| same).map(|held| held.word)
}

/// Which class it is, for as long as it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClassId(usize);

impl ClassId {
    pub(crate) fn of(class: &Arc<Kind>) -> Self {
        Self(Arc::as_ptr(class) as usize)
    }
}
