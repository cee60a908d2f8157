//! One side of a conversation: calls go both ways, and nest.

use crate::exports::{Exports, HERE};
use crate::references::{Passing, Tables};
use crate::wire::{
    Closed, Halves, Incoming, Malformed, Module, Outgoing, Reader, Receiver, Sender, Tag, Writer, read_error,
    read_value, write_error, write_value,
};
use caraway_loaders_core::bind::conform::{Functions, conform};
use caraway_loaders_core::bind::{Bound, CallError, Callbacks, explain};
use caraway_loaders_core::budget::Expiry;
use caraway_loaders_core::event::Event;
use caraway_loaders_core::output::Stream;
use caraway_loaders_core::{Code, Error, Signature, Type};
use parking_lot::{Mutex, MutexGuard, ReentrantMutex, ReentrantMutexGuard};
use rhai::{Dynamic, EvalAltResult, NativeCallContext, Position};
use std::any::Any;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};

/// How long to wait for another thread's call before looking at the limits again.
const TURN: Duration = Duration::from_millis(20);

/// Said of a message that there is no room for, or that is not where it is said to be.
const TOO_LARGE: &str = "a message is too large";

/// What one side does for the other, apart from calls.
pub(crate) trait Side: Send + Sync {
    /// Whether the other side can stop this one.
    fn obeys(&self) -> bool;

    /// Asked now and then while the other side is waited for.
    fn look(&self) -> Result<(), Expiry>;

    /// The module of a plugin.
    fn import(&self, path: &str) -> Result<Arc<Bound>, Error>;

    /// A line to print.
    fn print(&self, stream: Stream, line: &str);

    /// An event.
    fn event(&self, event: &Event<'_>);
}

/// Why a conversation came to its end.
#[derive(Debug)]
pub(crate) enum End {
    /// The other side is gone.
    Gone,
    /// It said what makes no sense.
    Malformed(&'static str),
    /// A limit was reached while it was waited for.
    Stopped(Expiry),
    /// Another call found it at its end; this one was never made.
    Over,
    /// A call within this one was given up, and what that answers would be taken for this one's answer.
    Late,
}

impl From<Malformed> for End {
    fn from(Malformed(what): Malformed) -> Self {
        Self::Malformed(what)
    }
}

/// Why there is no result.
pub(crate) enum Failure {
    /// The conversation is over.
    End(End),
    /// Only the call failed.
    Call(CallError),
}

impl<T: Into<End>> From<T> for Failure {
    fn from(end: T) -> Self {
        Self::End(end.into())
    }
}

/// What is called on the other side.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Callee {
    /// A function of a module, both by number.
    Function(u32, u32),
    /// A function that the other side passed to a call.
    Callback(u32),
}

/// One side of a conversation.
pub(crate) struct Peer {
    side: Box<dyn Side>,
    sender: Mutex<Sender>,
    receiver: Mutex<Receiver>,
    pub(crate) outgoing: Outgoing,
    pub(crate) incoming: Incoming,
    turn: ReentrantMutex<()>,
    /// The modules that the other side may call, by number.
    modules: Mutex<Vec<Arc<Exports>>>,
    pub(crate) tables: Tables,
    /// What has to live as long as handles of the other side's do.
    keeper: OnceLock<Weak<dyn Any + Send + Sync>>,
    ended: AtomicBool,
}

impl Peer {
    pub(crate) fn new((sender, receiver): Halves, side: Box<dyn Side>) -> Arc<Self> {
        Arc::new(Self {
            side,
            outgoing: sender.outgoing().clone(),
            incoming: receiver.incoming().clone(),
            sender: Mutex::new(sender),
            receiver: Mutex::new(receiver),
            turn: ReentrantMutex::new(()),
            modules: Mutex::default(),
            tables: Tables::default(),
            keeper: OnceLock::new(),
            ended: AtomicBool::new(false),
        })
    }

    /// Lets handles of the other side's keep this alive.
    pub(crate) fn keep<T: Any + Send + Sync>(&self, keeper: &Arc<T>) {
        let keeper: Arc<dyn Any + Send + Sync> = keeper.clone();
        self.keeper.get_or_init(|| Arc::downgrade(&keeper));
    }

