//! Keeps the worker of one plugin: starts it, calls it, and starts it again where it ended.

use crate::clock::Clock;
use crate::confine::Confinement;
use crate::peer::{Callee, End, Failure, Peer, Side};
use crate::process::{Ended, Process, Start};
use crate::remote::{self, Remote};
use crate::wire::{
    self, Hello, Load, Malformed, Module, Purpose, Reader, Tag, VERSION, host_channel, read_description,
    read_error, read_functions,
};
use crate::workers::Workers;
use caraway_loaders_core::bind::conform::from_value;
use caraway_loaders_core::bind::{Bound, CallError, CallResult};
use caraway_loaders_core::budget::{self, Expiry, Frame, Meter};
use caraway_loaders_core::capability::AccessRules;
use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::event::Event;
use caraway_loaders_core::handle::Class;
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::loader::{Description, Imports, LoadRequest};
use caraway_loaders_core::manifest::Function;
use caraway_loaders_core::observe::body;
use caraway_loaders_core::output::{Output, Stream};
use caraway_loaders_core::{Code, Error, Location, Signature};
use parking_lot::{Mutex, MutexGuard};
use rhai::{Dynamic, NativeCallContext, Position};
use std::ffi::OsString;
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// How long a process may take to say that it is a worker.
const START: Duration = Duration::from_secs(10);

/// How long to wait for the end of a process that has closed its socket.
const END: Duration = Duration::from_secs(2);

/// How long a worker that is not needed any more may take to end.
const SHUTDOWN: Duration = Duration::from_secs(1);

/// How long to wait for another thread before looking at the limits again.
const TURN: Duration = Duration::from_millis(20);

/// How long to wait for another thread that is almost done.
const MOMENT: Duration = Duration::from_millis(1);

/// So many times in a row a worker may end in a call before the next one is made to wait.
const PATIENCE: u32 = 5;

/// After so many times in a row it is not started again.
const QUARANTINE: u32 = 12;

/// The first pause; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(100);

/// What the kernel and the environment are to be for a worker.
pub(crate) struct Cell {
    pub(crate) confinement: Confinement,
    pub(crate) environment: Vec<(OsString, OsString)>,
    pub(crate) access: AccessRules,
    /// The processor time of a call, where nobody in the worker counts it.
    pub(crate) cpu: Option<Duration>,
}

/// The worker of one plugin.
pub(crate) struct Supervisor {
    name: String,
    workers: Workers,
    load: Load,
    environment: Vec<(OsString, OsString)>,
    cpu: Option<Duration>,
    imports: Arc<dyn Imports>,
    output: Output,
    meter: Meter,
    location: Location,
    state: Mutex<State>,
    classes: Mutex<Vec<Arc<Class>>>,
    /// Its functions, whose numbers its module calls them by.
    functions: OnceLock<Vec<wire::Function>>,
}

#[derive(Default)]
struct State {
    worker: Option<Arc<Worker>>,
    /// How many calls in a row ended a worker.
    ended: u32,
    /// Until when it is not started again.
    pause: Option<Instant>,
}

/// A process that has loaded the plugin.
struct Worker {
    process: Process,
    peer: Arc<Peer>,
    clock: Option<Arc<Clock>>,
}

impl Worker {
    /// How the process ended that has closed its socket; `None` if it goes on.
    fn end(&self) -> Option<Ended> {
        let end = Instant::now() + END;
        loop {
            let ended = self.process.ended_within(TURN);
            if ended.is_some() || Instant::now() >= end || budget::check().is_err() {
                return ended;
            }
        }
    }
}

impl Drop for Worker {
    /// The plugin's own end, its destructors and what it does when it is shut down, has a little time.
    fn drop(&mut self) {
        if self.process.ended_within(Duration::ZERO).is_none() {
            self.peer.end_within(SHUTDOWN);
        }
    }
}

/// What the host does for a worker.
struct Host {
    imports: Arc<dyn Imports>,
    output: Output,
    clock: Option<Arc<Clock>>,
}

impl Side for Host {
    fn obeys(&self) -> bool {
        false
    }

    fn look(&self) -> Result<(), Expiry> {
        if let Some(clock) = &self.clock {
            clock.look();
        }
        budget::check()
    }

    fn import(&self, path: &str) -> Result<Arc<Bound>, Error> {
        self.imports.import(path)
    }

    fn print(&self, stream: Stream, line: &str) {
        self.output.line(stream, line);
    }

