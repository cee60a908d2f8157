//! Functions that a script passes to a plugin.
//!
//! A closure belongs to the engine that made it: called elsewhere it is not found, or another function of the
//! same name is. So a function that crosses a boundary is wrapped in one that calls it at home, for as long as
//! the call that it was passed to lasts.

use super::conform::{Functions, conform};
use super::thrown::leaving;
use crate::budget::Lent;
use crate::code::Code;
use crate::error::{Error, Location};
use caraway_plugin::{Signature, Type};
use rhai::{Dynamic, Engine, EvalAltResult, FnPtr, NativeCallContext, Position};
use std::cell::OnceCell;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, ThreadId};

/// The stack of a call that does not come from the thread that the callback belongs to: scripts recurse, and the
/// stacks of a plugin's threads may be small. Reserved, not used.
const STACK: usize = 256 << 20;

/// The functions that one call passes, see [`Callbacks::scope`].
pub struct Callbacks<'a> {
    context: &'a NativeCallContext<'a>,
    signature: &'a Signature,
    home: OnceCell<Arc<Home>>,
}

impl<'a> Callbacks<'a> {
    /// Makes a call of the function with this signature, whose arguments may hold functions of the one that
    /// `context` belongs to. They expire when `call` returns. Costs nothing until one is bound. The signature's
    /// name is for messages: `plugin::function`.
    pub fn scope<R>(
        context: &'a NativeCallContext<'a>,
        signature: &'a Signature,
        call: impl FnOnce(&Callbacks<'a>) -> R,
    ) -> R {
        // The value stays here, behind a reference: whatever `call` does, it is dropped when this returns.
        let callbacks = Self { context, signature, home: OnceCell::new() };
        call(&callbacks)
    }

    /// The function that the argument of this index is, ready to be called during the call, from any thread.
    /// `None` if the argument is no function.
    ///
    /// What it is given and what it gives back are checked against the type that the signature declares.
    pub fn callable(&self, index: usize, argument: &Dynamic) -> Option<Callable> {
        let ty = self.signature.params.get(index).map_or(&Type::Any, |param| &param.ty);
        self.callable_of_type(index, ty, argument)
    }

    /// The same for a function that is a part of the argument of this index, of the type that the part has.
    fn callable_of_type(&self, index: usize, ty: &Type, function: &Dynamic) -> Option<Callable> {
        let function = function.read_lock::<FnPtr>()?.clone();
        let home = self.home.get_or_init(|| Arc::new(Home::new(self.context))).clone();
        let parameter = self.signature.params.get(index).map_or("?", |param| &param.name).to_owned();
        let ty = match ty {
            Type::Option(inner) => inner,
            ty => ty,
        };
        let of = self.signature.name.clone();
        Some(Callable(Arc::new(Parts { home, function, parameter, of, ty: ty.clone() })))
    }

    /// A function for another engine that calls `function`, a part of the argument of this index, at home.
    pub(super) fn bind(&self, index: usize, ty: &Type, function: &Dynamic) -> Dynamic {
        let Some(callable) = self.callable_of_type(index, ty, function) else { return Dynamic::UNIT };
        #[allow(deprecated)] // Rhai's mark for an interface that may change; the version is pinned.
        let wrapped =
            FnPtr::from_fn("callback", move |context: NativeCallContext, args: &mut [&mut Dynamic]| {
                let args = args.iter_mut().map(|arg| (**arg).clone()).collect();
                callable.call_at(args, context.call_position())
            });
        wrapped.map_or(Dynamic::UNIT, Dynamic::from)
    }
}

impl Drop for Callbacks<'_> {
    fn drop(&mut self) {
        if let Some(home) = self.home.get() {
            home.expire();
        }
    }
}

/// A function of a script that a plugin can call until the call that it was passed to returns.
///
/// Clones are the same function. A call from another thread is waited for before that call returns to the script,
/// and lives under the limits of the thread that the function came from. It runs on a thread of its own, with a stack
/// that scripts can recurse on, which takes some ten microseconds more.
#[derive(Clone)]
pub struct Callable(Arc<Parts>);

struct Parts {
    home: Arc<Home>,
    function: FnPtr,
    /// The parameter that it was passed as, and the function, for messages.
    parameter: String,
    of: String,
    /// Its declared type; what is no `fn(..)` says nothing.
    ty: Type,
}

impl Callable {
    /// Calls the function.
    ///
    /// # Errors
    ///
    /// What the function throws, as it threw it, to be passed on as
    /// [`CallError::Rhai`](super::CallError::Rhai). [`Code::CallbackExpired`] after the call that it was passed
    /// to. [`Code::ResultType`] if the plugin passes what the declared type does not allow, and
    /// [`Code::ArgumentType`] if the function gives back what it does not allow.
    pub fn call(&self, args: Vec<Dynamic>) -> Result<Dynamic, Box<EvalAltResult>> {
        self.call_at(args, Position::NONE)
    }

