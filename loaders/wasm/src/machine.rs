//! What all components of one loader share.

use crate::wasi::{self, Guest};
use caraway_loaders_core::{Code, Error};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine, EngineWeak, Module};

/// The stack that guest code has, in bytes. A script's own frames need the rest of the thread's.
pub(crate) const MAX_STACK: usize = 512 << 10;

/// How often running guests look at the clock.
const TICK: Duration = Duration::from_millis(10);

/// After how many ticks without a call the ticker goes to sleep.
const IDLE_TICKS: u32 = 100;

/// wasmtime's engine, what components may import, and the ticker that makes them look at the clock.
pub(crate) struct Machine {
    engine: Engine,
    linker: Linker<Guest>,
    ticker: Ticker,
}

impl Machine {
    /// An engine with epochs on.
    pub(crate) fn new() -> Result<Self, Error> {
        let internal = |what: &str, error: &dyn std::fmt::Display| {
            Error::new(Code::Internal, format!("cannot {what}: {error}"))
        };
        let mut config = Config::new();
        config.concurrency_support(false).epoch_interruption(true).max_wasm_stack(MAX_STACK);
        let engine = Engine::new(&config).map_err(|e| internal("set up WebAssembly", &e))?;
        let linker = wasi::linker(&engine).map_err(|e| internal("set up WASI", &e))?;
        let ticker = Ticker::start(engine.weak()).map_err(|e| internal("start a thread", &e))?;
        Ok(Self { engine, linker, ticker })
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn linker(&self) -> &Linker<Guest> {
        &self.linker
    }

    /// Compiles a component. The one place that does, and where a cache of compiled components belongs.
    pub(crate) fn compile(&self, bytes: &[u8]) -> wasmtime::Result<Component> {
        Component::from_binary(&self.engine, bytes)
    }

    /// Compiles a core module.
    pub(crate) fn compile_module(&self, bytes: &[u8]) -> wasmtime::Result<Module> {
        Module::from_binary(&self.engine, bytes)
    }

    /// Keeps the ticker awake until the guard is dropped.
    pub(crate) fn running(&self) -> Running<'_> {
        let pulse = &*self.ticker.pulse;
        // Either this sees that the ticker sleeps, or the ticker sees the call before it falls asleep.
        pulse.calls.fetch_add(1, Ordering::SeqCst);
        if pulse.asleep.load(Ordering::SeqCst) {
            self.ticker.wake();
        }
        Running(pulse)
    }
}

/// A call in progress.
pub(crate) struct Running<'a>(&'a Pulse);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, Ordering::SeqCst);
    }
}

#[derive(Default)]
struct Pulse {
    calls: AtomicUsize,
    asleep: AtomicBool,
    stop: AtomicBool,
}

/// A thread that increments the engine's epoch while calls run, and ends with its owner.
struct Ticker {
    pulse: Arc<Pulse>,
    thread: Thread,
    handle: Option<JoinHandle<()>>,
}

impl Ticker {
    fn start(engine: EngineWeak) -> std::io::Result<Self> {
        let pulse = Arc::new(Pulse::default());
        let theirs = pulse.clone();
        let handle = std::thread::Builder::new()
            .name("caraway-wasm-ticker".to_owned())
            .spawn(move || tick(&theirs, &engine))?;
        Ok(Self { pulse, thread: handle.thread().clone(), handle: Some(handle) })
    }

    #[cold]
    fn wake(&self) {
        self.thread.unpark();
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.pulse.stop.store(true, Ordering::SeqCst);
        self.wake();
        if let Some(handle) = self.handle.take() {
            // It cannot have panicked; and if it had, there would be nothing left to do.
            let _ = handle.join();
        }
    }
}

fn tick(pulse: &Pulse, engine: &EngineWeak) {
    let mut idle = 0;
    while !pulse.stop.load(Ordering::SeqCst) {
        if idle < IDLE_TICKS {
            std::thread::park_timeout(TICK);
        } else {
            pulse.asleep.store(true, Ordering::SeqCst);
            if pulse.calls.load(Ordering::SeqCst) == 0 && !pulse.stop.load(Ordering::SeqCst) {
                std::thread::park();
            }
            pulse.asleep.store(false, Ordering::SeqCst);
        }
        idle = if pulse.calls.load(Ordering::SeqCst) == 0 { idle.saturating_add(1) } else { 0 };
        let Some(engine) = engine.upgrade() else { return };
        engine.increment_epoch();
    }
}
