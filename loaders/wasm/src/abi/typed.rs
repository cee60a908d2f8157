//! wasmtime's typed calls, made to go by a plan.
//!
//! wasmtime copies arguments and results through traits that it implements for Rust's types. They are public since
//! its macros need them, and hidden since it promises nothing about them. So its version is pinned, and a test
//! compares what goes this way with what goes by [`Val`](wasmtime::component::Val)s.

use super::load::{self, Given, Stop};
use super::scalar::{FEW, FewWords};
use super::store::Words;
use super::{Arguments, MAX_WORDS, Plan};
use caraway_loaders_core::Error;
use rhai::Dynamic;
use std::cell::Cell;
use std::mem::MaybeUninit;
use std::ptr::NonNull;
use wasmtime::component::__internal::{
    CanonicalAbiInfo, InstanceType, InterfaceType, LiftContext, LowerContext,
};
use wasmtime::component::{ComponentNamedList, ComponentType, Func, Lift, Lower, TypedFunc};
use wasmtime::error::{bail, format_err};
use wasmtime::{AsContextMut, Result, ValRaw};

thread_local! {
    /// The plan of the innermost call of this thread whose result is in memory.
    static INNERMOST: Cell<Option<NonNull<Plan>>> = const { Cell::new(None) };
}

/// A function of an instance, which wasmtime has found to take and to give as many words as the plan says.
pub(crate) struct Entry {
    gives: Gives,
    /// The same for words that are there, of a function of a few scalars.
    words: Option<GivesForWords>,
}

enum GivesForWords {
    Nothing(TakesWords<Nothing>),
    Word(TakesWords<Word>),
}

enum TakesWords<R> {
    Two(TypedFunc<Flat<2>, R>),
    Few(TypedFunc<Flat<FEW>, R>),
}

enum Gives {
    Nothing(Takes<Nothing>),
    Word(Takes<Word>),
    Memory(Takes<Memory>),
}

