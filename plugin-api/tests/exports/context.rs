//! The context, the beginning and the end.

use crate::functions::gives;
use crate::host::{Arg, INTERRUPTED, LOG, call_by_name, plugin};
use crate::plugin::everything::STEPS;
use caraway_abi::{OUT_WORDS, Status};
use caraway_plugin::Value;

#[test]
fn the_context_is_no_argument() {
    let mut after = [0];
    let result = call_by_name("context", vec![7.into(), Arg::Ints(&mut after)]);
    assert_eq!(result, Ok("everything 1.2.3 Some(Int(3)) false".into()));
    assert_eq!(after, [7]);
    INTERRUPTED.set(true);
    let result = call_by_name("context", vec![8.into(), Arg::Ints(&mut after)]);
    assert_eq!(result, Ok("everything 1.2.3 Some(Int(3)) true".into()));
    let log = LOG.lock().unwrap();
    for line in [(1, "said"), (2, "7"), (2, "8")] {
        assert!(log.iter().any(|(level, text)| (*level, text.as_str()) == line), "{line:?}");
    }
}

#[test]
fn settings_are_typed() {
    gives("settings", [], "3 None");
}

/// The status of a call of `init` or `shutdown`, and its message.
fn ended(call: impl FnOnce(*mut u64) -> i32) -> (Option<Status>, String) {
    let mut out = [0; OUT_WORDS];
    let status = Status::from_code(call(out.as_mut_ptr()));
    let [pointer, len, capacity] = out.map(|word| word as usize);
    if capacity == 0 {
        return (status, String::new());
    }
    let pointer = std::ptr::with_exposed_provenance_mut::<u8>(pointer);
    // SAFETY: the plugin keeps the contract.
    unsafe {
        let text = String::from_utf8(std::slice::from_raw_parts(pointer, len).to_vec()).unwrap();
        (plugin().release.unwrap())(pointer, capacity, 1);
        (status, text)
    }
}

#[test]
fn a_plugin_begins_and_ends() {
    let (init, shutdown) = (plugin().init.unwrap(), plugin().shutdown.unwrap());
    assert_eq!(STEPS.lock().unwrap().as_slice(), ["init Map({\"depth\": Int(3)})"]);
    // SAFETY: there is room for a message, and the pointer is one to so many bytes.
    let with = |bytes: &[u8]| ended(|out| unsafe { init(bytes.as_ptr(), bytes.len(), out) });
    let (status, text) = with(&[200]);
    let expected = "the plugin's settings cannot be read: no value has the tag 200";
    assert_eq!((status, text.as_str()), (Some(Status::Failed), expected));
    // The settings are those of the first time.
    let refused = Value::from([("refuse", Value::from("no"))]).encode();
    assert_eq!(with(&refused), (Some(Status::Ok), String::new()));
    // SAFETY: as above.
    assert_eq!(ended(|out| unsafe { shutdown(out) }), (Some(Status::Ok), String::new()));
    // SAFETY: as above.
    let (status, text) = ended(|out| unsafe { shutdown(out) });
    assert_eq!(status, Some(Status::Panicked));
    assert!(text.ends_with(": stopped too often"), "{text}");
}
