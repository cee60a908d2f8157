//! Text and bytes that grow, where memory is counted.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

use caraway_loaders_core::Code;
use caraway_loaders_core::bind::CallError;
use caraway_loaders_core::budget::{self, Cancel, CountingAllocator, Meter};
use caraway_loaders_core::growth::{Bytes, Full, Text};
use caraway_loaders_core::limits::Limits;
use rhai::Engine;
use std::fmt::Write as _;
use std::io::Write as _;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

const MEMORY: u64 = 1 << 20;

fn limits() -> Limits {
    let mut limits = Limits::PROGRAM;
    limits.memory = Some(MEMORY);
    limits
}

/// Whether the limits still hold at the next look at them.
fn holds() -> bool {
    budget::check().is_ok()
}

#[test]
fn memory_is_asked_for_before_it_is_used() {
    for piece in [1, 100, 10_000] {
        let _frame = Meter::program(&limits(), Cancel::default()).enter().unwrap();
        let (mut bytes, piece) = (Bytes::within(0), vec![b'x'; piece]);
        let full = loop {
            if let Err(full) = bytes.push(&piece) {
                break full;
            }
        };
        assert!(matches!(full, Full::Memory(_)), "{full:?}");
        let length = bytes.as_slice().len();
        // Twice as much would have been too much, with the old one beside it.
        assert!(length > MEMORY as usize / 8 && length < MEMORY as usize, "{length}");
        let CallError::Error(error) = full.into_error("the text") else { panic!() };
        assert_eq!(error.code(), Code::Memory);
        assert!(holds(), "an error that can be caught");
    }
}

#[test]
fn one_value_has_a_limit() {
    let mut engine = Engine::new_raw();
    engine.set_max_string_size(10);
    let mut text = Text::of_engine(&engine);
    text.push("12345678").unwrap();
    let CallError::Error(error) = text.push("90!").unwrap_err().into_error("the text") else { panic!() };
    assert_eq!(error.message(), "the text would be larger than 10 bytes, the limit for one string");
    text.push("90").unwrap();
    assert_eq!(text.into_string(), "1234567890");
    let mut bytes = Bytes::of_string(&engine);
    bytes.write_all(b"12345678").unwrap();
    bytes.write_all(b"90!").unwrap_err();
    assert!(matches!(bytes.finish(), Err(Full::Large { most: 10, value: "string" })));
}

#[test]
fn who_cannot_fail_is_stopped_at_the_next_look() {
    let mut engine = Engine::new_raw();
    engine.set_max_string_size(10);
    let frame = Meter::program(&limits(), Cancel::default()).enter().unwrap();
    let mut text = Text::of_engine(&engine);
    write!(text, "1234567890").unwrap();
    assert!(holds());
    write!(text, "!").unwrap_err();
    assert!(!holds());
    drop(frame);
    assert!(holds());
}

#[test]
fn cancelling_is_seen_on_the_way() {
    let cancel = Cancel::default();
    let _frame = Meter::program(&limits(), cancel.clone()).enter().unwrap();
    let mut bytes = Bytes::within(0);
    bytes.push(b"x").unwrap();
    cancel.cancel();
    let full = (0..10_000).find_map(|_| bytes.push(b"").err()).unwrap();
    let CallError::Expired(expiry) = full.into_error("the text") else { panic!() };
    assert_eq!(expiry.error().code(), Code::Interrupted);
}
