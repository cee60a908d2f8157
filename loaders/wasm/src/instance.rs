//! A component, and calls into it.

use crate::abi::{Entry, Given, Plan, Unfit};
use crate::keeper::{Failure, Keeper, Metered, Program};
use crate::lift::{Lifting, Sizes, declared, lift, lift_optional};
use crate::lower::lower;
use crate::machine::Machine;
use crate::memory::{DEFAULT_LIMIT, MemoryMeter};
use crate::reflect::{Export, Outcome};
use crate::resource::{Classes, Held, Lent, taken};
use crate::shape::Resource;
use crate::wasi::{Guest, Reach};
use caraway_loaders_core::bind::CallResult;
use caraway_loaders_core::handle::Handle;
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::observe::body;
use caraway_loaders_core::output::Level;
use caraway_loaders_core::text;
use caraway_loaders_core::{Code, Error};
use parking_lot::Mutex;
use rhai::Dynamic;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use wasmtime::Store;
use wasmtime::component::{Func, InstancePre, ResourceAny, Val};

/// A plugin's component, ready to be called.
pub(crate) struct Plugin {
    keeper: Keeper<Component>,
    sizes: Sizes,
    classes: OnceLock<Classes>,
}

/// What is kept of a component to make instances of it.
struct Component {
    name: String,
    pre: InstancePre<Guest>,
    functions: Vec<Function>,
    reach: Reach,
    /// Whether the store is kept from call to call.
    persistent: bool,
    /// How many stores there were.
    stores: AtomicU64,
    /// Resources that scripts dropped while a function ran, each with the number of its store.
    dropped: Mutex<Vec<(ResourceAny, u64)>>,
    /// Whether there may be some: a call without resources takes no lock.
    any_dropped: AtomicBool,
}

/// A function of a plugin.
struct Function {
    export: Export,
    /// How to call it without the detour over [`Val`], if there is a plan for these types.
    plan: Option<Plan>,
    /// Whether resources are passed or given back.
    resources: bool,
}

/// An instance of a component.
struct Parts {
    /// That of its store: no two stores of a plugin have the same.
    number: u64,
    /// The functions, in the plugin's order.
    functions: Vec<Ready>,
}

/// A function of an instance.
struct Ready {
    func: Func,
    /// For the function's plan.
    entry: Option<Entry>,
}

impl Metered for Guest {
    fn memory(&mut self) -> &mut MemoryMeter {
        &mut self.memory
    }

    fn flush(&self) {
        self.print_begun();
    }
}

impl Program for Component {
    type Data = Guest;
    type Instance = Parts;

    fn data(&self, memory: MemoryMeter) -> Guest {
        Guest::new(memory, &self.reach)
    }

    fn instantiate(&self, store: &mut Store<Guest>) -> wasmtime::Result<Parts> {
        // What waits was in stores that are gone.
        self.dropped.lock().clear();
        let instance = self.pre.instantiate(&mut *store)?;
        let mut functions = Vec::with_capacity(self.functions.len());
        for function in &self.functions {
            let func = instance.get_func(&mut *store, function.export.index).ok_or_else(missing)?;
            let shim = function.export.shim.and_then(|index| instance.get_func(&mut *store, index));
            let entry = function.plan.as_ref().and_then(|plan| {
                let shim = shim.and_then(|shim| plan.entry(&shim, store));
                shim.or_else(|| plan.entry(&func, store))
            });
            functions.push(Ready { func, entry });
        }
        Ok(Parts { number: self.stores.fetch_add(1, Ordering::Relaxed), functions })
    }

    fn persistent(&self) -> bool {
        self.persistent
    }

    fn tidy(&self, parts: &Parts, store: &mut Store<Guest>) -> wasmtime::Result<()> {
        if !self.any_dropped.load(Ordering::Acquire) {
            return Ok(());
        }
        self.any_dropped.store(false, Ordering::Release);
        loop {
            let Some((any, number)) = self.dropped.lock().pop() else { return Ok(()) };
            if number == parts.number {
                store.set_epoch_deadline(1);
                let dropped = any.resource_drop(&mut *store);
                store.data().flush();
                dropped?;
            }
        }
    }

