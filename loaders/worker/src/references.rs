//! Functions, handles and errors that one side has and the other knows by number.

use crate::exports::HERE;
use crate::peer::Peer;
use crate::shared::Shared;
use crate::wire::{Foreign, Malformed, References, Tag, Writer};
use caraway_loaders_core::bind::Binder;
use caraway_loaders_core::bind::conform::type_name;
use caraway_loaders_core::handle::{Class, Handle, WeakHandle};
use caraway_loaders_core::{Code, Error, ErrorValue};
use parking_lot::Mutex;
use rhai::{AST, Dynamic, Engine, EvalAltResult, FnPtr, NativeCallContext, Position};
use std::any::Any;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};

/// How many errors are kept for the case that they come back.
const MAX_ERRORS: usize = 64;

/// What is known by number.
#[derive(Default)]
pub(crate) struct Tables {
    functions: Mutex<Functions>,
    lent: Mutex<LentHandles>,
    /// Handles of the other side's, so that the same one is always the same value.
    borrowed: Mutex<HashMap<u64, WeakHandle>>,
    classes: Mutex<HashMap<(String, String), Arc<Class>>>,
    /// Handles of the other side's that were let go, and how often each had been lent.
    released: Mutex<Vec<(u64, u64)>>,
    errors: Mutex<Errors>,
    pub(crate) shared: Mutex<Shared>,
    caller: OnceLock<Engine>,
}

#[derive(Default)]
struct Functions {
    next: u32,
    live: HashMap<u32, FnPtr>,
}

#[derive(Default)]
struct LentHandles {
    next: u64,
    /// How often each was lent, and not released.
    live: HashMap<u64, (Dynamic, u64)>,
    ids: HashMap<usize, u64>,
}

#[derive(Default)]
struct Errors {
    next: u32,
    /// Errors of ours that the other side may pass back.
    ours: Vec<(u32, Box<EvalAltResult>)>,
    /// Errors of the other side's that we may pass back.
    theirs: Vec<(u32, Arc<Error>)>,
}

/// A handle of the other side's.
struct Borrowed {
    peer: Weak<Peer>,
    id: u64,
    count: AtomicU64,
    _keeper: Option<Arc<dyn Any + Send + Sync>>,
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        if let Some(peer) = self.peer.upgrade() {
            let tables = &peer.tables;
            tables.borrowed.lock().remove(&self.id);
            tables.released.lock().push((self.id, self.count.load(Ordering::Relaxed)));
        }
    }
}

impl Tables {
    /// Makes a class known, whose handles are the other side's.
    pub(crate) fn add_class(&self, class: &Arc<Class>) {
        let key = (class.plugin().to_owned(), class.name().to_owned());
        self.classes.lock().insert(key, class.clone());
    }

    fn class(&self, plugin: String, name: String) -> Arc<Class> {
        let new = || Binder::new(&plugin, &plugin).class(&name);
        self.classes.lock().entry((plugin.clone(), name.clone())).or_insert_with(new).clone()
    }

    /// Lets go of all handles that the other side was lent.
    pub(crate) fn clear(&self) {
        let lent = std::mem::take(&mut *self.lent.lock());
        drop(lent);
    }

    /// Calls a function that is being passed.
    pub(crate) fn call_function(&self, id: u32, args: Vec<Dynamic>) -> Result<Dynamic, Box<EvalAltResult>> {
        let Some(function) = self.functions.lock().live.get(&id).cloned() else {
            let error =
                Error::new(Code::CallbackExpired, "a callback was called after the call that it belongs to")
                    .hint("a callback is valid during the call only; do not keep it");
            return Err(error.raise(Position::NONE));
        };
        // The function has an engine of its own: this one is only asked to call it.
        let mut ast = AST::empty();
        ast.set_source(HERE);
        function.call(self.caller.get_or_init(Engine::new_raw), &ast, args)
    }

    fn lend(&self, value: &Dynamic, handle: &Handle) -> u64 {
        let mut lent = self.lent.lock();
        let identity = handle.identity();
        if let Some(id) = lent.ids.get(&identity).copied()
            && let Some((_, count)) = lent.live.get_mut(&id)
        {
            *count += 1;
            return id;
        }
        let id = lent.next;
        lent.next += 1;
        lent.live.insert(id, (value.clone(), 1));
        lent.ids.insert(identity, id);
        id
    }