/// A call costs less the fewer words there is room for.
enum Takes<R> {
    Two(TypedFunc<Lowered<'static, 2>, R>),
    Four(TypedFunc<Lowered<'static, 4>, R>),
    All(TypedFunc<Lowered<'static, MAX_WORDS>, R>),
}

impl Entry {
    /// The function, to be called as planned. `None` if wasmtime finds it to be another one.
    pub(super) fn new(plan: &Plan, function: &Func, store: &mut impl AsContextMut) -> Option<Self> {
        let count = plan.words;
        let gives = match &plan.result {
            None => Gives::Nothing(Takes::new(count, function, store)?),
            Some(node) if node.words == Some(1) => Gives::Word(Takes::new(count, function, store)?),
            Some(_) => Gives::Memory(Takes::new(count, function, store)?),
        };
        let words = match gives {
            _ if plan.scalars.is_none() => None,
            Gives::Nothing(_) => Some(GivesForWords::Nothing(TakesWords::new(count, function, store)?)),
            Gives::Word(_) => Some(GivesForWords::Word(TakesWords::new(count, function, store)?)),
            Gives::Memory(_) => None,
        };
        Some(Self { gives, words })
    }

    /// Calls a function of a few scalars, and gives the word that it gave back. `None` if it is none: nothing was called.
    ///
    /// # Errors
    ///
    /// Whatever goes wrong in the guest.
    #[inline]
    pub(super) fn call_with_words(
        &self,
        words: FewWords,
        store: &mut impl AsContextMut,
    ) -> Result<Option<ValRaw>> {
        match &self.words {
            Some(GivesForWords::Word(takes)) => {
                let Word(word) = takes.call(words, store)?;
                Ok(Some(word))
            }
            Some(GivesForWords::Nothing(takes)) => {
                takes.call(words, store)?;
                Ok(Some(ValRaw::u64(0)))
            }
            None => Ok(None),
        }
    }

    /// Calls it with arguments that fit.
    ///
    /// # Errors
    ///
    /// [`Stop::Fault`] for whatever goes wrong in the guest, and [`Stop::Refused`] for a result that is too large
    /// or beyond an int.
    pub(super) fn call(
        &self,
        plan: &Plan,
        args: Arguments<'_>,
        store: &mut impl AsContextMut,
    ) -> Result<Given, Stop> {
        match &self.gives {
            Gives::Nothing(takes) => {
                takes.call(plan, args, store)?;
                Ok(Given::Value(Dynamic::UNIT))
            }
            Gives::Word(takes) => {
                let Word(word) = takes.call(plan, args, store)?;
                let node = plan.result.as_ref().ok_or_else(unplanned)?;
                load::from_word(node, plan.throws, word, &plan.sizes)
            }
            Gives::Memory(takes) => {
                let _innermost = Innermost::enter(plan);
                let Memory(given) = takes.call(plan, args, store)?;
                given.map_err(Stop::Refused)
            }
        }
    }
}

impl<R: ComponentNamedList + Lift> Takes<R> {
    fn new(words: usize, function: &Func, store: &mut impl AsContextMut) -> Option<Self> {
        let store = store.as_context_mut();
        Some(match words {
            0..=2 => Self::Two(function.typed(&store).ok()?),
            3..=4 => Self::Four(function.typed(&store).ok()?),
            _ => Self::All(function.typed(&store).ok()?),
        })
    }

    fn call(&self, plan: &Plan, args: Arguments<'_>, store: &mut impl AsContextMut) -> Result<R> {
        match self {
            Self::Two(function) => function.call(store, Lowered { plan, args }),
            Self::Four(function) => function.call(store, Lowered { plan, args }),
            Self::All(function) => function.call(store, Lowered { plan, args }),
        }
    }
}

impl<R: ComponentNamedList + Lift> TakesWords<R> {
    fn new(words: usize, function: &Func, store: &mut impl AsContextMut) -> Option<Self> {
        let store = store.as_context_mut();
        Some(match words {
            0..=2 => Self::Two(function.typed(&store).ok()?),
            _ => Self::Few(function.typed(&store).ok()?),
        })
    }

    #[inline]
    fn call(&self, words: FewWords, store: &mut impl AsContextMut) -> Result<R> {
        match self {
            Self::Two(function) => function.call(store, Flat([words[0], words[1]])),
            Self::Few(function) => function.call(store, Flat(words)),
        }
    }
}

/// Says which plan a result is read by, until it is dropped.
struct Innermost(Option<NonNull<Plan>>);

impl Innermost {
    fn enter(plan: &Plan) -> Self {
        Self(INNERMOST.replace(Some(NonNull::from(plan))))
    }
}

impl Drop for Innermost {
    fn drop(&mut self) {
        INNERMOST.set(self.0);
    }
}

/// The size of what has one at run time only: the plan knows it, and looks at all bounds itself.
const UNKNOWN: CanonicalAbiInfo = CanonicalAbiInfo::ZERO;

/// Arguments on their way into the guest, as `N` words or fewer.
struct Lowered<'a, const N: usize> {
    plan: &'a Plan,
    args: Arguments<'a>,
}

/// Whether a function takes no more words than `room`. What needs more than there may be is passed in memory, as one.
fn typecheck_params(ty: &InterfaceType, types: &InstanceType<'_>, room: usize) -> Result<()> {
    let InterfaceType::Tuple(params) = ty else { bail!("no parameters") };
    match types.types[*params].abi.flat_count(MAX_WORDS).unwrap_or(1) {
        words if words <= room => Ok(()),
        words => bail!("{words} words, where there is room for {room}"),
    }
}

// SAFETY: `Lower` is an array of words, and `typecheck` lets no function pass that takes more of them.
unsafe impl<const N: usize> ComponentType for Lowered<'_, N> {
    type Lower = [ValRaw; N];

    const ABI: CanonicalAbiInfo = UNKNOWN;

    fn typecheck(ty: &InterfaceType, types: &InstanceType<'_>) -> Result<()> {
        typecheck_params(ty, types, N)
    }
}

// SAFETY: it stands for all parameters, which `typecheck` looks at together.
unsafe impl<const N: usize> ComponentNamedList for Lowered<'_, N> {}

// SAFETY: all words are written; what is not the function's stays 0.
unsafe impl<const N: usize> Lower for Lowered<'_, N> {
    #[inline]
    fn linear_lower_to_flat<T>(
        &self,
        context: &mut LowerContext<'_, T>,
        _: InterfaceType,
        to: &mut MaybeUninit<[ValRaw; N]>,
    ) -> Result<()> {
        let words = to.write([ValRaw::u64(0); N]);
        self.plan.lower(self.args, context, &mut Words::new(words))
    }

    fn linear_lower_to_memory<T>(
        &self,
        _: &mut LowerContext<'_, T>,
        _: InterfaceType,
        _: usize,
    ) -> Result<()> {
        Err(unplanned())
    }
}

/// Arguments that are words already.
#[derive(Clone, Copy)]
struct Flat<const N: usize>([ValRaw; N]);