    fn untidy(&self, error: &Error) {
        self.reach.output.log(Level::Warn, &self.name, error.message());
    }
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
        // The store counts the guest's memory; what the host allocates for it is bounded by its keeper.
        let memory = limits.memory.unwrap_or(DEFAULT_LIMIT);
        let sizes = Sizes::of(limits);
        let functions = exports.into_iter().map(|export| {
            let plan = Plan::new(&export, sizes, memory);
            let resources = !export.resources().is_empty();
            Function { export, plan, resources }
        });
        let component = Component {
            name: name.to_owned(),
            pre,
            functions: functions.collect(),
            reach,
            persistent,
            stores: AtomicU64::new(0),
            dropped: Mutex::new(Vec::new()),
            any_dropped: AtomicBool::new(false),
        };
        Self { keeper: Keeper::new(name, machine, limits, component), sizes, classes: OnceLock::new() }
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
        self.keeper.start()
    }

    /// Calls the function at `index`, with as many arguments as it has parameters.
    ///
    /// # Errors
    ///
    /// Arguments and results that do not fit, faults of the guest, limits, and what the function itself
    /// gives back as its error.
    pub(crate) fn call(self: &Arc<Self>, index: usize, args: &[&mut Dynamic]) -> CallResult {
        let Some(function) = self.keeper.program().functions.get(index) else {
            return Err(Error::new(Code::Internal, "a function that is not there").into());
        };
        let Some(plan) = &function.plan else { return self.call_with_values(index, function, args) };
        let name = &function.export.signature.name;
        if let Some(scalars) = plan.scalars()
            && let Some(words) = scalars.lower(args)
        {
            let word = self.keeper.run(name, |parts, store| {
                match parts.functions.get(index).and_then(|ready| ready.entry.as_ref()) {
                    Some(entry) => body(|| Plan::call_scalars(scalars, entry, words, store)),
                    None => Ok(None),
                }
            })?;
            return match word {
                Some(word) => scalars.lift(word),
                None => self.call_with_values(index, function, args),
            };
        }
        let called = plan.prepare(args, |args| {
            self.keeper.run(name, |parts, store| {
                let entry = parts.functions.get(index).and_then(|ready| ready.entry.as_ref());
                match entry.map(|entry| body(|| plan.call(entry, args, store))).transpose()? {
                    Some(Given::Value(value)) => Ok(Some(value)),
                    Some(Given::Thrown(thrown)) => {
                        Err(Failure::Refused(self.failed(&function.export, thrown)))
                    }
                    Some(Given::Nothing) | None => Ok(None),
                }
            })
        });
        match called {
            Ok(Ok(Some(result))) => Ok(result),
            Ok(Err(error)) => Err(error),
            // The long way finds out what is wrong, or that nothing is.
            Ok(Ok(None)) | Err(Unfit::Other) => self.call_with_values(index, function, args),
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
        self.keeper.run(&export.signature.name, |parts, store| {
            let ready = parts.functions.get(index).ok_or_else(missing)?;
            lent.check(parts.number).and_then(|()| lent.give(&owned))?;
            // Whatever is in it is overwritten.
            let mut result = [Val::Bool(false)];
            let results = if export.result == Outcome::Nothing { &mut result[..0] } else { &mut result[..] };
            body(|| ready.func.call(store, &values, results))?;
            let [result] = result;
            let handle = |resource: &Resource, any| self.handle(resource, any, parts.number);
            let lifting = Lifting { sizes: self.sizes, handle: &handle };
            Ok(self.give_back(export, result, &lifting)?)
        })
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
        let what = if thrown.is_unit() { String::new() } else { format!(": {}", text::message(&thrown)) };
        let message = format!("`{}::{}` failed{what}", self.keeper.name(), export.signature.name);
        Error::new(Code::PluginFailed, message).throwing(thrown)
    }

    /// The error for arguments that the guest has no room for.
    #[cold]
    fn too_large(&self, function: &Function) -> Error {
        let (plugin, name, limit) =
            (self.keeper.name(), &function.export.signature.name, self.keeper.memory());
        let message = format!(
            "the arguments of `{plugin}::{name}` do not fit into its limit of {limit} bytes of memory"
        );
        Error::new(Code::Memory, message).hint("pass less, or raise `max_memory` in the plugin's `security`")
    }

    /// The handle of a resource that a function gave back.
    fn handle(self: &Arc<Self>, resource: &Resource, any: ResourceAny, store: u64) -> Result<Dynamic, Error> {
        let class = self.classes.get().and_then(|classes| classes.get(&resource.class));
        let class = class.ok_or_else(|| Error::new(Code::Internal, "a resource without a class"))?;
        Ok(Handle::new(class, Held::new(any, store, self.clone())))
    }

    /// Drops a resource of the store of this number: now, or when the function that runs has ended.
    pub(crate) fn drop_resource(&self, any: ResourceAny, store: u64) {
        let component = self.keeper.program();
        component.dropped.lock().push((any, store));
        component.any_dropped.store(true, Ordering::Release);
        self.keeper.tidy_if_free();
    }
}

#[cold]
fn missing() -> wasmtime::Error {
    wasmtime::Error::msg("a function that is not there")
}
