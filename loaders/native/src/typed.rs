//! Functions that are called in C's own way, with scalars in registers.
//!
//! For each combination of parameters that are ints or floats, and of a result that is one, there is a closure of
//! its own, in which nothing is looked up: it reads the arguments, calls, and looks at one pointer. Signatures with
//! `bool`, `char` or `void` have closures that ask each time what a word stands for.

use crate::function::unbound;
use crate::outcome::Outcome;
use crate::shape::{Malformed, Scalar};
use caraway_abi::{Ret, TYPED_PARAMS};
use caraway_loaders_core::bind::{Binder, CallResult};
use caraway_loaders_core::observe::body;
use caraway_loaders_core::{Error, Signature, Type};
use rhai::{Dynamic, NativeCallContext};
use smallvec::SmallVec;
use std::ffi::c_void;
use std::sync::Arc;

/// A typed pointer and what it is called with.
#[derive(Debug, Clone)]
pub(crate) struct Typed {
    pointer: *const c_void,
    params: SmallVec<[Scalar; TYPED_PARAMS]>,
    /// `None` for `void`.
    returns: Option<Scalar>,
}

// SAFETY: the pointer is that of a function, which is called from any thread.
unsafe impl Send for Typed {}
// SAFETY: as above.
unsafe impl Sync for Typed {}

impl Typed {
    /// For a function of this signature; `None` if that may not have one.
    pub(crate) fn new(pointer: *const c_void, signature: &Signature) -> Option<Self> {
        if signature.params.len() > TYPED_PARAMS {
            return None;
        }
        let params = signature.params.iter().map(|param| Scalar::of(&param.ty)).collect::<Option<_>>()?;
        let returns = match &signature.returns {
            Type::Void => None,
            ty => Some(Scalar::of(ty)?),
        };
        Some(Self { pointer, params, returns })
    }

    /// Puts the function into a module.
    pub(crate) fn bind(
        &self,
        binder: &mut Binder,
        declared: Arc<Signature>,
        outcome: Outcome,
    ) -> Result<(), Error> {
        let known = |scalar: Option<&Scalar>| matches!(scalar, Some(Scalar::Int | Scalar::Float));
        if known(self.returns.as_ref()) && self.params.iter().all(|param| known(Some(param))) {
            self.bind_as::<Int>(binder, declared, outcome)
        } else {
            self.bind_as::<Word>(binder, declared, outcome)
        }
    }

    /// With `I` for everything that is passed as an integer.
    fn bind_as<I: Integer>(
        &self,
        binder: &mut Binder,
        declared: Arc<Signature>,
        outcome: Outcome,
    ) -> Result<(), Error> {
        match self.returns {
            Some(Scalar::Float) => self.bind_returning::<I, _>(Float, binder, declared, outcome),
            returns => self.bind_returning::<I, _>(I::of(returns), binder, declared, outcome),
        }
    }

    fn bind_returning<I: Integer, R: Class>(
        &self,
        returns: R,
        binder: &mut Binder,
        declared: Arc<Signature>,
        outcome: Outcome,
    ) -> Result<(), Error> {
        macro_rules! with_class {
            ($($param:ident),* => $body:expr) => { with_class!(@ $($param)* => $body) };
            (@ $param:ident $($rest:ident)* => $body:expr) => {
                if $param == Scalar::Float {
                    let $param = Float;
                    with_class!(@ $($rest)* => $body)
                } else {
                    let $param = I::of(Some($param));
                    with_class!(@ $($rest)* => $body)
                }
            };
            (@ => $body:expr) => { $body };
        }
        let pointer = self.pointer;
        // SAFETY: `pointer` is that of a function of this signature, as far as the library can be believed.
        unsafe {
            match self.params[..] {
                [] => binder.shared_function(declared, none(pointer, returns, outcome)),
                [a] => with_class!(a => binder.shared_function(declared, one(pointer, returns, a, outcome))),
                [a, b] => {
                    with_class!(a, b => binder.shared_function(declared, two(pointer, returns, a, b, outcome)))
                }
                [a, b, c] => {
                    with_class!(a, b, c => binder.shared_function(declared, three(pointer, returns, a, b, c, outcome)))
                }
                // `new` lets none pass.
                _ => Ok(()),
            }
        }
    }
}

