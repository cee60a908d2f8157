//! One plugin's store, and calls into it.

use crate::abi::{Entry, Failure, Given, Plan, Unfit};
use crate::fault;
use crate::lift::{Lifting, Sizes, declared, lift, lift_optional};
use crate::lower::lower;
use crate::machine::Machine;
use crate::memory::{DEFAULT_LIMIT, MemoryMeter};
use crate::reflect::{Export, Outcome};
use crate::resource::{Classes, Held, Lent, taken};
use crate::shape::Resource;
use crate::wasi::{Guest, Reach, Stopped};
use caraway_loaders_core::bind::{CallError, CallResult};
use caraway_loaders_core::budget::{self, Frame, Meter};
use caraway_loaders_core::handle::Handle;
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::output::Level;
use caraway_loaders_core::{Code, Error};
use parking_lot::{Mutex, MutexGuard};
use rhai::Dynamic;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use wasmtime::component::{Func, InstancePre, ResourceAny, Val};
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
    classes: OnceLock<Classes>,
    /// How many stores there were.
    stores: AtomicU64,
    /// Resources that scripts dropped while a function ran, each with the number of its store.
    dropped: Mutex<Vec<(ResourceAny, u64)>>,
    /// Whether there may be some: a call without resources takes no lock.
    any_dropped: AtomicBool,
    /// None before the start and after a fault.
    live: Mutex<Option<Live>>,
    /// The thread that holds `live`, as [`thread_mark`] tells it; 0 for none.
    holder: AtomicUsize,
}

/// A function of a plugin.
struct Function {
    export: Export,
    /// How to call it without the detour over [`Val`], if there is a plan for these types.
    plan: Option<Plan>,
    /// Whether resources are passed or given back.
    resources: bool,
}

/// A store with an instance in it.
struct Live {
    store: Store<Guest>,
    /// No two stores of a plugin have the same.
    number: u64,
    /// The functions of the instance, in the plugin's order.
    functions: Vec<Ready>,
}

