//! What scripts do with buffers: the same as with arrays, where it makes sense.

use super::{Buffer, Floats, Ints, Number, reserve};
use crate::bind::conform::type_name;
use crate::code::Code;
use crate::error::Error;
use rhai::{Array, Dynamic, EvalAltResult, FuncRegistration, Module, NativeCallContext, Position};
use std::any::TypeId;
use std::ops::{Range, RangeInclusive};

type Outcome<T> = Result<T, Box<EvalAltResult>>;

/// How many numbers are printed of a long buffer.
const PRINTED: usize = 20;

/// Adds the buffers' constructors and functions.
pub(crate) fn register(module: &mut Module) {
    register_type::<i64>(module);
    register_type::<f64>(module);
    reading("==").set_into_module(module, |a: &mut Ints, b: Floats| mixed_equal(a, &b));
    reading("==").set_into_module(module, |a: &mut Floats, b: Ints| mixed_equal(&b, a));
    reading("!=").set_into_module(module, |a: &mut Ints, b: Floats| mixed_equal(a, &b).map(|same| !same));
    reading("!=").set_into_module(module, |a: &mut Floats, b: Ints| mixed_equal(&b, a).map(|same| !same));
}

/// A function that leaves its buffer as it is; callable on constants.
fn reading(name: &str) -> FuncRegistration {
    FuncRegistration::new(name).with_purity(true).with_volatility(true)
}

/// A function that changes its buffer.
fn writing(name: &str) -> FuncRegistration {
    FuncRegistration::new(name).with_purity(false).with_volatility(true)
}

fn register_type<T: Number>(module: &mut Module) {
    module.set_custom_type::<Buffer<T>>(T::BUFFER);
    register_making::<T>(module);
    register_reading::<T>(module);
    register_changing::<T>(module);
}

fn register_making<T: Number>(module: &mut Module) {
    reading(T::BUFFER).set_into_module(
        module,
        |context: NativeCallContext, from: Dynamic| -> Outcome<Buffer<T>> {
            Ok(numbers::<T>(&context, &from)?.into())
        },
    );
    reading(T::BUFFER).set_into_module(
        module,
        |context: NativeCallContext, len: i64, value: Dynamic| -> Outcome<Buffer<T>> {
            // Whose length is wrong is told first.
            let value = if len < 0 { T::default() } else { number::<T>(&value)? };
            Buffer::filled(len, value, context.engine().max_array_size()).map_err(raised)
        },
    );
    reading("copy").set_into_module(
        module,
        |context: NativeCallContext, buffer: &mut Buffer<T>| -> Outcome<Buffer<T>> {
            Ok(copied(&context, &read(buffer)?)?.into())
        },
    );
    for_ranges::<T>(module);
    reading("extract").set_into_module(
        module,
        |context: NativeCallContext, buffer: &mut Buffer<T>, start: i64| {
            part(&context, buffer, start, i64::MAX)
        },
    );
    reading("extract").set_into_module(
        module,
        |context: NativeCallContext, buffer: &mut Buffer<T>, start: i64, len: i64| {
            part(&context, buffer, start, len)
        },
    );
}

fn for_ranges<T: Number>(module: &mut Module) {
    reading("extract").set_into_module(
        module,
        |context: NativeCallContext, buffer: &mut Buffer<T>, range: Range<i64>| {
            let start = range.start.max(0);
            part(&context, buffer, start, range.end.saturating_sub(start))
        },
    );
    reading("extract").set_into_module(
        module,
        |context: NativeCallContext, buffer: &mut Buffer<T>, range: RangeInclusive<i64>| {
            let start = (*range.start()).max(0);
            part(&context, buffer, start, range.end().saturating_sub(start).saturating_add(1))
        },
    );
}

