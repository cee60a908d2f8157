//! Calls into a core module.

use super::heap::{Broken, Heap, Place};
use super::interface::{self, ABORT, Export, INITIALIZE};
use super::slot::{Outcome, Slot};
use crate::keeper::{Failure, Keeper, Program};
use crate::lift::Sizes;
use crate::machine::Machine;
use crate::memory::MemoryMeter;
use caraway_loaders_core::bind::{self, CallResult};
use caraway_loaders_core::capability::Capability;
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::manifest::{Manifest, Unenforced};
use caraway_loaders_core::observe::body;
use caraway_loaders_core::{Code, Error, Signature};
use rhai::Dynamic;
use std::sync::Arc;
use wasmtime::{Func, InstancePre, Linker, Module, Store, ValRaw};

/// With how many words most functions are called, and with how many any: two for each parameter.
const FEW: usize = 4;
const MOST: usize = 2 * bind::MAX_PARAMS;

/// A core module that is compiled and fits its manifest.
pub(crate) struct Prepared {
    pre: InstancePre<MemoryMeter>,
    exports: Vec<Export>,
}

impl Prepared {
    /// Checks all of a plugin's module that can be checked without running it.
    ///
    /// # Errors
    ///
    /// What the module cannot be compiled for, [`Code::LoadFailed`] for imports, [`Code::NotEnforced`] for what a manifest may not
    /// ask for a core module, [`Code::SignatureMismatch`] where they differ.
    pub(crate) fn new(machine: &Machine, bytes: Vec<u8>, manifest: &Manifest) -> Result<Self, Error> {
        check_manifest(manifest)?;
        let module: Module = machine.artifact(&manifest.name, bytes)?;
        interface::check_imports(&module)?;
        let exports = interface::functions(&module, manifest.functions.as_deref()).map_err(|errors| {
            let place = manifest.functions.is_some().then(|| manifest.locate("functions"));
            let errors = errors.into_iter().map(|error| match &place {
                Some(place) => error.at(place.clone()),
                None => error,
            });
            Error::from_many(errors).unwrap_or_else(|| Error::new(Code::Internal, "a mismatch that is none"))
        })?;
        if exports.is_empty() {
            return Err(Error::new(
                Code::LoadFailed,
                "the module exports no functions that a script could call",
            )
            .hint("export functions over numbers, or say in `functions` which parameters are strings"));
        }
        for export in &exports {
            bind::callable(&export.signature)?;
        }
        let pre = link(machine, &module)
            .map_err(|error| Error::new(Code::LoadFailed, format!("its imports do not fit: {error:#}")))?;
        Ok(Self { pre, exports })
    }

    /// Its functions.
    pub(crate) fn signatures(&self) -> Vec<Signature> {
        self.exports.iter().map(|export| export.signature.clone()).collect()
    }
}

fn link(machine: &Machine, module: &Module) -> wasmtime::Result<InstancePre<MemoryMeter>> {
    let mut linker = Linker::<MemoryMeter>::new(machine.engine());
    linker.func_wrap(ABORT.0, ABORT.1, |_: u32, _: u32, _: u32, _: u32| -> wasmtime::Result<()> {
        Err(Broken::Aborted.into())
    })?;
    linker.instantiate_pre(module)
}

/// Refuses what components can be given and core modules cannot.
fn check_manifest(manifest: &Manifest) -> Result<(), Error> {
    let mut unenforced = Unenforced::of(manifest);
    for capability in [Capability::Filesystem, Capability::Network, Capability::Process, Capability::Env] {
        unenforced.refuse(
            manifest.asks.contains(capability),
            "capabilities",
            format!("a core module cannot be given `{capability}`"),
            "make a component, or pass data as arguments",
        );
    }
    unenforced.refuse(
        !manifest.dependencies.is_empty(),
        "dependencies",
        "a core module cannot import other plugins",
        "take out `dependencies`, or make a component",
    );
    unenforced.refuse(
        !manifest.config.is_empty(),
        "config",
        "a core module cannot be given settings",
        "take out `config`, or make a component",
    );
    unenforced.refuse(
        !manifest.runtime.persistent,
        "runtime.persistent",
        "the instance of a core module is kept from call to call",
        "take out `persistent`, or make a component",
    );
    Error::from_many(unenforced.into_errors()).map_or(Ok(()), Err)
}

/// A core module, ready to be called.
pub(crate) struct Plugin {
    keeper: Keeper<Core>,
    sizes: Sizes,
}

/// What is kept of a module to make instances of it.
struct Core {
    pre: InstancePre<MemoryMeter>,
    exports: Vec<Export>,
    /// Whether a function takes or gives texts.
    texts: bool,
}

/// An instance of a module.
struct Parts {
    /// The functions, in the plugin's order.
    functions: Vec<Func>,
    heap: Option<Heap>,
}

impl Program for Core {
    type Data = MemoryMeter;
    type Instance = Parts;

    fn data(&self, memory: MemoryMeter) -> MemoryMeter {
        memory
    }

    fn instantiate(&self, store: &mut Store<MemoryMeter>) -> wasmtime::Result<Parts> {
        let instance = self.pre.instantiate(&mut *store)?;
        if let Some(function) = instance.get_func(&mut *store, INITIALIZE)
            && let Ok(initialize) = function.typed::<(), ()>(&*store)
        {
            initialize.call(&mut *store, ())?;
        }
        let mut functions = Vec::with_capacity(self.exports.len());
        for export in &self.exports {
            let function = instance.get_func(&mut *store, &export.name);
            functions.push(function.ok_or_else(|| wasmtime::Error::msg("an export that is not there"))?);
        }
        let heap = if self.texts { Some(Heap::of(&instance, store)?) } else { None };
        Ok(Parts { functions, heap })
    }
}

