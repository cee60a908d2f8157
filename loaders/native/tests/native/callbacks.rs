//! Functions of scripts that a plugin calls.

use crate::sample::Memory;
use crate::support::{MEMORY, fails, same, sample_engine};
use caraway_loaders_core::Code::{
    self, ArgumentType, CallbackExpired, Deadline, PluginCrashed, ResultType, ScriptFailed,
};
use caraway_loaders_core::Error;
use caraway_loaders_core::budget::Meter;
use caraway_loaders_core::limits::Limits;
use rhai::{Dynamic, EvalAltResult};
use std::time::Duration;

#[test]
fn values_cross_both_ways() {
    for memory in MEMORY {
        let engine = sample_engine(memory);
        for (script, expected) in [
            ("sample::each([1, 2, 3], |x| x * x)", "14"),
            ("let n = 0; sample::each([1, 2], |x| { n += x; n }); n", "3"),
            ("sample::each([], |x| throw x)", "0"),
            ("fn double(x) { x * 2 } sample::each([1, 2], Fn(\"double\"))", "6"),
            (
                "sample::every(|a, b, c, d, e, f, g, h, i, j| [a, b, c, d, e, f, g, h.len(), h[0], i, j].to_string())",
                "\"[-7, 0.5, true, ü, \\\"text\\\", [ff], [1, -2], 1, 0.5, [(), x], \\\"\\\"]\"",
            ),
            ("sample::made_string(|| \"\")", "\"\""),
            (
                "sample::made_string(|| \"ü and more than is kept in place\")",
                "\"ü and more than is kept in place\"",
            ),
            ("sample::made_bytes(|| blob(3, 7))", "blob(3, 7)"),
            ("sample::made_any(|| #{a: [1, ()]})", "#{a: [1, ()]}"),
            ("sample::made_point(|| #{x: 1, y: 2.5})", "#{x: 1.0, y: 2.5}"),
            ("sample::made_int_array(|| [1, 2])", "[1, 2]"),
            ("sample::made_float_array(|| [1, 2.5])", "[1.0, 2.5]"),
            ("sample::made_ints(|| ints([3]))[0]", "3"),
            ("sample::made_floats(|| floats([0.5]))[0]", "0.5"),
            ("sample::made_int(|| -1)", "-1"),
            ("sample::made_float(|| 1)", "1.0"),
            ("sample::made_bool(|| true)", "true"),
            ("sample::made_char(|| 'ü')", "'ü'"),
            ("sample::from_thread(|| 7)", "7"),
            ("sample::message(|| ())", "\"no error\""),
        ] {
            same(&engine, script, expected);
        }
        same(&engine, "sample::memory_given() - sample::memory_released()", "0");
    }
}

#[test]
fn errors_pass_through() {
    let engine = sample_engine(Memory::Own);
    // What is thrown is what is caught, whatever it is and however deep.
    for (script, expected) in [
        ("let c = (); try { sample::each([1], |x| throw #{a: [x]}) } catch (e) { c = e; } c", "#{a: [1]}"),
        (
            "let c = (); try { sample::each([1], |x| sample::each([x], |y| throw y + 1)) } catch (e) { c = e; } c",
            "2",
        ),
        ("let c = (); try { sample::from_thread(|| throw 5) } catch (e) { c = e; } c", "5"),
        ("let c = (); try { sample::counter(1).each(|| throw 6) } catch (e) { c = e; } c", "6"),
        ("sample::message(|| throw \"boom\")", "\"boom\""),
        ("sample::message(|| throw 7)", "\"7\""),
        ("sample::message(|| sample::lie(9))", "\"`sample::lie` panicked: boom\""),
        ("sample::swallow(|| throw 1)", "0"),
        ("let n = 0; sample::swallow(|| { n += 1; if n % 2 == 0 { throw n } })", "500"),
    ] {
        same(&engine, script, expected);
    }
    for (script, code, message) in [
        ("sample::each([1], |x| sample::lie(9))", PluginCrashed, "`sample::lie` panicked: boom"),
        (
            "sample::each([1], |x| x + \"\")",
            ArgumentType,
            "the result of the callback `f` of `sample::each` must be int, found string",
        ),
        (
            "sample::made_point(|| #{x: 1})",
            ArgumentType,
            "the result of the callback `f` of `sample::made_point` must be Point with the key `y`, found none",
        ),
        (
            "let n = 0; sample::first_of_many(|| { n += 1; throw n })",
            PluginCrashed,
            "`sample::first_of_many` passes on an error of a callback that there was not",
        ),
        (
            "sample::each([1], 5)",
            ArgumentType,
            "argument 2 of `sample::each`: `f` must be fn(int) -> int, found int",
        ),
    ] {
        fails(&engine, script, code, message);
    }
    // Rhai's own errors keep their kind.
    let raised = engine.eval::<Dynamic>("sample::each([1], |x| x / 0)").unwrap_err();
    assert!(matches!(raised.unwrap_inner(), EvalAltResult::ErrorArithmetic(..)), "{raised:?}");
    same(&engine, "sample::memory_given() - sample::memory_released()", "0");
}

