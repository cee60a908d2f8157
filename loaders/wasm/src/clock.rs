//! The clock that running guests look at.

use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;
use wasmtime::{Engine, EngineWeak};

/// How often running guests look at the clock.
const TICK: Duration = Duration::from_millis(10);

/// After how many looks in a row that find nobody running the clock stands still.
const IDLE_TICKS: u32 = 100;

/// Somewhere guests may run.
pub trait Busy: Send + Sync {
    /// Whether one does. Whoever lets a guest run must have made this true before it calls [`Clock::wake`], in one
    /// order with that: by a lock that this takes, too, or by operations that are `SeqCst`.
    fn is_busy(&self) -> bool;
}

/// A thread that increments an engine's epoch every ten milliseconds while guests run, and ends with its owner.
pub struct Clock {
    pulse: Arc<Pulse>,
    thread: Thread,
    handle: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Pulse {
    /// Where guests run, among others that are gone.
    watched: Mutex<Vec<Weak<dyn Busy>>>,
    asleep: AtomicBool,
    stop: AtomicBool,
}

impl Pulse {
    fn anybody_runs(&self) -> bool {
        self.watched.lock().iter().any(|busy| busy.upgrade().is_some_and(|busy| busy.is_busy()))
    }
}

impl Clock {
    /// Starts the clock of an engine.
    ///
    /// # Errors
    ///
    /// The system has no thread for it.
    pub fn start(engine: &Engine) -> std::io::Result<Self> {
        let pulse = Arc::new(Pulse::default());
        let (theirs, engine) = (pulse.clone(), engine.weak());
        let handle = std::thread::Builder::new()
            .name("caraway-wasm-ticker".to_owned())
            .spawn(move || tick(&theirs, &engine))?;
        Ok(Self { pulse, thread: handle.thread().clone(), handle: Some(handle) })
    }

    /// Keeps it going while guests run there.
    pub fn watch(&self, busy: Arc<dyn Busy>) {
        let mut watched = self.pulse.watched.lock();
        watched.retain(|busy| busy.strong_count() > 0);
        watched.push(Arc::downgrade(&busy));
    }

    /// Starts it again if it stands still. To be called by who is about to let a guest run where it is watched:
    /// either this sees that the clock stands still, or the clock sees the guest before it does.
    #[inline]
    pub fn wake(&self) {
        if self.pulse.asleep.load(Ordering::SeqCst) {
            self.unpark();
        }
    }

    #[cold]
    fn unpark(&self) {
        self.thread.unpark();
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        self.pulse.stop.store(true, Ordering::SeqCst);
        self.unpark();
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
            if !pulse.anybody_runs() && !pulse.stop.load(Ordering::SeqCst) {
                std::thread::park();
            }
            pulse.asleep.store(false, Ordering::SeqCst);
        }
        idle = if pulse.anybody_runs() { 0 } else { idle.saturating_add(1) };
        let Some(engine) = engine.upgrade() else { return };
        engine.increment_epoch();
    }
}
