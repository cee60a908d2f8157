//! Handles.

use crate::functions::fails;
use crate::host::{Arg, Callback, INTERRUPTED, call_by_name, drop_handle};
use crate::plugin::everything::DROPPED;
use caraway_abi::Status;
use caraway_plugin::Value;
use std::sync::Barrier;

/// How often threads use one handle.
const TURNS: i64 = if cfg!(miri) { 20 } else { 1_000 };

#[track_caller]
fn counter(start: i64) -> u64 {
    handle("counter", vec![start.into()])
}

#[track_caller]
fn handle(name: &str, args: Vec<Arg<'_>>) -> u64 {
    call_by_name(name, args).unwrap().as_int().unwrap().cast_unsigned()
}

#[track_caller]
fn int(name: &str, args: Vec<Arg<'_>>) -> i64 {
    call_by_name(name, args).unwrap().as_int().unwrap()
}

#[track_caller]
fn refuses(name: &str, args: Vec<Arg<'_>>, message: &str) {
    assert_eq!(call_by_name(name, args), Err((Status::Failed, message.to_owned())));
}

fn dropped(count: i64) -> usize {
    DROPPED.lock().unwrap().iter().filter(|dropped| **dropped == count).count()
}

#[test]
fn methods_share_a_value() {
    let a = counter(5);
    assert_eq!(int("counter::incr", vec![Arg::Handle(a), 2.into()]), 7);
    assert_eq!(int("counter::count", vec![Arg::Handle(a)]), 7);
    let b = handle("counter::zero", vec![]);
    assert_eq!(int("total", vec![Arg::Handle(a), Arg::Handle(b)]), 8);
    call_by_name("counter::add", vec![Arg::Handle(b), Arg::Handle(a)]).unwrap();
    assert_eq!(int("counter::count", vec![Arg::Handle(b)]), 8);
    fails("counter", [(-1).into()], Status::Failed, "negative");
    drop_handle("Counter", a);
    drop_handle("Counter", b);
}

#[test]
fn what_takes_the_value_closes_the_handle() {
    let a = counter(1_000_000);
    assert_eq!(int("counter::finish", vec![Arg::Handle(a)]), 1_000_000);
    assert_eq!(dropped(1_000_000), 1);
    for method in ["counter::count", "counter::finish"] {
        refuses(method, vec![Arg::Handle(a)], "the Counter is closed");
    }
    drop_handle("Counter", a);
    assert_eq!(dropped(1_000_000), 1);

    let b = counter(1_000_001);
    let c = handle("swallow", vec![Arg::Handle(b)]);
    assert_eq!(int("counter::count", vec![Arg::Handle(c)]), 2_000_002);
    drop_handle("Counter", b);
    assert_eq!((dropped(1_000_001), dropped(2_000_002)), (1, 0));
    drop_handle("Counter", c);
    assert_eq!(dropped(2_000_002), 1);
}

#[test]
fn a_call_does_not_come_back_to_its_own_handle() {
    let a = counter(1);
    let message = "the Counter is in use by a call that is going on";
    refuses("counter::add", vec![Arg::Handle(a), Arg::Handle(a)], message);
    refuses("total", vec![Arg::Handle(a), Arg::Handle(a)], message);
    let callback: Callback<'_> = Box::new(|_, out| {
        refuses("counter::count", vec![Arg::Handle(a)], message);
        refuses("counter::finish", vec![Arg::Handle(a)], message);
        // SAFETY: the result is an int.
        unsafe { out.write(41) };
        0
    });
    assert_eq!(int("counter::call_back", vec![Arg::Handle(a), Arg::Function(&callback)]), 42);
    drop_handle("Counter", a);
}

#[test]
fn other_threads_wait() {
    let a = counter(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..TURNS {
                    int("counter::incr", vec![Arg::Handle(a), 1.into()]);
                }
            });
        }
    });
    assert_eq!(int("counter::count", vec![Arg::Handle(a)]), 8 * TURNS);
    drop_handle("Counter", a);
}

#[test]
fn calls_that_wait_for_each_other_do_not_wait_for_ever() {
    let (a, b) = (counter(1), counter(1));
    let results: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = [(a, b), (b, a)]
            .into_iter()
            .map(|(this, other)| {
                scope.spawn(move || {
                    let mut refused = Vec::new();
                    for _ in 0..TURNS {
                        let args = vec![Arg::Handle(this), Arg::Handle(other)];
                        refused.extend(call_by_name("total", args).err());
                    }
                    refused
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    for (status, message) in results {
        assert_eq!(
            (status, message.as_str()),
            (Status::Failed, "the Counter is in use by a call that waits for this one")
        );
    }
    drop_handle("Counter", a);
    drop_handle("Counter", b);
}

#[test]
fn a_call_that_is_interrupted_stops_waiting() {
    let a = counter(1);
    let waited = Barrier::new(2);
    let holds: Callback<'_> = Box::new(|_, out| {
        waited.wait();
        waited.wait();
        // SAFETY: the result is an int.
        unsafe { out.write(1) };
        0
    });
    std::thread::scope(|scope| {
        scope.spawn(|| int("counter::call_back", vec![Arg::Handle(a), Arg::Function(&holds)]));
        waited.wait();
        INTERRUPTED.set(true);
        let result = call_by_name("counter::count", vec![Arg::Handle(a)]);
        waited.wait();
        let message = "the Counter is in use by another call, and this one has waited too long";
        assert_eq!(result, Err((Status::Failed, message.to_owned())));
    });
    INTERRUPTED.set(false);
    assert_eq!(int("counter::count", vec![Arg::Handle(a)]), 2);
    drop_handle("Counter", a);
}

#[test]
fn a_panic_leaves_the_handle_usable() {
    let a = counter(1);
    let (status, message) = call_by_name("counter::explode", vec![Arg::Handle(a)]).unwrap_err();
    assert_eq!(status, Status::Panicked);
    assert!(message.ends_with(": at 2"), "{message}");
    assert_eq!(int("counter::count", vec![Arg::Handle(a)]), 2);
    drop_handle("Counter", a);
}

#[test]
fn classes_in_modules_have_methods_too() {
    let conn = handle("api::db_conn::open", vec!["x".into()]);
    assert_eq!(call_by_name("api::db_conn::name", vec![Arg::Handle(conn)]), Ok(Value::from("x")));
    drop_handle("DbConn", conn);
    let ticket = handle("ticket", vec![7.into()]);
    assert_eq!(int("number", vec![Arg::Handle(ticket)]), 7);
    drop_handle("Ticket", ticket);
}
