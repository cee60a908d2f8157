//! Functions that scripts pass.

use crate::host::{Arg, Callback, call_by_name, give, memory_out, raise};
use caraway_abi::Status;
use caraway_plugin::Value;
use std::sync::Mutex;

/// The word at `at` of a callback's arguments.
fn word(args: *const u64, at: usize) -> u64 {
    // SAFETY: the callers read only words that their signature has.
    unsafe { args.add(at).read() }
}

/// The bytes of an argument that begins at the word `at`.
fn bytes(args: *const u64, at: usize, element: usize) -> Vec<u8> {
    if word(args, at + 1) == 0 {
        return Vec::new();
    }
    let pointer = std::ptr::with_exposed_provenance::<u8>(word(args, at) as usize);
    // SAFETY: the plugin keeps the contract.
    unsafe { std::slice::from_raw_parts(pointer, word(args, at + 1) as usize * element) }.to_vec()
}

#[test]
fn callbacks_are_called() {
    let likes: Callback<'_> = Box::new(|args, out| {
        // SAFETY: the result is a bool.
        unsafe { out.write(u64::from(word(args, 0) > 1)) };
        0
    });
    let xs = |xs: &[i64]| Arg::Value(Value::Array(xs.iter().map(|x| Value::Int(*x)).collect()));
    let find = |numbers| call_by_name("find", vec![xs(numbers), Arg::Function(&likes)]);
    assert_eq!(find(&[0, 1, 2, 3]), Ok(Value::Int(2)));
    assert_eq!(find(&[0]), Ok(Value::Unit));
}

#[test]
fn arguments_and_results_are_words_and_memory() {
    let before = memory_out();
    let seen = Mutex::new(Vec::new());
    let how: Callback<'_> = Box::new(|args, out| {
        let name = String::from_utf8(bytes(args, 0, 1)).unwrap();
        let ints = bytes(args, 2, 8);
        let point = Value::decode(&bytes(args, 4, 1)).unwrap();
        seen.lock().unwrap().push((ints, point.get("y").cloned(), f64::from_bits(word(args, 6))));
        give(out, format!("<{name}>").as_bytes(), 1);
        0
    });
    let names = Value::Array(vec!["a".into(), "".into(), "ü".into()]);
    let joined = call_by_name("join", vec![names.into(), Arg::Function(&how)]);
    assert_eq!(joined, Ok("<a><><ü>".into()));
    let expected = ([1_i64, 2].map(i64::to_ne_bytes).concat(), Some(Value::Float(2.0)), 0.5);
    assert_eq!(*seen.lock().unwrap(), vec![expected; 3]);

    let f: Callback<'_> = Box::new(|args, _| i32::from(bytes(args, 0, 1) != Value::Unit.encode()));
    let then: Callback<'_> = Box::new(|_, out| {
        give(out, &[0.5_f64, 1.5].map(f64::to_ne_bytes).concat(), 8);
        0
    });
    let result = call_by_name("each", vec![Arg::Function(&f), Arg::Function(&then)]);
    assert_eq!(result, Ok(Value::Array(vec![0.5.into(), 1.5.into()])));
    assert_eq!(memory_out(), before);
}

#[test]
fn errors_pass_through() {
    let before = memory_out();
    let raises: Callback<'_> = Box::new(|_, out| raise(out, "the script's error", 77));
    let xs = || Arg::Value(Value::Array(vec![1.into()]));
    // As it is, and in a box.
    let result = call_by_name("find", vec![xs(), Arg::Function(&raises)]);
    assert_eq!(result, Err((Status::Raised, "77".to_owned())));
    let names = || Arg::Value(Value::Array(vec!["a".into()]));
    let result = call_by_name("join", vec![names(), Arg::Function(&raises)]);
    assert_eq!(result, Err((Status::Raised, "77".to_owned())));
    // As a part of a message.
    let result = call_by_name("each", vec![Arg::Function(&raises), Arg::Function(&raises)]);
    assert_eq!(result, Err((Status::Failed, "each: the script's error".to_owned())));
    assert_eq!(memory_out(), before);
}

#[test]
fn other_results_are_errors() {
    for (callback, message) in [
        (Box::new(|_, _| Status::OutOfMemory as i32) as Callback<'_>, "the host has no memory for the call"),
        (Box::new(|_, _| 99), "the host gave back the status 99"),
    ] {
        let names = Arg::Value(Value::Array(vec!["a".into()]));
        let result = call_by_name("join", vec![names, Arg::Function(&callback)]);
        assert_eq!(result, Err((Status::Failed, message.to_owned())));
    }
}

#[test]
fn any_thread_may_call() {
    let double: Callback<'_> = Box::new(|args, out| {
        // SAFETY: the result is an int.
        unsafe { out.write(2 * word(args, 0)) };
        0
    });
    assert_eq!(call_by_name("in_threads", vec![Arg::Function(&double)]), Ok(Value::Int(12)));
}
