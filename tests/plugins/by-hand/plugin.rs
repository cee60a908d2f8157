//! A plugin of contract 1.1 by someone who has read `caraway_plugin.h`, and uses nothing of Caraway's.
//!
//! One file without dependencies, in the edition of 2021: whatever `rustc` there is can build it, with whatever
//! flags. With `--cfg later` its structs are longer than those of 1.1, as a later contract's will be.
//!
//! `// SAFETY` for all of it: the host passes words as the contract says, and every pointer here is made so.

use std::alloc::{Layout, alloc, dealloc};
use std::ffi::c_void;
use std::panic::catch_unwind;
use std::ptr::{null, null_mut};
use std::slice::{from_raw_parts, from_raw_parts_mut};
use std::sync::atomic::{AtomicI64, AtomicPtr, Ordering};

/// How many words a later contract has added to each struct.
const MORE: usize = if cfg!(later) { 3 } else { 0 };

type Status = i32;
type Out = [u64; 3];

const OK: Status = 0;
const FAILED: Status = 1;
const PANICKED: Status = 2;
const OUT_OF_MEMORY: Status = 3;
const RAISED: Status = 4;

#[repr(C)]
#[derive(Clone, Copy)]
struct Text {
    ptr: *const u8,
    len: usize,
}

#[repr(C)]
struct Host {
    size: usize,
    alloc: extern "C" fn(size: usize, align: usize) -> *mut u8,
    free: extern "C" fn(ptr: *mut u8, size: usize, align: usize),
    context: *const c_void,
    call: extern "C" fn(function: u64, args: *const u64, out: *mut u64) -> Status,
    log: extern "C" fn(context: *const c_void, level: u32, text: *const u8, len: usize),
    interrupted: extern "C" fn(context: *const c_void) -> i32,
}

#[repr(C)]
struct Function {
    signature: Text,
    doc: Text,
    call: extern "C" fn(args: *const u64, out: *mut u64) -> Status,
    typed: *const c_void,
    kind: u32,
    writes: u32,
    more: [u64; MORE],
}

#[repr(C)]
struct Ret<T> {
    value: T,
    failure: *mut Failure,
}

#[repr(C)]
struct Failure {
    status: Status,
    out: Out,
}

#[repr(C)]
struct Class {
    name: Text,
    doc: Text,
    drop: extern "C" fn(handle: u64),
    more: [u64; MORE],
}

#[repr(C)]
struct TypeDef {
    text: Text,
    doc: Text,
    list_count: usize,
    lists: *const TypeList,
}

#[repr(C)]
struct TypeList {
    count: usize,
    types: *const *const TypeDef,
}

#[repr(C)]
pub struct Plugin {
    abi_major: u32,
    abi_minor: u32,
    size: usize,
    name: Text,
    version: Text,
    unwind: u32,
    function_size: u32,
    function_count: usize,
    functions: *const Function,
    attach: extern "C" fn(host: *const Host) -> Status,
    flags: u32,
    class_size: u32,
    class_count: usize,
    classes: *const Class,
    type_list_count: usize,
    type_lists: *const TypeList,
    init: Option<extern "C" fn(config: *const u8, len: usize, out: *mut u64) -> Status>,
    shutdown: Option<extern "C" fn(out: *mut u64) -> Status>,
    release: Option<extern "C" fn(ptr: *mut u8, size: usize, align: usize)>,
    more: [u64; MORE],
}

unsafe impl Sync for Plugin {}
unsafe impl Sync for Function {}
unsafe impl Sync for Class {}
unsafe impl Sync for TypeDef {}
unsafe impl Sync for TypeList {}

#[no_mangle]
pub static caraway_plugin_v1: Plugin = Plugin {
    abi_major: 1,
    abi_minor: if cfg!(later) { 99 } else { 1 },
    size: std::mem::size_of::<Plugin>(),
    name: text("by-hand"),
    version: text("2.1.0"),
    unwind: cfg!(panic = "unwind") as u32,
    function_size: std::mem::size_of::<Function>() as u32,
    function_count: FUNCTIONS.len(),
    functions: FUNCTIONS.as_ptr(),
    attach,
    // Strings are UTF-8.
    flags: 1,
    class_size: std::mem::size_of::<Class>() as u32,
    class_count: CLASSES.len(),
    classes: CLASSES.as_ptr(),
    type_list_count: 1,
    type_lists: &TYPES,
    init: Some(init),
    shutdown: None,
    release: Some(release),
    more: [u64::MAX; MORE],
};

