//! The clock and the counters that stop a script.
//!
//! Each call that has limits of its own opens a frame on its thread, with [`Meter::enter`]: the program's run,
//! the outermost call into a plugin. A script engine calls [`tick`] for each operation, whatever blocks asks
//! [`deadline`] how long it may. When a frame has used up what it may, everything above it is unwound by an
//! error that no script can catch, and at the frame's own boundary [`Frame::settle`] turns it into one that
//! its caller can.
//!
//! Clocks start at the first look at them, so that a call which does next to nothing pays nothing.
//!
//! Memory is what the frame's thread allocated and did not free since the frame was opened. It is counted by
//! [`CountingAllocator`], which a program installs as its global allocator; without it [`memory_is_counted`]
//! is false. The count includes the interpreter's own bookkeeping and does not include what other threads
//! allocate, memory-mapped files, or what the system allocator wastes.

mod allocator;
mod cancel;
mod expiry;
mod lent;
mod look;
mod stack;

use crate::code::Code;
use crate::error::Error;
use crate::limits::Limits;
use allocator::allocated;
pub(crate) use allocator::uncounted;
pub use allocator::{CountingAllocator, memory_is_counted};
pub use cancel::Cancel;
pub use expiry::Expiry;
pub use lent::{Borrowed, Lent};
use rhai::{Dynamic, EvalAltResult};
use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many plugins may call each other in a row before the innermost is refused.
pub const MAX_NESTING: usize = 24;

/// The largest allocation that is made at once where memory has no limit, in bytes.
const MAX_AT_ONCE: u64 = 1 << 30;

thread_local! {
    static FRAMES: RefCell<Frames> = const { RefCell::new(Frames { frames: Vec::new(), open: 0 }) };
    static CEILING: Cell<i64> = const { Cell::new(i64::MAX) };
    /// Whether something did without memory that it may not have.
    static DENIED: Cell<bool> = const { Cell::new(false) };
}

/// The limits of one program or plugin, ready to be entered.
#[derive(Debug, Clone)]
pub struct Meter(Arc<Spec>);

#[derive(Debug)]
struct Spec {
    /// `the program` or the plugin's name, for messages.
    owner: String,
    timeout: Option<Duration>,
    cpu: Option<Duration>,
    memory: Option<u64>,
    cancel: Option<Cancel>,
}

/// The frames of one thread, the outermost first.
///
/// A frame that was closed stays where it was until another one takes its place: a loop that calls one plugin
/// enters the same meter again and again, and finds all but its clocks as it was.
#[derive(Debug)]
struct Frames {
    frames: Vec<Open>,
    /// How many of them are open.
    open: usize,
}

impl Deref for Frames {
    type Target = [Open];

    fn deref(&self) -> &[Open] {
        &self.frames[..self.open]
    }
}

impl DerefMut for Frames {
    fn deref_mut(&mut self) -> &mut [Open] {
        &mut self.frames[..self.open]
    }
}

impl Frames {
    fn push(&mut self, spec: &Arc<Spec>, memory_ceiling: i64, lowest_ceiling: i64) {
        if self.open == 0 {
            look::begin();
        }
        if let Some(closed) = self.frames.get_mut(self.open)
            && Arc::ptr_eq(&closed.spec, spec)
        {
            closed.deadline = None;
            closed.expired = None;
            closed.cpu_end = None;
            closed.memory_ceiling = memory_ceiling;
            closed.lowest_ceiling = lowest_ceiling;
        } else {
            self.frames.truncate(self.open);
            self.frames.push(Open {
                spec: spec.clone(),
                deadline: None,
                cpu_end: None,
                memory_ceiling,
                lowest_ceiling,
                expired: None,
            });
        }
        self.open += 1;
    }

    /// The frame that memory is short for; the innermost one if none has a limit.
    fn tightest(&self) -> usize {
        let ceiling = self.last().map_or(i64::MAX, |open| open.lowest_ceiling);
        self.iter()
            .position(|open| ceiling != i64::MAX && open.memory_ceiling == ceiling)
            .unwrap_or(self.len().saturating_sub(1))
    }

    /// Closes all but the outermost `open`.
    fn close(&mut self, open: usize) {
        self.open = self.open.min(open);
        if DENIED.get() {
            DENIED.set(false);
        }
        CEILING.set(self.last().map_or(i64::MAX, |open| open.lowest_ceiling));
    }
}

