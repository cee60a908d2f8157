//! Rust values to words and back.

use super::out::release;
use super::{Argument, Data, Return, call};
use crate::Value;
use caraway_abi::Status;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;

/// A call of a function from one value to another, as the expansion of the macro makes it.
fn call<A, R>(words: &[u64], function: impl FnOnce(A) -> R) -> (Option<Status>, [u64; 3])
where
    A: for<'a> Argument<'a>,
    R: Return,
{
    let mut out = [0; 3];
    // SAFETY: the words are those of an `A`, as the callers of this make them.
    let status = unsafe {
        call::run(words.as_ptr(), out.as_mut_ptr(), |args, out| {
            function(call::named(A::take(args), "arg")?).give(out)
        })
    };
    (Status::from_code(status), out)
}

/// The bytes of a result, which is a buffer of elements of this size.
fn taken(out: [u64; 3], size: usize) -> Vec<u8> {
    let (len, capacity) = (out[1] as usize * size, out[2] as usize * size);
    if capacity == 0 {
        return Vec::new();
    }
    let pointer = std::ptr::with_exposed_provenance_mut::<u8>(out[0] as usize);
    // SAFETY: `out` is a buffer that was given away.
    unsafe {
        let bytes = std::slice::from_raw_parts(pointer, len).to_vec();
        release(pointer, capacity, size);
        bytes
    }
}

fn slice<T>(items: &[T]) -> [u64; 2] {
    [items.as_ptr().expose_provenance() as u64, items.len() as u64]
}

#[track_caller]
fn message<A: for<'a> Argument<'a>, R: Return>(
    words: &[u64],
    function: impl FnOnce(A) -> R,
) -> (Status, String) {
    let (status, out) = call(words, function);
    (status.unwrap(), String::from_utf8(taken(out, 1)).unwrap())
}

#[test]
fn scalars_are_words() {
    assert_eq!(call(&[u64::MAX], |x: i64| x - 1), (Some(Status::Ok), [u64::MAX - 1, 0, 0]));
    assert_eq!(call(&[1.5_f64.to_bits()], |x: f64| x * 2.0).1[0], 3.0_f64.to_bits());
    assert_eq!(call(&[1], |x: bool| !x).1[0], 0);
    assert_eq!(call(&[0x10ffff], |x: char| x).1[0], 0x10ffff);
    assert_eq!(call(&[7], |_: i64| ()).1, [0; 3]);
}

#[test]
fn slices_are_pointers_and_counts() {
    let (_, out) = call(&slice("ü\0".as_bytes()), |x: String| x + "!");
    assert_eq!(taken(out, 1), "ü\0!".as_bytes());
    let (_, out) = call(&slice(&[1_i64, -2]), |x: Vec<i64>| x);
    assert_eq!(taken(out, 8), [1_i64, -2].map(i64::to_ne_bytes).concat());
    let (_, out) = call(&slice(&[0.5]), |x: Vec<f64>| x);
    assert_eq!(taken(out, 8), 0.5_f64.to_ne_bytes());
    let (_, out) = call(&slice(&[0_u8, 255]), |x: Vec<u8>| x);
    assert_eq!(taken(out, 1), [0, 255]);
    // Nothing may be nowhere.
    assert_eq!(call(&[0, 0], |x: Vec<i64>| x.len() as i64).1[0], 0);
    assert_eq!(call(&[0, 0], |x: String| x).1, [0; 3]);
}

#[track_caller]
fn encoded<T: Data + PartialEq + Debug + Clone + 'static>(ty: &str, native: T, value: Value) {
    assert_eq!(T::TYPE.as_str(), ty);
    assert_eq!(T::from_value(value.clone()).unwrap(), native);
    assert_eq!(native.clone().into_value(), value);
    let bytes = value.encode();
    let (status, out) = call(&slice(&bytes), |x: T| x);
    assert_eq!((status, taken(out, 1)), (Some(Status::Ok), bytes));
}

