//! A plugin's store: who is in it, how it is stopped, and a fresh one where something went wrong.

use crate::fault;
use crate::machine::Machine;
use crate::memory::{DEFAULT_LIMIT, MemoryMeter};
use crate::seat::{Guard, Seat};
use crate::wasi::Stopped;
use caraway_loaders_core::bind::CallError;
use caraway_loaders_core::budget::{self, Frame, Meter};
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::{Code, Error};
use std::sync::Arc;
use std::time::Duration;
use wasmtime::{Store, UpdateDeadline};

/// How long to wait for another thread's call before looking at the budget again.
const TURN: Duration = Duration::from_millis(20);

/// How many bytes of the host's memory what a call hands over may take while it is taken over, where its caller has as
/// many. A list that has no direct way takes 40 for each element.
const MAX_HANDED_OVER: usize = 1 << 30;

fn handed_over() -> usize {
    let left = budget::memory_left().and_then(|left| usize::try_from(left).ok());
    left.unwrap_or(usize::MAX).min(MAX_HANDED_OVER)
}

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

    /// Whether the store is kept from call to call.
    fn persistent(&self) -> bool {
        true
    }

    /// Done in a store that has been called before, ahead of what comes next: destructors that wait. A fault costs
    /// the plugin its state, as in a call.
    fn tidy(&self, _: &Self::Instance, _: &mut Store<Self::Data>) -> wasmtime::Result<()> {
        Ok(())
    }

    /// Says what became of [`tidy`](Program::tidy), which has no caller.
    fn untidy(&self, _: &Error) {}
}

/// State with a meter of memory in it.
pub(crate) trait Metered {
    /// The meter.
    fn memory(&mut self) -> &mut MemoryMeter;

    /// Lets go of what the guest has begun to print.
    fn flush(&self) {}
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

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Refused(error)
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
    live: Seat<Option<Live<P>>>,
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
        let live = Seat::new(None);
        machine.watch(live.taken());
        Self {
            name: name.to_owned(),
            machine,
            program,
            meter: Meter::plugin(name, &time),
            memory: limits.memory.unwrap_or(DEFAULT_LIMIT),
            live,
        }
    }

    /// The plugin's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What runs in the store.
    pub(crate) fn program(&self) -> &P {
        &self.program
    }

    /// How much memory the guest may use, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        self.memory
    }

    /// Makes the store, which runs the guest's own initialisation.
    ///
    /// # Errors
    ///
    /// Whatever that ends in: traps, limits.
    pub(crate) fn start(&self) -> Result<(), Error> {
        let started = self.run(&self.name, |_, _| Ok(()));
        started.map_err(|error| match error {
            CallError::Error(error) => error,
            CallError::Expired(expiry) => expiry.error().clone(),
            CallError::Rhai(error) => Error::new(Code::Internal, error.to_string()),
        })
    }

    /// Runs `call` in the plugin's store, for its function of this name. A store in which something went wrong is
    /// thrown away.
    ///
    /// # Errors
    ///
    /// Faults of the guest, limits, and what `call` refuses.
    #[inline]
    pub(crate) fn run<R>(
        &self,
        function: &str,
        call: impl FnOnce(&P::Instance, &mut Store<P::Data>) -> Result<R, Failure>,
    ) -> Result<R, CallError> {
        let frame = self.meter.enter()?;
        let mut turn = self.turn(function, &frame)?;
        self.tidy(&mut turn, &frame);
        let live = match &mut *turn {
            Some(live) => live,
            none => none.insert(self.fresh(&frame)?),
        };
        live.store.set_epoch_deadline(1);
        live.store.set_hostcall_fuel(handed_over());
        let result = call(&live.instance, &mut live.store);
        live.store.data().flush();
        let result = match result {
            Ok(result) => {
                frame.finish().map(|()| result).map_err(|expiry| CallError::at_boundary(expiry, &frame))
            }
            Err(Failure::Refused(error)) => Err(error.into()),
            Err(Failure::Fault(error)) => {
                let name = format!("{}::{function}", self.name);
                let error = fault::explain(&error, &name, live.store.data_mut().memory(), &frame);
                *turn = None;
                return Err(error);
            }
        };
        if !self.program.persistent() {
            *turn = None;
        }
        result
    }

    /// Lets the program [`tidy`](Program::tidy) now, if nobody is in the store; else the next call does.
    pub(crate) fn tidy_if_free(&self) {
        if let Some(mut turn) = self.live.try_take()
            && let Ok(frame) = self.meter.enter()
        {
            self.machine.wake();
            self.tidy(&mut turn, &frame);
        }
    }

    #[inline]
    fn tidy(&self, turn: &mut Guard<'_, Option<Live<P>>>, frame: &Frame) {
        let Some(live) = &mut **turn else { return };
        if let Err(error) = self.program.tidy(&live.instance, &mut live.store) {
            let what = format!("a destructor of {}", self.name);
            let error = fault::explain(&error, &what, live.store.data_mut().memory(), frame);
            if let CallError::Error(error) = error {
                self.program.untidy(&error);
            }
            **turn = None;
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
        store.set_hostcall_fuel(handed_over());
        let instance = self.program.instantiate(&mut store);
        store.data().flush();
        match instance {
            Ok(instance) => Ok(Live { store, instance }),
            Err(error) => Err(fault::explain(&error, &self.name, store.data_mut().memory(), frame)),
        }
    }

    /// Waits until no other thread is in the plugin.
    #[inline]
    fn turn(&self, function: &str, frame: &Frame) -> Result<Guard<'_, Option<Live<P>>>, CallError> {
        let turn = match self.live.try_take() {
            Some(turn) => turn,
            None => self.wait(function, frame)?,
        };
        self.machine.wake();
        Ok(turn)
    }

    #[cold]
    fn wait(&self, function: &str, frame: &Frame) -> Result<Guard<'_, Option<Live<P>>>, CallError> {
        if self.live.is_mine() {
            let message =
                format!("`{0}::{function}` was called while a function of `{0}` was running", self.name);
            return Err(Error::new(Code::Limit, message)
                .hint("a plugin in WebAssembly cannot be entered a second time before its call returns")
                .into());
        }
        loop {
            if let Some(turn) = self.live.take_within(TURN) {
                return Ok(turn);
            }
            if let Err(expiry) = budget::check() {
                return Err(CallError::at_boundary(expiry, frame));
            }
        }
    }
}