/// An open frame on this thread.
#[derive(Debug, Clone)]
struct Open {
    spec: Arc<Spec>,
    /// Set at the first look.
    deadline: Option<Instant>,
    cpu_end: Option<Duration>,
    /// What [`allocated`] may reach; `i64::MAX` for no limit.
    memory_ceiling: i64,
    /// The least ceiling of this frame and all below.
    lowest_ceiling: i64,
    /// Why it is at its end. Rhai lets scripts catch some errors that say so, those of callbacks and of `eval`.
    expired: Option<Error>,
}

impl Meter {
    /// The meter of a plugin.
    pub fn plugin(name: &str, limits: &Limits) -> Self {
        Self::new(format!("`{name}`"), limits, None)
    }

    /// The meter of a program, which `cancel` stops.
    pub fn program(limits: &Limits, cancel: Cancel) -> Self {
        Self::new("the program".to_owned(), limits, Some(cancel))
    }

    fn new(owner: String, limits: &Limits, cancel: Option<Cancel>) -> Self {
        let Limits { timeout, cpu, memory, .. } = *limits;
        Self(Arc::new(Spec { owner, timeout, cpu, memory, cancel }))
    }

    /// Opens a frame until the guard is dropped. A frame inside another of the same meter adds no limits of
    /// its own: they hold for the outermost call.
    ///
    /// # Errors
    ///
    /// [`Code::Limit`] when more than [`MAX_NESTING`] frames are open on this thread.
    pub fn enter(&self) -> Result<Frame, Error> {
        FRAMES.with_borrow_mut(|frames| {
            let depth = frames.len();
            if depth >= MAX_NESTING {
                return Err(self.nested_too_deep(frames));
            }
            let outermost = !frames.iter().any(|open| Arc::ptr_eq(&open.spec, &self.0));
            let memory_ceiling = match self.0.memory {
                Some(limit) if outermost => {
                    allocated().saturating_add(i64::try_from(limit).unwrap_or(i64::MAX))
                }
                _ => i64::MAX,
            };
            let below = frames.last().map_or(i64::MAX, |open| open.lowest_ceiling);
            let lowest_ceiling = memory_ceiling.min(below);
            CEILING.set(lowest_ceiling);
            frames.push(&self.0, memory_ceiling, lowest_ceiling);
            Ok(Frame { index: depth, not_send: PhantomData })
        })
    }

    #[cold]
    fn nested_too_deep(&self, frames: &[Open]) -> Error {
        let tail: Vec<&str> = frames[frames.len().saturating_sub(4)..]
            .iter()
            .map(|open| open.spec.owner.as_str())
            .chain([self.0.owner.as_str()])
            .collect();
        Error::new(
            Code::Limit,
            format!("calls between plugins nest deeper than {MAX_NESTING}: ... -> {}", tail.join(" -> ")),
        )
        .hint("plugins that call each other back must come to an end; pass data instead of calling back")
    }
}

/// An open frame; closes when dropped.
#[derive(Debug)]
#[must_use]
pub struct Frame {
    index: usize,
    /// A frame belongs to its thread.
    not_send: PhantomData<*const ()>,
}

impl Drop for Frame {
    fn drop(&mut self) {
        FRAMES.with_borrow_mut(|frames| frames.close(self.index));
    }
}

impl Frame {
    /// Whether `error` says that this frame has used up what it may.
    pub fn owns(&self, error: &EvalAltResult) -> bool {
        Expiry::of(error).is_some_and(|expiry| expiry.frame == self.index)
    }

    /// Looks at the limits once more before the frame closes, if its clock has started: native functions may have
    /// kept an error that said so to themselves.
    ///
    /// # Errors
    ///
    /// The outermost frame that has used up what it may.
    pub fn finish(&self) -> Result<(), Expiry> {
        let started = FRAMES.with_borrow(|frames| {
            frames.get(self.index).is_some_and(|open| open.deadline.is_some() || open.expired.is_some())
        });
        if started || DENIED.get() { check() } else { Ok(()) }
    }

    /// What an error that reaches this frame's boundary is to its caller: a limit of this frame has become an
    /// ordinary [`Error`], a limit of a frame below stays one that nobody can catch.
    ///
    /// # Errors
    ///
    /// The error itself, to be passed on, if it is not a limit of this frame.
    pub fn settle(&self, error: Box<EvalAltResult>) -> Result<Error, Box<EvalAltResult>> {
        match Expiry::of(&error) {
            Some(expiry) if expiry.frame == self.index => Ok(expiry.error),
            _ => Err(error),
        }
    }
}