    /// What a handle of the other side's keeps alive.
    pub(crate) fn keeper(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        self.keeper.get()?.upgrade()
    }

    /// Whether the other side is gone for good.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// Says that the other side is gone.
    pub(crate) fn set_ended(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    /// Lets the other side call a module, and gives its number.
    pub(crate) fn export(&self, bound: Arc<Bound>) -> (u32, Arc<Exports>) {
        let mut modules = self.modules.lock();
        let known = modules.iter().position(|exports| exports.is_of(&bound));
        let place = known.unwrap_or_else(|| {
            modules.push(Arc::new(Exports::new(bound)));
            modules.len() - 1
        });
        (u32::try_from(place).unwrap_or(u32::MAX), modules[place].clone())
    }

    /// Has the conversation to itself, once no other thread of a host has. A worker has one call at a time, and its
    /// threads what belongs to that. A limit that is reached before is no end: another call is being made.
    fn turn(&self) -> Result<Option<ReentrantMutexGuard<'_, ()>>, Failure> {
        if self.side.obeys() {
            return Ok(None);
        }
        loop {
            if let Some(turn) = self.turn.try_lock_for(TURN) {
                return Ok(Some(turn));
            }
            self.side.look().map_err(|expiry| Failure::Call(CallError::Expired(expiry)))?;
        }
    }

    /// Sends a message.
    pub(crate) fn send(&self, message: &Writer) -> Result<(), Failure> {
        let sent = self.sender.lock().send(message.as_bytes(), &mut || self.side.look());
        sent.map_err(|closed| match closed {
            Closed::Gone => End::Gone.into(),
            Closed::Stopped(expiry) => End::Stopped(expiry).into(),
            Closed::TooLarge(size) => {
                let message = format!("{size} bytes are more than a call into another process can carry");
                Failure::Call(Error::new(Code::Memory, message).into())
            }
        })
    }

    fn receive(&self, receiver: &mut Receiver) -> Result<Vec<u8>, End> {
        receiver.receive(&mut || self.side.look()).map_err(|closed| match closed {
            Closed::Stopped(expiry) => End::Stopped(expiry),
            Closed::Gone => End::Gone,
            Closed::TooLarge(_) => End::Malformed(TOO_LARGE),
        })
    }

    /// The next message, whatever it is.
    pub(crate) fn next(&self) -> Result<Vec<u8>, End> {
        self.receive(&mut self.receiver.lock())
    }

    /// Sends a message and gives the next one that comes within this time.
    pub(crate) fn ask_within(&self, message: &Writer, time: Duration) -> Result<Vec<u8>, Failure> {
        let end = Instant::now() + time;
        self.send(message)?;
        let mut look = || match Instant::now() < end {
            true => self.side.look().map_err(End::Stopped),
            false => Err(End::Malformed("it does not answer")),
        };
        let received = self.receiver.lock().receive(&mut look);
        received.map_err(|closed| match closed {
            Closed::Stopped(end) => end.into(),
            Closed::Gone => End::Gone.into(),
            Closed::TooLarge(_) => End::Malformed(TOO_LARGE).into(),
        })
    }

    /// Sends a message and gives what is answered with this tag, doing what the other side asks for in the meantime.
    pub(crate) fn request(self: &Arc<Self>, message: &Writer, answer: Tag) -> Result<Vec<u8>, Failure> {
        let mut receiver = self.receiver.lock();
        self.send(message)?;
        loop {
            let received = self.receive(&mut receiver)?;
            if Tag::read(&mut Reader::new(&received))? == answer {
                return Ok(received);
            }
            // Calls nest, and threads of a plugin may ask for something while one is being answered.
            MutexGuard::unlocked(&mut receiver, || self.serve(received))?;
            if self.has_ended() {
                self.side.look().map_err(End::Stopped)?;
                return Err(End::Late.into());
            }
        }
    }

