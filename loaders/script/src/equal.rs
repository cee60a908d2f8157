//! Comparing and searching large values, within the budget.
//!
//! Rhai compares two arrays in one operation, element by element, each by a call that looks its function up. These
//! mean the same, compare what is plain without a call, and look at the limits on the way.

use caraway_loaders_core::budget;
use rhai::{
    Array, Dynamic, Engine, EvalAltResult, FnPtr, FuncRegistration, ImmutableString, Map, NativeCallContext,
};
use std::cell::Cell;

type Outcome<T> = Result<T, Box<EvalAltResult>>;

/// The budget is looked at once in this many comparisons, or this many bytes.
const COMPARISONS_PER_LOOK: usize = 4096;
const BYTES_PER_COMPARISON: usize = 64;

/// Puts them before those of the standard package.
pub(crate) fn register(engine: &mut Engine) {
    let pure = |name: &str| FuncRegistration::new(name).with_purity(true).in_global_namespace();
    pure("==").register_into_engine(engine, |context: NativeCallContext, a: &mut Array, b: Array| {
        Comparison::new(&context).arrays(a, &b, 0)
    });
    pure("!=").register_into_engine(engine, |context: NativeCallContext, a: &mut Array, b: Array| {
        Comparison::new(&context).arrays(a, &b, 0).map(|equal| !equal)
    });
    pure("==").register_into_engine(engine, |context: NativeCallContext, a: &mut Map, b: Map| {
        Comparison::new(&context).maps(a, &b, 0)
    });
    pure("!=").register_into_engine(engine, |context: NativeCallContext, a: &mut Map, b: Map| {
        Comparison::new(&context).maps(a, &b, 0).map(|equal| !equal)
    });
    pure("contains").register_into_engine(
        engine,
        |context: NativeCallContext, array: &mut Array, value: Dynamic| {
            Comparison::new(&context).position(array, &value, 0).map(|found| found.is_some())
        },
    );
    pure("index_of")
        .register_into_engine(engine, |context: NativeCallContext, array: &mut Array, value: Dynamic| {
            index_of(&context, array, &value, 0)
        });
    pure("index_of").register_into_engine(
        engine,
        |context: NativeCallContext, array: &mut Array, value: Dynamic, start: i64| {
            index_of(&context, array, &value, start)
        },
    );
    engine.register_fn("dedup", |context: NativeCallContext, array: &mut Array| -> Outcome<()> {
        let comparison = Comparison::new(&context);
        // An element that has no `==` is never a duplicate.
        drop_repeated(array, |a, b| comparison.are_equal(a, b, 0).or_else(unless_stopped))
    });
    engine.register_fn(
        "dedup",
        |context: NativeCallContext, array: &mut Array, same: FnPtr| -> Outcome<()> {
            drop_repeated(array, |a, b| {
                let answer = same.call_within_context::<Dynamic>(&context, (a.clone(), b.clone()));
                answer.map(|answer| answer.as_bool().unwrap_or(false)).or_else(unless_stopped)
            })
        },
    );
}

fn index_of(context: &NativeCallContext, array: &Array, value: &Dynamic, start: i64) -> Outcome<i64> {
    // From the end where it is negative, as Rhai has it.
    let start = match usize::try_from(start) {
        Ok(start) => start.min(array.len()),
        Err(_) => array.len().saturating_sub(usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX)),
    };
    let found = Comparison::new(context).position(array, value, start)?;
    Ok(found.and_then(|index| i64::try_from(index).ok()).unwrap_or(-1))
}

struct Comparison<'a> {
    context: &'a NativeCallContext<'a>,
    count: Cell<usize>,
}

impl<'a> Comparison<'a> {
    fn new(context: &'a NativeCallContext<'a>) -> Self {
        Self { context, count: Cell::new(0) }
    }