fn register_reading<T: Number>(module: &mut Module) {
    fn len<T: Number>(buffer: &mut Buffer<T>) -> Outcome<i64> {
        Ok(count(read(buffer)?.len()))
    }
    fn is_empty<T: Number>(buffer: &mut Buffer<T>) -> Outcome<bool> {
        Ok(read(buffer)?.is_empty())
    }
    reading("len").set_into_module(module, len::<T>);
    reading("is_empty").set_into_module(module, is_empty::<T>);
    FuncRegistration::new_getter("len")
        .with_purity(true)
        .with_volatility(true)
        .set_into_module(module, len::<T>);
    FuncRegistration::new_getter("is_empty")
        .with_purity(true)
        .with_volatility(true)
        .set_into_module(module, is_empty::<T>);
    FuncRegistration::new_index_getter().with_purity(true).with_volatility(true).set_into_module(
        module,
        |buffer: &mut Buffer<T>, index: i64| -> Outcome<Dynamic> {
            let items = read(buffer)?;
            Ok(items[place::<T>(items.len(), index)?].into_value())
        },
    );
    reading("get").set_into_module(module, |buffer: &mut Buffer<T>, index: i64| -> Outcome<Dynamic> {
        let items = read(buffer)?;
        Ok(position(items.len(), index).map_or(Dynamic::UNIT, |index| items[index].into_value()))
    });
    reading("contains").set_into_module(module, |buffer: &mut Buffer<T>, value: Dynamic| -> Outcome<bool> {
        let Some(value) = T::of(&value) else { return Ok(false) };
        Ok(read(buffer)?.contains(&value))
    });
    reading("index_of").set_into_module(module, |buffer: &mut Buffer<T>, value: Dynamic| -> Outcome<i64> {
        let Some(value) = T::of(&value) else { return Ok(-1) };
        Ok(read(buffer)?.iter().position(|item| *item == value).map_or(-1, count))
    });
    reading("sum").set_into_module(module, |buffer: &mut Buffer<T>| -> Outcome<Dynamic> {
        let sum = read(buffer)?.iter().try_fold(T::default(), |sum, item| sum.plus(*item));
        sum.map(T::into_value).ok_or_else(|| wrong("the sum is too large for an int".to_owned()))
    });
    reading("min").set_into_module(module, |buffer: &mut Buffer<T>| extreme(buffer, |a, b| b < a));
    reading("max").set_into_module(module, |buffer: &mut Buffer<T>| extreme(buffer, |a, b| b > a));
    reading("to_array").set_into_module(
        module,
        |context: NativeCallContext, buffer: &mut Buffer<T>| -> Outcome<Array> {
            let mut array = Array::new();
            let items = read(buffer)?;
            room(&context, &mut array, items.len())?;
            array.extend(items.iter().map(|item| item.into_value()));
            Ok(array)
        },
    );
    reading("to_string").set_into_module(module, |buffer: &mut Buffer<T>| shown(buffer));
    reading("to_debug").set_into_module(module, |buffer: &mut Buffer<T>| -> Outcome<String> {
        Ok(format!("{}{}", T::BUFFER, shown(buffer)?))
    });
    reading("==").set_into_module(module, |a: &mut Buffer<T>, b: Buffer<T>| equal(a, &b));
    reading("!=").set_into_module(module, |a: &mut Buffer<T>, b: Buffer<T>| equal(a, &b).map(|same| !same));
    module.set_iter_result(TypeId::of::<Buffer<T>>(), |value: Dynamic| {
        let buffer = Buffer::<T>::of(&value);
        Box::new(buffer.into_iter().flat_map(|buffer| Items { buffer: Some(buffer), next: 0, end: None }))
    });
}

fn register_changing<T: Number>(module: &mut Module) {
    FuncRegistration::new_index_setter().with_purity(false).with_volatility(true).set_into_module(
        module,
        |buffer: &mut Buffer<T>, index: i64, value: Dynamic| -> Outcome<()> {
            let value = number::<T>(&value)?;
            let mut items = write(buffer)?;
            let index = place::<T>(items.len(), index)?;
            items[index] = value;
            Ok(())
        },
    );
    writing("push").set_into_module(
        module,
        |context: NativeCallContext, buffer: &mut Buffer<T>, value: Dynamic| -> Outcome<()> {
            let value = number::<T>(&value)?;
            append(&context, buffer, &[value])
        },
    );
    for name in ["append", "extend"] {
        writing(name).set_into_module(
            module,
            |context: NativeCallContext, buffer: &mut Buffer<T>, more: Dynamic| -> Outcome<()> {
                append(&context, buffer, &numbers(&context, &more)?)
            },
        );
    }
    writing("pop").set_into_module(module, |buffer: &mut Buffer<T>| -> Outcome<Dynamic> {
        let mut items = write(buffer)?;
        let Some(last) = items.last().copied() else { return Ok(Dynamic::UNIT) };
        let len = items.len() - 1;
        items.truncate(len);
        Ok(last.into_value())
    });
    writing("clear").set_into_module(module, |buffer: &mut Buffer<T>| truncate(buffer, 0));
    writing("truncate").set_into_module(module, |buffer: &mut Buffer<T>, len: i64| truncate(buffer, len));
    writing("fill").set_into_module(module, |buffer: &mut Buffer<T>, value: Dynamic| -> Outcome<()> {
        let value = number::<T>(&value)?;
        write(buffer)?.fill(value);
        Ok(())
    });
    writing("reverse").set_into_module(module, |buffer: &mut Buffer<T>| -> Outcome<()> {
        write(buffer)?.reverse();
        Ok(())
    });
    writing("sort").set_into_module(module, |buffer: &mut Buffer<T>| -> Outcome<()> {
        write(buffer)?.sort_unstable_by(T::order);
        Ok(())
    });
}

