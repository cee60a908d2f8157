//! Panics.

use crate::functions::gives;
use crate::host::{Arg, LOG, call_by_name, drop_handle};
use caraway_abi::Status;

#[track_caller]
fn panics(name: &str, args: Vec<Arg<'_>>) -> String {
    let (status, message) = call_by_name(name, args).unwrap_err();
    assert_eq!(status, Status::Panicked, "{message}");
    message
}

fn logged(end: &str) -> bool {
    LOG.lock().unwrap().iter().any(|(level, text)| *level == 0 && text.ends_with(end))
}

#[test]
fn panics_say_where_they_were() {
    let file = file!().replace("panics.rs", "plugin.rs");
    let message = panics("boom", vec!["Grüße".into()]);
    assert!(message.starts_with(&format!("at {file}:")), "{message}");
    assert!(message.ends_with(": Grüße"), "{message}");
    let message = panics("bomb", vec![]);
    assert!(message.starts_with(&format!("at {file}:")), "{message}");
    assert!(message.ends_with(": without a message"), "{message}");
    assert!(!logged("Grüße") && !logged("dropped"));
}

#[test]
fn a_panic_from_another_thread_keeps_its_message() {
    gives("caught", [], 1);
    assert_eq!(panics("carried", vec![]), "carried");
}

#[test]
fn panics_outside_of_calls_are_logged() {
    call_by_name("in_a_thread", vec![]).unwrap();
    assert!(logged(": alone"), "{:?}", LOG.lock().unwrap());
    let handle = call_by_name("counter", vec![13.into()]).unwrap().as_int().unwrap();
    drop_handle("Counter", handle.cast_unsigned());
    assert!(logged(": thirteen"), "{:?}", LOG.lock().unwrap());
}
