//! Sorting with comparators that may fail, and of arrays of any size.
//!
//! Rhai takes a comparator that throws, or is stopped, for one that says nothing, and goes on: a deadline, an
//! interrupt, `exit` and ordinary mistakes are lost. And what it sorts with may panic when a comparator
//! contradicts itself, or floats are not numbers. These pass errors on, leave the array as it was, put up with any
//! answers, and look at the limits on the way.

use caraway_loaders_core::budget;
use rhai::{Array, Dynamic, Engine, EvalAltResult, FnPtr, ImmutableString, NativeCallContext, Position};
use std::cmp::Ordering;

type Outcome<T> = Result<T, Box<EvalAltResult>>;

/// How many elements are sorted between two looks at the budget.
const RUN: usize = 16 << 10;

/// Puts them before those of the standard package.
pub(crate) fn register(engine: &mut Engine) {
    engine
        .register_fn("sort", |context: NativeCallContext, array: &mut Array, compare: FnPtr| -> Outcome<()> {
            *array = sorted(&context, array, &compare)?;
            Ok(())
        })
        .register_fn("order_by", |context: NativeCallContext, array: Array, compare: FnPtr| {
            sorted(&context, &array, &compare)
        })
        .register_fn("sort", |array: &mut Array| sort_plain(array, false))
        .register_fn("sort_desc", |array: &mut Array| sort_plain(array, true))
        .register_fn("order", |mut array: Array| sort_plain(&mut array, false).map(|()| array))
        .register_fn("order_desc", |mut array: Array| sort_plain(&mut array, true).map(|()| array));
}

fn sorted(context: &NativeCallContext, items: &[Dynamic], compare: &FnPtr) -> Outcome<Array> {
    let mut after = |a: usize, b: usize| -> Outcome<bool> {
        let answer: Dynamic = compare.call_within_context(context, (items[a].clone(), items[b].clone()))?;
        answer.as_int().map(|order| order > 0).map_err(|found| {
            let (int, position) = ("i64".to_owned(), context.call_position());
            Box::new(EvalAltResult::ErrorMismatchOutputType(int, found.to_owned(), position))
        })
    };
    let order = merge_sort((0..items.len()).collect(), 1, &mut after)?;
    Ok(order.into_iter().map(|index| items[index].clone()).collect())
}

/// Sorts elements of one type that has an order.
fn sort_plain(array: &mut Array, descending: bool) -> Outcome<()> {
    fn by<K: Ord>(array: &mut Array, descending: bool, keys: Vec<K>) -> Outcome<()> {
        let compare = |a: usize, b: usize| {
            let order = keys[a].cmp(&keys[b]);
            if descending { order.reverse() } else { order }
        };
        let look = || budget::check().map_err(|expiry| expiry.terminate(Position::NONE));
        let mut order: Vec<usize> = (0..keys.len()).collect();
        for run in order.chunks_mut(RUN) {
            look()?;
            run.sort_by(|a, b| compare(*a, *b));
        }
        let mut count = 0_usize;
        let order = merge_sort(order, RUN, &mut |a, b| {
            count += 1;
            if count.is_multiple_of(RUN) {
                look()?;
            }
            Ok(compare(a, b).is_gt())
        })?;
        let mut items: Vec<Dynamic> = std::mem::take(array);
        *array = order.into_iter().map(|index| std::mem::take(&mut items[index])).collect();
        Ok(())
    }
    fn keys<K>(array: &Array, key: impl Fn(&Dynamic) -> Option<K>) -> Option<Vec<K>> {
        array.iter().map(key).collect()
    }
    let Some(first) = array.first() else { return Ok(()) };
    if array.iter().any(|item| item.type_id() != first.type_id()) {
        return Err(unsorted("elements of different types cannot be sorted".to_owned()));
    }
    if array.len() < 2 || first.is_unit() {
        return Ok(());
    }
    // A key and a place for each.
    let room = array.len() as u64 * 64;
    if !budget::may_allocate(room) {
        return Err(Box::new(EvalAltResult::ErrorDataTooLarge("Size of array".to_owned(), Position::NONE)));
    }
    if let Some(keys) = keys(array, |item| item.as_int().ok()) {
        by(array, descending, keys)
    } else if let Some(keys) = keys(array, |item| item.as_float().ok().map(Float)) {
        by(array, descending, keys)
    } else if let Some(keys) = keys(array, |item| item.as_char().ok()) {
        by(array, descending, keys)
    } else if let Some(keys) = keys(array, |item| item.as_bool().ok()) {
        by(array, descending, keys)
    } else if let Some(keys) = keys(array, |item| item.read_lock::<ImmutableString>().map(|s| s.clone())) {
        by(array, descending, keys)
    } else {
        Err(unsorted(format!("elements of {} cannot be sorted", first.type_name())))
    }
}

fn unsorted(why: String) -> Box<EvalAltResult> {
    Box::new(EvalAltResult::ErrorFunctionNotFound(why, Position::NONE))
}

/// A float in the order of all: NaN comes last, and both zeros are one.
struct Float(f64);

impl Ord for Float {
    fn cmp(&self, other: &Self) -> Ordering {
        let unordered = || self.0.is_nan().cmp(&other.0.is_nan());
        self.0.partial_cmp(&other.0).unwrap_or_else(unordered)
    }
}

impl PartialOrd for Float {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Float {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Float {}

/// A stable merge sort, bottom up, of what is sorted in runs of `width` already.
fn merge_sort(
    mut order: Vec<usize>,
    mut width: usize,
    after: &mut impl FnMut(usize, usize) -> Outcome<bool>,
) -> Outcome<Vec<usize>> {
    while width < order.len() {
        let mut merged = Vec::with_capacity(order.len());
        for run in order.chunks(2 * width) {
            let (mut left, mut right) = run.split_at(width.min(run.len()));
            while let ([a, left_rest @ ..], [b, right_rest @ ..]) = (left, right) {
                if after(*a, *b)? {
                    merged.push(*b);
                    right = right_rest;
                } else {
                    merged.push(*a);
                    left = left_rest;
                }
            }
            merged.extend_from_slice(left);
            merged.extend_from_slice(right);
        }
        order = merged;
        width *= 2;
    }
    Ok(order)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_sorts_stably_whatever_it_is_told() {
        for len in 0..70_usize {
            let keys: Vec<usize> = (0..len).map(|i| i * 7919 % 13).collect();
            let order = merge_sort((0..len).collect(), 1, &mut |a, b| Ok(keys[a] > keys[b])).unwrap();
            let mut expected: Vec<usize> = (0..len).collect();
            expected.sort_by_key(|&i| keys[i]);
            assert_eq!(order, expected);
            let mut nonsense = merge_sort((0..len).collect(), 1, &mut |_, _| Ok(true)).unwrap();
            nonsense.sort_unstable();
            assert_eq!(nonsense, (0..len).collect::<Vec<_>>());
        }
    }
}