    fn arrays(&self, a: &Array, b: &Array, depth: usize) -> Outcome<bool> {
        if a.len() != b.len() {
            return Ok(false);
        }
        for (a, b) in a.iter().zip(b) {
            if !self.elements(a, b, depth)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn maps(&self, a: &Map, b: &Map, depth: usize) -> Outcome<bool> {
        if a.len() != b.len() {
            return Ok(false);
        }
        for (key, a) in a {
            let Some(b) = b.get(key) else { return Ok(false) };
            if !self.elements(a, b, depth)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn position(&self, array: &Array, value: &Dynamic, start: usize) -> Outcome<Option<usize>> {
        for (index, item) in array.iter().enumerate().skip(start) {
            if self.elements(item, value, 0)? {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }

    /// Two elements; those of different types for which there is no `==` differ.
    fn elements(&self, a: &Dynamic, b: &Dynamic, depth: usize) -> Outcome<bool> {
        self.are_equal(a, b, depth).or_else(|error| match *error {
            EvalAltResult::ErrorFunctionNotFound(ref signature, _)
                if signature.starts_with("==") && a.type_id() != b.type_id() =>
            {
                Ok(false)
            }
            _ => Err(error),
        })
    }

    fn are_equal(&self, a: &Dynamic, b: &Dynamic, depth: usize) -> Outcome<bool> {
        self.step(1)?;
        if let (Ok(a), Ok(b)) = (a.as_int(), b.as_int()) {
            return Ok(a == b);
        }
        if let (Some(a), Some(b)) = (a.read_lock::<ImmutableString>(), b.read_lock::<ImmutableString>()) {
            self.step(a.len().min(b.len()) / BYTES_PER_COMPARISON)?;
            return Ok(*a == *b);
        }
        if let (Some(a), Some(b)) = (a.read_lock::<Array>(), b.read_lock::<Array>()) {
            return self.arrays(&a, &b, self.below(depth)?);
        }
        if let (Some(a), Some(b)) = (a.read_lock::<Map>(), b.read_lock::<Map>()) {
            return self.maps(&a, &b, self.below(depth)?);
        }
        let equal = self.context.call_native_fn_raw("==", true, &mut [&mut a.clone(), &mut b.clone()])?;
        Ok(equal.as_bool().unwrap_or(false))
    }

    /// Looks at the budget now and then.
    fn step(&self, count: usize) -> Outcome<()> {
        let before = self.count.get();
        let after = before.wrapping_add(count);
        self.count.set(after);
        if before / COMPARISONS_PER_LOOK != after / COMPARISONS_PER_LOOK {
            budget::check().map_err(|expiry| expiry.terminate(self.context.call_position()))?;
        }
        Ok(())
    }

    fn below(&self, depth: usize) -> Outcome<usize> {
        if depth.is_multiple_of(64) && !budget::may_recurse() {
            return Err(Box::new(EvalAltResult::ErrorStackOverflow(self.context.call_position())));
        }
        Ok(depth + 1)
    }
}

/// Removes what is the same as the last element that stays.
fn drop_repeated(
    array: &mut Array,
    mut same: impl FnMut(&Dynamic, &Dynamic) -> Outcome<bool>,
) -> Outcome<()> {
    let mut stays = Vec::with_capacity(array.len());
    let mut last = 0;
    for (index, item) in array.iter().enumerate() {
        let repeated = index > 0 && same(&array[last], item)?;
        if !repeated {
            last = index;
        }
        stays.push(!repeated);
    }
    let mut stays = stays.into_iter();
    array.retain(|_| stays.next().unwrap_or(true));
    Ok(())
}

/// `false` in the place of an error that the script could catch.
fn unless_stopped(error: Box<EvalAltResult>) -> Outcome<bool> {
    match error.unwrap_inner() {
        EvalAltResult::ErrorTerminated(..)
        | EvalAltResult::ErrorStackOverflow(_)
        | EvalAltResult::ErrorTooManyOperations(_)
        | EvalAltResult::Exit(..) => Err(error),
        _ => Ok(false),
    }
}
