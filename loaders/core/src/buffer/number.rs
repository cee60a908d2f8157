//! What buffers hold.

use rhai::Dynamic;
use std::cmp::Ordering;

mod sealed {
    pub trait Sealed {}
    impl Sealed for i64 {}
    impl Sealed for f64 {}
}

/// An `i64` or an `f64`.
pub trait Number: sealed::Sealed + Copy + PartialEq + PartialOrd + Default + Send + Sync + 'static {
    /// What signatures call a buffer of them.
    const BUFFER: &'static str;

    /// What signatures call one.
    const ONE: &'static str;

    /// The number that a value is; an int is a float, too.
    fn of(value: &Dynamic) -> Option<Self>;

    /// This int, if it may stand for one.
    fn of_int(int: i64) -> Self;

    /// As a script's value.
    fn into_value(self) -> Dynamic;

    /// The sum; `None` if it is too large for an int.
    fn plus(self, other: Self) -> Option<Self>;

    /// A total order: that of the numbers, with what is no number at the ends.
    fn order(&self, other: &Self) -> Ordering;

    /// Whether it is not a number.
    fn is_nan(self) -> bool;
}

impl Number for i64 {
    const BUFFER: &'static str = "ints";
    const ONE: &'static str = "int";

    #[inline]
    fn of(value: &Dynamic) -> Option<Self> {
        own(value).or_else(|| value.as_int().ok())
    }

    fn of_int(int: i64) -> Self {
        int
    }

    fn into_value(self) -> Dynamic {
        Dynamic::from_int(self)
    }

    fn plus(self, other: Self) -> Option<Self> {
        self.checked_add(other)
    }

    fn order(&self, other: &Self) -> Ordering {
        self.cmp(other)
    }

    fn is_nan(self) -> bool {
        false
    }
}

impl Number for f64 {
    const BUFFER: &'static str = "floats";
    const ONE: &'static str = "float";

    #[inline]
    fn of(value: &Dynamic) -> Option<Self> {
        own(value).or_else(|| other_float(value))
    }

    fn of_int(int: i64) -> Self {
        int as f64
    }

    fn into_value(self) -> Dynamic {
        Dynamic::from_float(self)
    }

    fn plus(self, other: Self) -> Option<Self> {
        Some(self + other)
    }

    fn order(&self, other: &Self) -> Ordering {
        self.total_cmp(other)
    }

    fn is_nan(self) -> bool {
        f64::is_nan(self)
    }
}

/// The number that a value holds itself, without looking behind a shared one.
///
/// That is a comparison and a load, where `as_float` and `as_int`, which are never inlined, come with the locks of
/// shared values. `read_lock` is inlined as long as it is called for numbers nowhere else; then the look at
/// `is_shared` takes the locks out of it.
#[inline]
fn own<T: Copy + 'static>(value: &Dynamic) -> Option<T> {
    if value.is_shared() {
        return None;
    }
    value.read_lock::<T>().map(|number| *number)
}

/// The float of an int, or of what is shared.
#[inline(never)]
fn other_float(value: &Dynamic) -> Option<f64> {
    match value.as_int() {
        Ok(int) => Some(int as f64),
        Err(_) => value.as_float().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_in_what_is_shared_too() {
        let shared = |value: Dynamic| value.into_shared();
        for value in [Dynamic::from_int(-3), shared(Dynamic::from_int(-3))] {
            assert_eq!((i64::of(&value), f64::of(&value)), (Some(-3), Some(-3.0)));
        }
        for value in [Dynamic::from_float(0.5), shared(Dynamic::from_float(0.5))] {
            assert_eq!((i64::of(&value), f64::of(&value)), (None, Some(0.5)));
        }
        for value in [Dynamic::UNIT, Dynamic::TRUE, "1".into(), Dynamic::from(1_i32), shared("1".into())] {
            assert_eq!((i64::of(&value), f64::of(&value)), (None, None), "{value}");
        }
    }
}
