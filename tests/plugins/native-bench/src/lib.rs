//! Thirty functions, six of which `interpreter/benches/native_call.rs` calls.

use caraway_plugin::prelude::*;

#[plugin]
mod bench {
    use super::*;

    pub fn add(a: i64, b: i64) -> i64 {
        a.wrapping_add(b)
    }

    pub fn scale(a: f64, b: f64) -> f64 {
        a * b
    }

    pub fn echo(text: &str) -> String {
        text.to_owned()
    }

    pub fn sum(xs: &[i64]) -> i64 {
        xs.iter().sum()
    }

    /// In eight sums at once: what is measured is the buffer, and not how long one addition waits for the next.
    pub fn sum_buffer(xs: Buffer<'_, f64>) -> f64 {
        let mut sums = [0.0; 8];
        let parts = xs.chunks_exact(8);
        let rest: f64 = parts.remainder().iter().sum();
        parts.for_each(|part| sums.iter_mut().zip(part).for_each(|(sum, x)| *sum += x));
        sums.iter().sum::<f64>() + rest
    }

    pub fn apply(f: Callback<'_, fn(i64) -> i64>, x: i64) -> Result<i64, CallbackError> {
        f.call((x,))
    }

    pub fn f1(a: i64, b: f64) -> f64 {
        a as f64 + b * 1.0
    }

    pub fn f2(a: i64, b: f64) -> f64 {
        a as f64 + b * 2.0
    }

    pub fn f3(a: i64, b: f64) -> f64 {
        a as f64 + b * 3.0
    }

    pub fn f4(a: i64, b: f64) -> f64 {
        a as f64 + b * 4.0
    }

    pub fn f5(a: i64, b: f64) -> f64 {
        a as f64 + b * 5.0
    }

    pub fn f6(a: i64, b: f64) -> f64 {
        a as f64 + b * 6.0
    }

    pub fn f7(a: i64, b: f64) -> f64 {
        a as f64 + b * 7.0
    }

    pub fn f8(a: i64, b: f64) -> f64 {
        a as f64 + b * 8.0
    }

    pub fn f9(a: i64, b: f64) -> f64 {
        a as f64 + b * 9.0
    }

    pub fn f10(a: i64, b: f64) -> f64 {
        a as f64 + b * 10.0
    }

    pub fn f11(a: i64, b: f64) -> f64 {
        a as f64 + b * 11.0
    }

    pub fn f12(a: i64, b: f64) -> f64 {
        a as f64 + b * 12.0
    }

    pub fn f13(a: i64, b: f64) -> f64 {
        a as f64 + b * 13.0
    }

    pub fn f14(a: i64, b: f64) -> f64 {
        a as f64 + b * 14.0
    }

    pub fn f15(a: i64, b: f64) -> f64 {
        a as f64 + b * 15.0
    }

    pub fn f16(a: i64, b: f64) -> f64 {
        a as f64 + b * 16.0
    }

    pub fn f17(a: i64, b: f64) -> f64 {
        a as f64 + b * 17.0
    }

    pub fn f18(a: i64, b: f64) -> f64 {
        a as f64 + b * 18.0
    }

    pub fn f19(a: i64, b: f64) -> f64 {
        a as f64 + b * 19.0
    }

    pub fn f20(a: i64, b: f64) -> f64 {
        a as f64 + b * 20.0
    }

    pub fn f21(a: i64, b: f64) -> f64 {
        a as f64 + b * 21.0
    }

    pub fn f22(a: i64, b: f64) -> f64 {
        a as f64 + b * 22.0
    }

    pub fn f23(a: i64, b: f64) -> f64 {
        a as f64 + b * 23.0
    }

    pub fn f24(a: i64, b: f64) -> f64 {
        a as f64 + b * 24.0
    }
}
