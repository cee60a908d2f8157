//! A function for every type that crosses the boundary, and for every way to fail.

use caraway_plugin::prelude::*;

#[plugin]
mod sink {
    use super::Value;
    use std::collections::{BTreeMap, HashMap};

    /// Adds two ints; an overflow is an error.
    pub fn add(a: i64, b: i64) -> Result<i64, String> {
        a.checked_add(b).ok_or_else(|| format!("{a} + {b} overflows"))
    }

    pub fn int(x: i64) -> i64 {
        x
    }

    pub fn float(x: f64) -> f64 {
        x
    }

    pub fn half(x: f64) -> f64 {
        x / 2.0
    }

    pub fn bool(x: bool) -> bool {
        x
    }

    pub fn not(x: bool) -> bool {
        !x
    }

    pub fn char(x: char) -> char {
        x
    }

    pub fn five(a: i64, b: f64, c: bool, d: char, e: i64) -> String {
        format!("{a} {b} {c} {d} {e}")
    }

    pub fn nothing() {}

    pub fn text(x: &str) -> &str {
        x
    }

    pub fn owned_text(x: String) -> String {
        x
    }

    pub fn repeat(x: &str, times: i64) -> Result<String, String> {
        usize::try_from(times).map(|times| x.repeat(times)).map_err(|e| e.to_string())
    }

    pub fn bytes(x: &[u8]) -> Vec<u8> {
        x.to_vec()
    }

    pub fn owned_bytes(x: Vec<u8>) -> Vec<u8> {
        x
    }

    pub fn ints(xs: &[i64]) -> Vec<i64> {
        xs.to_vec()
    }

    pub fn sum(xs: &[i64]) -> i64 {
        xs.iter().sum()
    }

    pub fn owned_ints(xs: Vec<i64>) -> Vec<i64> {
        xs
    }

    pub fn floats(xs: &[f64]) -> Vec<f64> {
        xs.to_vec()
    }

    pub fn dot(xs: &[f64], ys: &[f64]) -> Result<f64, String> {
        if xs.len() != ys.len() {
            return Err(format!("{} and {} numbers", xs.len(), ys.len()));
        }
        Ok(xs.iter().zip(ys).map(|(x, y)| x * y).sum())
    }

    pub fn texts(xs: Vec<String>) -> Vec<String> {
        xs
    }

    pub fn bools(xs: Vec<bool>) -> Vec<bool> {
        xs
    }

    pub fn matrix(rows: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
        rows
    }

    pub fn blobs(xs: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        xs
    }

    pub fn maybe(x: Option<i64>) -> Option<i64> {
        x
    }

    pub fn maybes(xs: Vec<Option<f64>>) -> Vec<Option<f64>> {
        xs
    }

    pub fn map(x: BTreeMap<String, i64>) -> BTreeMap<String, i64> {
        x
    }

    pub fn hash_map(x: HashMap<String, Vec<String>>) -> HashMap<String, Vec<String>> {
        x
    }

    pub fn any(x: Value) -> Value {
        x
    }

    pub fn record(x: BTreeMap<String, Value>) -> BTreeMap<String, Value> {
        x
    }

    pub fn checked(ok: bool) -> Result<(), &'static str> {
        if ok { Ok(()) } else { Err("not ok") }
    }

    pub fn silent() -> Result<i64, &'static str> {
        Err("")
    }

    pub fn boom(message: &str) -> i64 {
        panic!("{message}")
    }

    pub fn boom_static() {
        panic!("plain")
    }

    pub fn index(xs: &[i64], at: i64) -> i64 {
        xs[at as usize]
    }

    pub fn strange_payload() {
        std::panic::panic_any(7_u8)
    }

    /// Its panic's payload panics again when it is dropped.
    pub fn payload_that_panics() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("dropped")
            }
        }
        std::panic::panic_any(Bomb)
    }

    /// What a counter in the library's own memory says: each loaded copy has its own.
    pub fn count() -> i64 {
        use std::sync::atomic::{AtomicI64, Ordering};
        static COUNT: AtomicI64 = AtomicI64::new(0);
        COUNT.fetch_add(1, Ordering::Relaxed) + 1
    }

    // The names of what the macro makes are free for functions.
    pub fn args(call: i64) -> i64 {
        call
    }

    pub fn out(functions: i64) -> i64 {
        functions
    }

    pub mod api {
        /// In a submodule.
        pub fn mid(a: i64, b: i64) -> i64 {
            a.midpoint(b)
        }

        #[cfg(any())]
        pub fn absent() {}
    }

    #[allow(dead_code)]
    fn private() {}
}
