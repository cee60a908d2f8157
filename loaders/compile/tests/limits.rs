//! Compiled functions end when their limits say so, and can be called by several threads.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

use caraway_loaders_compile::ScriptCompiler;
use caraway_loaders_core::budget::{Cancel, Meter};
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::{Error, StandardPackage};
use caraway_loaders_script::{Compiled, Compiler, Script, engine, parse_text};
use rhai::{AST, Dynamic, Scope};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Functions that do not end by themselves.
const ENDLESS: &[(&str, &str)] = &[
    ("a loop", "fn f(n) { loop {} n }"),
    (
        "a loop that does something",
        "fn f(n) { let x = 0.5; while x < 2.0 { x = (x + n.to_float()) % 2.0; } n }",
    ),
    ("a loop with `continue`", "fn f(n) { while true { if n > 0 { continue; } } n }"),
    ("a do loop", "fn f(n) { do { n ^= 1; } while n >= 0; n }"),
    ("a long range", "fn f(n) { for i in n..9223372036854775807 { n = i & 7; } n }"),
    ("all ints", "fn f(n) { for i in 0x8000000000000000..=9223372036854775807 { n = i & 7; } n }"),
    ("short calls", "fn f(n) { loop { n = g(n); } } fn g(n) { (n + 1) & 15 }"),
    (
        "many calls",
        "fn f(n) { g(n, 60) } fn g(n, d) { if d == 0 { n } else { g(n, d - 1) ^ g(n + 1, d - 1) } }",
    ),
];

/// How late a call may end.
const LATE: Duration = Duration::from_secs(2);

fn parsed(text: &str) -> AST {
    parse_text(&engine::parser(&Limits::PLUGIN), text, "limits.rhai").unwrap()
}

fn compiled(ast: &AST, signature: &str) -> Arc<dyn Compiled> {
    let script = Script { ast, limits: Limits::PLUGIN, import: &|_| None };
    let mut outcomes = ScriptCompiler::default().compile(&script, &[signature.parse().unwrap()]);
    outcomes.swap_remove(0).unwrap_or_else(|why| panic!("{why}"))
}

fn call(compiled: &dyn Compiled, args: &[Dynamic]) -> Result<Dynamic, Box<rhai::EvalAltResult>> {
    let mut args = args.to_vec();
    let mut args: Vec<&mut Dynamic> = args.iter_mut().collect();
    compiled.call(&mut args, 2).unwrap()
}

/// What a call that does not end by itself is ended with.
fn ended(meter: &Meter, run: impl FnOnce() -> Result<Dynamic, Box<rhai::EvalAltResult>>) -> Error {
    let frame = meter.enter().unwrap();
    frame.settle(run().unwrap_err()).unwrap_or_else(|error| panic!("{error}"))
}

fn within(timeout: Duration) -> Meter {
    let mut limits = Limits::PLUGIN;
    limits.timeout = Some(timeout);
    Meter::plugin("endless", &limits)
}

#[test]
fn what_does_not_end_is_ended_as_rhai_ends_it() {
    let timeout = Duration::from_millis(60);
    let walking = engine::engine(&Limits::PLUGIN, &StandardPackage::default());
    for (what, text) in ENDLESS {
        let ast = parsed(text);
        let one = Dynamic::from_int(1);
        let walked =
            ended(&within(timeout), || walking.call_fn(&mut Scope::new(), &ast, "f", vec![one.clone()]));
        let function = compiled(&ast, "f(n: int) -> int");
        let start = Instant::now();
        let error = ended(&within(timeout), || call(&*function, std::slice::from_ref(&one)));
        let took = start.elapsed();
        assert!(took >= timeout && took < timeout + LATE, "{what} took {took:?}");
        assert_eq!((error.code(), error.message()), (walked.code(), walked.message()), "{what}");
        // And again, in what the last call left.
        let error = ended(&within(timeout), || call(&*function, std::slice::from_ref(&one)));
        assert_eq!(error.code(), walked.code(), "{what}");
    }
}

#[test]
fn what_is_cancelled_ends() {
    let ast = parsed("fn f(n) { loop { n ^= 1; } }");
    let function = compiled(&ast, "f(n: int) -> int");
    let cancel = Cancel::default();
    let meter = Meter::program(&Limits::PROGRAM, cancel.clone());
    let start = Instant::now();
    let error = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(60));
            cancel.cancel();
        });
        ended(&meter, || call(&*function, &[Dynamic::from_int(1)]))
    });
    assert!(start.elapsed() < LATE, "{:?}", start.elapsed());
    assert_eq!(error.code(), caraway_loaders_core::Code::Interrupted);
}

#[test]
fn threads_share_a_function() {
    let ast = parsed("fn fib(n) { if n < 0 { throw n } if n < 2 { n } else { fib(n - 1) + fib(n - 2) } }");
    let function = compiled(&ast, "fib(n: int) -> int");
    std::thread::scope(|scope| {
        for thread in 0..8_i64 {
            let function = &*function;
            scope.spawn(move || {
                for turn in 0..200 {
                    let n = (thread + turn) % 15;
                    let fib = (0..n).fold((0_i64, 1_i64), |(a, b), _| (b, a + b)).0;
                    assert_eq!(call(function, &[Dynamic::from_int(n)]).unwrap().as_int(), Ok(fib));
                    let error = call(function, &[Dynamic::from_int(-1 - n)]).unwrap_err();
                    assert!(error.to_string().contains(&format!("{}", -1 - n)), "{error}");
                }
            });
        }
    });
}
