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

    fn of(value: &Dynamic) -> Option<Self> {
        value.as_int().ok()
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

    fn of(value: &Dynamic) -> Option<Self> {
        value.as_float().ok().or_else(|| Some(value.as_int().ok()? as f64))
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
