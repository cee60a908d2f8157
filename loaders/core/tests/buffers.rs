//! Buffers: what scripts and plugins see of each other's numbers.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use caraway_loaders_core::bind::{Binder, CallError, Callbacks};
use caraway_loaders_core::buffer::{Floats, Ints};
use caraway_loaders_core::{Code, Error, StandardPackage};
use rhai::{Dynamic, Engine};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Memory that counts how often it is freed.
struct Owner {
    items: Box<[f64]>,
    freed: Arc<AtomicUsize>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.freed.fetch_add(1, Ordering::Relaxed);
    }
}

fn foreign(items: Vec<f64>) -> (Floats, Arc<AtomicUsize>) {
    let freed = Arc::new(AtomicUsize::new(0));
    let mut owner = Box::new(Owner { items: items.into(), freed: freed.clone() });
    let start = NonNull::new(owner.items.as_mut_ptr()).unwrap();
    let len = owner.items.len();
    // SAFETY: the items stay where they are in their box until the owner is dropped; nobody else has them.
    (unsafe { Floats::foreign(start, len, owner) }, freed)
}

fn engine(binder: Binder) -> Engine {
    let mut engine = Engine::new_raw();
    engine.register_global_module(StandardPackage::default().module());
    engine.register_static_module("m", binder.finish().module);
    engine
}

#[track_caller]
fn fails(engine: &Engine, script: &str, code: Code, message: &str) {
    let error = engine.eval::<Dynamic>(script).unwrap_err();
    let error = Error::raised_in(&error).unwrap();
    assert_eq!((error.code(), error.message()), (code, message));
}

#[test]
fn foreign_memory_is_used_in_place_and_freed_once() {
    let (buffer, freed) = foreign(vec![1.0, 2.0, 3.0]);
    let start = buffer.read().unwrap().as_ptr();
    let again = buffer.clone();
    again.write().unwrap()[1] = 20.0;
    assert_eq!(buffer.read().unwrap()[..], [1.0, 20.0, 3.0]);
    buffer.write().unwrap().truncate(2);
    assert_eq!((buffer.read().unwrap().as_ptr(), buffer.read().unwrap().len()), (start, 2));
    assert_eq!(freed.load(Ordering::Relaxed), 0);

    // Growing copies, which needs the foreign memory no more.
    buffer.write().unwrap().vec(1).unwrap().push(4.0);
    assert_eq!((freed.load(Ordering::Relaxed), &again.read().unwrap()[..]), (1, &[1.0, 20.0, 4.0][..]));
    drop((buffer, again));
    assert_eq!(freed.load(Ordering::Relaxed), 1);

    let (untouched, freed) = foreign(vec![0.0; 4]);
    drop(untouched);
    assert_eq!(freed.load(Ordering::Relaxed), 1);
}

#[test]
fn a_plugin_writes_what_the_script_reads() {
    let mut binder = Binder::new("m", "m@1.0.0");
    let scale = |_: &rhai::NativeCallContext<'_>, args: &mut [&mut Dynamic]| {
        let by = args[1].as_float().unwrap();
        Floats::of(args[0]).unwrap().write()?.iter_mut().for_each(|x| *x *= by);
        Ok(Dynamic::UNIT)
    };
    binder.function("scale(xs: floats, by: float)".parse().unwrap(), scale).unwrap();
    binder.function("same(xs: ints) -> ints".parse().unwrap(), |_, args| Ok(args[0].clone())).unwrap();
    let engine = engine(binder);
    let script = "let x = floats([1, 2.5]); let y = x; m::scale(x, 2); y.to_array()";
    let values: rhai::Array = engine.eval(script).unwrap();
    assert_eq!(values.iter().map(|v| v.as_float().unwrap()).collect::<Vec<_>>(), [2.0, 5.0]);
    assert!(engine.eval::<bool>("let x = ints(0..3); let y = m::same(x); y[0] = 7; x[0] == 7").unwrap());

    let found = |found: &str| format!("argument 1 of `m::scale`: `xs` must be floats, found {found}");
    fails(&engine, "m::scale([1.0], 2.0)", Code::ArgumentType, &found("array"));
    fails(&engine, "m::scale(ints(0..2), 2.0)", Code::ArgumentType, &found("ints"));
}

/// A callback that uses a buffer which the call has locked is told so, and does not wait for its own thread.
#[test]
fn a_callback_never_waits_for_its_own_call() {
    let mut binder = Binder::new("m", "m@1.0.0");
    let signature: caraway_loaders_core::Signature = "each(xs: ints, f: fn(int))".parse().unwrap();
    let shown = signature.clone();
    binder
        .function(signature, move |context, args| {
            Callbacks::scope(context, &shown, |callbacks| {
                let callable = callbacks.callable(1, args[1]).unwrap();
                let buffer = Ints::of(args[0]).unwrap();
                let items = buffer.write()?;
                for item in items.iter() {
                    let _: Dynamic = callable.call(vec![(*item).into()]).map_err(CallError::Rhai)?;
                }
                Ok(Dynamic::UNIT)
            })
        })
        .unwrap();
    let engine = engine(binder);
    let busy = "the buffer is being used by a call that is going on";
    fails(&engine, "let x = ints(0..3); m::each(x, |i| { x.len(); })", Code::BufferBusy, busy);
    // Rhai drops the errors of loops without a body, which have to end all the same.
    assert!(engine.eval::<()>("let x = ints(0..3); m::each(x, |i| { for y in x {} })").is_ok());
    fails(
        &engine,
        "let x = ints(0..3); m::each(x, |i| { let n = 0; for y in x { n += y; } })",
        Code::BufferBusy,
        busy,
    );
    assert!(
        engine.eval::<()>("let x = ints(0..3); m::each(x, |i| { let c = ints(0..9); c.push(i) })").is_ok()
    );
}