/// Looks at memory and the stack, and now and then at time and cancellation. For [`rhai::Engine::on_progress`].
pub fn tick(_operations: u64) -> Option<Dynamic> {
    // Not by the number of operations: each call of a native function's callback counts from where that began.
    let due = look::due();
    if stack::is_used_up() {
        return Some(Dynamic::from(stack_used_up()));
    }
    if allocated() <= CEILING.get() && !due {
        return None;
    }
    look::taken(allocated());
    let expiry = check().err()?;
    look::soon();
    Some(Dynamic::from(expiry))
}

/// That a script has come to the end of its stack, for who finds out otherwise than by [`tick`].
#[cold]
pub fn stack_used_up() -> Expiry {
    look::soon();
    FRAMES.with_borrow_mut(|frames| {
        let owner = frames.last().map_or("the script", |open| &open.spec.owner);
        let message = format!("{owner} recurses deeper than the stack of its thread");
        let error = Error::new(Code::Limit, message).hint("use a loop, or let the recursion come to an end");
        if let Some(innermost) = frames.last_mut() {
            innermost.expired.get_or_insert_with(|| error.clone());
        }
        Expiry { frame: frames.len().saturating_sub(1), error }
    })
}

/// Looks at every limit of every open frame.
///
/// # Errors
///
/// The outermost frame that has used up what it may.
pub fn check() -> Result<(), Expiry> {
    FRAMES.with_borrow_mut(|frames| {
        let mut now = None;
        let denied = DENIED.take().then(|| frames.tightest());
        for (index, open) in frames.iter_mut().enumerate() {
            if let Some(error) = open.used_up(denied == Some(index), &mut now) {
                open.expired = Some(error.clone());
                return Err(Expiry { frame: index, error });
            }
        }
        Ok(())
    })
}

/// When the first of the open frames runs out of time. Starts their clocks.
pub fn deadline() -> Option<Instant> {
    let now = Instant::now();
    FRAMES.with_borrow_mut(|frames| frames.iter_mut().filter_map(|open| open.deadline(now)).min())
}

/// How many bytes this thread may still allocate; `None` for no limit.
pub fn memory_left() -> Option<u64> {
    let ceiling = CEILING.get();
    (ceiling != i64::MAX).then(|| u64::try_from(ceiling.saturating_sub(allocated())).unwrap_or(0))
}

/// Whether this many bytes may be allocated at once: within the limit, or 1 GiB where there is none. Asked before
/// what makes much out of little, since a limit that is looked at afterwards is looked at too late.
pub fn may_allocate(bytes: u64) -> bool {
    bytes <= memory_left().unwrap_or(MAX_AT_ONCE).min(isize::MAX as u64)
}

/// The same for whoever can do without, but cannot fail: when it says no, the next look at the limits finds that
/// memory is used up.
pub fn can_allocate(bytes: u64) -> bool {
    let allowed = may_allocate(bytes);
    if !allowed {
        DENIED.set(true);
        look::soon();
    }
    allowed
}

/// Whether the limits still hold, for whoever can stop but cannot fail: when it says no, the next operation of the
/// script is told why.
pub fn may_go_on() -> bool {
    let allowed = check().is_ok();
    if !allowed {
        look::soon();
    }
    allowed
}

/// Whether the stack has room for going deeper into a value, for whoever can stop but cannot fail: when it says no, the
/// next look at the limits finds that memory is used up.
pub fn may_recurse() -> bool {
    let allowed = stack::has_room();
    if !allowed {
        DENIED.set(true);
        look::soon();
    }
    allowed
}

