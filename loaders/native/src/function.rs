//! A function of a library, and the closure that calls it.

use crate::argument::{Borrowed, Held, Kept, Passing, Plain, Words};
use crate::calls::Open;
use crate::instance::Instance;
use crate::memory::Out;
use crate::outcome::{Named, Outcome};
use crate::typed::Typed;
use caraway_abi::{Kind, OUT_WORDS};
use caraway_loaders_core::bind::{Binder, CallError, CallResult, Callbacks};
use caraway_loaders_core::manifest::{Function as Declared, Manifest};
use caraway_loaders_core::observe::body;
use caraway_loaders_core::{Code, Error, Signature};
use rhai::{Dynamic, NativeCallContext};
use smallvec::SmallVec;
use std::sync::Arc;

type Call = unsafe extern "C" fn(args: *const u64, out: *mut u64) -> i32;

/// A function of an open library.
#[derive(Debug)]
pub struct Function {
    pub(crate) signature: Arc<Signature>,
    pub(crate) doc: &'static str,
    pub(crate) kind: Kind,
    pub(crate) call: Call,
    /// The same, for C's own way of calling.
    pub(crate) typed: Option<Typed>,
    /// Bit `i` is set if it writes to its parameter `i`, a buffer.
    pub(crate) writes: u32,
}

impl Function {
    /// What the library says of it.
    pub fn signature(&self) -> &Arc<Signature> {
        &self.signature
    }

    /// What it does, as its author describes it; may be empty.
    pub fn doc(&self) -> &str {
        self.doc
    }

    /// What to show of it, as `declared`: what the manifest says of it, or else the library.
    pub fn shown(&self, declared: &Signature, manifest: &Manifest) -> Declared {
        let documented = Declared::documented(declared.clone(), self.doc);
        match manifest.function(&declared.name) {
            Some(written) => Declared { signature: declared.clone(), ..documented.declared(written) },
            None => documented,
        }
    }

    /// Puts it into a module, as `declared`, which [`agree`](crate::agree::agree) has found to fit.
    pub(crate) fn bind(
        &self,
        instance: &Instance,
        binder: &mut Binder,
        mut declared: Arc<Signature>,
    ) -> Result<(), Error> {
        let Self { call, kind, .. } = *self;
        if kind == Kind::Method
            && let Some(first) = Arc::make_mut(&mut declared).params.first_mut()
        {
            // Whatever the manifest calls it: this is what makes it a method.
            first.name = "self".to_owned();
        }
        let named = Named { plugin: binder.name().clone(), signature: declared.clone() };
        let outcome = instance.outcome(named, &self.signature.returns, &declared.returns);
        if let Some(typed) = &self.typed {
            return typed.bind(binder, declared, outcome);
        }
        let pairs = || self.signature.params.iter().zip(&declared.params);
        let plain: Option<Vec<Plain>> =
            pairs().map(|(native, declared)| Plain::of(&native.ty, &declared.ty, instance)).collect();
        let words = plain.iter().flatten().all(|plain| plain.is_word());
        // The common shapes have closures of their own: the compiler unrolls their loops.
        match plain.as_deref() {
            Some([]) => add(binder, kind, declared, of_words(call, [], outcome)),
            Some(&[a]) if words => add(binder, kind, declared, of_words(call, [a], outcome)),
            Some(&[a, b]) if words => add(binder, kind, declared, of_words(call, [a, b], outcome)),
            Some(&[a, b, c]) if words => add(binder, kind, declared, of_words(call, [a, b, c], outcome)),
            Some(&[a]) => add(binder, kind, declared, of_plain(call, [a], outcome)),
            Some(&[a, b]) => add(binder, kind, declared, of_plain(call, [a, b], outcome)),
            Some(&[a, b, c]) => add(binder, kind, declared, of_plain(call, [a, b, c], outcome)),
            _ => {
                let params = pairs()
                    .enumerate()
                    .map(|(i, (native, declared))| {
                        Passing::new(&native.ty, &declared.ty, self.writes >> i & 1 == 1, instance)
                    })
                    .collect();
                let shown = Signature { name: outcome.function().to_string(), ..Signature::clone(&declared) };
                add(binder, kind, declared, of_anything(call, shown, params, outcome))
            }
        }
    }
}