#[test]
fn words_are_good_for_their_call_only() {
    let engine = sample_engine(Memory::Host);
    let expired = "a callback was called after the call that it was passed to";
    for script in [
        "sample::keep(|| 1); sample::call_kept(0)",
        // In another call that has callbacks of its own.
        "sample::keep(|| 1); sample::each([1], |x| { sample::call_kept(0); x })",
        "sample::call_kept(1)",
        "sample::call_kept(-1)",
        "sample::call_kept(123456789)",
        "sample::start_late(|| 1); sample::join_late()",
    ] {
        fails(&engine, script, CallbackExpired, expired);
    }
    // While its call goes on it is good, wherever it is called from.
    let script = "let n = 0; let f = || { n += 1; if n == 1 { sample::call_kept(0) } }; sample::keep(f); n";
    same(&engine, script, "2");
    // An error is good for its call, too.
    fails(
        &engine,
        "sample::keep(|| throw 1); sample::raise_kept()",
        PluginCrashed,
        "`sample::raise_kept` passes on an error of a callback that there was not",
    );
}

#[test]
fn arguments_that_are_none_are_refused() {
    let engine = sample_engine(Memory::Host);
    let word =
        "argument 1 of the callback `f` of `sample::call_badly` is a word that no value of its type has";
    let text = |what: &str| format!("argument 2 of the callback `f` of `sample::call_badly` is {what}");
    for (how, message) in [
        (0, word.to_owned()),
        (1, word.to_owned()),
        (2, word.to_owned()),
        (3, text("a buffer of an impossible size")),
        (4, text("a buffer of an impossible size")),
        (5, text("a string that is not UTF-8")),
    ] {
        fails(&engine, &format!("sample::call_badly(|a, b| 0, {how})"), ResultType, &message);
    }
}

/// What ends the run of this script under a deadline.
#[track_caller]
fn stopped(script: &str) -> (Code, Box<EvalAltResult>) {
    let engine = sample_engine(Memory::Own);
    let mut limits = Limits::PLUGIN;
    limits.timeout = Some(Duration::from_millis(30));
    let frame = Meter::plugin("test", &limits).enter().unwrap();
    let raised = engine.eval::<Dynamic>(script).unwrap_err();
    assert!(frame.owns(&raised), "{script}: {raised:?}");
    let code = caraway_loaders_core::budget::Expiry::of(&raised).unwrap().error().code();
    (code, raised)
}

#[test]
fn limits_are_stronger_than_plugins() {
    for script in [
        "sample::each([1], |x| { loop {} })",
        // The plugin keeps every error to itself.
        "sample::swallow(|| { loop {} }); 1",
        "try { sample::swallow(|| { loop {} }) } catch { 1 }",
        "sample::swallow(|| sample::swallow(|| { loop {} }))",
        "sample::message(|| { loop {} })",
        "sample::from_thread(|| { loop {} })",
        // It asks, and comes back with a failure of its own.
        "sample::until_interrupted()",
        "try { sample::until_interrupted() } catch { 1 }",
    ] {
        assert_eq!(stopped(script).0, Deadline, "{script}");
    }
    same(&sample_engine(Memory::Own), "sample::interrupted()", "false");
}

#[test]
fn exit_is_stronger_than_plugins() {
    let engine = sample_engine(Memory::Host);
    assert_eq!(engine.eval::<i64>("sample::swallow(|| exit(3)); 4").unwrap(), 3);
}

#[test]
fn recursion_comes_to_an_end() {
    let engine = sample_engine(Memory::Host);
    same(
        &engine,
        "fn down(n) { if n == 0 { 0 } else { 1 + sample::each([n - 1], |x| down(x)) } } down(10)",
        "10",
    );
    let recursion = || {
        let raised =
            engine.eval::<Dynamic>("fn down() { sample::each([1], |x| down()) } down()").unwrap_err();
        assert!(matches!(raised.unwrap_inner(), EvalAltResult::ErrorStackOverflow(..)), "{raised:?}");
    };
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(256 << 20)
            .spawn_scoped(scope, recursion)
            .unwrap()
            .join()
            .unwrap();
    });
}

#[test]
fn many_threads_call_back_at_once() {
    let engine = sample_engine(Memory::Own);
    std::thread::scope(|scope| {
        for thread in 0..32 {
            let engine = &engine;
            scope.spawn(move || {
                for turn in 0..20 {
                    let script = format!("sample::each([{thread}, {turn}], |x| x + {turn})");
                    same(engine, &script, &format!("{}", thread + 3 * turn));
                    let script = format!(
                        "let c = (); try {{ sample::each([1], |x| throw {thread}) }} catch (e) {{ c = e; }} c"
                    );
                    same(engine, &script, &thread.to_string());
                }
            });
        }
    });
}

#[test]
fn a_script_s_failure_has_its_place() {
    let engine = sample_engine(Memory::Host);
    let raised = engine.eval::<Dynamic>("\n\nsample::each([1],\n |x| undefined(x))").unwrap_err();
    assert_eq!(raised.unwrap_inner().position().line(), Some(4), "{raised:?}");
    assert!(Error::raised_in(&raised).is_none_or(|error| error.code() == ScriptFailed));
}