// SAFETY: as for `Lowered`.
unsafe impl<const N: usize> ComponentType for Flat<N> {
    type Lower = [ValRaw; N];

    const ABI: CanonicalAbiInfo = UNKNOWN;

    fn typecheck(ty: &InterfaceType, types: &InstanceType<'_>) -> Result<()> {
        typecheck_params(ty, types, N)
    }
}

// SAFETY: it stands for all parameters, which `typecheck` looks at together.
unsafe impl<const N: usize> ComponentNamedList for Flat<N> {}

// SAFETY: all words are written. `Scalars` made each of them for the parameter in its place, of the types that the plan
// was made for, and a plan is only used for functions of these types.
unsafe impl<const N: usize> Lower for Flat<N> {
    #[inline]
    fn linear_lower_to_flat<T>(
        &self,
        _: &mut LowerContext<'_, T>,
        _: InterfaceType,
        to: &mut MaybeUninit<[ValRaw; N]>,
    ) -> Result<()> {
        to.write(self.0);
        Ok(())
    }

    fn linear_lower_to_memory<T>(
        &self,
        _: &mut LowerContext<'_, T>,
        _: InterfaceType,
        _: usize,
    ) -> Result<()> {
        Err(unplanned())
    }
}

/// The result of a function that has none.
struct Nothing;

/// A result that is one word.
struct Word(ValRaw);

/// A result that is more than a word, and thus in memory. It is read there, before the guest may free it.
struct Memory(Result<Given, Error>);

/// How many words the result of a function is; 0 for none, and `None` for more than one.
fn result_words(ty: &InterfaceType, types: &InstanceType<'_>) -> Result<Option<usize>> {
    let InterfaceType::Tuple(results) = ty else { bail!("no results") };
    Ok(types.types[*results].abi.flat_count(1))
}

macro_rules! result {
    ($name:ident: $words:literal words, $found:pat, |$source:pat_param| $flat:expr, |$context:pat_param, $bytes:pat_param| $memory:expr) => {
        // SAFETY: `Lower` is an array of words, as many as `typecheck` has found.
        unsafe impl ComponentType for $name {
            type Lower = [ValRaw; $words];

            const ABI: CanonicalAbiInfo = UNKNOWN;

            fn typecheck(ty: &InterfaceType, types: &InstanceType<'_>) -> Result<()> {
                match result_words(ty, types)? {
                    $found => Ok(()),
                    found => bail!("a result of {found:?} words"),
                }
            }
        }

        // SAFETY: it stands for all results, which `typecheck` looks at together.
        unsafe impl ComponentNamedList for $name {}

        // SAFETY: it reads no more than what it is given, and the guest's memory within its bounds.
        unsafe impl Lift for $name {
            #[inline]
            fn linear_lift_from_flat(
                _: &mut LiftContext<'_>,
                _: InterfaceType,
                $source: &Self::Lower,
            ) -> Result<Self> {
                $flat
            }

            fn linear_lift_from_memory(
                $context: &mut LiftContext<'_>,
                _: InterfaceType,
                $bytes: &[u8],
            ) -> Result<Self> {
                $memory
            }
        }
    };
}

result!(Nothing: 0 words, Some(0), |_| Ok(Self), |_, _| Err(unplanned()));
result!(Word: 1 words, Some(1), |[word]| Ok(Self(*word)), |_, _| Err(unplanned()));
// Two words stand for any number that is not passed in words.
result!(Memory: 2 words, None, |_| Err(unplanned()), |context, start| Self::read(context, start));

impl Memory {
    /// `start` is where the result begins in the guest's memory, and has no length.
    fn read(context: &mut LiftContext<'_>, start: &[u8]) -> Result<Self> {
        let plan = INNERMOST.get().ok_or_else(unplanned)?;
        // SAFETY: `Entry::call`, which is further up on this thread's stack, borrows the plan; calls within it have
        // put it back when they were over.
        let plan = unsafe { plan.as_ref() };
        let node = plan.result.as_ref().ok_or_else(unplanned)?;
        let at = start.as_ptr().addr().wrapping_sub(context.memory().as_ptr().addr());
        match load::from_memory(node, plan.throws, context, at, &plan.sizes) {
            Ok(given) => Ok(Self(Ok(given))),
            Err(Stop::Refused(error)) => Ok(Self(Err(error))),
            Err(Stop::Fault(error)) => Err(error),
        }
    }
}

/// wasmtime asks for something that no plan needs: a bug, here or there.
#[cold]
fn unplanned() -> wasmtime::Error {
    format_err!("a call that does not go as planned")
}
