//! A plugin in a host of contract 1.0, which takes results in its own memory and knows nothing else.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use caraway_abi::{HostApi, OUT_WORDS, Plugin, Status};
use caraway_plugin::Value;
use caraway_plugin::export::expansion::attach;
use caraway_plugin::prelude::*;
use std::alloc::Layout;
use std::mem::offset_of;
use std::sync::atomic::{AtomicUsize, Ordering};

#[plugin]
mod first {
    use caraway_plugin::prelude::*;

    pub fn text(times: i64) -> String {
        "ab".repeat(times as usize)
    }

    pub fn floats() -> Vec<f64> {
        vec![0.5, 1.5]
    }

    pub fn any() -> Vec<Value> {
        vec![Value::Unit]
    }

    pub fn fails() -> Result<(), &'static str> {
        Err("no")
    }

    pub fn context(ctx: &Context) -> bool {
        ctx.info("nobody hears");
        ctx.interrupted() || ctx.config() != &Value::Map(Default::default()) || ctx.name() != "caraway-plugin"
    }
}

unsafe extern "C" {
    #[link_name = "caraway_plugin_v1"]
    static PLUGIN: Plugin;
}

/// How many bytes of the host's memory are out, and how many times there was none.
static OUT: AtomicUsize = AtomicUsize::new(0);
static LIMIT: AtomicUsize = AtomicUsize::new(usize::MAX);

unsafe extern "C" fn alloc(size: usize, align: usize) -> *mut u8 {
    if size > LIMIT.load(Ordering::SeqCst) {
        return std::ptr::null_mut();
    }
    OUT.fetch_add(size, Ordering::SeqCst);
    // SAFETY: plugins ask for memory only if they need some.
    unsafe { std::alloc::alloc(Layout::from_size_align(size, align).unwrap()) }
}

unsafe extern "C" fn free(_: *mut u8, _: usize, _: usize) {
    unreachable!("results are handed over")
}

/// As much of the table as there was.
#[repr(C)]
struct First {
    size: usize,
    alloc: unsafe extern "C" fn(size: usize, align: usize) -> *mut u8,
    free: unsafe extern "C" fn(pointer: *mut u8, size: usize, align: usize),
}

static HOST: First = First { size: offset_of!(HostApi, context), alloc, free };

/// Calls a function by its place in the table.
fn call(at: usize, args: &[u64]) -> (Option<Status>, [u64; OUT_WORDS]) {
    let mut out = [0; OUT_WORDS];
    // SAFETY: the words are those of the function, as the caller makes them.
    let status = unsafe { ((*PLUGIN.functions.add(at)).call)(args.as_ptr(), out.as_mut_ptr()) };
    (Status::from_code(status), out)
}

/// The bytes of a result, which the host adopts.
#[track_caller]
fn adopted(out: [u64; OUT_WORDS], element: usize) -> Vec<u8> {
    let [pointer, len, capacity] = out.map(|word| word as usize);
    assert_eq!(len, capacity);
    if len == 0 {
        return Vec::new();
    }
    let pointer = std::ptr::with_exposed_provenance_mut::<u8>(pointer);
    // SAFETY: `alloc` gave it.
    unsafe {
        let bytes = std::slice::from_raw_parts(pointer, len * element).to_vec();
        OUT.fetch_sub(len * element, Ordering::SeqCst);
        std::alloc::dealloc(pointer, Layout::from_size_align(len * element, element).unwrap());
        bytes
    }
}

// One test, for there is one host.
#[test]
fn a_host_of_the_first_contract_is_served() {
    // SAFETY: the table is as long as it says.
    unsafe {
        assert_eq!((PLUGIN.attach)((&raw const HOST).cast()), Status::Ok as i32);
        // Functions ask for settings, which somebody has to take where there are some.
        assert!(PLUGIN.init.is_some() && PLUGIN.shutdown.is_none());
        // What it would not initialise does not run.
        assert_eq!(attach((&raw const HOST).cast(), "p", "1.0.0", true), Status::Failed as i32);
    }

    let (status, out) = call(0, &[3]);
    assert_eq!((status, adopted(out, 1)), (Some(Status::Ok), b"ababab".to_vec()));
    assert_eq!(call(0, &[0]), (Some(Status::Ok), [0; OUT_WORDS]));
    assert_eq!(adopted(call(1, &[]).1, 8), [0.5_f64, 1.5].map(f64::to_ne_bytes).concat());
    assert_eq!(Value::decode(&adopted(call(2, &[]).1, 1)).unwrap(), Value::Array(vec![Value::Unit]));
    let (status, out) = call(3, &[]);
    assert_eq!((status, adopted(out, 1)), (Some(Status::Failed), b"no".to_vec()));
    assert_eq!(call(4, &[]), (Some(Status::Ok), [0; OUT_WORDS]));
    assert_eq!(OUT.load(Ordering::SeqCst), 0);

    LIMIT.store(0, Ordering::SeqCst);
    for (at, args) in [(0, &[3_u64][..]), (1, &[]), (2, &[]), (3, &[])] {
        assert_eq!(call(at, args).0, Some(Status::OutOfMemory));
    }
}

#[test]
fn a_host_that_is_none_is_refused() {
    // SAFETY: what is too short is not followed.
    let status = unsafe { attach((&raw const SHORT).cast(), "p", "1.0.0", false) };
    assert_eq!(status, Status::Failed as i32);
}

static SHORT: usize = size_of::<usize>();
