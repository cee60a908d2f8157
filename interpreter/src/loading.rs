//! Which plugins a thread is loading.

use caraway_loaders_core::{Code, Error};
use std::cell::RefCell;

thread_local! {
    /// The plugins that this thread is loading, outermost first, each with the session that it is for.
    static LOADING: RefCell<Vec<(usize, String)>> = const { RefCell::new(Vec::new()) };
}

/// A plugin that is being loaded, until it is dropped.
pub(crate) struct Loading(());

impl Loading {
    /// Begins to load a plugin for a session, which is known by its address.
    ///
    /// # Errors
    ///
    /// [`Code::Cycle`] if this thread is loading it already: it would wait for itself.
    pub(crate) fn begin(session: usize, id: &str) -> Result<Self, Error> {
        LOADING.with_borrow_mut(|loading| {
            let entry = (session, id.to_owned());
            if let Some(start) = loading.iter().position(|other| *other == entry) {
                let circle: Vec<&str> = loading[start..].iter().map(|(_, id)| id.as_str()).collect();
                let circle = circle.join(" -> ");
                return Err(Error::new(Code::Cycle, format!("plugins load each other: {circle} -> {id}")));
            }
            loading.push(entry);
            Ok(Self(()))
        })
    }
}

impl Drop for Loading {
    fn drop(&mut self) {
        LOADING.with_borrow_mut(|loading| loading.pop());
    }
}
