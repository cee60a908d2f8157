//! The stores that calls run in.

use super::buffers::Buffers;
use super::entry::Entry;
use caraway_loaders_core::Error;
use caraway_loaders_core::budget::Expiry;
use caraway_loaders_wasm::Busy;
use parking_lot::Mutex;
use rhai::EvalAltResult;
use wasmtime::{Memory, Store};

/// How many stores are kept for later calls.
const MAX_IDLE: usize = 32;

/// The state of a store.
#[derive(Default)]
pub(super) struct State {
    /// Why the call that has just ended did so before its time.
    pub(super) cause: Option<Cause>,
    /// What more was told before something failed.
    pub(super) told: Vec<i64>,
    /// How many numbers a buffer can have; 0 for no limit.
    pub(super) max_numbers: usize,
    /// Of the call that is going on.
    pub(super) buffers: Buffers,
    /// The module's memory, if it uses buffers.
    pub(super) memory: Option<Memory>,
}

/// Why a call ended before its time.
pub(super) enum Cause {
    /// What was told when something failed at a site.
    Failed { x: i64, y: i64, site: u32 },
    /// A limit is used up.
    Expired(Expiry),
    /// A buffer cannot be used at a site.
    Buffer { error: Error, site: u32 },
    /// An imported function failed.
    Import(Box<EvalAltResult>),
}

/// The error for wasmtime, with its cause kept in the store.
pub(super) fn stopped(state: &mut State, cause: Cause) -> wasmtime::Error {
    state.cause = Some(cause);
    wasmtime::Error::msg("stopped")
}

/// A store with an instance in it. Nothing in it lasts from one call to the next, whatever the first ended in.
pub(super) struct Live {
    pub(super) store: Store<State>,
    /// The functions that can be called, by their places in the roots.
    pub(super) entries: Vec<Entry>,
}

/// Stores of one module: one for each call that is going on, and some that wait.
#[derive(Default)]
pub(super) struct Pool(Mutex<Stores>);

#[derive(Default)]
struct Stores {
    idle: Vec<Live>,
    /// How many calls are going on.
    running: usize,
}

impl Busy for Pool {
    fn is_busy(&self) -> bool {
        self.0.lock().running > 0
    }
}

impl Pool {
    /// A place for a call, with a store if one waits.
    pub(super) fn take(&self) -> Lease<'_> {
        let mut stores = self.0.lock();
        stores.running += 1;
        Lease { live: stores.idle.pop(), pool: self }
    }
}

/// A place for a call, until this is dropped.
pub(super) struct Lease<'a> {
    pub(super) live: Option<Live>,
    pool: &'a Pool,
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let mut stores = self.pool.0.lock();
        stores.running -= 1;
        // A call that panicked has left its store as it was.
        let kept = stores.idle.len() < MAX_IDLE && !std::thread::panicking();
        if let Some(live) = self.live.take().filter(|_| kept) {
            stores.idle.push(live);
        }
    }
}