/// The numbers of a loop: as many as there were when it began, less where they became fewer.
struct Items<T: Number> {
    /// None after an error, which loops without a body would otherwise ask for again and again.
    buffer: Option<Buffer<T>>,
    next: usize,
    end: Option<usize>,
}

impl<T: Number> Iterator for Items<T> {
    type Item = Outcome<Dynamic>;

    fn next(&mut self) -> Option<Self::Item> {
        let outcome = self.buffer.as_ref()?.read().map(|items| {
            let end = *self.end.get_or_insert(items.len());
            items.get(self.next).filter(|_| self.next < end).copied()
        });
        self.next += 1;
        match outcome {
            Ok(item) => item.map(|item| Ok(item.into_value())),
            Err(error) => {
                self.buffer = None;
                Some(Err(raised(error)))
            }
        }
    }
}

fn count(len: usize) -> i64 {
    i64::try_from(len).unwrap_or(i64::MAX)
}

fn raised(error: Error) -> Box<EvalAltResult> {
    // Rhai knows the place and fills it in.
    error.raise(Position::NONE)
}

fn wrong(message: String) -> Box<EvalAltResult> {
    raised(Error::new(Code::ScriptFailed, message))
}

fn read<T: Number>(buffer: &Buffer<T>) -> Outcome<super::Reading<'_, T>> {
    buffer.read().map_err(raised)
}

fn write<T: Number>(buffer: &Buffer<T>) -> Outcome<super::Writing<'_, T>> {
    buffer.write().map_err(raised)
}

/// A value as one of the buffer's numbers.
fn number<T: Number>(value: &Dynamic) -> Outcome<T> {
    T::of(value).ok_or_else(|| {
        let error = Error::new(
            Code::ArgumentType,
            format!("a buffer of {} cannot hold {}", T::BUFFER, type_name(value)),
        );
        raised(match value.is_float() {
            true => error.hint("round it with `to_int()`, or use `floats`"),
            false => error.hint(format!("give it {} {}", article(T::ONE), T::ONE)),
        })
    })
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with('i') { "an" } else { "a" }
}

/// The numbers of a buffer, an array or a range.
fn numbers<T: Number>(context: &NativeCallContext, from: &Dynamic) -> Outcome<Vec<T>> {
    if let Some(buffer) = Buffer::<T>::of(from) {
        return copied(context, &read(&buffer)?);
    }
    let mut items = Vec::new();
    if let Some(array) = from.read_lock::<Array>() {
        room(context, &mut items, array.len())?;
        for (index, item) in array.iter().enumerate() {
            let item = T::of(item).ok_or_else(|| {
                let found = type_name(item);
                let message = format!("a buffer of {} cannot hold {found}, found at `[{index}]`", T::BUFFER);
                raised(Error::new(Code::ArgumentType, message).hint("look at the array's items"))
            })?;
            items.push(item);
        }
    } else if let Some(ints) = Ints::of(from).filter(|_| TypeId::of::<T>() == TypeId::of::<f64>()) {
        let ints = read(&ints)?;
        room(context, &mut items, ints.len())?;
        items.extend(ints.iter().map(|int| T::of_int(*int)));
    } else if let Some(range) = range_of(from) {
        let len = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(0);
        room(context, &mut items, len)?;
        items.extend(range.map(T::of_int));
    } else {
        let message = format!("a buffer of {} cannot be made of {}", T::BUFFER, type_name(from));
        let hint =
            format!("give it an array, a buffer, a range such as `0..9`, or `{}(length, value)`", T::BUFFER);
        return Err(raised(Error::new(Code::ArgumentType, message).hint(hint)));
    }
    Ok(items)
}

fn range_of(value: &Dynamic) -> Option<Range<i64>> {
    if let Some(range) = value.read_lock::<Range<i64>>() {
        return Some(range.clone());
    }
    let range = value.read_lock::<RangeInclusive<i64>>()?;
    Some(*range.start()..range.end().saturating_add(1))
}

fn copied<T: Number>(context: &NativeCallContext, items: &[T]) -> Outcome<Vec<T>> {
    let mut copy = Vec::new();
    room(context, &mut copy, items.len())?;
    copy.extend_from_slice(items);
    Ok(copy)
}

/// Makes room for `more` numbers, if the engine's limits let it.
fn room<T>(context: &NativeCallContext, items: &mut Vec<T>, more: usize) -> Outcome<()> {
    within_limit(context, items.len().saturating_add(more))?;
    reserve(items, more).map_err(raised)
}