    /// The other side lets go of a handle that it was lent so often.
    pub(crate) fn released(&self, id: u64, count: u64) {
        let mut lent = self.lent.lock();
        let Some((_, left)) = lent.live.get_mut(&id) else { return };
        *left = left.saturating_sub(count);
        if *left > 0 {
            return;
        }
        let gone = lent.live.remove(&id);
        lent.ids.retain(|_, other| *other != id);
        drop(lent);
        // Its destructor may do anything.
        drop(gone);
    }

    /// What to tell the other side of handles that were let go.
    pub(crate) fn take_released(&self) -> Option<Writer> {
        let released = std::mem::take(&mut *self.released.lock());
        if released.is_empty() {
            return None;
        }
        let mut out = Tag::Release.message();
        out.list(released.into_iter(), |out, (id, count)| {
            out.u64(id);
            out.u64(count);
        });
        Some(out)
    }

    /// Keeps an error of ours that goes to the other side, and gives its number.
    pub(crate) fn pass(&self, error: Box<EvalAltResult>) -> u32 {
        let mut errors = self.errors.lock();
        let id = errors.next;
        errors.next = errors.next.wrapping_add(1);
        if errors.ours.len() >= MAX_ERRORS {
            drop(errors.ours.remove(0));
        }
        errors.ours.push((id, error));
        id
    }

    /// An error of ours that comes back.
    pub(crate) fn passed(&self, id: u32) -> Option<Box<EvalAltResult>> {
        let mut errors = self.errors.lock();
        let place = errors.ours.iter().position(|(known, _)| *known == id)?;
        Some(errors.ours.swap_remove(place).1)
    }

    /// The number of an error of the other side's, if this is what it made the side stop with, on its way back: Rhai takes
    /// it for a result where a program would end.
    pub(crate) fn stopping(&self, result: &Dynamic) -> Option<u32> {
        let value = result.read_lock::<ErrorValue>()?;
        let errors = self.errors.lock();
        errors.theirs.iter().find(|(_, theirs)| Arc::ptr_eq(theirs, &value.0)).map(|(id, _)| *id)
    }

    /// Forgets all errors: the call that they could pass through is over.
    pub(crate) fn forget_errors(&self) {
        let mut errors = self.errors.lock();
        errors.theirs.clear();
        errors.ours.clear();
    }

    /// The number of an error of the other side's, if this is one on its way back.
    pub(crate) fn passing_back(&self, error: &EvalAltResult) -> Option<u32> {
        let EvalAltResult::ErrorRuntime(value, _) = error.unwrap_inner() else { return None };
        let errors = self.errors.lock();
        let found = match value.read_lock::<ErrorValue>() {
            Some(value) => errors.theirs.iter().find(|(_, theirs)| Arc::ptr_eq(theirs, &value.0)),
            // A value that is thrown is no one's own: the last one that looks like it is taken for it.
            None => {
                let told = format!("{value:?}");
                let is_it =
                    |error: &Error| error.thrown().is_some_and(|thrown| format!("{thrown:?}") == told);
                errors.theirs.iter().rev().find(|(_, theirs)| is_it(theirs))
            }
        };
        found.map(|(id, _)| *id)
    }

    /// An error of the other side's that may go back to it: that of a callback, or what stopped it.
    pub(crate) fn received(&self, id: u32, error: Error, stopped: bool) -> Box<EvalAltResult> {
        let thrown = error.thrown().cloned();
        let kept = Arc::new(error);
        let mut errors = self.errors.lock();
        if errors.theirs.len() >= MAX_ERRORS {
            errors.theirs.remove(0);
        }
        errors.theirs.push((id, kept.clone()));
        let value = Dynamic::from(ErrorValue(kept));
        Box::new(match thrown {
            // What Rhai lets nobody catch, and scripts of plugins pass on.
            _ if stopped => EvalAltResult::Exit(value, Position::NONE),
            Some(thrown) => EvalAltResult::ErrorRuntime(thrown, Position::NONE),
            None => EvalAltResult::ErrorRuntime(value, Position::NONE),
        })
    }
}

/// Writes and reads what is no data in the values of one call. The functions that it passes are forgotten when it is
/// dropped.
pub(crate) struct Passing<'a> {
    peer: &'a Arc<Peer>,
    functions: RefCell<Vec<u32>>,
}

impl<'a> Passing<'a> {
    pub(crate) fn new(peer: &'a Arc<Peer>) -> Self {
        Self { peer, functions: RefCell::default() }
    }
}