    /// Lets a worker come to its end, and does what it asks for on the way, for so long.
    pub(crate) fn end_within(self: &Arc<Self>, time: Duration) {
        // A thread of the host's that still waits for it is about to find out.
        let Some(mut receiver) = self.receiver.try_lock() else { return };
        if let Some(released) = self.tables.take_released() {
            let _ = self.send(&released);
        }
        if self.send(&Tag::End.message()).is_err() {
            return;
        }
        let end = Instant::now() + time;
        let mut look = || if Instant::now() < end { Ok(()) } else { Err(()) };
        while let Ok(message) = receiver.receive(&mut look) {
            if MutexGuard::unlocked(&mut receiver, || self.serve(message)).is_err() {
                return;
            }
        }
    }

    /// Forgets all that the other side could ask for, which runs destructors.
    pub(crate) fn clear(&self) {
        let modules = std::mem::take(&mut *self.modules.lock());
        drop(modules);
        self.tables.clear();
    }

    /// Does what the other side asks for, until it is gone.
    pub(crate) fn serve_all(self: &Arc<Self>) -> End {
        loop {
            let next = || {
                let received = self.receive(&mut self.receiver.lock())?;
                self.serve(received)
            };
            match next() {
                Ok(()) => {}
                Err(Failure::End(end)) => return end,
                Err(Failure::Call(_)) => return End::Malformed(TOO_LARGE),
            }
        }
    }

    fn serve(self: &Arc<Self>, message: Vec<u8>) -> Result<(), Failure> {
        let mut reader = Reader::new(&message);
        match Tag::read(&mut reader)? {
            Tag::Call => {
                let _shared = Sharing::enter(self);
                let (module, function) = (reader.u32()?, reader.u32()?);
                let args = self.read_args(reader)?;
                // It may be large, and the call long.
                drop(message);
                let exports = self.modules.lock().get(module as usize).cloned();
                let exports = exports.ok_or(Malformed("no module has this number"))?;
                let result = exports.call(function as usize, args);
                self.answer(result)
            }
            Tag::Callback => {
                let _shared = Sharing::enter(self);
                let id = reader.u32()?;
                let args = self.read_args(reader)?;
                drop(message);
                let result = self.tables.call_function(id, args);
                self.answer(result)
            }
            Tag::Import => {
                let path = reader.string()?;
                reader.end()?;
                let imported = self.side.import(&path).map(|bound| self.export(bound));
                let mut out = Tag::Imported.message();
                out.u32(imported.as_ref().map_or(0, |(number, _)| *number));
                let described = imported.as_ref().map(|(_, exports)| exports.describe());
                Module::write(&mut out, described.as_ref().map_err(|error| *error), Path::new(HERE));
                self.send(&out)
            }
            Tag::Print => {
                let stream = if reader.bool()? { Stream::Stderr } else { Stream::Stdout };
                self.side.print(stream, reader.text()?);
                Ok(reader.end()?)
            }
            Tag::Event => {
                let (plugin, name, payload) = (reader.text()?, reader.text()?, reader.text()?);
                reader.end()?;
                let event =
                    Event::new(plugin, name, payload).map_err(|_| Malformed("no event is like this"))?;
                self.side.event(&event);
                Ok(())
            }
            Tag::Release => {
                for (id, count) in reader.list(|from| Ok((from.u64()?, from.u64()?)))? {
                    self.tables.released(id, count);
                }
                Ok(reader.end()?)
            }
            Tag::End if self.side.obeys() => Err(End::Gone.into()),
            Tag::End | Tag::Hello | Tag::Load | Tag::Loaded | Tag::Answer | Tag::Imported => {
                Err(Malformed("this message has no place here").into())
            }
        }
    }

    fn read_args(self: &Arc<Self>, mut reader: Reader<'_>) -> Result<Vec<Dynamic>, Malformed> {
        let passing = Passing::new(self);
        self.tables.shared.lock().read_changes(&mut reader)?;
        let args = reader.list(|from| read_value(from, &passing))?;
        reader.end()?;
        Ok(args)
    }