    fn event(&self, event: &Event<'_>) {
        self.output.event(event);
    }
}

/// For a worker that only looks at a plugin.
struct NoImports;

impl Imports for NoImports {
    fn import(&self, path: &str) -> Result<Arc<Bound>, Error> {
        Err(Error::new(Code::Internal, format!("{path:?} was imported where nothing is loaded")))
    }
}

impl Supervisor {
    /// For a worker that only looks at a plugin, and may do nothing else.
    fn new(workers: &Workers, plugin: &Plugin, purpose: Purpose) -> Self {
        let mut confinement = Confinement { memory: Limits::PLUGIN.memory, ..Confinement::default() };
        confinement.read.push(plugin.root.canonicalize().unwrap_or_else(|_| plugin.root.clone()));
        let mut time = Limits::PLUGIN;
        time.memory = None;
        Self {
            name: plugin.manifest.name.clone(),
            workers: workers.clone(),
            load: Load::new(purpose, plugin, confinement),
            environment: Vec::new(),
            cpu: None,
            imports: Arc::new(NoImports),
            output: Output::inherit(),
            meter: Meter::plugin(&plugin.manifest.name, &time),
            location: Location::file(plugin.manifest.file()),
            state: Mutex::default(),
            classes: Mutex::default(),
            functions: OnceLock::new(),
        }
    }

    /// As [`Loader::inspect`](caraway_loaders_core::loader::Loader::inspect), in a worker.
    pub(crate) fn inspect(workers: &Workers, plugin: &Plugin) -> Result<Vec<Function>, Error> {
        Self::new(workers, plugin, Purpose::Inspect).look(read_functions)
    }

    /// As [`Loader::describe`](caraway_loaders_core::loader::Loader::describe), in a worker.
    pub(crate) fn describe(workers: &Workers, plugin: &Plugin) -> Result<Option<Description>, Error> {
        Self::new(workers, plugin, Purpose::Describe).look(|from| from.option(read_description))
    }

    fn look<T>(&self, read: impl FnOnce(&mut Reader<'_>) -> Result<T, Malformed>) -> Result<T, Error> {
        let frame = self.meter.enter()?;
        let read = |from: &mut Reader<'_>| match from.bool()? {
            true => Ok(Ok(read(from)?)),
            false => Ok(Err(read_error(from)?)),
        };
        Ok(self.start(&frame, read)?.1)
    }

    /// Loads a plugin in a worker, as a module whose functions are called there.
    ///
    /// # Errors
    ///
    /// Whatever makes its load fail there, and [`Code::LoadFailed`] if there is no worker.
    pub(crate) fn load(workers: &Workers, request: &LoadRequest, cell: Cell) -> Result<Bound, Error> {
        let manifest = &request.plugin.manifest;
        let mut load = Load::new(Purpose::Load, &request.plugin, cell.confinement);
        load.config = from_value(request.config.clone());
        load.limits = request.limits;
        load.access = cell.access;
        // What the worker's memory holds is not the host's.
        let mut time = request.limits;
        (time.memory, time.cpu) = (None, None);
        let supervisor = Arc::new(Self {
            load,
            environment: cell.environment,
            cpu: cell.cpu,
            imports: request.imports.clone(),
            output: request.output.clone(),
            meter: Meter::plugin(&manifest.name, &time),
            ..Self::new(workers, &request.plugin, Purpose::Load)
        });
        let frame = supervisor.meter.enter()?;
        let (worker, module) = supervisor.start(&frame, Module::read)?;
        supervisor.state.lock().worker = Some(worker.clone());
        supervisor.functions.get_or_init(|| module.functions.clone());
        let mut binder = request.binder();
        let remote: Arc<dyn Remote> = supervisor.clone();
        let classes = remote::bind(&mut binder, module, &remote)?;
        classes.iter().for_each(|class| worker.peer.tables.add_class(class));
        *supervisor.classes.lock() = classes;
        Ok(binder.finish())
    }

