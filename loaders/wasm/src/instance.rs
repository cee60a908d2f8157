//! One plugin's store, and calls into it.

use crate::direct::{self, Direct, Failure};
use crate::fault;
use crate::lift::{Sizes, lift, lift_optional};
use crate::lower::lower;
use crate::machine::Machine;
use crate::memory::{DEFAULT_LIMIT, MemoryMeter};
use crate::reflect::{Export, Outcome};
use crate::wasi::{Guest, Reach, Stopped};
use caraway_loaders_core::bind::{CallError, CallResult};
use caraway_loaders_core::budget::{self, Frame, Meter};
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::{Code, Error};
use parking_lot::{Mutex, MutexGuard};
use rhai::Dynamic;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use wasmtime::component::{Func, InstancePre, Val};
use wasmtime::{Store, UpdateDeadline};

/// How many bytes of the host's memory one result may take while it is taken over. A list that has no direct
/// way takes 40 for each element.
const MAX_HANDED_OVER: usize = 1 << 30;

/// How long to wait for another thread's call before looking at the budget again.
const TURN: Duration = Duration::from_millis(20);

/// A plugin's component, ready to be called.
pub(crate) struct Plugin {
    name: String,
    machine: Arc<Machine>,
    pre: InstancePre<Guest>,
    functions: Vec<Function>,
    meter: Meter,
    /// How much memory the guest may use, in bytes.
    memory: u64,
    sizes: Sizes,
    reach: Reach,
    /// Whether the store is kept from call to call.
    persistent: bool,
    /// None before the start and after a fault.
    live: Mutex<Option<Live>>,
    /// The thread that holds `live`, as [`thread_mark`] tells it; 0 for none.
    holder: AtomicUsize,
}

/// A function of a plugin.
struct Function {
    export: Export,
    /// A call that spares the detour over [`Val`], if there is one for these types.
    direct: Option<Direct>,
}

/// A store with an instance in it.
struct Live {
    store: Store<Guest>,
    /// The functions of the instance, in the plugin's order.
    functions: Vec<Func>,
}

impl Plugin {
    /// A plugin with no store yet.
    pub(crate) fn new(
        name: &str,
        machine: Arc<Machine>,
        pre: InstancePre<Guest>,
        exports: Vec<Export>,
        limits: &Limits,
        reach: Reach,
        persistent: bool,
    ) -> Self {
        // The store counts the guest's memory; what the host allocates for it is bounded by `MAX_HANDED_OVER`.
        let mut time = *limits;
        time.memory = None;
        let functions = exports.into_iter().map(|export| {
            let direct = direct::find(&export);
            Function { export, direct }
        });
        Self {
            name: name.to_owned(),
            machine,
            pre,
            functions: functions.collect(),
            meter: Meter::plugin(name, &time),
            memory: limits.memory.unwrap_or(DEFAULT_LIMIT),
            sizes: Sizes::of(limits),
            reach,
            persistent,
            live: Mutex::new(None),
            holder: AtomicUsize::new(0),
        }
    }

    /// Makes the store, which runs the component's own initialisation.
    ///
    /// # Errors
    ///
    /// Whatever that ends in: traps, limits.
    pub(crate) fn start(&self) -> Result<(), Error> {
        let frame = self.meter.enter()?;
        let _running = self.machine.running();
        let live = self.instantiate(&frame).map_err(|error| match error {
            CallError::Error(error) => error,
            CallError::Expired(expiry) => expiry.error().clone(),
            CallError::Rhai(error) => Error::new(Code::Internal, error.to_string()),
        })?;
        *self.live.lock() = Some(live);
        Ok(())
    }

    /// Calls the function at `index`, with as many arguments as it has parameters.
    ///
    /// # Errors
    ///
    /// Arguments and results that do not fit, faults of the guest, limits, and what the function itself
    /// gives back as its error.
    pub(crate) fn call(&self, index: usize, args: &[&mut Dynamic]) -> CallResult {
        let Some(function) = self.functions.get(index) else {
            return Err(Error::new(Code::Internal, "a function that is not there").into());
        };
        let Some(direct) = function.direct else { return self.call_with_values(index, function, args) };
        let called = self.run(index, function, |func, store| direct(func, store, args, &self.sizes))?;
        match called {
            Ok(result) => Ok(result),
            Err(NotDirect) => self.call_with_values(index, function, args),
        }
    }

    fn call_with_values(&self, index: usize, function: &Function, args: &[&mut Dynamic]) -> CallResult {
        let export = &function.export;
        let mut values = Vec::with_capacity(args.len());
        for (position, (shape, arg)) in export.params.iter().zip(args).enumerate() {
            let value = lower(shape, arg).map_err(|misfit| misfit.into_error(position))?;
            values.push(value);
        }
        let called = self.run(index, function, |func, store| {
            // Whatever is in it is overwritten.
            let mut result = [Val::Bool(false)];
            let results = if export.result == Outcome::Nothing { &mut result[..0] } else { &mut result[..] };
            func.call(store, &values, results).map_err(Failure::Fault)?;
            let [result] = result;
            self.give_back(export, result).map_err(Failure::Refused)
        })?;
        called.map_err(|NotDirect| Error::new(Code::Internal, "a value that is none").into())
    }