/// How one parameter or result is passed.
trait Class: Copy + Send + Sync + 'static {
    /// As C sees it.
    type C: Copy;

    fn take(self, value: &Dynamic) -> Option<Self::C>;

    fn give(self, value: Self::C) -> Result<Dynamic, Malformed>;
}

/// A class of what is passed as an integer.
trait Integer: Class<C = i64> {
    fn of(scalar: Option<Scalar>) -> Self;
}

/// `int`.
#[derive(Clone, Copy)]
struct Int;

/// `float`.
#[derive(Clone, Copy)]
struct Float;

/// `int`, `bool`, `char`, or `void`.
#[derive(Clone, Copy)]
struct Word(Option<Scalar>);

impl Class for Int {
    type C = i64;

    #[inline(always)]
    fn take(self, value: &Dynamic) -> Option<i64> {
        value.as_int().ok()
    }

    #[inline(always)]
    fn give(self, value: i64) -> Result<Dynamic, Malformed> {
        Ok(Dynamic::from_int(value))
    }
}

impl Class for Float {
    type C = f64;

    #[inline(always)]
    fn take(self, value: &Dynamic) -> Option<f64> {
        value.as_float().ok()
    }

    #[inline(always)]
    fn give(self, value: f64) -> Result<Dynamic, Malformed> {
        Ok(Dynamic::from_float(value))
    }
}

impl Class for Word {
    type C = i64;

    #[inline]
    fn take(self, value: &Dynamic) -> Option<i64> {
        self.0?.word(value).map(u64::cast_signed)
    }

    #[inline]
    fn give(self, value: i64) -> Result<Dynamic, Malformed> {
        match self.0 {
            Some(scalar) => scalar.value(value.cast_unsigned()),
            None => Ok(Dynamic::UNIT),
        }
    }
}

impl Integer for Int {
    fn of(_: Option<Scalar>) -> Self {
        Self
    }
}

impl Integer for Word {
    fn of(scalar: Option<Scalar>) -> Self {
        Self(scalar)
    }
}

macro_rules! closures {
    ($($name:ident($($arg:ident = $param:ident: $class:ident),*);)*) => {$(
        /// The closure that calls a function of this many parameters.
        ///
        /// # Safety
        ///
        /// `pointer` is that of a C function with these parameters and this result, which stays.
        unsafe fn $name<R: Class, $($class: Class),*>(
            pointer: *const c_void,
            returns: R,
            $($param: $class,)*
            outcome: Outcome,
        ) -> impl Fn(&NativeCallContext, &mut [&mut Dynamic]) -> CallResult + Send + Sync + 'static {
            type Function<R, $($class),*> =
                unsafe extern "C" fn($(<$class as Class>::C),*) -> Ret<<R as Class>::C>;
            // SAFETY: the caller's promise.
            let function: Function<R, $($class),*> = unsafe { std::mem::transmute(pointer) };
            move |_, args| {
                let [$($arg),*] = args else { return Err(unbound()) };
                $(let $arg = $param.take($arg).ok_or_else(unbound)?;)*
                // SAFETY: the arguments are those of its signature.
                let ret = body(|| unsafe { function($($arg),*) });
                if ret.failure.is_null() {
                    returns.give(ret.value).map_err(|malformed| outcome.malformed(&malformed).into())
                } else {
                    // SAFETY: this is what the function gave back.
                    Err(unsafe { outcome.failed_typed(ret.failure) })
                }
            }
        }
    )*};
}

closures! {
    none();
    one(x = a: A);
    two(x = a: A, y = b: B);
    three(x = a: A, y = b: B, z = c: C);
}
