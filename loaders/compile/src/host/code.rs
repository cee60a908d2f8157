//! A compiled program, and calls into it.

use super::buffers::{self, Buffers};
use super::entry::{Entry, MAX_PARAMS};
use super::fault;
use super::import::{self, Callee};
use super::machine::{Machine, Running};
use super::pool::{Cause, Live, Pool, State, stopped};
use super::value::{of_word, word};
use crate::emit::{self, Emitted, MAX_LEVEL, MEMORY};
use crate::ir::{FunctionId, Program, Type};
use caraway_loaders_core::budget;
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::{Code as ErrorCode, Error};
use caraway_loaders_script::Compiled;
use rhai::{Dynamic, EvalAltResult};
use std::borrow::Cow;
use std::sync::Arc;
use wasmtime::{InstancePre, Store, UpdateDeadline, Val};

/// How many bytes of a module's memory are kept for later calls.
const MAX_KEPT: usize = 128 << 20;

/// The functions of a script that were compiled.
pub(crate) struct Code {
    running: Arc<Running>,
    pub(super) program: Program,
    pub(super) emitted: Emitted,
    /// The script's name.
    pub(super) source: String,
    roots: Vec<Root>,
    max_level: i32,
    max_numbers: usize,
    instance: InstancePre<State>,
    pool: Arc<Pool>,
}

/// A function that can be called from outside.
struct Root {
    name: String,
    params: Vec<Type>,
    result: Type,
}

impl Code {
    /// Compiles a program.
    pub(super) fn new(
        running: Arc<Running>,
        machine: &Machine,
        program: Program,
        roots: &[FunctionId],
        callees: Vec<Callee>,
        source: &str,
        limits: &Limits,
    ) -> Result<Self, Error> {
        let emitted = emit::module(&program, roots);
        let module = machine.module(&running.engine, &emitted.bytes)?;
        let mut linker = Cow::Borrowed(&running.linker);
        if !program.imports.is_empty() {
            import::define(linker.to_mut(), &program, callees, source, limits).map_err(|e| internal(&e))?;
        }
        let instance = linker.instantiate_pre(&module).map_err(|error| internal(&error))?;
        let root = |root: &FunctionId| {
            let function = &program.functions[*root];
            let params = function.locals[..function.params].to_vec();
            Root { name: function.name.clone(), params, result: function.result }
        };
        let roots = roots.iter().map(root).collect();
        let pool = Arc::new(Pool::default());
        running.clock.watch(pool.clone());
        let max_numbers = limits.max_array_size();
        let max_level = i32::try_from(limits.call_depth).unwrap_or(i32::MAX);
        Ok(Self {
            running,
            program,
            emitted,
            source: source.to_owned(),
            roots,
            max_level,
            max_numbers,
            instance,
            pool,
        })
    }

    /// The function with this place in the roots.
    pub(crate) fn function(self: &Arc<Self>, root: usize) -> Function {
        Function { code: self.clone(), root }
    }

    fn call(
        &self,
        index: usize,
        args: &[&mut Dynamic],
        level: usize,
    ) -> Option<Result<Dynamic, Box<EvalAltResult>>> {
        let level = i32::try_from(level).ok()?;
        let root = &self.roots[index];
        if args.len() != root.params.len() {
            return None;
        }
        let mut words = [0; MAX_PARAMS];
        let mut buffers = Buffers::default();
        for ((place, ty), arg) in words.iter_mut().zip(&root.params).zip(args) {
            *place = match ty {
                Type::Ints | Type::Floats if !arg.is_shared() => buffers.number(*ty, arg)?,
                ty => word(*ty, arg)?,
            };
        }
        let mut lease = self.pool.take();
        self.running.clock.wake();
        let live = match &mut lease.live {
            Some(live) => live,
            // Without room for a store, the script is interpreted.
            none => none.insert(self.fresh().ok()?),
        };
        let memory = live.store.data().memory;
        if !buffers.is_empty() {
            buffers::begin(&mut live.store, memory?, buffers).ok()?;
        }
        let outcome = self.run(live, index, &words, level);
        let Some(memory) = memory.filter(|_| !live.store.data().buffers.is_empty()) else {
            return Some(outcome);
        };
        let written = buffers::end(&mut live.store, memory);
        if memory.data_size(&live.store) > MAX_KEPT {
            lease.live = None;
        }
        Some(match written {
            Err(error) if outcome.is_ok() => Err(fault::afterwards(self, &root.name, error)),
            _ => outcome,
        })
    }

    #[inline]
    fn run(
        &self,
        live: &mut Live,
        index: usize,
        words: &[i64; MAX_PARAMS],
        level: i32,
    ) -> Result<Dynamic, Box<EvalAltResult>> {
        let root = &self.roots[index];
        match live.entries[index].call(&mut live.store, level, words) {
            Ok(word) if matches!(root.result, Type::Ints | Type::Floats) => {
                Ok(live.store.data().buffers.value(word))
            }
            Ok(word) => Ok(of_word(root.result, word)),
            Err(error) => Err(fault::explain(self, &root.name, live.store.data_mut(), &error)),
        }
    }

    /// A store that has run nothing.
    fn fresh(&self) -> wasmtime::Result<Live> {
        let mut store =
            Store::new(&self.running.engine, State { max_numbers: self.max_numbers, ..State::default() });
        store.epoch_deadline_callback(|mut store| match budget::check() {
            Ok(()) => Ok(UpdateDeadline::Continue(1)),
            Err(expiry) => Err(stopped(store.data_mut(), Cause::Expired(expiry))),
        });
        // Later calls go on with what is left of it: at worst they look once when they need not.
        store.set_epoch_deadline(1);
        let instance = self.instance.instantiate(&mut store)?;
        if let Some(max_level) = instance.get_global(&mut store, MAX_LEVEL) {
            max_level.set(&mut store, Val::I32(self.max_level))?;
        }
        store.data_mut().memory = instance.get_memory(&mut store, MEMORY);
        let roots = self.roots.iter().enumerate();
        let entries = roots
            .map(|(number, root)| Entry::of(&instance, &mut store, &number.to_string(), root.params.len()))
            .collect::<wasmtime::Result<_>>()?;
        Ok(Live { store, entries })
    }
}

fn internal(error: &wasmtime::Error) -> Error {
    Error::new(ErrorCode::Internal, format!("a compiled script does not fit: {error}"))
}

/// One of a [`Code`]'s functions.
pub(crate) struct Function {
    code: Arc<Code>,
    /// Its place in the roots.
    root: usize,
}

impl Compiled for Function {
    fn call(&self, args: &mut [&mut Dynamic], level: usize) -> Option<Result<Dynamic, Box<EvalAltResult>>> {
        self.code.call(self.root, args, level)
    }
}
