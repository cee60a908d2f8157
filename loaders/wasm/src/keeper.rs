//! A plugin's store: who is in it, how it is stopped, and a fresh one where something went wrong.

use crate::fault;
use crate::machine::Machine;
use crate::memory::{DEFAULT_LIMIT, MemoryMeter};
use crate::wasi::Stopped;
use caraway_loaders_core::bind::CallError;
use caraway_loaders_core::budget::{self, Frame, Meter};
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::{Code, Error};
use parking_lot::{Mutex, MutexGuard};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use wasmtime::{Store, UpdateDeadline};

/// How long to wait for another thread's call before looking at the budget again.
const TURN: Duration = Duration::from_millis(20);

/// What is run in a store.
pub(crate) trait Program {
    /// The state of the store.
    type Data: Metered + Send + 'static;
    /// What is called in it.
    type Instance: Send;

    /// The state of a store whose guest may use `memory`.
    fn data(&self, memory: MemoryMeter) -> Self::Data;

    /// Makes the instance, and runs its own initialisation.
    fn instantiate(&self, store: &mut Store<Self::Data>) -> wasmtime::Result<Self::Instance>;
}

/// State with a meter of memory in it.
pub(crate) trait Metered {
    /// The meter.
    fn memory(&mut self) -> &mut MemoryMeter;
}

impl Metered for MemoryMeter {
    fn memory(&mut self) -> &mut MemoryMeter {
        self
    }
}

/// Why a call gave nothing back.
pub(crate) enum Failure {
    /// The guest failed, and its store is lost.
    Fault(wasmtime::Error),
    /// The guest is well, but its result cannot be used.
    Refused(Error),
}

impl From<wasmtime::Error> for Failure {
    fn from(error: wasmtime::Error) -> Self {
        Self::Fault(error)
    }
}

/// Keeps the store of one plugin.
pub(crate) struct Keeper<P: Program> {
    name: String,
    machine: Arc<Machine>,
    program: P,
    meter: Meter,
    /// How much memory the guest may use, in bytes.
    memory: u64,
    /// None before the start and after a fault.
    live: Mutex<Option<Live<P>>>,
    /// The thread that holds `live`, as [`thread_mark`] tells it; 0 for none.
    holder: AtomicUsize,
}

/// A store with an instance in it.
struct Live<P: Program> {
    store: Store<P::Data>,
    instance: P::Instance,
}

impl<P: Program> Keeper<P> {
    /// A keeper with no store yet, for the plugin `name`.
    pub(crate) fn new(name: &str, machine: Arc<Machine>, limits: &Limits, program: P) -> Self {
        // The guest's memory is counted by its store.
        let mut time = *limits;
        time.memory = None;
        Self {
            name: name.to_owned(),
            machine,
            program,
            meter: Meter::plugin(name, &time),
            memory: limits.memory.unwrap_or(DEFAULT_LIMIT),
            live: Mutex::new(None),
            holder: AtomicUsize::new(0),
        }
    }

    /// What runs in the store.
    pub(crate) fn program(&self) -> &P {
        &self.program
    }

    /// Makes the store, which runs the guest's own initialisation.
    ///
    /// # Errors
    ///
    /// Whatever that ends in: traps, limits.
    pub(crate) fn start(&self) -> Result<(), Error> {
        let frame = self.meter.enter()?;
        let _running = self.machine.running();
        let live = self.fresh(&frame).map_err(|error| match error {
            CallError::Error(error) => error,
            CallError::Expired(expiry) => expiry.error().clone(),
            CallError::Rhai(error) => Error::new(Code::Internal, error.to_string()),
        })?;
        *self.live.lock() = Some(live);
        Ok(())
    }

    /// Runs `call` in the plugin's store, for its function of this name. A store in which something went wrong is
    /// thrown away.
    ///
    /// # Errors
    ///
    /// Faults of the guest, limits, and what `call` refuses.
    pub(crate) fn run<R>(
        &self,
        function: &str,
        call: impl FnOnce(&P::Instance, &mut Store<P::Data>) -> Result<R, Failure>,
    ) -> Result<R, CallError> {
        let frame = self.meter.enter()?;
        let mut turn = self.turn(function, &frame)?;
        let _running = self.machine.running();
        let live = match &mut *turn.live {
            Some(live) => live,
            none => none.insert(self.fresh(&frame)?),
        };
        live.store.set_epoch_deadline(1);
        match call(&live.instance, &mut live.store) {
            Ok(result) => Ok(result),
            Err(Failure::Refused(error)) => Err(error.into()),
            Err(Failure::Fault(error)) => {
                let name = format!("{}::{function}", self.name);
                let error = fault::explain(&error, &name, live.store.data_mut().memory(), &frame);
                *turn.live = None;
                Err(error)
            }
        }
    }

    /// A fresh store.
    fn fresh(&self, frame: &Frame) -> Result<Live<P>, CallError> {
        let data = self.program.data(MemoryMeter::new(self.memory));
        let mut store = Store::new(self.machine.engine(), data);
        store.limiter(|data| data.memory());
        store.epoch_deadline_callback(|_| match budget::check() {
            Ok(()) => Ok(UpdateDeadline::Continue(1)),
            Err(expiry) => Err(Stopped(expiry).into()),
        });
        store.set_epoch_deadline(1);
        match self.program.instantiate(&mut store) {
            Ok(instance) => Ok(Live { store, instance }),
            Err(error) => Err(fault::explain(&error, &self.name, store.data_mut().memory(), frame)),
        }
    }

    /// Waits until no other thread is in the plugin.
    fn turn(&self, function: &str, frame: &Frame) -> Result<Turn<'_, P>, CallError> {
        let mark = thread_mark();
        if self.holder.load(Ordering::Relaxed) == mark {
            let message =
                format!("`{0}::{function}` was called while a function of `{0}` was running", self.name);
            return Err(Error::new(Code::Limit, message)
                .hint("a plugin in WebAssembly cannot be entered a second time before its call returns")
                .into());
        }
        let live = loop {
            if let Some(live) = self.live.try_lock_for(TURN) {
                break live;
            }
            if let Err(expiry) = budget::check() {
                return Err(fault::settle(expiry, frame));
            }
        };
        self.holder.store(mark, Ordering::Relaxed);
        Ok(Turn { live, holder: &self.holder })
    }
}

/// The right to use a plugin's store.
struct Turn<'a, P: Program> {
    live: MutexGuard<'a, Option<Live<P>>>,
    holder: &'a AtomicUsize,
}

impl<P: Program> Drop for Turn<'_, P> {
    fn drop(&mut self) {
        self.holder.store(0, Ordering::Relaxed);
    }
}

/// A number that no two threads have at the same time, and that is never 0.
fn thread_mark() -> usize {
    thread_local! {
        static MARK: u8 = const { 0 };
    }
    MARK.with(|mark| std::ptr::from_ref(mark).addr())
}
