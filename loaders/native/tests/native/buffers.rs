//! Numbers that scripts and plugins share.

use crate::sample::Memory;
use crate::support::{engine, fails, folder, same, sample_engine};
use caraway_loaders_core::Code::{ArgumentType, BufferBusy};
use caraway_loaders_core::buffer::Ints;
use rhai::Dynamic;
use serde_json::json;

#[test]
fn buffers_are_used_in_place() {
    let engine = sample_engine(Memory::Host);
    for (script, expected) in [
        ("let xs = ints(4, 0); sample::fill(xs, 5); [xs[0], xs[3]]", "[5, 8]"),
        // A clone is the same buffer, and so is what a closure captures.
        ("let xs = ints(2, 0); let same = xs; sample::fill(xs, 1); same[1]", "2"),
        ("let xs = ints(2, 0); let f = || xs; sample::fill(xs, 1); f.call()[1]", "2"),
        ("const XS = ints(2, 0); sample::fill(XS, 1); XS[1]", "2"),
        ("let xs = floats([1.0, 2.0]); sample::scale(xs, 2); [xs[0], xs[1]]", "[2.0, 4.0]"),
        ("let xs = ints([1, 2]); sample::total(xs, xs)", "6"),
        ("sample::total(ints([]), ints([]))", "0"),
        ("let xs = ints([1]); sample::two(xs, ints([2])); xs[0]", "1"),
        ("let xs = ints([1, 2]); let ys = sample::ints(xs); xs[0] = 7; ys[0]", "1"),
    ] {
        same(&engine, script, expected);
    }
}

#[test]
fn what_is_in_use_is_an_error() {
    let engine = sample_engine(Memory::Host);
    fails(
        &engine,
        "let xs = ints([1]); sample::two(xs, xs)",
        BufferBusy,
        "the buffer is being used by a call that is going on",
    );
    same(&engine, "let xs = ints([1]); try { sample::two(xs, xs) } catch {} xs[0] = 3; xs[0]", "3");
    for (script, message) in [
        ("sample::fill([1], 1)", "argument 1 of `sample::fill`: `xs` must be ints, found array"),
        ("sample::fill(floats([1]), 1)", "argument 1 of `sample::fill`: `xs` must be ints, found floats"),
        (
            "sample::int_array(ints([1]))",
            "argument 1 of `sample::int_array`: `xs` must be array<int>, found ints",
        ),
    ] {
        fails(&engine, script, ArgumentType, message);
    }
}

#[test]
fn a_plugin_s_memory_is_kept_as_long_as_its_buffer() {
    let folder = folder(Memory::Own, json!({}));
    let engine = engine(&folder.load().unwrap());
    let buffer = Ints::of(&engine.eval::<Dynamic>("sample::ints(ints([1, 2, 3]))").unwrap()).unwrap();
    same(&engine, "sample::memory_given() - sample::memory_released()", "1");
    // Growing it is the host's business.
    same(&engine, "let xs = sample::ints(ints([1])); xs.push(2); [xs[0], xs[1]]", "[1, 2]");
    same(&engine, "sample::memory_given() - sample::memory_released()", "1");
    drop(engine);
    assert_eq!(buffer.read().unwrap()[..], [1, 2, 3]);
    assert!(folder.lines().lock().unwrap().is_empty());
    drop(buffer);
    assert_eq!(*folder.lines().lock().unwrap(), ["[info] sample: bye"]);
}