    fn call_at(&self, args: Vec<Dynamic>, position: Position) -> Result<Dynamic, Box<EvalAltResult>> {
        let home = &*self.0.home;
        if !home.enter() {
            let error = Error::new(
                Code::CallbackExpired,
                format!("{self} was called after the call that it belongs to"),
            )
            .hint("a callback is valid during the call only; do not keep it");
            return Err(error.raise(position));
        }
        let _leave = Leave(home);
        if thread::current().id() == home.thread {
            return self.call_at_home(args, position);
        }
        let call = || {
            let _frames = home.lent.enter();
            self.call_at_home(args, position)
        };
        let outcome = thread::scope(|scope| {
            let spawned = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, call);
            spawned.map(|thread| thread.join())
        });
        match outcome {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(Error::new(Code::Internal, format!("{self} panicked")).raise(position)),
            Err(error) => {
                let message =
                    format!("{self} was called from another thread, and there is none for it: {error}");
                Err(Error::new(Code::Limit, message).raise(position))
            }
        }
    }

    fn call_at_home(
        &self,
        mut args: Vec<Dynamic>,
        position: Position,
    ) -> Result<Dynamic, Box<EvalAltResult>> {
        let Parts { home, function, ty, .. } = &*self.0;
        let declared = if let Type::Fn(params, returns) = ty { Some((params, &**returns)) } else { None };
        if let Some((params, _)) = declared.filter(|(params, _)| params.len() != args.len()) {
            let (takes, given) = (params.len(), args.len());
            let s = if given == 1 { "" } else { "s" };
            let message = format!("{self} takes {takes}, the plugin called it with {given} argument{s}");
            return Err(self.plugins_fault(Code::ResultType, &message).raise(position));
        }
        for (index, arg) in args.iter_mut().enumerate() {
            let ty = declared.and_then(|(params, _)| params.get(index)).unwrap_or(&Type::Any);
            *arg = conform(ty, std::mem::take(arg), Functions::Refuse).map_err(|error| {
                let error = error.said_of(&format!("argument {} of {self}", index + 1));
                match error.code() {
                    Code::ArgumentType => self.plugins_fault(Code::ResultType, error.message()),
                    _ => error,
                }
                .raise(position)
            })?;
        }
        // SAFETY: `enter` gave true, so `Callbacks` has not been dropped and cannot be before `leave`; the
        // context that it borrows holds a reference to the engine for that long.
        let engine = unsafe { &*home.engine.0 };
        #[allow(deprecated)] // As above.
        let context = home.context.create_context(engine);
        let result = function.call_within_context(&context, args).map_err(leaving)?;
        match declared {
            Some((_, Type::Void)) => Ok(Dynamic::UNIT),
            Some((_, returns)) => self.checked(returns, result),
            None => self.checked(&Type::Any, result),
        }
    }

    fn checked(&self, returns: &Type, result: Dynamic) -> Result<Dynamic, Box<EvalAltResult>> {
        conform(returns, result, Functions::Refuse).map_err(|error| {
            // The script that passed it is to blame: the place is that of its call.
            let error = error.said_of(&format!("the result of {self}")).at(self.0.home.place.clone());
            match error.code() {
                Code::ArgumentType => error.hint(format!("it is declared as `{}`", self.0.ty)),
                _ => error,
            }
            .raise(Position::NONE)
        })
    }

    fn plugins_fault(&self, code: Code, message: &str) -> Error {
        let hint =
            format!("it is declared as `{}`, and the plugin does not keep to it: tell its author", self.0.ty);
        Error::new(code, message).hint(hint)
    }
}

/// ``the callback `visit` of `stats::each` ``.
impl fmt::Display for Callable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the callback `{}` of `{}`", self.0.parameter, self.0.of)
    }
}

impl fmt::Debug for Callable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Callable({self})")
    }
}

/// Where functions belong: the calling engine and the state of the call.
struct Home {
    engine: EnginePointer,
    #[allow(deprecated)] // As above.
    context: rhai::NativeCallContextStore,
    /// Where the call is.
    place: Location,
    thread: ThreadId,
    lent: Lent,
    state: Mutex<State>,
    idle: Condvar,
}

struct State {
    alive: bool,
    running: usize,
}

struct EnginePointer(*const Engine);

// SAFETY: `Engine` is `Sync` (the `sync` feature), and the pointer is followed only between `enter` and
// `leave`, while the engine is borrowed by the call that `Callbacks` belongs to.
unsafe impl Send for EnginePointer {}
// SAFETY: as above.
unsafe impl Sync for EnginePointer {}

impl Home {
    fn new(context: &NativeCallContext) -> Self {
        Self {
            engine: EnginePointer(context.engine()),
            #[allow(deprecated)] // As above.
            context: context.store_data(),
            place: Location::of_position(context.call_source(), context.call_position()),
            thread: thread::current().id(),
            lent: Lent::new(),
            state: Mutex::new(State { alive: true, running: 0 }),
            idle: Condvar::new(),
        }
    }

    fn enter(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.running += usize::from(state.alive);
        state.alive
    }

    fn leave(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.running -= 1;
        // Only `expire` waits, and to wake somebody is a call into the system.
        if !state.alive {
            self.idle.notify_all();
        }
    }

    /// Refuses further calls and waits for those that other threads are still making.
    fn expire(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.alive = false;
        while state.running > 0 {
            state = self.idle.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

struct Leave<'a>(&'a Home);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}
