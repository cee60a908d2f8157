//! Callbacks as backends hold them: from any thread, for as long as the call lasts.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use caraway_loaders_core::bind::{Binder, CallError, CallResult, Callable, Callbacks};
use caraway_loaders_core::budget::{self, Meter};
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::{Code, Error, Signature, StandardPackage};
use rhai::{Dynamic, Engine, EvalAltResult, Position};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

/// An engine with the plugin `m`, whose function `pass` gives its callback to `body`.
fn engine(
    signature: &str,
    body: impl Fn(&Callable, &mut [&mut Dynamic]) -> CallResult + Send + Sync + 'static,
) -> Engine {
    let mut binder = Binder::new("m", "m@1.0.0");
    let signature: Signature = signature.parse().unwrap();
    let shown = Signature { name: format!("m::{}", signature.name), ..signature.clone() };
    binder
        .function(signature, move |context, args| {
            Callbacks::scope(context, &shown, |callbacks| {
                let callable = callbacks.callable(0, args[0]).ok_or_else(not_a_function)?;
                body(&callable, args)
            })
        })
        .unwrap();
    let mut engine = Engine::new_raw();
    engine.register_global_module(StandardPackage::default().module());
    engine.on_progress(budget::tick);
    engine.register_static_module("m", binder.finish().module);
    engine
}

fn not_a_function() -> CallError {
    Error::new(Code::Internal, "not a function").into()
}

fn raised(error: &EvalAltResult) -> (Code, String) {
    let error = Error::raised_in(error).unwrap();
    (error.code(), error.message().to_owned())
}

#[test]
fn other_threads_call_while_the_call_lasts() {
    let engine = engine("pass(f: fn(int) -> int) -> int", |callable, _| {
        let sum = thread::scope(|scope| {
            let calls: Vec<_> = (1..=4_i64)
                .map(|n| {
                    scope.spawn(move || callable.call(vec![n.into()])?.as_int().map_err(|_| "no int".into()))
                })
                .collect();
            calls.into_iter().map(|call| call.join().unwrap()).sum::<Result<i64, Box<EvalAltResult>>>()
        });
        Ok(sum.map_err(CallError::Rhai)?.into())
    });
    assert_eq!(engine.eval::<i64>("let k = 10; m::pass(|n| n * k)").unwrap(), 100);
}

/// What is being called when the call returns is waited for, and what comes later is refused.
#[test]
fn a_callback_ends_with_its_call() {
    let (kept, running) = (Arc::new(Mutex::new(None)), Arc::new(Mutex::new(None)));
    let (keep, run) = (kept.clone(), running.clone());
    let (begin, begun) = mpsc::channel();
    let begun = Mutex::new(begun);
    let mut engine = engine("pass(f: fn(int) -> int)", move |callable, _| {
        *keep.lock().unwrap() = Some(callable.clone());
        let callable = callable.clone();
        let call = move || callable.call(vec![1_i64.into()]).map(|value| value.as_int().unwrap());
        *run.lock().unwrap() = Some(thread::spawn(call));
        begun.lock().unwrap().recv().unwrap();
        Ok(Dynamic::UNIT)
    });
    let ended = Arc::new(AtomicBool::new(false));
    let end = ended.clone();
    engine.register_fn("begun", move || begin.send(()).unwrap());
    engine.register_fn("ended", move || end.store(true, Ordering::SeqCst));
    engine.run("m::pass(|n| { begun(); let x = n; for i in 0..10_000 { x += 1; } ended(); x })").unwrap();
    assert!(ended.load(Ordering::SeqCst));
    let thread: thread::JoinHandle<_> = running.lock().unwrap().take().unwrap();
    assert_eq!(thread.join().unwrap().unwrap(), 10_001);

    let kept: Callable = kept.lock().unwrap().take().unwrap();
    let message = "the callback `f` of `m::pass` was called after the call that it belongs to";
    let late = kept.call(vec![1_i64.into()]).unwrap_err();
    assert_eq!(raised(&late), (Code::CallbackExpired, message.to_owned()));
}