const fn text(text: &str) -> Text {
    Text { ptr: text.as_ptr(), len: text.len() }
}

type Call = extern "C" fn(args: *const u64, out: *mut u64) -> Status;

const fn function(signature: &str, call: Call) -> Function {
    Function {
        signature: text(signature),
        doc: text("By hand."),
        call,
        typed: null(),
        kind: 0,
        writes: 0,
        more: [u64::MAX; MORE],
    }
}

static FUNCTIONS: [Function; 16] = [
    Function { typed: typed_add as *const c_void, ..function("add(a: int, b: int) -> int", add) },
    Function { typed: typed_half as *const c_void, ..function("half(x: float) -> float", half) },
    function("both(a: bool, b: bool) -> bool", both),
    function("after(c: char) -> char", after),
    function("shout(text: string) -> string", shout),
    function("sum(xs: array<int>) -> int", sum),
    function("pair(x: any) -> array<any>", pair),
    function("swapped(p: Point) -> Point", swapped),
    function("iota(count: int) -> ints", iota),
    Function { writes: 1, ..function("double(xs: ints)", double) },
    function("apply(f: fn(int) -> int, x: int) -> int", apply),
    function("boom(message: string)", boom),
    function("settings() -> any", settings),
    function("counter(count: int) -> Counter", counter),
    Function { kind: 1, ..function("counter::incr(self: Counter, by: int) -> int", incr) },
    Function { kind: 2, ..function("counter::count(self: Counter) -> int", count) },
];

static CLASSES: [Class; 1] =
    [Class { name: text("Counter"), doc: text("Counts."), drop: drop_counter, more: [u64::MAX; MORE] }];

static TYPES: TypeList = TypeList { count: 1, types: &POINTS as *const _ as *const *const TypeDef };
static POINTS: [&TypeDef; 1] = [&POINT];
static POINT: TypeDef = TypeDef {
    text: text("struct Point { x: float, y: float }"),
    doc: text("A point."),
    list_count: 0,
    lists: null(),
};

static HOST: AtomicPtr<Host> = AtomicPtr::new(null_mut());

fn host() -> &'static Host {
    unsafe { &*HOST.load(Ordering::Acquire) }
}

extern "C" fn attach(host: *const Host) -> Status {
    let whole = unsafe { (*host).size } >= std::mem::size_of::<Host>();
    HOST.store(host as *mut Host, Ordering::Release);
    if whole { OK } else { FAILED }
}

static SETTINGS: AtomicPtr<Vec<u8>> = AtomicPtr::new(null_mut());

extern "C" fn init(config: *const u8, len: usize, _out: *mut u64) -> Status {
    let config = unsafe { from_raw_parts(config, len) }.to_vec();
    SETTINGS.store(Box::into_raw(Box::new(config)), Ordering::Release);
    let line = "ready";
    (host().log)(host().context, 2, line.as_ptr(), line.len());
    OK
}

extern "C" fn release(ptr: *mut u8, size: usize, align: usize) {
    unsafe { dealloc(ptr, Layout::from_size_align_unchecked(size, align)) }
}

/// Leaves a copy of `items` in memory that comes back to `release`.
fn give<T: Copy>(out: &mut Out, items: &[T]) -> Status {
    *out = [0; 3];
    let size = std::mem::size_of_val(items);
    if size > 0 {
        unsafe {
            let copy = alloc(Layout::from_size_align_unchecked(size, std::mem::align_of::<T>())) as *mut T;
            if copy.is_null() {
                return OUT_OF_MEMORY;
            }
            copy.copy_from_nonoverlapping(items.as_ptr(), items.len());
            *out = [copy as usize as u64, items.len() as u64, items.len() as u64];
        }
    }
    OK
}

fn one(out: &mut Out, word: u64) -> Status {
    out[0] = word;
    OK
}

/// The argument that these two words are.
fn slice<T>(words: &[u64]) -> &[T] {
    match words[1] {
        0 => &[],
        count => unsafe { from_raw_parts(words[0] as usize as *const T, count as usize) },
    }
}

fn string(words: &[u64]) -> &str {
    unsafe { std::str::from_utf8_unchecked(slice(words)) }
}

struct Counter(AtomicI64);

fn counter_of(word: u64) -> &'static Counter {
    unsafe { &*(word as usize as *const Counter) }
}