impl Drop for Passing<'_> {
    fn drop(&mut self) {
        let passed = self.functions.take();
        if !passed.is_empty() {
            let mut functions = self.peer.tables.functions.lock();
            passed.iter().for_each(|id| drop(functions.live.remove(id)));
        }
    }
}

impl References for Passing<'_> {
    fn refer(&self, value: &Dynamic) -> Result<Foreign, Error> {
        let tables = &self.peer.tables;
        if let Some(function) = value.read_lock::<FnPtr>() {
            let mut functions = tables.functions.lock();
            let id = functions.next;
            functions.next = functions.next.wrapping_add(1);
            functions.live.insert(id, function.clone());
            self.functions.borrow_mut().push(id);
            return Ok(Foreign::Function(id));
        }
        let Some(handle) = Handle::of(value) else {
            let message = format!("is {}, which cannot leave its process", type_name(value));
            return Err(Error::new(Code::ValueRefused, message).hint("pass data, or a handle of a plugin"));
        };
        match handle.resource::<Borrowed>() {
            Some(borrowed) if std::ptr::eq(borrowed.peer.as_ptr(), Arc::as_ptr(self.peer)) => {
                Ok(Foreign::Returned(borrowed.id))
            }
            Some(borrowed) if borrowed.peer.upgrade().is_none_or(|peer| peer.has_ended()) => {
                let message =
                    format!("is {}, which was lost with the process that it was in", handle.class());
                Err(Error::new(Code::ValueRefused, message).hint("make a new one"))
            }
            _ => {
                let (class, plugin) = (handle.class().name().to_owned(), handle.class().plugin().to_owned());
                Ok(Foreign::Lent { id: tables.lend(value, &handle), class, plugin })
            }
        }
    }

    fn store(&self, bytes: &[u8]) -> Option<u64> {
        self.peer.outgoing.store(bytes)
    }

    fn fetch(&self, place: u64, len: usize) -> Option<Vec<u8>> {
        self.peer.incoming.fetch(place, len)
    }

    fn share(&self, buffer: &Dynamic) -> Result<Option<(u32, bool)>, Error> {
        self.peer.tables.shared.lock().share(buffer)
    }

    fn shared(&self, id: u32, buffer: &Dynamic) {
        self.peer.tables.shared.lock().received(id, buffer);
    }

    fn known(&self, id: u32) -> Result<Dynamic, Malformed> {
        self.peer.tables.shared.lock().known(id)
    }

    fn resolve(&self, foreign: Foreign) -> Result<Dynamic, Malformed> {
        let tables = &self.peer.tables;
        match foreign {
            Foreign::Function(id) => Ok(self.function(id)),
            Foreign::Returned(id) => {
                let lent = tables.lent.lock();
                lent.live
                    .get(&id)
                    .map(|(value, _)| value.clone())
                    .ok_or(Malformed("no handle has this number"))
            }
            Foreign::Lent { id, class, plugin } => {
                let known = tables.borrowed.lock().get(&id).and_then(WeakHandle::upgrade);
                if let Some(handle) = known
                    && let Some(borrowed) = handle.resource::<Borrowed>()
                {
                    borrowed.count.fetch_add(1, Ordering::Relaxed);
                    return Ok(Dynamic::from(handle));
                }
                let class = tables.class(plugin, class);
                let borrowed = Borrowed {
                    peer: Arc::downgrade(self.peer),
                    id,
                    count: AtomicU64::new(1),
                    _keeper: self.peer.keeper(),
                };
                let value = Handle::new(&class, borrowed);
                if let Some(handle) = Handle::of(&value) {
                    tables.borrowed.lock().insert(id, handle.downgrade());
                }
                Ok(value)
            }
        }
    }
}

impl Passing<'_> {
    /// A function that calls the other side's.
    fn function(&self, id: u32) -> Dynamic {
        let peer = Arc::downgrade(self.peer);
        let call = move |context: NativeCallContext, args: &mut [&mut Dynamic]| {
            let expired = || {
                Error::new(
                    Code::CallbackExpired,
                    "a callback was called after the process that it is in was gone",
                )
                .raise(context.call_position())
            };
            let peer = peer.upgrade().ok_or_else(expired)?;
            peer.call_back(id, &context, args)
        };
        #[allow(deprecated)] // Rhai's mark for an interface that may change; the version is pinned.
        FnPtr::from_fn("callback", call).map_or(Dynamic::UNIT, Dynamic::from)
    }
}
