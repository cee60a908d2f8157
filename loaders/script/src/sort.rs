//! `sort` and `order_by` with a comparator that may fail.
//!
//! Rhai takes a comparator that throws, or is stopped, for one that says nothing, and goes on: a deadline, an
//! interrupt, `exit` and ordinary mistakes are lost. And what it sorts with may panic when a comparator
//! contradicts itself. These pass errors on, leave the array as it was, and put up with any answers.

use rhai::{Array, Dynamic, Engine, EvalAltResult, FnPtr, NativeCallContext};

type Outcome<T> = Result<T, Box<EvalAltResult>>;

/// Puts them before those of the standard package.
pub(crate) fn register(engine: &mut Engine) {
    engine
        .register_fn("sort", |context: NativeCallContext, array: &mut Array, compare: FnPtr| -> Outcome<()> {
            *array = sorted(&context, array, &compare)?;
            Ok(())
        })
        .register_fn("order_by", |context: NativeCallContext, array: Array, compare: FnPtr| {
            sorted(&context, &array, &compare)
        });
}

fn sorted(context: &NativeCallContext, items: &[Dynamic], compare: &FnPtr) -> Outcome<Array> {
    let mut after = |a: usize, b: usize| -> Outcome<bool> {
        let answer: Dynamic = compare.call_within_context(context, (items[a].clone(), items[b].clone()))?;
        answer.as_int().map(|order| order > 0).map_err(|found| {
            let (int, position) = ("i64".to_owned(), context.call_position());
            Box::new(EvalAltResult::ErrorMismatchOutputType(int, found.to_owned(), position))
        })
    };
    let order = merge_sort((0..items.len()).collect(), &mut after)?;
    Ok(order.into_iter().map(|index| items[index].clone()).collect())
}

/// A stable merge sort, bottom up.
fn merge_sort(
    mut order: Vec<usize>,
    after: &mut impl FnMut(usize, usize) -> Outcome<bool>,
) -> Outcome<Vec<usize>> {
    let mut width = 1;
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
            let order = merge_sort((0..len).collect(), &mut |a, b| Ok(keys[a] > keys[b])).unwrap();
            let mut expected: Vec<usize> = (0..len).collect();
            expected.sort_by_key(|&i| keys[i]);
            assert_eq!(order, expected);
            let mut nonsense = merge_sort((0..len).collect(), &mut |_, _| Ok(true)).unwrap();
            nonsense.sort_unstable();
            assert_eq!(nonsense, (0..len).collect::<Vec<_>>());
        }
    }
}
