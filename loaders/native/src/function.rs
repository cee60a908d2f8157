//! A function of a library, and the closure that calls it.

use crate::argument::{Held, Passing, Scalar, Words};
use crate::outcome::{Out, Outcome};
use caraway_abi::OUT_WORDS;
use caraway_loaders_core::bind::{Binder, CallError, CallResult, Callbacks};
use caraway_loaders_core::{Code, Error, Signature};
use rhai::{Dynamic, NativeCallContext};
use smallvec::SmallVec;

type Call = unsafe extern "C" fn(args: *const u64, out: *mut u64) -> i32;

/// A function of an open library.
#[derive(Debug)]
pub struct Function {
    signature: Signature,
    doc: String,
    call: Call,
}

impl Function {
    pub(crate) fn new(signature: Signature, doc: String, call: Call) -> Self {
        Self { signature, doc, call }
    }

    /// What the library says of it.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// What it does, as its author describes it; may be empty.
    pub fn doc(&self) -> &str {
        &self.doc
    }

    /// Puts it into the module of the plugin `plugin`, as `declared`, which [`agree`](crate::agree::agree) has
    /// found to fit.
    ///
    /// # Errors
    ///
    /// As [`Binder::function`].
    pub fn bind(&self, binder: &mut Binder, plugin: &str, declared: &Signature) -> Result<(), Error> {
        let call = self.call;
        let name = format!("{plugin}::{}", declared.name);
        let outcome = Outcome::new(name, &self.signature.returns, &declared.returns);
        let scalars: Option<Vec<Scalar>> = self.signature.params.iter().map(|p| Scalar::of(&p.ty)).collect();
        // The common shapes have closures of their own: the compiler unrolls their loops.
        match scalars.as_deref() {
            Some([]) => binder.function(declared.clone(), of_scalars(call, [], outcome)),
            Some(&[a]) => binder.function(declared.clone(), of_scalars(call, [a], outcome)),
            Some(&[a, b]) => binder.function(declared.clone(), of_scalars(call, [a, b], outcome)),
            Some(&[a, b, c]) => binder.function(declared.clone(), of_scalars(call, [a, b, c], outcome)),
            Some(&[a, b, c, d]) => binder.function(declared.clone(), of_scalars(call, [a, b, c, d], outcome)),
            _ => {
                let pairs = self.signature.params.iter().zip(&declared.params);
                let params = pairs.map(|(native, declared)| Passing::new(&native.ty, &declared.ty)).collect();
                binder.function(declared.clone(), of_anything(call, params, outcome))
            }
        }
    }
}

/// Calls a function all of whose parameters are one word.
fn of_scalars<const N: usize>(
    call: Call,
    params: [Scalar; N],
    outcome: Outcome,
) -> impl Fn(&NativeCallContext, &mut [&mut Dynamic]) -> CallResult + Send + Sync + 'static {
    move |_, args| {
        let mut words = [0; N];
        for ((word, param), arg) in words.iter_mut().zip(params).zip(args) {
            *word = param.word(arg).ok_or_else(unbound)?;
        }
        let mut out: Out = [0; OUT_WORDS];
        // SAFETY: the library is never closed; the words are those of its signature, `out` has its room.
        let result = unsafe { outcome.read(call(words.as_ptr(), out.as_mut_ptr()), &out) };
        result.map_err(CallError::Error)
    }
}

/// Calls a function of any signature.
fn of_anything(
    call: Call,
    params: Vec<Passing>,
    outcome: Outcome,
) -> impl Fn(&NativeCallContext, &mut [&mut Dynamic]) -> CallResult + Send + Sync + 'static {
    move |context, args| {
        Callbacks::scope(context, |callbacks| {
            let mut held: SmallVec<[Held; 4]> = SmallVec::new();
            for (index, (param, arg)) in params.iter().zip(args).enumerate() {
                held.push(param.hold(arg, callbacks).map_err(|error| misfit(error, index))?);
            }
            let mut words = Words::new();
            for argument in &held {
                argument.push_to(&mut words);
            }
            let mut out: Out = [0; OUT_WORDS];
            // SAFETY: as above; what the words point at is held until the end of the call.
            let result = unsafe { outcome.read(call(words.as_ptr(), out.as_mut_ptr()), &out) };
            result.map_err(CallError::Error)
        })
    }
}

/// An error about the argument at `index`.
#[cold]
fn misfit(error: Error, index: usize) -> CallError {
    error.about_argument(index).into()
}

#[cold]
fn unbound() -> CallError {
    Error::new(Code::Internal, "an argument is not of the type that its function was bound for").into()
}