    /// Runs `call` in the plugin's store. A store in which something went wrong is thrown away.
    fn run(
        &self,
        index: usize,
        function: &Function,
        call: impl FnOnce(&Func, &mut Store<Guest>) -> Result<Dynamic, Failure>,
    ) -> Result<Result<Dynamic, NotDirect>, CallError> {
        let frame = self.meter.enter()?;
        let mut turn = self.turn(&function.export, &frame)?;
        let _running = self.machine.running();
        if turn.is_none() {
            *turn = Some(self.instantiate(&frame)?);
        }
        let Some((live, func)) =
            turn.as_mut().and_then(|live| live.functions.get(index).copied().map(|func| (live, func)))
        else {
            return Err(Error::new(Code::Internal, "a function that is not there").into());
        };
        live.store.set_epoch_deadline(1);
        let result = call(&func, &mut live.store);
        live.store.data().flush();
        let result = match result {
            Ok(result) => Ok(Ok(result)),
            Err(Failure::NotDirect) => Ok(Err(NotDirect)),
            Err(Failure::Refused(error)) => Err(error.into()),
            Err(Failure::Fault(error)) => {
                let name = format!("{}::{}", self.name, function.export.signature.name);
                let error = fault::explain(&error, &name, &mut live.store.data_mut().memory, &frame);
                *turn = None;
                Err(error)
            }
        };
        if !self.persistent && !matches!(result, Ok(Err(NotDirect))) {
            *turn = None;
        }
        result
    }

    /// What a script gets for the result of a function; the error of a `result` is thrown.
    fn give_back(&self, export: &Export, result: Val) -> Result<Dynamic, Error> {
        match (&export.result, result) {
            (Outcome::Nothing, _) => Ok(Dynamic::UNIT),
            (Outcome::Value(shape), value) => lift(shape, value, &self.sizes),
            (Outcome::Fallible { ok, .. }, Val::Result(Ok(value))) => {
                lift_optional(ok.as_ref(), value, &self.sizes)
            }
            (Outcome::Fallible { err, .. }, Val::Result(Err(value))) => {
                let thrown = lift_optional(err.as_ref(), value, &self.sizes)?;
                let what = if thrown.is_unit() { String::new() } else { format!(": {thrown}") };
                let message = format!("`{}::{}` failed{what}", self.name, export.signature.name);
                Err(Error::new(Code::PluginFailed, message).throwing(thrown))
            }
            _ => Err(Error::new(Code::Internal, "a result that is none")),
        }
    }

    /// A fresh store.
    fn instantiate(&self, frame: &Frame) -> Result<Live, CallError> {
        let guest = Guest::new(MemoryMeter::new(self.memory), &self.reach);
        let mut store = Store::new(self.machine.engine(), guest);
        store.limiter(|guest| &mut guest.memory);
        store.set_hostcall_fuel(MAX_HANDED_OVER);
        store.epoch_deadline_callback(|_| match budget::check() {
            Ok(()) => Ok(UpdateDeadline::Continue(1)),
            Err(expiry) => Err(Stopped(expiry).into()),
        });
        store.set_epoch_deadline(1);
        let instance = match self.pre.instantiate(&mut store) {
            Ok(instance) => instance,
            Err(error) => {
                return Err(fault::explain(&error, &self.name, &mut store.data_mut().memory, frame));
            }
        };
        store.data().flush();
        let mut functions = Vec::with_capacity(self.functions.len());
        for function in &self.functions {
            let func = instance.get_func(&mut store, function.export.index);
            functions.push(func.ok_or_else(|| Error::new(Code::Internal, "an export that is not there"))?);
        }
        Ok(Live { store, functions })
    }

    /// Waits until no other thread is in the plugin.
    fn turn(&self, export: &Export, frame: &Frame) -> Result<Turn<'_>, CallError> {
        let mark = thread_mark();
        if self.holder.load(Ordering::Relaxed) == mark {
            let name = &export.signature.name;
            let message =
                format!("`{0}::{name}` was called while a function of `{0}` was running", self.name);
            return Err(Error::new(Code::Limit, message)
                .hint("a component cannot be entered a second time before its call returns")
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

/// The arguments need another look: nothing was called.
struct NotDirect;

/// The right to use a plugin's store.
struct Turn<'a> {
    live: MutexGuard<'a, Option<Live>>,
    holder: &'a AtomicUsize,
}

impl Deref for Turn<'_> {
    type Target = Option<Live>;

    fn deref(&self) -> &Option<Live> {
        &self.live
    }
}

impl DerefMut for Turn<'_> {
    fn deref_mut(&mut self) -> &mut Option<Live> {
        &mut self.live
    }
}

impl Drop for Turn<'_> {
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