    /// A new worker, and what `read` makes of its answer to what it was to load.
    fn start<T>(
        &self,
        frame: &Frame,
        read: impl FnOnce(&mut Reader<'_>) -> Result<Result<T, Error>, Malformed>,
    ) -> Result<(Arc<Worker>, T), Error> {
        let failed = |what: &dyn std::fmt::Display| {
            let message = format!("the worker of `{}` {what}", self.name);
            Error::new(Code::LoadFailed, message).at(self.location.clone())
        };
        let scratch = tempfile::Builder::new().prefix("caraway-").tempdir();
        let scratch = scratch.map_err(|error| failed(&format_args!("has no folder of its own: {error}")))?;
        let mut load = self.load.clone();
        load.confinement.read.push(scratch.path().to_owned());
        load.confinement.write.push(scratch.path().to_owned());
        let start = Start {
            program: self.workers.path(),
            name: &self.name,
            environment: self.environment.clone(),
            scratch,
            output: self.output.clone(),
        };
        let io_failed = |error: io::Error| {
            failed(&format_args!("cannot be started: {error}"))
                .hint(format!("it is `{}`, executed again", self.workers.path().display()))
        };
        let (process, socket) = Process::start(start).map_err(io_failed)?;
        let clock = self.cpu.map(|limit| Arc::new(Clock::new(process.pid(), limit)));
        let host = Host { imports: self.imports.clone(), output: self.output.clone(), clock: clock.clone() };
        let peer = Peer::new(host_channel(socket).map_err(io_failed)?, Box::new(host));
        self.classes.lock().iter().for_each(|class| peer.tables.add_class(class));
        let worker = Arc::new(Worker { process, peer, clock });
        worker.peer.keep(&worker);
        let end = match Self::talk(&worker, &load, read) {
            Ok(loaded) => return Ok((worker, loaded)),
            Err(Failure::Call(CallError::Error(error))) => return Err(error),
            Err(Failure::Call(CallError::Rhai(error))) => return Err(failed(&error)),
            Err(Failure::Call(CallError::Expired(expiry))) => End::Stopped(expiry),
            Err(Failure::End(end)) => end,
        };
        let status = match end {
            End::Gone => worker.end(),
            End::Malformed(_) | End::Stopped(_) | End::Over | End::Late => None,
        };
        worker.process.kill();
        Err(match end {
            End::Stopped(expiry) => match frame.settle(expiry.clone().terminate(Position::NONE)) {
                Ok(error) => error,
                Err(_) => expiry.error().clone(),
            },
            End::Malformed(what) => failed(&format_args!("does not speak as a worker does: {what}")),
            End::Late => failed(&"was ended, since a function that it passed on ran past a limit"),
            End::Gone | End::Over => match status {
                Some(ended) => failed(&format_args!("{ended} while it loaded the plugin")),
                None => failed(&"closed its socket while it loaded the plugin"),
            },
        })
    }

    fn talk<T>(
        worker: &Worker,
        load: &Load,
        read: impl FnOnce(&mut Reader<'_>) -> Result<Result<T, Error>, Malformed>,
    ) -> Result<T, Failure> {
        let hello = Hello { version: VERSION, nonce: nonce()? };
        let answer = worker.peer.ask_within(&hello.write(), START)?;
        let mut reader = Reader::new(&answer);
        if Tag::read(&mut reader)? != Tag::Hello || Hello::read(&mut reader)? != hello {
            return Err(Malformed("it is another program, or another version of this one").into());
        }
        let load = load.write().map_err(|error| Failure::Call(error.into()))?;
        let answer = worker.peer.request(&load, Tag::Loaded)?;
        let mut reader = Reader::new(&answer);
        Tag::read(&mut reader)?;
        let loaded = read(&mut reader)?;
        reader.end()?;
        loaded.map_err(|error| Failure::Call(error.into()))
    }

    /// The worker that runs, or a new one.
    fn worker(&self, frame: &Frame) -> Result<Arc<Worker>, CallError> {
        let mut state = self.state(frame)?;
        if let Some(worker) = &state.worker {
            return Ok(worker.clone());
        }
        if state.ended >= QUARANTINE {
            let message = format!(
                "`{}` ended its process {} times in a row, and is not started again",
                self.name, state.ended
            );
            return Err(Error::new(Code::PluginCrashed, message)
                .hint("mend the plugin, then start the program again")
                .into());
        }
        if let Some(left) = state.pause.and_then(|until| until.checked_duration_since(Instant::now())) {
            let message = format!(
                "`{}` ended its process {} times in a row, and is not started again for {left:.1?}",
                self.name, state.ended
            );
            return Err(Error::new(Code::PluginCrashed, message)
                .hint("call it later, or mend the plugin")
                .into());
        }
        let started = self.start(frame, Module::read);
        if started.is_err() {
            state.count_end();
        }
        let (worker, module) = started?;
        if self.functions.get() != Some(&module.functions) {
            let message = format!(
                "`{}` has other functions than before its process ended: its files were changed",
                self.name
            );
            return Err(Error::new(Code::SignatureMismatch, message)
                .hint("start the program again, which then sees what is new")
                .into());
        }
        state.worker = Some(worker.clone());
        Ok(worker)
    }

    fn state(&self, frame: &Frame) -> Result<MutexGuard<'_, State>, CallError> {
        loop {
            if let Some(state) = self.state.try_lock_for(TURN) {
                return Ok(state);
            }
            budget::check().map_err(|expiry| CallError::at_boundary(expiry, frame))?;
        }
    }

    /// What the end of a worker during a call of `function` is to the caller.
    fn ended(&self, worker: &Arc<Worker>, end: End, function: &str, frame: &Frame) -> CallError {
        let status = match end {
            End::Gone => worker.end(),
            End::Malformed(_) | End::Stopped(_) | End::Over | End::Late => None,
        };
        worker.process.kill();
        worker.peer.set_ended();
        {
            let mut state = self.state.lock();
            if state.worker.as_ref().is_some_and(|current| Arc::ptr_eq(current, worker)) {
                state.worker = None;
                if !matches!(end, End::Stopped(_) | End::Late) {
                    state.count_end();
                }
            }
        }
        let crashed = |what: String| {
            Error::new(
                Code::PluginCrashed,
                format!("the process of `{function}` {what}; the plugin's state was lost"),
            )
            .hint("the next call starts a fresh copy of the plugin")
        };
        match end {
            End::Stopped(expiry) => match CallError::at_boundary(expiry, frame) {
                CallError::Error(error) => error.with_state_lost().into(),
                other => other,
            },
            End::Malformed(what) => {
                crashed(format!("said what makes no sense ({what}) and was ended")).into()
            }
            End::Late => {
                crashed("was ended, since a function that it passed on ran past a limit".to_owned()).into()
            }
            End::Gone | End::Over => match status {
                Some(_) if worker.clock.as_ref().is_some_and(|clock| clock.is_used_up()) => Error::new(
                    Code::Deadline,
                    format!("`{function}` used more processor time than it may; the plugin's state was lost"),
                )
                .hint("raise `max_cpu` in the plugin's `security`")
                .into(),
                Some(status) => crashed(status.to_string()).into(),
                None => crashed("closed its socket and was ended".to_owned()).into(),
            },
        }
    }
}

impl State {
    fn count_end(&mut self) {
        self.ended = self.ended.saturating_add(1);
        if let Some(times) = self.ended.checked_sub(PATIENCE) {
            self.pause = Instant::now().checked_add(PAUSE.saturating_mul(1 << times.min(16)));
        }
    }
}

impl Remote for Supervisor {
    fn call(
        &self,
        function: u32,
        signature: &Signature,
        context: &NativeCallContext,
        args: &mut [&mut Dynamic],
    ) -> CallResult {
        let frame = self.meter.enter()?;
        let (worker, result) = loop {
            let worker = self.worker(&frame)?;
            let result = {
                let _running = worker.clock.as_ref().map(|clock| clock.run());
                body(|| worker.peer.call(Callee::Function(0, function), signature, context, args))
            };
            if !matches!(result, Err(Failure::End(End::Over))) {
                break (worker, result);
            }
            // Whoever found it at its end is about to make room for a new one.
            std::thread::sleep(MOMENT);
            budget::check().map_err(|expiry| CallError::at_boundary(expiry, &frame))?;
        };
        if let Err(Failure::End(end)) = result {
            return Err(self.ended(&worker, end, &signature.name, &frame));
        }
        let stopped = matches!(result, Err(Failure::Call(CallError::Expired(_))));
        if !stopped && let Some(mut state) = self.state.try_lock() {
            state.ended = 0;
            state.pause = None;
        }
        frame.finish().map_err(|expiry| CallError::at_boundary(expiry, &frame))?;
        match result {
            Ok(value) => Ok(value),
            Err(Failure::Call(CallError::Expired(expiry))) => Err(CallError::at_boundary(expiry, &frame)),
            Err(Failure::Call(error)) => Err(error),
            Err(Failure::End(_)) => Err(Error::new(Code::Internal, "an end that was handled").into()),
        }
    }
}

/// A number that nobody else knows.
fn nonce() -> Result<[u8; 16], Failure> {
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce).map_err(|error| {
        let message = format!("the system gives no random numbers: {error}");
        Failure::Call(Error::new(Code::Io, message).into())
    })?;
    Ok(nonce)
}