#[test]
fn what_goes_in_and_out_is_checked() {
    let given = Arc::new(Mutex::new(Vec::<Dynamic>::new()));
    let args = given.clone();
    let engine = engine("pass(f: fn(float, string?) -> array<int>) -> any", move |callable, _| {
        callable.call(args.lock().unwrap().clone()).map_err(CallError::Rhai)
    });
    let with = |args: Vec<Dynamic>, body: &str| {
        *given.lock().unwrap() = args;
        engine.eval::<Dynamic>(&format!("m::pass(|x, s| {body})"))
    };
    let fine = || vec![Dynamic::from(1_i64), Dynamic::UNIT];
    assert_eq!(with(fine(), "[type_of(x).len, 2]").unwrap().to_string(), "[3, 2]");
    let says = |args, body: &str| raised(&with(args, body).unwrap_err());
    let result = "the result of the callback `f` of `m::pass` must be int, found string at `[1]`";
    assert_eq!(says(fine(), "[1, `x`]"), (Code::ArgumentType, result.to_owned()));
    let argument = "argument 2 of the callback `f` of `m::pass` must be string, found int";
    let wrong = vec![Dynamic::from(1.0), Dynamic::from(1_i64)];
    assert_eq!(says(wrong, "[]"), (Code::ResultType, argument.to_owned()));
    let count = "the callback `f` of `m::pass` takes 2, the plugin called it with 1 argument";
    assert_eq!(says(vec![Dynamic::from(1.0)], "[]"), (Code::ResultType, count.to_owned()));
    let thrown = with(fine(), "throw `as it is`").unwrap_err();
    assert!(matches!(thrown.unwrap_inner(), EvalAltResult::ErrorRuntime(value, _) if value.is_string()));
}

/// A callback has the limits of the call that it belongs to, on whichever thread it runs.
#[test]
fn limits_hold_on_other_threads() {
    let engine = engine("pass(f: fn())", |callable, _| {
        thread::scope(|scope| scope.spawn(|| callable.call(Vec::new())).join())
            .unwrap()
            .map_err(CallError::Rhai)
    });
    let mut limits = Limits::PLUGIN;
    limits.timeout = Some(Duration::from_millis(100));
    let meter = Meter::plugin("slow", &limits);
    let frame = meter.enter().unwrap();
    let error = engine.run("m::pass(|| loop {})").unwrap_err();
    assert_eq!(frame.settle(error).unwrap().code(), Code::Deadline);
    assert!(frame.finish().is_err());
}

/// The threads of a plugin may have small stacks, and scripts may recurse.
#[test]
fn deep_recursion_on_a_small_stack_is_an_error() {
    let mut engine = engine("pass(f: fn() -> int) -> int", |callable, _| {
        thread::scope(|scope| {
            let spawned = thread::Builder::new().stack_size(128 << 10);
            spawned.spawn_scoped(scope, || callable.call(Vec::new())).unwrap().join().unwrap()
        })
        .map_err(CallError::Rhai)
    });
    engine.set_max_call_levels(128);
    let error = engine.run("fn deep(n) { [deep(n + 1)] } m::pass(|| deep(0))").unwrap_err();
    assert!(matches!(error.unwrap_inner(), EvalAltResult::ErrorStackOverflow(_)), "{error}");
}

#[test]
fn errors_keep_their_place() {
    let engine = engine("pass(f: fn() -> int) -> int", |callable, _| {
        callable.call(Vec::new()).map_err(CallError::Rhai)
    });
    let error = engine.run("\n  m::pass(|| `x`)").unwrap_err();
    assert_eq!(error.unwrap_inner().position(), Position::NONE);
    let location = Error::raised_in(&error).unwrap().location().unwrap().clone();
    assert_eq!((location.line, location.column), (2, 6));
}
