//! Calls.

use crate::host::{Arg, call_by_name, functions, memory_out};
use caraway_abi::{Failure, NO_MEMORY, Ret, Status};
use caraway_plugin::Value;
use std::mem::transmute;

#[track_caller]
pub(crate) fn gives<const N: usize>(name: &str, args: [Value; N], expected: impl Into<Value>) {
    let args = args.into_iter().map(Arg::from).collect();
    assert_eq!(call_by_name(name, args), Ok(expected.into()), "{name}");
}

#[track_caller]
pub(crate) fn fails<const N: usize>(name: &str, args: [Value; N], status: Status, message: &str) {
    let args = args.into_iter().map(Arg::from).collect();
    assert_eq!(call_by_name(name, args), Err((status, message.to_owned())), "{name}");
}

pub(crate) fn array<T: Into<Value>, const N: usize>(items: [T; N]) -> Value {
    Value::Array(items.into_iter().map(Into::into).collect())
}

#[test]
fn values_go_in_and_come_out() {
    gives("add", [1.into(), 2.into()], 3);
    gives("scale", [1.5.into(), 2.into()], 3.0);
    gives("is_upper", ['x'.into(), true.into()], false);
    gives("next", ['a'.into()], 'b');
    gives("next", [char::MAX.into()], ());
    gives("nothing", [], ());
    gives("longest", ["ü".into(), "abc".into()], "abc");
    gives("by_another_name", ["".into()], "");
    gives("reverse", [vec![1, 2].into()], vec![2_u8, 1]);
    gives("count", [array(["a"]), Value::from([("k", ().into()), ("l", 1.into())])], 3);
    gives("sum", [array([1, 2]), array([0.5]), array([array([1.0]), array([2.0])])], 6.5);
    gives("sum", [array::<i64, 0>([]), array::<f64, 0>([]), array::<Value, 0>([])], 0.0);
    fails("add", [i64::MAX.into(), 1.into()], Status::Failed, "9223372036854775807 + 1 overflows");
    fails("half", [f64::NAN.into()], Status::Failed, "no number");
    fails("check", [false.into()], Status::Failed, "not ok");
}

#[test]
fn buffers_are_borrowed() {
    let (mut xs, mut ints) = ([9.0; 3], [1, 2]);
    let result = call_by_name("fill", vec![Arg::Floats(&mut xs), Arg::Ints(&mut ints), 0.5.into()]);
    assert_eq!(result, Ok(array([0.5, 1.0, 9.0])));
    assert_eq!(xs, [0.5, 1.0, 9.0]);
    let result = call_by_name("count_up", vec![3.into(), Arg::Ints(&mut ints)]);
    assert_eq!((result, ints), (Ok(array([0, 1, 2])), [3, 2]));
    // Nothing may be nowhere.
    let result = call_by_name("fill", vec![Arg::Floats(&mut []), Arg::Ints(&mut []), 0.5.into()]);
    assert_eq!(result, Ok(Value::Array(vec![])));
}

fn typed(name: &str) -> *const std::ffi::c_void {
    functions().iter().find(|(signature, _)| signature.name == name).unwrap().1.typed
}

/// What a typed call has failed with.
#[track_caller]
fn refused(failure: *mut Failure) -> (Option<Status>, String) {
    assert!(!failure.is_null() && failure != NO_MEMORY);
    // SAFETY: a failure is in memory of the host, and its message of the plugin.
    unsafe {
        let Failure { status, out } = failure.read();
        let [pointer, len, capacity] = out.map(|word| word as usize);
        let pointer = std::ptr::with_exposed_provenance_mut::<u8>(pointer);
        let text = String::from_utf8(std::slice::from_raw_parts(pointer, len).to_vec()).unwrap();
        (crate::host::plugin().release.unwrap())(pointer, capacity, 1);
        crate::host::free_failure(failure);
        (Status::from_code(status), text)
    }
}

#[test]
fn functions_of_numbers_are_called_in_their_own_way() {
    // SAFETY: the types are those of the signatures.
    unsafe {
        let add: extern "C" fn(i64, i64) -> Ret<i64> = transmute(typed("add"));
        let scale: extern "C" fn(f64, i64) -> Ret<f64> = transmute(typed("scale"));
        let is_upper: extern "C" fn(i64, i64) -> Ret<i64> = transmute(typed("is_upper"));
        let shift: extern "C" fn(i64) -> Ret<i64> = transmute(typed("shift"));
        let half: extern "C" fn(f64) -> Ret<f64> = transmute(typed("half"));
        let nothing: extern "C" fn() -> Ret<i64> = transmute(typed("nothing"));
        let bomb: extern "C" fn() -> Ret<i64> = transmute(typed("bomb"));

        assert_eq!((add(1, 2).value, add(1, 2).failure.is_null()), (3, true));
        assert_eq!(scale(0.5, 3).value, 1.5);
        assert_eq!((is_upper(65, 0).value, is_upper(49, 0).value, is_upper(49, 1).value), (1, 1, 0));
        assert_eq!(shift(97).value, 98);
        assert_eq!(half(3.0).value, 1.5);
        assert_eq!((nothing().value, nothing().failure.is_null()), (0, true));

        let before = memory_out();
        let overflows = "9223372036854775807 + 1 overflows".to_owned();
        assert_eq!(refused(add(i64::MAX, 1).failure), (Some(Status::Failed), overflows));
        assert_eq!(refused(half(f64::NAN).failure), (Some(Status::Failed), "no number".to_owned()));
        let scalar = "an argument is no Unicode scalar value".to_owned();
        assert_eq!(refused(shift(0xd800).failure), (Some(Status::Failed), scalar));
        let (status, text) = refused(bomb().failure);
        assert_eq!(status, Some(Status::Panicked));
        assert!(text.ends_with("without a message"), "{text}");
        assert_eq!(memory_out(), before);
    }
}
