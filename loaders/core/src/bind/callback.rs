//! Functions that a script passes to a plugin.
//!
//! A closure belongs to the engine that made it: called elsewhere it is not found, or another function of the
//! same name is. So a function that crosses a boundary is wrapped in one that calls it at home, for as long as
//! the call that it was passed to lasts.

use super::conform::{self, Functions};
use crate::code::Code;
use crate::error::Error;
use caraway_plugin::Type;
use rhai::{Dynamic, Engine, EvalAltResult, FnPtr, NativeCallContext, Position};
use std::cell::OnceCell;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// The functions that one call passes, see [`Callbacks::scope`].
pub struct Callbacks<'a> {
    context: &'a NativeCallContext<'a>,
    home: OnceCell<Arc<Home>>,
}

impl<'a> Callbacks<'a> {
    /// Makes a call whose arguments may hold functions of the one that `context` belongs to. They expire when
    /// `call` returns. Costs nothing until one is bound.
    pub fn scope<R>(context: &'a NativeCallContext<'a>, call: impl FnOnce(&Callbacks<'a>) -> R) -> R {
        // The value stays here, behind a reference: whatever `call` does, it is dropped when this returns.
        let callbacks = Self { context, home: OnceCell::new() };
        call(&callbacks)
    }

    /// A function that calls `function`, a `FnPtr`, at home.
    pub(super) fn bind(&self, function: Dynamic) -> Dynamic {
        let Some(function) = function.try_cast::<FnPtr>() else { return Dynamic::UNIT };
        let home = self.home.get_or_init(|| Arc::new(Home::new(self.context))).clone();
        let name = function.fn_name().to_owned();
        #[allow(deprecated)] // Rhai's mark for an interface that may change; the version is pinned.
        let wrapped =
            FnPtr::from_fn("callback", move |context: NativeCallContext, args: &mut [&mut Dynamic]| {
                home.call(&function, &name, args, context.call_position())
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

/// Where functions belong: the calling engine and the state of the call.
struct Home {
    engine: EnginePointer,
    #[allow(deprecated)] // As above.
    context: rhai::NativeCallContextStore,
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
        self.idle.notify_all();
    }

    /// Refuses further calls and waits for those that other threads are still making.
    fn expire(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.alive = false;
        while state.running > 0 {
            state = self.idle.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn call(
        &self,
        function: &FnPtr,
        name: &str,
        args: &mut [&mut Dynamic],
        position: Position,
    ) -> Result<Dynamic, Box<EvalAltResult>> {
        if !self.enter() {
            return Err(Error::new(
                Code::CallbackExpired,
                format!("`{name}` was called after the call that it was passed to"),
            )
            .hint("a callback is valid during the call only; do not keep it")
            .raise(position));
        }
        let leave = Leave(self);
        // SAFETY: `enter` gave true, so `Callbacks` has not been dropped and cannot be before `leave`; the
        // context that it borrows holds a reference to the engine for that long.
        let engine = unsafe { &*self.engine.0 };
        let result = self.call_at_home(engine, function, args, position);
        drop(leave);
        result
    }

    fn call_at_home(
        &self,
        engine: &Engine,
        function: &FnPtr,
        args: &mut [&mut Dynamic],
        position: Position,
    ) -> Result<Dynamic, Box<EvalAltResult>> {
        let passed = args
            .iter_mut()
            .map(|arg| conform::conform(&Type::Any, arg.clone(), Functions::Refuse))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| error.said_of("an argument of a callback").raise(position))?;
        #[allow(deprecated)] // As above.
        let context = self.context.create_context(engine);
        let result: Dynamic = function.call_within_context(&context, passed)?;
        conform::conform(&Type::Any, result, Functions::Refuse)
            .map_err(|error| error.said_of("the result of a callback").raise(position))
    }
}

struct Leave<'a>(&'a Home);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}