/// Sleeps, but no longer than the open frames may, and wakes up when cancelled.
///
/// # Errors
///
/// The frame that ran out of time.
pub fn sleep(duration: Duration) -> Result<(), Expiry> {
    let end = Instant::now().checked_add(duration);
    loop {
        check()?;
        let now = Instant::now();
        let wake = match (end, deadline()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        if end.is_some_and(|end| now >= end) {
            return Ok(());
        }
        // Short naps: a cancellation is seen within one.
        let nap = wake.map_or(Duration::MAX, |wake| wake.saturating_duration_since(now));
        std::thread::sleep(nap.min(Duration::from_millis(20)));
    }
}

impl Open {
    /// Which of its limits has been reached. `now` is the time, when somebody has looked.
    fn used_up(&mut self, denied: bool, now: &mut Option<Instant>) -> Option<Error> {
        if self.expired.is_some() {
            return self.expired.clone();
        }
        if self.spec.cancel.as_ref().is_some_and(Cancel::is_cancelled) {
            return Some(Error::new(Code::Interrupted, "interrupted"));
        }
        if denied || allocated() > self.memory_ceiling {
            return Some(self.spec.out_of_memory());
        }
        if self.spec.timeout.is_some() {
            let now = *now.get_or_insert_with(Instant::now);
            if self.deadline(now).is_some_and(|deadline| now >= deadline) {
                return Some(self.spec.out_of_time());
            }
        }
        if self.spec.cpu.is_some() && self.cpu_used_up() {
            return Some(self.spec.out_of_cpu());
        }
        None
    }

    fn deadline(&mut self, now: Instant) -> Option<Instant> {
        if self.deadline.is_none() {
            self.deadline = now.checked_add(self.spec.timeout?);
        }
        self.deadline
    }

    fn cpu_used_up(&mut self) -> bool {
        let Some(limit) = self.spec.cpu else { return false };
        let now = thread_cpu_time();
        now >= *self.cpu_end.get_or_insert(now.saturating_add(limit))
    }
}

fn thread_cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

impl Spec {
    #[cold]
    fn out_of_time(&self) -> Error {
        let limit = self.timeout.unwrap_or_default();
        Error::new(Code::Deadline, format!("{} ran longer than its limit of {limit:?}", self.owner))
            .hint("raise `timeout` in `[limits]` of caraway.toml, or in the plugin's `security`")
    }

    #[cold]
    fn out_of_cpu(&self) -> Error {
        let limit = self.cpu.unwrap_or_default();
        Error::new(Code::Deadline, format!("{} used more than its limit of {limit:?} CPU time", self.owner))
            .hint("raise `max_cpu` in the plugin's `security`")
    }

    #[cold]
    fn out_of_memory(&self) -> Error {
        let Some(limit) = self.memory else {
            let message = format!("{} needs more than {MAX_AT_ONCE} bytes of memory at once", self.owner);
            return Error::new(Code::Memory, message);
        };
        Error::new(
            Code::Memory,
            format!("{} used more than its limit of {limit} bytes of memory", self.owner),
        )
        .hint("raise `max_memory` in the plugin's `security` or `memory` in `[limits]` of caraway.toml")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rhai::Position;

    fn limits(timeout: Option<Duration>) -> Limits {
        Limits { timeout, ..Limits::PLUGIN }
    }

    #[test]
    fn the_outermost_expired_frame_is_named() {
        let slow = Meter::plugin("slow", &limits(Some(Duration::from_secs(100))));
        let quick = Meter::plugin("quick", &limits(Some(Duration::ZERO)));
        let outer = slow.enter().unwrap();
        let inner = quick.enter().unwrap();
        let error = check().unwrap_err().terminate(Position::NONE);
        let error = outer.settle(error).unwrap_err();
        assert_eq!(inner.settle(error).unwrap().code(), Code::Deadline);
        drop(inner);
        assert!(check().is_ok());
    }

    #[test]
    fn a_frame_within_its_own_keeps_the_first_clock() {
        let meter = Meter::plugin("a", &limits(Some(Duration::from_secs(100))));
        let _outer = meter.enter().unwrap();
        let first = deadline().unwrap();
        let _inner = meter.enter().unwrap();
        assert_eq!(deadline().unwrap(), first);
    }

    #[test]
    fn nesting_is_bounded() {
        let meter = Meter::plugin("a", &Limits::PLUGIN);
        let mut frames = Vec::new();
        let error = loop {
            match meter.enter() {
                Ok(frame) => frames.push(frame),
                Err(error) => break error,
            }
        };
        assert_eq!((frames.len(), error.code()), (MAX_NESTING, Code::Limit));
    }

    #[test]
    fn sleep_wakes_when_cancelled() {
        let cancel = Cancel::default();
        let meter = Meter::program(&Limits::PROGRAM, cancel.clone());
        let _frame = meter.enter().unwrap();
        cancel.cancel();
        let error = sleep(Duration::from_secs(1000)).unwrap_err();
        assert_eq!(error.error().code(), Code::Interrupted);
    }
}