extern "C" fn drop_counter(handle: u64) {
    drop(unsafe { Box::from_raw(handle as usize as *mut Counter) });
    let line = "dropped";
    (host().log)(host().context, 2, line.as_ptr(), line.len());
}

/// The sum, or a message that says why there is none.
fn sum_of(a: i64, b: i64, out: &mut Out) -> Option<i64> {
    let sum = a.checked_add(b);
    if sum.is_none() {
        give(out, format!("{} + {} overflows", a, b).as_bytes());
    }
    sum
}

extern "C" fn typed_add(a: i64, b: i64) -> Ret<i64> {
    let mut out = [0; 3];
    match sum_of(a, b, &mut out) {
        Some(value) => Ret { value, failure: null_mut() },
        None => unsafe {
            let layout = Layout::new::<Failure>();
            let failure = (host().alloc)(layout.size(), layout.align()) as *mut Failure;
            if failure.is_null() {
                // No memory for it.
                return Ret { value: 0, failure: layout.align() as *mut Failure };
            }
            failure.write(Failure { status: FAILED, out });
            Ret { value: 0, failure }
        },
    }
}

extern "C" fn typed_half(x: f64) -> Ret<f64> {
    Ret { value: x / 2.0, failure: null_mut() }
}

/// Functions of the contract's shape, whose arguments have so many words.
macro_rules! functions {
    ($($name:ident($words:literal): |$args:ident, $out:ident| $body:expr;)*) => {$(
        extern "C" fn $name(args: *const u64, out: *mut u64) -> Status {
            let ($args, $out) = unsafe { (&*(args as *const [u64; $words]), &mut *(out as *mut Out)) };
            $body
        }
    )*};
}

functions! {
    add(2): |args, out| match sum_of(args[0] as i64, args[1] as i64, out) {
        Some(sum) => one(out, sum as u64),
        None => FAILED,
    };
    half(1): |args, out| one(out, (f64::from_bits(args[0]) / 2.0).to_bits());
    both(2): |args, out| one(out, args[0] & args[1]);
    after(1): |args, out| one(out, args[0] + 1);
    shout(2): |args, out| give(out, string(args).to_uppercase().as_bytes());
    sum(2): |args, out| one(out, slice::<i64>(args).iter().sum::<i64>() as u64);
    // `[x, x]`: the encodings of values are parts of those of arrays.
    pair(2): |args, out| give::<u8>(out, &[&[8, 2, 0, 0, 0], slice(args), slice(args)].concat());
    // `#{x: 1.0, y: 2.0}` is tag, count, and for each key its length, the key, a tag and the float.
    swapped(2): |args, out| {
        let point: &[u8] = slice(args);
        if point.len() != 33 {
            return FAILED;
        }
        give(out, &[&point[..11], &point[25..], &point[19..25], &point[11..19]].concat())
    };
    iota(1): |args, out| give(out, &(0..args[0] as i64).collect::<Vec<i64>>());
    double(2): |args, _out| {
        if args[1] > 0 {
            let xs = unsafe { from_raw_parts_mut(args[0] as usize as *mut i64, args[1] as usize) };
            xs.iter_mut().for_each(|x| *x *= 2);
        }
        OK
    };
    apply(2): |args, out| {
        let mut result = [0; 4];
        let status = (host().call)(args[0], &args[1], result.as_mut_ptr());
        if status == RAISED {
            if result[2] > 0 {
                (host().free)(result[0] as usize as *mut u8, result[2] as usize, 1);
            }
            one(out, result[3]);
        } else {
            one(out, result[0]);
        }
        status
    };
    boom(2): |args, out| match catch_unwind(|| panic!("{}", string(args))) {
        Ok(()) => OK,
        Err(payload) => {
            give(out, payload.downcast_ref::<String>().map_or("", String::as_str).as_bytes());
            PANICKED
        }
    };
    settings(0): |_args, out| give(out, unsafe { &*SETTINGS.load(Ordering::Acquire) });
    counter(1): |args, out| one(out, Box::into_raw(Box::new(Counter(AtomicI64::new(args[0] as i64)))) as u64);
    incr(2): |args, out| {
        let by = args[1] as i64;
        one(out, (counter_of(args[0]).0.fetch_add(by, Ordering::Relaxed) + by) as u64)
    };
    count(1): |args, out| one(out, counter_of(args[0]).0.load(Ordering::Relaxed) as u64);
}
