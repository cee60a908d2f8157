//! Calls that go by a plan.
//!
//! A function's types are taken apart once, when its component is loaded, into a [`Plan`]: for each parameter and
//! the result, what it is in the guest's memory, as the [canonical ABI] says. A call follows it, and copies between
//! a script's values and the guest's memory with nothing in between. wasmtime's own way for types that are known only
//! at run time makes a tree of [`Val`](wasmtime::component::Val)s, of 40 bytes for each byte of a blob.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `node` | types, laid out |
//! | `fit` | whether an argument can be passed, asked before anything of the guest runs |
//! | `store`, `load` | values to words and bytes, and back |
//! | `choose` | variants and the like |
//! | `numbers` | buffers |
//! | `scalar` | functions of a few numbers, for which all that is shorter |
//! | `typed` | how wasmtime is made to call all this |
//!
//! What has no plan, and arguments that do not fit or are shared, go the way of `Val`s, which words the errors.
//!
//! [canonical ABI]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md

mod choose;
mod fit;
mod load;
mod node;
mod numbers;
mod scalar;
mod store;
mod typed;

pub(crate) use fit::Unfit;
pub(crate) use load::Given;
pub(crate) use typed::Entry;

use crate::keeper::Failure;
use crate::lift::Sizes;
use crate::reflect::{Export, Outcome};
use fit::{fits, may_fit, take};
use load::Stop;
use node::{Node, Place};
use numbers::{Locked, Numbers, is_buffer};
use rhai::Dynamic;
#[cfg(feature = "compiler")]
pub(crate) use scalar::FEW;
use scalar::{FewWords, Scalars};
use store::{Heap, NoNumber, Words, flatten, part, put_pair, store};
use wasmtime::component::Func;
use wasmtime::error::format_err;
use wasmtime::{AsContextMut, ValRaw};

/// How many words may be passed outside of memory.
const MAX_WORDS: usize = 16;

/// The largest text that wasmtime copies into a guest, in bytes.
const MAX_TEXT: usize = i32::MAX as usize;

/// How a function is called.
#[derive(Debug)]
pub(crate) struct Plan {
    params: Vec<Place>,
    /// How many words the arguments are.
    words: usize,
    /// The size and alignment of arguments that are too many words, and thus in memory.
    in_memory: Option<(usize, u32)>,
    /// Whether a parameter is a list that may be a buffer.
    takes_buffers: bool,
    result: Option<Node>,
    /// Whether the error of its result is thrown.
    throws: bool,
    /// The same for a function of a few scalars, whose result is one or nothing.
    scalars: Option<Scalars>,
    /// The one parameter with something in memory, if it is a list of numbers: its items are looked at while they are
    /// copied, where they are many.
    numbers: Option<usize>,
    sizes: Sizes,
    /// How many bytes of arguments fit into the guest.
    room: usize,
}

/// Arguments that fit, ready to be copied into the guest.
#[derive(Clone, Copy)]
pub(crate) struct Arguments<'a> {
    values: &'a [&'a mut Dynamic],
    /// What the buffers among them hold; empty if there are none.
    numbers: &'a [Option<Numbers<'a>>],
}

impl Plan {
    /// The plan for a function whose guest may use `memory` bytes; `None` if it can have none.
    pub(crate) fn new(export: &Export, sizes: Sizes, memory: u64) -> Option<Self> {
        let (params, abi) = node::params(export)?;
        let words = abi.flat_count(MAX_WORDS);
        let result = node::result(export)?;
        if result.as_ref().is_some_and(|node| node.words == Some(0)) {
            return None;
        }
        let throws = matches!(export.result, Outcome::Fallible { .. });
        let scalars = if throws { None } else { Scalars::of(&params, result.as_ref()) };
        Some(Self {
            scalars,
            numbers: only_numbers(&params),
            takes_buffers: params.iter().any(|param| param.node.takes_buffers()),
            params,
            words: words.unwrap_or(1),
            in_memory: words.is_none().then_some((abi.size32 as usize, abi.align32)),
            result,
            throws,
            sizes,
            room: usize::try_from(memory).unwrap_or(usize::MAX).min(MAX_TEXT),
        })
    }

    /// The function of an instance, to be called by this plan; `None` if wasmtime finds it to be of another type.
    pub(crate) fn entry(&self, function: &Func, store: &mut impl AsContextMut) -> Option<Entry> {
        Entry::new(self, function, store)
    }

    /// The shorter way, if there is one.
    pub(crate) fn scalars(&self) -> Option<&Scalars> {
        self.scalars.as_ref()
    }