impl<T: Number> Buffer<T> {
    /// A buffer of `len` numbers, all `value`; at most `limit` if that is not 0.
    ///
    /// # Errors
    ///
    /// [`Code::ScriptFailed`] for a length that is none, [`Code::Memory`] if there is no room.
    pub fn filled(len: i64, value: T, limit: usize) -> Result<Self, Error> {
        let Ok(len) = usize::try_from(len) else {
            return Err(Error::new(Code::ScriptFailed, format!("{len} is no length")));
        };
        check_limit(limit, len)?;
        let mut items = Vec::new();
        reserve(&mut items, len)?;
        items.resize(len, value);
        Ok(items.into())
    }
}

/// Rhai does not count what is in buffers, so its limit on arrays is looked at here.
fn within_limit(context: &NativeCallContext, len: usize) -> Outcome<()> {
    check_limit(context.engine().max_array_size(), len).map_err(raised)
}

fn check_limit(limit: usize, len: usize) -> Result<(), Error> {
    if limit > 0 && len > limit {
        let message = format!("a buffer of {len} numbers is larger than the limit of {limit}");
        return Err(Error::new(Code::Memory, message));
    }
    Ok(())
}

fn append<T: Number>(context: &NativeCallContext, buffer: &Buffer<T>, more: &[T]) -> Outcome<()> {
    let mut items = write(buffer)?;
    within_limit(context, items.len().saturating_add(more.len()))?;
    items.vec(more.len()).map_err(raised)?.extend_from_slice(more);
    Ok(())
}

fn truncate<T: Number>(buffer: &Buffer<T>, len: i64) -> Outcome<()> {
    write(buffer)?.truncate(usize::try_from(len).unwrap_or(0));
    Ok(())
}

/// The place of an index, which counts from the end if it is negative.
fn position(len: usize, index: i64) -> Option<usize> {
    let back = || len.checked_sub(usize::try_from(index.unsigned_abs()).ok()?);
    let index = if index < 0 { back()? } else { usize::try_from(index).ok()? };
    (index < len).then_some(index)
}

fn place<T: Number>(len: usize, index: i64) -> Outcome<usize> {
    position(len, index).ok_or_else(|| raised(Buffer::<T>::out_of_bounds(len, index)))
}

impl<T: Number> Buffer<T> {
    /// That a buffer of `len` numbers has none at `index`.
    pub fn out_of_bounds(len: usize, index: i64) -> Error {
        let s = if len == 1 { "" } else { "s" };
        let message =
            format!("the index {index} is out of bounds: the buffer of {} has {len} number{s}", T::BUFFER);
        Error::new(Code::ScriptFailed, message)
    }
}

/// A part as a buffer of its own, cut to what there is.
fn part<T: Number>(
    context: &NativeCallContext,
    buffer: &Buffer<T>,
    start: i64,
    len: i64,
) -> Outcome<Buffer<T>> {
    let items = read(buffer)?;
    let back = |by: u64| items.len().saturating_sub(usize::try_from(by).unwrap_or(usize::MAX));
    let start = if start < 0 { back(start.unsigned_abs()) } else { usize::try_from(start).unwrap_or(0) };
    let start = start.min(items.len());
    let len = usize::try_from(len).unwrap_or(0).min(items.len() - start);
    Ok(copied(context, &items[start..start + len])?.into())
}

/// The first number that none is `better` than, but for those that are no numbers.
fn extreme<T: Number>(buffer: &Buffer<T>, better: impl Fn(T, T) -> bool) -> Outcome<Dynamic> {
    let items = read(buffer)?;
    let numbers = items.iter().copied().filter(|item| !item.is_nan());
    let found = numbers.reduce(|best, item| if better(best, item) { item } else { best });
    Ok(found.map_or(Dynamic::UNIT, T::into_value))
}

fn equal<T: Number>(a: &Buffer<T>, b: &Buffer<T>) -> Outcome<bool> {
    Ok(*read(a)? == *read(b)?)
}

fn mixed_equal(ints: &Ints, floats: &Floats) -> Outcome<bool> {
    let (ints, floats) = (read(ints)?, read(floats)?);
    Ok(ints.len() == floats.len() && ints.iter().zip(floats.iter()).all(|(a, b)| *a as f64 == *b))
}

/// The first numbers, and how many there are if these are not all.
fn shown<T: Number>(buffer: &Buffer<T>) -> Outcome<String> {
    let items = read(buffer)?;
    let mut texts: Vec<String> =
        items.iter().take(PRINTED).map(|item| item.into_value().to_string()).collect();
    if items.len() > PRINTED {
        texts.push(format!("... {} in all", items.len()));
    }
    Ok(format!("[{}]", texts.join(", ")))
}
