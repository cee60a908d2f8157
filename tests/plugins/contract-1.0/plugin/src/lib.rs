//! A plugin as contract 1.0 had them: abi_stable's envelope, results in the host's memory.

use caraway_abi::{
    ABI_MAJOR, ABI_MINOR, Export, Function, HostApi, LibHeader, OUT_WORDS, Plugin, Status, Text,
};
use std::panic::catch_unwind;
use std::slice::from_raw_parts;
use std::sync::atomic::{AtomicPtr, Ordering};

struct Veteran;

impl Export for Veteran {
    fn plugin() -> &'static Plugin {
        &PLUGIN
    }
}

#[unsafe(export_name = "_1as_0lib_1header_0root_bmodule_bloader")]
static HEADER: LibHeader = caraway_abi::header::<Veteran>();

static PLUGIN: Plugin = Plugin {
    abi_major: ABI_MAJOR,
    abi_minor: ABI_MINOR,
    size: size_of::<Plugin>(),
    name: Text::new("veteran"),
    version: Text::new("1.0.0"),
    unwind: cfg!(panic = "unwind") as u32,
    function_size: size_of::<Function>() as u32,
    function_count: FUNCTIONS.len(),
    functions: FUNCTIONS.as_ptr(),
    attach,
};

const fn function(
    signature: &'static str,
    call: unsafe extern "C" fn(args: *const u64, out: *mut u64) -> i32,
) -> Function {
    Function { signature: Text::new(signature), doc: Text::new("Of 1.0."), call }
}

static FUNCTIONS: [Function; 14] = [
    function("add(a: int, b: int) -> int", add),
    function("half(x: float) -> float", half),
    function("both(a: bool, b: bool) -> bool", both),
    function("after(c: char) -> char", after),
    function("nothing()", nothing),
    function("shout(text: string) -> string", shout),
    function("reversed(bytes: bytes) -> bytes", reversed),
    function("sum(xs: array<int>) -> int", sum),
    function("multiples(x: int, count: int) -> array<int>", multiples),
    function("scaled(xs: array<float>, by: float) -> array<float>", scaled),
    function("pair(x: any) -> array<any>", pair),
    function("labelled(x: any, label: string) -> map<any>", labelled),
    function("api::boom(message: string) -> int", boom),
    function("api::mid(a: int, b: int) -> int", mid),
];

static HOST: AtomicPtr<HostApi> = AtomicPtr::new(std::ptr::null_mut());

unsafe extern "C" fn attach(host: *const HostApi) -> i32 {
    HOST.store(host.cast_mut(), Ordering::Release);
    Status::Ok as i32
}

fn one(out: &mut [u64; OUT_WORDS], word: u64) -> Status {
    out[0] = word;
    Status::Ok
}

/// Leaves a copy of `items` in the host's memory.
fn give<T: Copy>(out: &mut [u64; OUT_WORDS], items: &[T]) -> Status {
    if items.is_empty() {
        *out = [0; OUT_WORDS];
        return Status::Ok;
    }
    // SAFETY: attached before the first call, with a table that is valid for good; there is room for the items.
    unsafe {
        let host = HOST.load(Ordering::Acquire);
        let copy: *mut T = ((*host).alloc)(size_of_val(items), align_of::<T>()).cast();
        if copy.is_null() {
            return Status::OutOfMemory;
        }
        copy.copy_from_nonoverlapping(items.as_ptr(), items.len());
        *out = [copy as usize as u64, items.len() as u64, items.len() as u64];
    }
    Status::Ok
}

/// This status, if there was memory for its message.
fn or(status: Status, given: Status) -> Status {
    if given == Status::Ok { status } else { given }
}

/// The words of an argument that is passed as pointer and count.
fn slice<T>(words: &[u64]) -> &[T] {
    match words[1] {
        0 => &[],
        // SAFETY: the host lends this memory for the duration of the call.
        count => unsafe { from_raw_parts(words[0] as usize as *const T, count as usize) },
    }
}

fn text(words: &[u64]) -> &str {
    // SAFETY: strings of the host are UTF-8.
    unsafe { std::str::from_utf8_unchecked(slice(words)) }
}

/// Functions of the contract's shape, whose arguments have so many words.
macro_rules! functions {
    ($($name:ident($words:literal): |$args:ident, $out:ident| $body:expr;)*) => {$(
        unsafe extern "C" fn $name(args: *const u64, out: *mut u64) -> i32 {
            // SAFETY: the signature's arguments have so many words, and every result has room for three.
            let ($args, $out) = unsafe { (&*args.cast::<[u64; $words]>(), &mut *out.cast::<[u64; OUT_WORDS]>()) };
            let status: Status = $body;
            status as i32
        }
    )*};
}

functions! {
    add(2): |args, out| {
        let [a, b] = args.map(u64::cast_signed);
        match a.checked_add(b) {
            Some(sum) => one(out, sum.cast_unsigned()),
            None => or(Status::Failed, give(out, format!("{a} + {b} overflows").as_bytes())),
        }
    };
    half(1): |args, out| one(out, (f64::from_bits(args[0]) / 2.0).to_bits());
    both(2): |args, out| one(out, args[0] & args[1]);
    after(1): |args, out| one(out, args[0] + 1);
    nothing(0): |_args, _out| Status::Ok;
    shout(2): |args, out| give(out, text(args).to_uppercase().as_bytes());
    reversed(2): |args, out| give(out, &slice(args).iter().rev().copied().collect::<Vec<u8>>());
    sum(2): |args, out| one(out, slice::<i64>(args).iter().sum::<i64>().cast_unsigned());
    multiples(2): |args, out| {
        let [x, count] = args.map(u64::cast_signed);
        give(out, &(1..=count).map(|i| i * x).collect::<Vec<i64>>())
    };
    scaled(3): |args, out| {
        let by = f64::from_bits(args[2]);
        give(out, &slice::<f64>(args).iter().map(|x| x * by).collect::<Vec<f64>>())
    };
    // `[x, x]`: the encodings of values are parts of those of arrays.
    pair(2): |args, out| give::<u8>(out, &[&[8, 2, 0, 0, 0], slice(args), slice(args)].concat());
    // `#{label: x}`.
    labelled(4): |args, out| {
        let (value, label): (&[u8], &[u8]) = (slice(args), slice(&args[2..]));
        let len = (label.len() as u32).to_le_bytes();
        give::<u8>(out, &[&[9, 1, 0, 0, 0], &len[..], label, value].concat())
    };
    boom(2): |args, out| match catch_unwind(|| panic!("{}", text(args))) {
        Ok(()) => Status::Ok,
        Err(payload) => {
            let message = payload.downcast_ref::<String>().map_or("", String::as_str);
            or(Status::Panicked, give(out, message.as_bytes()))
        }
    };
    mid(2): |args, out| {
        let [a, b] = args.map(u64::cast_signed);
        one(out, a.midpoint(b).cast_unsigned())
    };
}