/// A function of an instance.
struct Ready {
    func: Func,
    /// For the function's plan.
    entry: Option<Entry>,
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
        let memory = limits.memory.unwrap_or(DEFAULT_LIMIT);
        let sizes = Sizes::of(limits);
        let functions = exports.into_iter().map(|export| {
            let plan = Plan::new(&export, sizes, memory);
            let resources = !export.resources().is_empty();
            Function { export, plan, resources }
        });
        Self {
            name: name.to_owned(),
            machine,
            pre,
            functions: functions.collect(),
            meter: Meter::plugin(name, &time),
            memory,
            sizes,
            reach,
            persistent,
            classes: OnceLock::new(),
            stores: AtomicU64::new(0),
            dropped: Mutex::new(Vec::new()),
            any_dropped: AtomicBool::new(false),
            live: Mutex::new(None),
            holder: AtomicUsize::new(0),
        }
    }

    /// Says what the handles of its resources are, once.
    pub(crate) fn set_classes(&self, classes: Classes) {
        self.classes.get_or_init(|| classes);
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
    pub(crate) fn call(self: &Arc<Self>, index: usize, args: &[&mut Dynamic]) -> CallResult {
        let Some(function) = self.functions.get(index) else {
            return Err(Error::new(Code::Internal, "a function that is not there").into());
        };
        let Some(plan) = &function.plan else { return self.call_with_values(index, function, args) };
        let called = plan.prepare(args, |args| {
            self.run(index, function, |ready, store, _| {
                let entry = ready.entry.as_ref().ok_or(Failure::NotPlanned)?;
                match plan.call(entry, args, store)? {
                    Given::Value(value) => Ok(value),
                    Given::Thrown(thrown) => Err(Failure::Refused(self.failed(&function.export, thrown))),
                }
            })
        });
        match called {
            Ok(Ok(Called::Gave(result))) => Ok(result),
            Ok(Err(error)) => Err(error),
            // The long way finds out what is wrong, or that nothing is.
            Ok(Ok(Called::NotPlanned)) | Err(Unfit::Other) => self.call_with_values(index, function, args),
            Err(Unfit::TooLarge) => Err(self.too_large(function).into()),
            Err(Unfit::Refused(error)) => Err(error.into()),
        }
    }

    fn call_with_values(
        self: &Arc<Self>,
        index: usize,
        function: &Function,
        args: &[&mut Dynamic],
    ) -> CallResult {
        let export = &function.export;
        let mut values = Vec::with_capacity(args.len());
        for (position, (shape, arg)) in export.params.iter().zip(args).enumerate() {
            let value = lower(shape, arg).map_err(|misfit| misfit.into_error(position))?;
            values.push(value);
        }
        let mut owned = Vec::new();
        let lent = match function.resources {
            true => {
                export.params.iter().zip(&values).for_each(|(shape, value)| taken(shape, value, &mut owned));
                Lent::in_arguments(args, self)?
            }
            false => Lent::default(),
        };
        let called = self.run(index, function, |ready, store, number| {
            lent.check(number).and_then(|()| lent.give(&owned)).map_err(Failure::Refused)?;
            // Whatever is in it is overwritten.
            let mut result = [Val::Bool(false)];
            let results = if export.result == Outcome::Nothing { &mut result[..0] } else { &mut result[..] };
            ready.func.call(store, &values, results).map_err(Failure::Fault)?;
            let [result] = result;
            let handle = |resource: &Resource, any| self.handle(resource, any, number);
            let lifting = Lifting { sizes: self.sizes, handle: &handle };
            self.give_back(export, result, &lifting).map_err(Failure::Refused)
        })?;
        match called {
            Called::Gave(result) => Ok(result),
            Called::NotPlanned => Err(Error::new(Code::Internal, "a call without a plan needs one").into()),
        }
    }

    /// Runs `call` in the plugin's store. A store in which something went wrong is thrown away.
    fn run(
        &self,
        index: usize,
        function: &Function,
        call: impl FnOnce(&Ready, &mut Store<Guest>, u64) -> Result<Dynamic, Failure>,
    ) -> Result<Called, CallError> {
        let frame = self.meter.enter()?;
        let mut turn = self.turn(&function.export, &frame)?;
        let _running = self.machine.running();
        self.drop_waiting(&mut turn, &frame);
        if turn.is_none() {
            *turn = Some(self.instantiate(&frame)?);
        }
        let live =
            turn.as_mut().and_then(|live| Some((live.functions.get(index)?, &mut live.store, live.number)));
        let Some((ready, store, number)) = live else {
            return Err(Error::new(Code::Internal, "a function that is not there").into());
        };
        store.set_epoch_deadline(1);
        let result = call(ready, store, number);
        store.data().flush();
        let result = match result {
            Ok(result) => Ok(Called::Gave(result)),
            Err(Failure::NotPlanned) => Ok(Called::NotPlanned),
            Err(Failure::Refused(error)) => Err(error.into()),
            Err(Failure::Fault(error)) => {
                let name = format!("{}::{}", self.name, function.export.signature.name);
                let error = fault::explain(&error, &name, &mut store.data_mut().memory, &frame);
                *turn = None;
                Err(error)
            }
        };
        if !self.persistent && !matches!(result, Ok(Called::NotPlanned)) {
            *turn = None;
        }
        result
    }

    /// What a script gets for the result of a function; the error of a `result` is thrown.
    fn give_back(&self, export: &Export, result: Val, lifting: &Lifting<'_>) -> Result<Dynamic, Error> {
        match (&export.result, result) {
            (Outcome::Nothing, _) => Ok(Dynamic::UNIT),
            (Outcome::Value(shape), value) => {
                Ok(declared(&export.signature.returns, lift(shape, value, lifting)?))
            }
            (Outcome::Fallible { ok, .. }, Val::Result(Ok(value))) => {
                let value = lift_optional(ok.as_ref(), value, lifting)?;
                Ok(declared(&export.signature.returns, value))
            }
            (Outcome::Fallible { err, .. }, Val::Result(Err(value))) => {
                let thrown = lift_optional(err.as_ref(), value, lifting)?;
                Err(self.failed(export, thrown))
            }
            _ => Err(Error::new(Code::Internal, "a result that is none")),
        }
    }

    /// The error for a function that gave one back.
    #[cold]
    fn failed(&self, export: &Export, thrown: Dynamic) -> Error {
        let what = if thrown.is_unit() { String::new() } else { format!(": {thrown}") };
        let message = format!("`{}::{}` failed{what}", self.name, export.signature.name);
        Error::new(Code::PluginFailed, message).throwing(thrown)
    }

    /// The error for arguments that the guest has no room for.
    #[cold]
    fn too_large(&self, function: &Function) -> Error {
        let (plugin, name, limit) = (&self.name, &function.export.signature.name, self.memory);
        let message = format!(
            "the arguments of `{plugin}::{name}` do not fit into its limit of {limit} bytes of memory"
        );
        Error::new(Code::Memory, message).hint("pass less, or raise `max_memory` in the plugin's `security`")
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
            let func = func.ok_or_else(|| Error::new(Code::Internal, "an export that is not there"))?;
            let entry = function.plan.as_ref().and_then(|plan| plan.entry(&func, &mut store));
            functions.push(Ready { func, entry });
        }
        let number = self.stores.fetch_add(1, Ordering::Relaxed);
        Ok(Live { store, number, functions })
    }

    /// The handle of a resource that a function gave back.
    fn handle(self: &Arc<Self>, resource: &Resource, any: ResourceAny, store: u64) -> Result<Dynamic, Error> {
        let class = self.classes.get().and_then(|classes| classes.get(&resource.class));
        let class = class.ok_or_else(|| Error::new(Code::Internal, "a resource without a class"))?;
        Ok(Handle::new(class, Held::new(any, store, self.clone())))
    }

    /// Drops a resource of the store of this number: now, or when the function that runs has ended.
    pub(crate) fn drop_resource(&self, any: ResourceAny, store: u64) {
        self.dropped.lock().push((any, store));
        self.any_dropped.store(true, Ordering::Release);
        let mine = self.holder.load(Ordering::Relaxed) == thread_mark();
        if let Some(live) = (!mine).then(|| self.live.try_lock()).flatten()
            && let Ok(frame) = self.meter.enter()
        {
            let mut turn = self.take_turn(live);
            let _running = self.machine.running();
            self.drop_waiting(&mut turn, &frame);
        }
    }

    /// Drops the resources that wait for it, which runs their destructors.
    fn drop_waiting(&self, turn: &mut Turn<'_>, frame: &Frame) {
        if !self.any_dropped.load(Ordering::Acquire) {
            return;
        }
        self.any_dropped.store(false, Ordering::Release);
        loop {
            let Some((any, store)) = self.dropped.lock().pop() else { return };
            let Some(live) = turn.as_mut().filter(|live| live.number == store) else { continue };
            live.store.set_epoch_deadline(1);
            let dropped = any.resource_drop(&mut live.store);
            live.store.data().flush();
            if let Err(error) = dropped {
                let what = format!("a destructor of {}", self.name);
                let memory = &mut live.store.data_mut().memory;
                if let CallError::Error(error) = fault::explain(&error, &what, memory, frame) {
                    self.reach.output.log(Level::Warn, &self.name, error.message());
                }
                **turn = None;
            }
        }
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
        Ok(self.take_turn(live))
    }

    fn take_turn<'a>(&'a self, live: MutexGuard<'a, Option<Live>>) -> Turn<'a> {
        self.holder.store(thread_mark(), Ordering::Relaxed);
        Turn { live, holder: &self.holder }
    }
}

/// What became of a call.
enum Called {
    Gave(Dynamic),
    /// Nothing was called.
    NotPlanned,
}

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