impl Plugin {
    /// A plugin with a store in which the module's own initialisation has run.
    ///
    /// # Errors
    ///
    /// Whatever that ends in: traps, limits.
    pub(crate) fn start(
        name: &str,
        machine: Arc<Machine>,
        prepared: Prepared,
        limits: &Limits,
    ) -> Result<Self, Error> {
        let Prepared { pre, exports } = prepared;
        let texts = exports.iter().any(|export| export.texts);
        let keeper = Keeper::new(name, machine, limits, Core { pre, exports, texts });
        keeper.start()?;
        Ok(Self { keeper, sizes: Sizes::of(limits) })
    }

    /// Calls the function at `index`, with as many arguments as it has parameters.
    ///
    /// # Errors
    ///
    /// Arguments and results that do not fit, faults of the guest, and limits.
    pub(crate) fn call(&self, index: usize, args: &[&mut Dynamic]) -> CallResult {
        let Some(export) = self.keeper.program().exports.get(index) else {
            return Err(Error::new(Code::Internal, "a function that is not there").into());
        };
        if export.words <= FEW {
            self.call_with::<FEW>(index, export, args)
        } else {
            self.call_with::<MOST>(index, export, args)
        }
    }

    /// Calls with at most `N` words, arguments or results.
    fn call_with<const N: usize>(&self, index: usize, export: &Export, args: &[&mut Dynamic]) -> CallResult {
        let mut words = [ValRaw::i64(0); N];
        // All numbers are looked at before anything runs: a misfit is the caller's mistake.
        let mut next = 0;
        for (position, (slot, arg)) in export.params.iter().zip(args).enumerate() {
            if !slot.is_text() {
                words[next] = slot.lower(arg).map_err(|error| error.about_argument(position))?;
            }
            next += slot.words();
        }
        self.keeper.run(&export.signature.name, |parts, store| {
            let function = parts.functions.get(index).ok_or_else(missing)?;
            if export.texts {
                let heap = parts.heap.as_ref().ok_or_else(missing)?;
                return self.with_texts(export, function, heap, store, &mut words, args);
            }
            invoke(export, function, store, &mut words)?;
            give_back(export, &words).map_err(Failure::Refused)
        })
    }

    /// Calls with texts among the arguments or as the result. They are the module's own during the call, and are
    /// given back to it afterwards.
    fn with_texts(
        &self,
        export: &Export,
        function: &Func,
        heap: &Heap,
        store: &mut Store<MemoryMeter>,
        words: &mut [ValRaw],
        args: &[&mut Dynamic],
    ) -> Result<Dynamic, Failure> {
        let mut places: Vec<Place> = Vec::new();
        let mut next = 0;
        for (position, (slot, arg)) in export.params.iter().zip(args).enumerate() {
            if let Slot::Text(text) = slot {
                let place = heap.put(store, *text, arg).map_err(|failure| match failure {
                    Failure::Refused(error) => Failure::Refused(error.about_argument(position)),
                    fault => fault,
                })?;
                words[next] = ValRaw::u32(place.at);
                words[next + 1] = ValRaw::u32(place.size);
                places.push(place);
            }
            next += slot.words();
        }
        invoke(export, function, store, words)?;
        let result = match export.result {
            Outcome::One(Slot::Text(text)) => {
                let place = Place::of_packed(words[0].get_u64());
                let taken = heap.take(store, text, place, &self.sizes)?;
                // A module may give back an argument, or a part of one; that is freed once.
                if place.size > 0 && !places.iter().any(|argument| argument.holds(place.at)) {
                    heap.free(store, place)?;
                }
                taken
            }
            _ => give_back(export, words),
        };
        for place in places {
            heap.free(store, place.as_asked())?;
        }
        result.map_err(Failure::Refused)
    }
}

/// Calls a function with its arguments in `words`, where its results are afterwards.
fn invoke(
    export: &Export,
    function: &Func,
    store: &mut Store<MemoryMeter>,
    words: &mut [ValRaw],
) -> Result<(), Failure> {
    if words.len() < export.words {
        return Err(missing().into());
    }
    // SAFETY: `words` has room for all arguments and all results, as was just looked at. Each argument was written
    // as a word of the type that the function's own type has in this place: `params` was made from that type, or
    // compared with it, in `interface`. All are numbers, so nothing refers to a store. `function` is of this
    // store: both are of one `Live`. The store is not asynchronous.
    Ok(body(|| unsafe { function.call_unchecked(store, words) })?)
}

/// What a script gets for numbers.
fn give_back(export: &Export, words: &[ValRaw]) -> Result<Dynamic, Error> {
    match &export.result {
        Outcome::Nothing => Ok(Dynamic::UNIT),
        Outcome::One(slot) => slot.lift(words[0]),
        Outcome::Several(kinds) => {
            let items = kinds.iter().zip(words).map(|(kind, word)| kind.lift(*word));
            Ok(Dynamic::from_array(items.collect()))
        }
    }
}

#[cold]
fn missing() -> wasmtime::Error {
    wasmtime::Error::msg("a function that is not there")
}
