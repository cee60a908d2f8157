//! What all compiled scripts share.

use super::code::Code;
use super::helpers;
use super::import::Callee;
use super::pool::State;
use crate::emit::Memory;
use crate::ir::{FunctionId, Program};
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::{Code as ErrorCode, Error};
use caraway_loaders_wasm::{Cache, Clock, Engine, module};
use parking_lot::Mutex;
use std::num::NonZeroUsize;
use std::sync::Arc;
use wasmtime::{Config, Linker, Module};

/// The stack that compiled functions have, in bytes. A script's own frames need the rest of the thread's.
const MAX_STACK: usize = 512 << 10;

/// How many frames an error can have. wasmtime makes room for as many whenever something fails.
const MAX_FRAMES: usize = 2048;

/// How many of them are the module's own.
const OWN_FRAMES: usize = 2;

/// wasmtime's engine, made when it is first needed, with the clock that its guests look at.
#[derive(Default)]
pub(crate) struct Machine {
    cache: Option<Cache>,
    running: Mutex<Option<Arc<Running>>>,
}

/// An engine with its clock, which ends with the last of those that use it.
pub(crate) struct Running {
    pub(super) engine: Engine,
    pub(super) clock: Clock,
    /// With the helpers in it.
    pub(super) linker: Linker<State>,
}

impl Machine {
    /// A machine that has made nothing yet. What it compiles is kept in `cache`.
    pub(crate) fn new(cache: Option<Cache>) -> Self {
        Self { cache, running: Mutex::new(None) }
    }

    /// Compiles a program, of which `roots` can be called. `callees` are its imports, in their order; `source` is the
    /// script's name.
    ///
    /// # Errors
    ///
    /// What the machine cannot do: calls that are deeper than it can tell of, and what wasmtime refuses.
    pub(crate) fn code(
        &self,
        program: Program,
        roots: &[FunctionId],
        callees: Vec<Callee>,
        source: &str,
        limits: &Limits,
    ) -> Result<Arc<Code>, Error> {
        if limits.call_depth > MAX_FRAMES - OWN_FRAMES {
            let message = format!("calls {} deep cannot be compiled", limits.call_depth);
            return Err(Error::new(ErrorCode::Limit, message).hint("a lower limit on the depth of calls can"));
        }
        let running = self.running()?;
        Code::new(running, self, program, roots, callees, source, limits).map(Arc::new)
    }

    pub(super) fn module(&self, engine: &Engine, bytes: &[u8]) -> Result<Module, Error> {
        module(engine, self.cache.as_ref(), bytes)
    }

    fn running(&self) -> Result<Arc<Running>, Error> {
        let mut running = self.running.lock();
        if let Some(running) = &*running {
            return Ok(running.clone());
        }
        let made = Arc::new(Running::new()?);
        *running = Some(made.clone());
        Ok(made)
    }
}

impl Running {
    fn new() -> Result<Self, Error> {
        let internal = |what: &str, error: &dyn std::fmt::Display| {
            Error::new(ErrorCode::Internal, format!("cannot {what}: {error}"))
        };
        let mut config = Config::new();
        config
            .concurrency_support(false)
            .epoch_interruption(true)
            .max_wasm_stack(MAX_STACK)
            .wasm_wide_arithmetic(true)
            .wasm_branch_hinting(true)
            // As large as the offsets in the code of buffers, which are not checked then.
            .memory_guard_size(Memory::DATA as u64 + (1 << 20))
            // The frames of errors are found by them.
            .generate_address_map(true)
            .wasm_backtrace_max_frames(NonZeroUsize::new(MAX_FRAMES));
        let engine = Engine::new(config).map_err(|e| internal("set up WebAssembly", &e))?;
        let mut linker = Linker::new(&engine);
        helpers::define(&mut linker).map_err(|e| internal("set up WebAssembly", &e))?;
        let clock = Clock::start(&engine).map_err(|e| internal("start a thread", &e))?;
        Ok(Self { engine, clock, linker })
    }
}