fn add<F>(binder: &mut Binder, kind: Kind, declared: Arc<Signature>, body: F) -> Result<(), Error>
where
    F: Fn(&NativeCallContext, &mut [&mut Dynamic]) -> CallResult + Send + Sync + 'static,
{
    if kind == Kind::Getter {
        binder.shared_getter(declared, body)
    } else {
        binder.shared_function(declared, body)
    }
}

/// Calls a function all of whose parameters are one word.
fn of_words<const N: usize>(
    call: Call,
    params: [Plain; N],
    outcome: Outcome,
) -> impl Fn(&NativeCallContext, &mut [&mut Dynamic]) -> CallResult + Send + Sync + 'static {
    move |_, args| {
        let mut words = [0; N];
        let mut kept = [const { Kept::Nothing }; N];
        for (((word, kept), param), arg) in words.iter_mut().zip(&mut kept).zip(params).zip(args) {
            *word = param.word(arg, kept).ok_or_else(unbound)?;
        }
        let mut out: Out = [0; OUT_WORDS];
        // SAFETY: the library is never closed; the words are those of its signature, `out` has its room.
        let result = unsafe { outcome.read(body(|| call(words.as_ptr(), out.as_mut_ptr())), &out) };
        drop(kept);
        result
    }
}

/// The most parameters of [`of_plain`].
const PLAIN_PARAMS: usize = 3;

/// Calls a function whose parameters need no memory of the host.
fn of_plain<const N: usize>(
    call: Call,
    params: [Plain; N],
    outcome: Outcome,
) -> impl Fn(&NativeCallContext, &mut [&mut Dynamic]) -> CallResult + Send + Sync + 'static {
    const { assert!(N <= PLAIN_PARAMS) };
    move |_, args| {
        let mut words = [0; 2 * PLAIN_PARAMS];
        let mut at = 0;
        let mut kept = [const { Kept::Nothing }; N];
        for ((kept, param), arg) in kept.iter_mut().zip(params).zip(args) {
            if param.is_word() {
                words[at] = param.word(arg, kept).ok_or_else(unbound)?;
                at += 1;
            } else {
                let [start, len] = param.words(arg, kept).ok_or_else(unbound)?;
                (words[at], words[at + 1]) = (start, len);
                at += 2;
            }
        }
        let mut out: Out = [0; OUT_WORDS];
        // SAFETY: as above; what the words point at is the argument's, which nobody else has, or `kept`'s.
        let result = unsafe { outcome.read(body(|| call(words.as_ptr(), out.as_mut_ptr())), &out) };
        drop(kept);
        result
    }
}

/// Calls a function of any signature. `shown` is for messages.
fn of_anything(
    call: Call,
    shown: Signature,
    params: Vec<Passing>,
    outcome: Outcome,
) -> impl Fn(&NativeCallContext, &mut [&mut Dynamic]) -> CallResult + Send + Sync + 'static {
    let with_buffers = params.iter().any(Passing::is_buffer);
    let with_functions = params.iter().any(Passing::is_function);
    move |context, args| {
        Callbacks::scope(context, &shown, |callbacks| {
            let mut borrowed: SmallVec<[Option<Borrowed>; 4]> = SmallVec::new();
            if with_buffers {
                borrowed.extend(params.iter().zip(args.iter()).map(|(param, arg)| param.borrow(arg)));
            }
            let open = with_functions.then(Open::new);
            let mut held: SmallVec<[Held; 4]> = SmallVec::new();
            for (index, (param, arg)) in params.iter().zip(args.iter()).enumerate() {
                let borrowed = borrowed.get(index).and_then(Option::as_ref);
                held.push(param.hold(index, arg, borrowed, callbacks, open.as_ref())?);
            }
            let mut words = Words::new();
            for argument in &mut held {
                argument.push_to(&mut words);
            }
            let mut out: Out = [0; OUT_WORDS];
            // SAFETY: as above; what the words point at is held until the end of the call.
            let result = unsafe { outcome.read(body(|| call(words.as_ptr(), out.as_mut_ptr())), &out) };
            match open.and_then(|open| open.fatal()) {
                Some(fatal) => Err(CallError::Rhai(fatal)),
                None => result,
            }
        })
    }
}

#[cold]
pub(crate) fn unbound() -> CallError {
    Error::new(Code::Internal, "an argument is not of the type that its function was bound for").into()
}