    /// Gives the arguments to `then`, if they fit.
    ///
    /// # Errors
    ///
    /// Why they do not. Nothing was called.
    pub(crate) fn prepare<R>(
        &self,
        args: &[&mut Dynamic],
        then: impl FnOnce(Arguments<'_>) -> R,
    ) -> Result<R, Unfit> {
        if self.takes_buffers && args.iter().any(|arg| is_buffer(arg)) {
            return self.prepare_with_buffers(args, then);
        }
        let mut room = self.room;
        for (index, (param, arg)) in self.params.iter().zip(args).enumerate() {
            match self.numbers == Some(index) {
                true => may_fit(&param.node, arg, &mut room)?,
                false => fits(&param.node, arg, &mut room)?,
            }
        }
        Ok(then(Arguments { values: args, numbers: &[] }))
    }

    fn prepare_with_buffers<R>(
        &self,
        args: &[&mut Dynamic],
        then: impl FnOnce(Arguments<'_>) -> R,
    ) -> Result<R, Unfit> {
        let params = self.params.iter().zip(args);
        let buffers: Vec<_> = params.map(|(param, arg)| param.node.buffer(arg)).collect();
        let locked = buffers.iter().map(|buffer| buffer.as_ref().map(numbers::Buffer::read).transpose());
        let locked = locked.collect::<Result<Vec<_>, _>>().map_err(Unfit::Refused)?;
        let numbers: Vec<_> = locked.iter().map(|locked| locked.as_ref().map(Locked::numbers)).collect();
        let mut room = self.room;
        for ((param, arg), numbers) in self.params.iter().zip(args).zip(&numbers) {
            match numbers {
                Some(numbers) => take(&mut room, numbers.size())?,
                None => fits(&param.node, arg, &mut room)?,
            }
        }
        Ok(then(Arguments { values: args, numbers: &numbers }))
    }

    /// Calls a function of an instance.
    ///
    /// # Errors
    ///
    /// Faults of the guest, and results that a script cannot have.
    pub(crate) fn call(
        &self,
        entry: &Entry,
        args: Arguments<'_>,
        store: &mut impl AsContextMut,
    ) -> Result<Given, Failure> {
        entry.call(self, args, store).or_else(|stop| match stop {
            Stop::Fault(error) if error.is::<NoNumber>() => Ok(Given::Nothing),
            Stop::Fault(error) => Err(Failure::Fault(error)),
            Stop::Refused(error) => Err(Failure::Refused(error)),
        })
    }

    /// Calls a function of a few scalars, see [`scalars`](Plan::scalars), and gives the word that it gave back. `None` if
    /// wasmtime finds it to be another one: nothing was called.
    ///
    /// # Errors
    ///
    /// Faults of the guest.
    #[inline]
    pub(crate) fn call_scalars(
        scalars: &Scalars,
        entry: &Entry,
        words: FewWords,
        store: &mut impl AsContextMut,
    ) -> Result<Option<ValRaw>, Failure> {
        match entry.call_with_words(words, store)? {
            Some(word) if !scalars.allows(word) => {
                Err(format_err!("converted integer out of range for `char`").into())
            }
            word => Ok(word),
        }
    }

    /// Copies the arguments into the guest, and gives the words that it is called with.
    fn lower(&self, args: Arguments<'_>, heap: &mut dyn Heap, words: &mut Words<'_>) -> wasmtime::Result<()> {
        let params = self.params.iter().zip(args.values).enumerate();
        let Some((size, align)) = self.in_memory else {
            for (index, (param, value)) in params {
                match args.numbers.get(index) {
                    Some(Some(numbers)) => {
                        let [at, len] = numbers.store(heap)?;
                        words.push(at)?;
                        words.push(len)?;
                    }
                    _ => flatten(&param.node, value, heap, words)?,
                }
            }
            return Ok(());
        };
        let at = heap.allocate(size, align)?;
        let mut written = vec![0; size];
        for (index, (param, value)) in params {
            let to = part(&mut written, param.at, param.node.size)?;
            match args.numbers.get(index) {
                Some(Some(numbers)) => put_pair(to, numbers.store(heap)?)?,
                _ => store(&param.node, value, heap, to)?,
            }
        }
        heap.bytes(at, size)?.copy_from_slice(&written);
        words.push(at as u64)
    }
}

/// The parameter that is a list of numbers, if no other one has anything in memory.
fn only_numbers(params: &[Place]) -> Option<usize> {
    let mut pointers = params.iter().enumerate().filter(|(_, param)| param.node.pointers);
    let (index, param) = pointers.next()?;
    (pointers.next().is_none() && param.node.takes_buffers()).then_some(index)
}

#[cfg(test)]
mod tests;