    fn answer(self: &Arc<Self>, result: Result<Dynamic, Box<EvalAltResult>>) -> Result<(), Failure> {
        let passing = Passing::new(self);
        let written = result.and_then(|value| {
            let mut out = Tag::Answer.message();
            self.tables.shared.lock().write_changes(&mut out);
            if let Some(id) = self.tables.stopping(&value) {
                out.u8(PASSED);
                out.u32(id);
                return Ok(out);
            }
            out.u8(RESULT);
            let written = write_value(&mut out, &value, &passing);
            written.map_err(|error| error.said_of("the result").raise(Position::NONE))?;
            Ok(out)
        });
        let out = match written {
            Ok(out) => out,
            Err(error) => self.failed(error),
        };
        match self.send(&out) {
            Err(Failure::Call(CallError::Error(error))) => {
                self.send(&self.failed(error.raise(Position::NONE)))
            }
            sent => sent,
        }
    }

    fn failed(&self, error: Box<EvalAltResult>) -> Writer {
        let mut out = Tag::Answer.message();
        self.tables.shared.lock().write_changes(&mut out);
        if let Some(id) = self.tables.passing_back(&error) {
            out.u8(PASSED);
            out.u32(id);
            return out;
        }
        let stopped =
            matches!(error.unwrap_inner(), EvalAltResult::ErrorTerminated(..) | EvalAltResult::Exit(..));
        let explained = explain(&error, HERE, &|_| None);
        out.u8(if stopped { STOPPED } else { FAILED });
        out.u32(self.tables.pass(error));
        write_error(&mut out, &explained, Path::new(HERE));
        out
    }

    /// Calls a function that the other side passed to a call.
    pub(crate) fn call_back(
        self: &Arc<Self>,
        id: u32,
        context: &NativeCallContext,
        args: &mut [&mut Dynamic],
    ) -> Result<Dynamic, Box<EvalAltResult>> {
        let signature = Signature::new("callback", std::iter::empty::<(String, Type)>(), Type::Any);
        match self.call(Callee::Callback(id), &signature, context, args) {
            Ok(value) => Ok(value),
            Err(Failure::Call(CallError::Rhai(error))) => Err(error),
            Err(Failure::Call(CallError::Error(error))) => Err(error.raise(context.call_position())),
            Err(Failure::Call(CallError::Expired(expiry)) | Failure::End(End::Stopped(expiry))) => {
                Err(expiry.terminate(context.call_position()))
            }
            // Whoever waits for the call that this callback was passed to finds out, too, and says so.
            Err(Failure::End(_)) => {
                let error = Error::new(Code::PluginCrashed, "the process of a callback is gone");
                Err(error.raise(context.call_position()))
            }
        }
    }

    /// Calls what the other side has, with arguments that are what the signature declares. The signature's name is for
    /// messages.
    pub(crate) fn call(
        self: &Arc<Self>,
        callee: Callee,
        signature: &Signature,
        context: &NativeCallContext,
        args: &mut [&mut Dynamic],
    ) -> Result<Dynamic, Failure> {
        Callbacks::scope(context, signature, |callbacks| {
            // What is written down here, buffers and all, is sent in the same order.
            let _turn = self.turn()?;
            if self.has_ended() {
                return Err(End::Over.into());
            }
            let _shared = Sharing::enter(self);
            let passing = Passing::new(self);
            let mut out = match callee {
                Callee::Function(module, function) => {
                    let mut out = Tag::Call.message();
                    out.u32(module);
                    out.u32(function);
                    out
                }
                Callee::Callback(id) => {
                    let mut out = Tag::Callback.message();
                    out.u32(id);
                    out
                }
            };
            self.tables.shared.lock().write_changes(&mut out);
            out.count(args.len());
            for (index, arg) in args.iter().enumerate() {
                let ty = signature.params.get(index).map_or(&Type::Any, |param| &param.ty);
                let wrong = |error: Error| Failure::Call(error.about_argument(index).into());
                if is_scalar(ty) {
                    write_value(&mut out, arg, &passing).map_err(wrong)?;
                    continue;
                }
                let functions = Functions::Bind(callbacks, index);
                let arg = conform(ty, (**arg).clone(), functions).map_err(wrong)?;
                write_value(&mut out, &arg, &passing).map_err(wrong)?;
            }
            let ask = || {
                if let Some(released) = self.tables.take_released() {
                    self.send(&released)?;
                }
                self.request(&out, Tag::Answer)
            };
            let answer = ask().inspect_err(|failure| {
                if matches!(failure, Failure::End(_)) {
                    // Before anybody else has a turn.
                    self.set_ended();
                }
            })?;
            let is_callback = matches!(callee, Callee::Callback(_));
            self.read_answer(&answer, signature, context, is_callback)
        })
    }

