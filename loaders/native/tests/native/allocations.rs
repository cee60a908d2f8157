//! What a call of scalars allocates: nothing.

use crate::sample::Memory;
use crate::support::{engine, sample_engine, whole};
use rhai::Engine;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every request is passed unchanged to `System`; counting never allocates.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promise about `layout` is the one that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
        // SAFETY: `pointer` came from `System` with this layout, and `size` is the caller's promise.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `pointer` came from `System` with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// The allocations of a loop with this body.
fn allocations(engine: &Engine, body: &str) -> usize {
    let ast = engine.compile(format!("for i in 0..1000 {{ {body} }}")).unwrap();
    engine.run_ast(&ast).unwrap();
    let before = COUNT.get();
    engine.run_ast(&ast).unwrap();
    COUNT.get() - before
}

#[test]
fn scalar_calls_allocate_nothing() {
    let engine = engine(&whole());
    let base = allocations(&engine, "i + 1;");
    for call in
        ["sink::add(i, 1);", "sink::float(1.5);", "sink::not(true);", "sink::char('x');", "sink::nothing();"]
    {
        assert_eq!(allocations(&engine, call), base, "{call}");
    }
    // The count is a count.
    assert!(allocations(&engine, "sink::ints([i]);") >= base + 1000);
}

/// What Rhai's strings cannot do without: one allocation, and one more for those that it does not keep in place.
#[test]
fn strings_are_allocated_once() {
    let engine = engine(&whole());
    let base = allocations(&engine, "i + 1;");
    for (text, each) in
        [("short", 1), ("twenty-three characters", 1), ("more than twenty-three of them", 2), ("", 1)]
    {
        // The loop has a few of its own.
        let count = allocations(&engine, &format!("sink::text(\"{text}\");")) - base;
        assert_eq!(count / 1000, each, "{text:?}: {count}");
    }
}

#[test]
fn handles_are_passed_without_allocating() {
    let engine = sample_engine(Memory::Host);
    let prelude = "const C = sample::counter(0);";
    let of = |body: &str| {
        let ast = engine.compile(format!("{prelude} for i in 0..1000 {{ {body} }}")).unwrap();
        engine.run_ast(&ast).unwrap();
        let before = COUNT.get();
        engine.run_ast(&ast).unwrap();
        COUNT.get() - before
    };
    assert_eq!(of("sample::counter::incr(C, 1);"), of("i + 1;"));
}
