//! Values of a plugin that scripts hold.

use crate::sample::Memory;
use crate::support::{engine, fails, folder, same, sample_engine};
use caraway_loaders_core::Code::{ArgumentType, ValueRefused};
use caraway_loaders_core::Error;
use rhai::Dynamic;
use serde_json::json;

#[test]
fn handles_have_methods_and_properties() {
    let engine = sample_engine(Memory::Host);
    for (script, expected) in [
        ("let c = sample::counter(5); c.incr(2); c.incr(3)", "10"),
        ("let c = sample::counter(5); sample::counter::incr(c, 1)", "6"),
        ("let c = sample::counter(5); c.count", "5"),
        ("let c = sample::counter(5); sample::counter::count(c)", "5"),
        // A copy is the same handle.
        ("let c = sample::counter(5); let same = c; same.incr(1); c.count", "6"),
        ("const C = sample::counter(5); C.incr(1); C.count", "6"),
        ("let c = sample::counter(5); let f = || c.incr(1); f.call(); f.call(); c.count", "7"),
        ("let c = sample::counter(5); sample::counter::plus(c, c).count", "10"),
        ("let c = sample::counter(5); [c][0].incr(1)", "6"),
        ("let c = sample::counter(1); let n = 0; c.each(|| n += 1); [n, c.count]", "[3, 4]"),
        ("sample::ticket_word(sample::ticket(-1))", "-1"),
        ("sample::ticket_word(sample::ticket(0))", "0"),
        ("sample::counter(1) == sample::counter(1)", "false"),
    ] {
        same(&engine, script, expected);
    }
}

#[test]
fn each_is_dropped_once() {
    let folder = folder(Memory::Host, json!({}));
    let engine = engine(&folder.load().unwrap());
    same(&engine, "{ let c = sample::counter(5); let d = c; } sample::live_counters()", "0");
    same(&engine, "let c = sample::counter(6); c = (); sample::live_counters()", "0");
    same(
        &engine,
        "let all = []; for i in 0..3 { all.push(sample::counter(i)); } sample::live_counters()",
        "3",
    );
    same(&engine, "sample::live_counters()", "0");
    // The caller's variable is replaced while the plugin has its handle.
    same(&engine, "let c = sample::counter(7); let n = sample::counter::each(c, || { c = (); }); n", "10");
    let lines = folder.lines().lock().unwrap().clone();
    let dropped = ["5", "6", "0", "1", "2", "10"].map(|count| format!("[debug] sample: drop {count}"));
    assert_eq!(lines, dropped);
}

#[test]
fn foreign_handles_never_reach_the_plugin() {
    let engine = sample_engine(Memory::Host);
    let other = sample_engine(Memory::Host);
    let stranger: Dynamic = other.eval("sample::counter(1)").unwrap();
    let mut scope = rhai::Scope::new();
    scope.push_dynamic("stranger", stranger);
    for (script, code, message) in [
        (
            "sample::counter::incr(stranger, 1)",
            ArgumentType,
            "argument 1 of `sample::counter::incr`: `self` must be Counter of `sample`, found Counter of `sample` as it was loaded another time",
        ),
        (
            "sample::counter::plus(sample::counter(1), stranger)",
            ArgumentType,
            "argument 2 of `sample::counter::plus`: `b` must be Counter of `sample`, found Counter of `sample` as it was loaded another time",
        ),
        (
            "sample::ticket_word(sample::counter(1))",
            ArgumentType,
            "argument 1 of `sample::ticket_word`: `t` must be Ticket of `sample`, found Counter of `sample`",
        ),
        (
            "sample::counter::count(5)",
            ArgumentType,
            "argument 1 of `sample::counter::count`: `self` must be Counter, found int",
        ),
    ] {
        let raised = engine.eval_with_scope::<Dynamic>(&mut scope, script).unwrap_err();
        let error = Error::raised_in(&raised).unwrap_or_else(|| panic!("{script}: {raised:?}"));
        assert_eq!((error.code(), error.message()), (code, message), "{script}");
    }
    fails(
        &engine,
        "sample::any(sample::counter(1))",
        ValueRefused,
        "argument 1 of `sample::any`: `x` holds Counter of `sample`, which cannot cross into this plugin",
    );
}

#[test]
fn handles_outlive_their_engine() {
    let folder = folder(Memory::Host, json!({}));
    let bound = folder.load().unwrap();
    let engine = engine(&bound);
    let handle: Dynamic = engine.eval("sample::counter(5)").unwrap();
    drop((engine, bound));
    let lines = folder.lines();
    assert!(lines.lock().unwrap().is_empty());
    drop(handle);
    assert_eq!(*lines.lock().unwrap(), ["[debug] sample: drop 5", "[info] sample: bye"]);
}

#[test]
fn many_threads_share_handles() {
    let engine = sample_engine(Memory::Own);
    let counter: Dynamic = engine.eval("sample::counter(0)").unwrap();
    std::thread::scope(|scope| {
        for _ in 0..32 {
            let (engine, counter) = (&engine, counter.clone());
            scope.spawn(move || {
                let mut scope = rhai::Scope::new();
                scope.push_dynamic("c", counter);
                let script = "for i in 0..50 { c.incr(1); let own = sample::counter(i); own.incr(i); }";
                engine.run_with_scope(&mut scope, script).unwrap();
            });
        }
    });
    let mut scope = rhai::Scope::new();
    scope.push_dynamic("c", counter);
    assert_eq!(engine.eval_with_scope::<i64>(&mut scope, "c.count").unwrap(), 1600);
    same(&engine, "sample::live_counters()", "1");
}