#[test]
fn everything_else_is_encoded() {
    let text = |text: &str| Value::String(text.to_owned());
    let map = |key: &str, value: Value| Value::Map(BTreeMap::from([(key.to_owned(), value)]));
    encoded("array<string>", vec!["a".to_owned()], Value::Array(vec![text("a")]));
    encoded("array<bool>", vec![true], Value::Array(vec![Value::Bool(true)]));
    encoded("array<char>", vec!['x'], Value::Array(vec![Value::Char('x')]));
    encoded("array<bytes>", vec![vec![1_u8]], Value::Array(vec![Value::Bytes(vec![1])]));
    encoded(
        "array<array<int>>",
        vec![vec![1_i64], vec![]],
        Value::Array(vec![Value::Array(vec![Value::Int(1)]), Value::Array(vec![])]),
    );
    encoded("int?", Some(1_i64), Value::Int(1));
    encoded("int?", None::<i64>, Value::Unit);
    encoded("array<float?>", vec![None, Some(0.5)], Value::Array(vec![Value::Unit, Value::Float(0.5)]));
    encoded("map<int>", BTreeMap::from([("k".to_owned(), 1_i64)]), map("k", Value::Int(1)));
    encoded("map<string>", HashMap::from([("k".to_owned(), "v".to_owned())]), map("k", text("v")));
    encoded("any", Value::Unit, Value::Unit);
    assert_eq!(<Option<Value> as Data>::TYPE.as_str(), "any");
    assert_eq!(<Option<Option<i64>> as Data>::TYPE.as_str(), "int?");
    // An int is accepted where a float is declared.
    assert_eq!(f64::from_value(Value::Int(2)), Ok(2.0));
}

#[test]
fn what_does_not_fit_says_where() {
    let nested =
        Value::Map(BTreeMap::from([("k".to_owned(), Value::Array(vec![Value::Int(1), Value::Unit]))]));
    let error = BTreeMap::<String, Vec<i64>>::from_value(nested).unwrap_err();
    assert_eq!(error.to_string(), "must be int, found () at `k[1]`");
    let error = Vec::<u8>::from_value(Value::Array(vec![])).unwrap_err();
    assert_eq!(error.to_string(), "must be bytes, found array");
}

#[test]
fn failures_have_messages() {
    let bytes = Value::Bool(true).encode();
    let boom = |_: i64| -> i64 { panic!("at {}", 7) };
    for ((status, text), expected) in [
        (message(&[1], |x: i64| Err::<i64, _>(format!("no {x}"))), (Status::Failed, "no 1")),
        (message(&[1], |_: i64| Err::<(), _>("")), (Status::Failed, "")),
        (message(&[1], boom), (Status::Panicked, "at 7")),
        (message(&[0xd800], |x: char| x), (Status::Failed, "an argument is no Unicode scalar value")),
        (
            message(&slice(&bytes), |x: Option<i64>| x),
            (Status::Failed, "an argument must be int, found bool at `arg`"),
        ),
        (
            message(&slice(&[200_u8]), |x: Value| x),
            (Status::Failed, "an argument cannot be read: no value has the tag 200"),
        ),
    ] {
        assert_eq!((status, text.as_str()), expected);
    }
}

#[test]
fn a_result_keeps_its_memory() {
    let mut text = String::with_capacity(64);
    text.push_str("text");
    let pointer = text.as_ptr();
    let (_, out) = call(&[0], |_: i64| text);
    assert_eq!((out[0], out[1], out[2]), (pointer.addr() as u64, 4, 64));
    assert_eq!(taken(out, 1), b"text");
    // What is empty has no memory to be given back.
    assert_eq!(call(&[0], |_: i64| Vec::<f64>::with_capacity(8)).1, [0; 3]);
}

#[test]
fn what_nests_too_deep_is_refused() {
    let nest = |levels| (0..levels).fold(Value::Unit, |inner, _| Value::Array(vec![inner]));
    let (status, out) = call(&[0], |_: i64| nest(128));
    assert_eq!((status, taken(out, 1).len()), (Some(Status::Ok), 5 * 128 + 1));
    for levels in [129, if cfg!(miri) { 1_000 } else { 200_000 }] {
        let (status, text) = message(&[0], |_: i64| nest(levels));
        assert_eq!((status, text.as_str()), (Status::Failed, "values nest deeper than 128"), "{levels}");
    }
}