    fn read_answer(
        self: &Arc<Self>,
        answer: &[u8],
        signature: &Signature,
        context: &NativeCallContext,
        is_callback: bool,
    ) -> Result<Dynamic, Failure> {
        let mut reader = Reader::new(answer);
        Tag::read(&mut reader)?;
        self.tables.shared.lock().read_changes(&mut reader)?;
        let passing = Passing::new(self);
        match reader.u8()? {
            RESULT => {
                let value = read_value(&mut reader, &passing)?;
                reader.end()?;
                let value = conform(&signature.returns, value, Functions::Refuse).map_err(|error| {
                    let error = error.said_of(&format!("the result of `{}`", signature.name));
                    let code =
                        if error.code() == Code::ArgumentType { Code::ResultType } else { error.code() };
                    let hint = "the plugin's manifest and its code disagree: tell its author";
                    Failure::Call(Error::new(code, error.message()).hint(hint).into())
                })?;
                Ok(value)
            }
            PASSED => {
                let id = reader.u32()?;
                reader.end()?;
                let error = self.tables.passed(id).ok_or(Malformed("no error has this number"))?;
                Err(Failure::Call(CallError::Rhai(error)))
            }
            kind @ (FAILED | STOPPED) => {
                let id = reader.u32()?;
                let error = read_error(&mut reader)?;
                reader.end()?;
                // A worker may not go on where its host may not; a host lets nobody tell it so.
                let stopped = kind == STOPPED && self.side.obeys();
                Err(Failure::Call(match error.thrown() {
                    _ if stopped || is_callback => CallError::Rhai(self.tables.received(id, error, stopped)),
                    Some(thrown) => thrown_there(signature, &error, thrown.clone(), context),
                    None => error.into(),
                }))
            }
            _ => Err(Malformed("no answer begins like this").into()),
        }
    }
}

const RESULT: u8 = 0;
const FAILED: u8 = 1;
const STOPPED: u8 = 2;
const PASSED: u8 = 3;

/// What was thrown on the other side, as Rhai itself wraps it: `catch` gives the value, and the place is kept.
fn thrown_there(
    signature: &Signature,
    error: &Error,
    thrown: Dynamic,
    context: &NativeCallContext,
) -> CallError {
    let Some(place) = error.location() else { return error.clone().into() };
    let number = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
    let position = match number(place.line) {
        0 => Position::NONE,
        line => Position::new(line, number(place.column)),
    };
    CallError::Rhai(Box::new(EvalAltResult::ErrorInFunctionCall(
        signature.name.clone(),
        place.file.to_string_lossy().into_owned(),
        Box::new(EvalAltResult::ErrorRuntime(thrown, position)),
        context.call_position(),
    )))
}

/// A call, or one within it, while which buffers are shared.
struct Sharing<'a>(&'a Peer);

impl<'a> Sharing<'a> {
    fn enter(peer: &'a Peer) -> Self {
        if peer.tables.shared.lock().enter() {
            peer.outgoing.reset();
        }
        Self(peer)
    }
}

impl Drop for Sharing<'_> {
    fn drop(&mut self) {
        if self.0.tables.shared.lock().leave() {
            self.0.tables.forget_errors();
        }
    }
}

/// Whether values of a type need no look inside.
fn is_scalar(ty: &Type) -> bool {
    matches!(ty, Type::Int | Type::Float | Type::Bool | Type::Char | Type::String | Type::Bytes | Type::Void)
}
