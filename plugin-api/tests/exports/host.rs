//! A host: it reads signatures and passes words accordingly.

use caraway_abi::{CALLBACK_OUT_WORDS, Function, HostApi, OUT_WORDS, Plugin, Prefix, Status};
use caraway_plugin::{Signature, Type, Value};
use std::alloc::Layout;
use std::cell::Cell;
use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::{LazyLock, Mutex, OnceLock};

/// Miri does not look for symbols.
#[cfg(miri)]
use crate::plugin::everything::__CARAWAY_PLUGIN as PLUGIN;

#[cfg(not(miri))]
unsafe extern "C" {
    #[link_name = "caraway_plugin_v1"]
    static PLUGIN: Plugin;
}

/// Memory that is out, by address.
static MEMORY: Mutex<Option<HashMap<usize, Layout>>> = Mutex::new(None);

/// What was logged.
pub(crate) static LOG: Mutex<Vec<(u32, String)>> = Mutex::new(Vec::new());

thread_local! {
    /// How many bytes this thread has taken and not freed.
    static OUT: Cell<isize> = const { Cell::new(0) };
    /// Whether calls on this thread are to be interrupted.
    pub(crate) static INTERRUPTED: Cell<bool> = const { Cell::new(false) };
}

const CONTEXT: *const c_void = std::ptr::without_provenance(0x1234);

unsafe extern "C" fn alloc(size: usize, align: usize) -> *mut u8 {
    let layout = Layout::from_size_align(size, align).unwrap();
    // SAFETY: plugins ask for memory only if they need some.
    let pointer = unsafe { std::alloc::alloc(layout) };
    MEMORY.lock().unwrap().get_or_insert_default().insert(pointer.addr(), layout);
    OUT.set(OUT.get() + size.cast_signed());
    pointer
}

unsafe extern "C" fn free(pointer: *mut u8, size: usize, align: usize) {
    let layout = MEMORY.lock().unwrap().get_or_insert_default().remove(&pointer.addr());
    if layout != Layout::from_size_align(size, align).ok() {
        eprintln!("freed as {size}/{align}: {layout:?}");
        std::process::abort();
    }
    OUT.set(OUT.get() - size.cast_signed());
    // SAFETY: `alloc` gave it, with this layout.
    unsafe { std::alloc::dealloc(pointer, layout.unwrap()) }
}

unsafe extern "C" fn call(function: u64, args: *const u64, out: *mut u64) -> i32 {
    let function = std::ptr::with_exposed_provenance::<Callback<'_>>(function as usize);
    // SAFETY: the word is that of a `Callback` that the call's caller keeps.
    unsafe { (*function)(args, out) }
}

unsafe extern "C" fn log(context: *const c_void, level: u32, text: *const u8, len: usize) {
    assert_eq!(context, CONTEXT);
    // SAFETY: the plugin keeps the contract.
    let text = std::str::from_utf8(unsafe { std::slice::from_raw_parts(text, len) }).unwrap();
    eprintln!("{level}: {text}");
    LOG.lock().unwrap().push((level, text.to_owned()));
}

unsafe extern "C" fn interrupted(context: *const c_void) -> i32 {
    assert_eq!(context, CONTEXT);
    i32::from(INTERRUPTED.get())
}

static HOST: HostApi = HostApi {
    size: size_of::<HostApi>(),
    alloc,
    free,
    context: CONTEXT,
    call: Some(call),
    log: Some(log),
    interrupted: Some(interrupted),
};

/// A script's function: the words of arguments to those of a result.
pub(crate) type Callback<'a> = Box<dyn Fn(*const u64, *mut u64) -> i32 + Sync + 'a>;

/// Words of a result in memory of the host.
pub(crate) fn give(out: *mut u64, bytes: &[u8], element: usize) {
    let capacity = bytes.len() + 4 * element;
    // SAFETY: the memory has room, and so has `out`.
    unsafe {
        let pointer = alloc(capacity, element);
        pointer.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        let words = [pointer.expose_provenance(), bytes.len() / element, capacity / element];
        out.cast::<[u64; 3]>().write(words.map(|word| word as u64));
    }
}

/// A script's error, which this word stands for.
pub(crate) fn raise(out: *mut u64, message: &str, word: u64) -> i32 {
    give(out, message.as_bytes(), 1);
    // SAFETY: the result of a callback has room for four words.
    unsafe { out.add(CALLBACK_OUT_WORDS - 1).write(word) };
    Status::Raised as i32
}

/// The plugin, attached and initialised.
pub(crate) fn plugin() -> &'static Plugin {
    static READY: OnceLock<i32> = OnceLock::new();
    // SAFETY: the table is the one of `plugin`, which keeps the contract.
    let status = unsafe {
        *READY.get_or_init(|| {
            assert_eq!((PLUGIN.attach)(&raw const HOST), 0);
            let config = Value::from([("depth", Value::from(3))]).encode();
            let mut out = [0; OUT_WORDS];
            (PLUGIN.init.unwrap())(config.as_ptr(), config.len(), out.as_mut_ptr())
        })
    };
    assert_eq!(status, 0);
    // SAFETY: as above.
    #[allow(unused_unsafe, reason = "not for Miri")]
    unsafe {
        &PLUGIN
    }
}

/// Its functions, with their signatures.
pub(crate) fn functions() -> &'static [(Signature, Function)] {
    static FUNCTIONS: LazyLock<Vec<(Signature, Function)>> = LazyLock::new(|| {
        let plugin = plugin();
        let at = |at: usize| {
            // SAFETY: the table says how many there are, and how far apart.
            unsafe {
                let size = plugin.function_size as usize;
                let function = plugin.functions.cast::<u8>().add(at * size).cast::<Function>();
                let function = Function::read(function, size).unwrap();
                (function.signature.as_str().unwrap().parse().unwrap(), function)
            }
        };
        (0..plugin.function_count).map(at).collect()
    });
    &FUNCTIONS
}

/// The names of its classes.
pub(crate) fn classes() -> Vec<(&'static str, &'static str)> {
    let plugin = plugin();
    assert_eq!(plugin.class_size as usize, size_of::<caraway_abi::Class>());
    // SAFETY: the table says how many there are.
    let classes = unsafe { std::slice::from_raw_parts(plugin.classes, plugin.class_count) };
    // SAFETY: texts of the table live for good.
    classes
        .iter()
        .map(|class| unsafe { (class.name.as_str().unwrap(), class.doc.as_str().unwrap()) })
        .collect()
}

/// Drops a handle.
pub(crate) fn drop_handle(class: &str, handle: u64) {
    let at = classes().iter().position(|(name, _)| *name == class).unwrap();
    // SAFETY: the handle is of this class, and is used no more.
    unsafe { ((*plugin().classes.add(at)).drop)(handle) }
}

/// An argument.
pub(crate) enum Arg<'a> {
    Value(Value),
    Handle(u64),
    Function(&'a Callback<'a>),
    Ints(&'a mut [i64]),
    Floats(&'a mut [f64]),
}

impl<T: Into<Value>> From<T> for Arg<'_> {
    fn from(value: T) -> Self {
        Self::Value(value.into())
    }
}

/// Calls a function with words for its signature. An error is a status and a message; the message of
/// [`Status::Raised`] is the error's word.
#[track_caller]
pub(crate) fn call_by_name(name: &str, args: Vec<Arg<'_>>) -> Result<Value, (Status, String)> {
    let (signature, function) = functions().iter().find(|(signature, _)| signature.name == name).unwrap();
    assert_eq!(signature.params.len(), args.len(), "{name}");
    let mut words = Vec::new();
    let mut kept = Vec::new();
    for (param, arg) in signature.params.iter().zip(args) {
        push(&mut words, &mut kept, &param.ty, arg);
    }
    let mut out = [0xdead; OUT_WORDS];
    // SAFETY: the words are those of the signature.
    let status = unsafe { (function.call)(words.as_ptr(), out.as_mut_ptr()) };
    match Status::from_code(status).unwrap() {
        Status::Ok => Ok(result(&signature.returns, out)),
        Status::Raised => Err((Status::Raised, out[0].to_string())),
        status => Err((status, String::from_utf8(taken::<u8>(out)).unwrap())),
    }
}

fn push(words: &mut Vec<u64>, kept: &mut Vec<Vec<u64>>, ty: &Type, arg: Arg<'_>) {
    let mut slice = |pointer: *const u8, len: usize| {
        words.extend([pointer.expose_provenance() as u64, len as u64]);
    };
    match (ty, arg) {
        (Type::Ints, Arg::Ints(ints)) => slice(ints.as_mut_ptr().cast(), ints.len()),
        (Type::Floats, Arg::Floats(floats)) => slice(floats.as_mut_ptr().cast(), floats.len()),
        (Type::Named(_), Arg::Handle(handle)) => words.push(handle),
        (Type::Fn(..), Arg::Function(function)) => {
            words.push(std::ptr::from_ref(function).expose_provenance() as u64);
        }
        (Type::Int, Arg::Value(Value::Int(int))) => words.push(int.cast_unsigned()),
        (Type::Float, Arg::Value(Value::Float(float))) => words.push(float.to_bits()),
        (Type::Bool, Arg::Value(Value::Bool(bool))) => words.push(u64::from(bool)),
        (Type::Char, Arg::Value(Value::Char(char))) => words.push(u64::from(u32::from(char))),
        (ty, Arg::Value(value)) => {
            let (bytes, element) = match (ty, value) {
                (Type::String, Value::String(text)) => (text.into_bytes(), 1),
                (Type::Bytes, Value::Bytes(bytes)) => (bytes, 1),
                (Type::Array(item), Value::Array(items)) if [Type::Int, Type::Float].contains(item) => {
                    let numbers = items.iter().flat_map(|item| match item {
                        Value::Int(int) => int.to_ne_bytes(),
                        Value::Float(float) => float.to_ne_bytes(),
                        other => panic!("{other:?} is no number"),
                    });
                    (numbers.collect(), 8)
                }
                (_, value) => (value.encode(), 1),
            };
            // In words, since numbers are aligned.
            let mut copy = vec![0_u64; bytes.len().div_ceil(8)];
            // SAFETY: there is room for the bytes.
            unsafe { copy.as_mut_ptr().cast::<u8>().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
            slice(copy.as_ptr().cast(), bytes.len() / element);
            kept.push(copy);
        }
        (ty, _) => panic!("not for {ty}"),
    }
}

fn result(ty: &Type, out: [u64; OUT_WORDS]) -> Value {
    let is_class = |name: &str| classes().iter().any(|(class, _)| *class == name);
    match ty {
        Type::Void => Value::Unit,
        Type::Int => Value::Int(out[0].cast_signed()),
        Type::Float => Value::Float(f64::from_bits(out[0])),
        Type::Bool => Value::Bool(out[0] == 1),
        Type::Char => Value::Char(char::from_u32(out[0] as u32).unwrap()),
        Type::String => Value::String(String::from_utf8(taken(out)).unwrap()),
        Type::Bytes => Value::Bytes(taken(out)),
        Type::Ints => Value::Array(taken(out).into_iter().map(Value::Int).collect()),
        Type::Floats => Value::Array(taken(out).into_iter().map(Value::Float).collect()),
        Type::Array(item) if **item == Type::Int => result(&Type::Ints, out),
        Type::Array(item) if **item == Type::Float => result(&Type::Floats, out),
        Type::Named(name) if is_class(name) => Value::Int(out[0].cast_signed()),
        _ => Value::decode(&taken::<u8>(out)).unwrap(),
    }
}

/// A copy of a result's buffer, which goes back to the plugin.
fn taken<T: Copy>(out: [u64; OUT_WORDS]) -> Vec<T> {
    let [pointer, len, capacity] = out.map(|word| word as usize);
    if capacity == 0 {
        return Vec::new();
    }
    let pointer = std::ptr::with_exposed_provenance_mut::<T>(pointer);
    // SAFETY: the plugin keeps the contract.
    unsafe {
        let items = std::slice::from_raw_parts(pointer, len).to_vec();
        (plugin().release.unwrap())(pointer.cast(), capacity * size_of::<T>(), align_of::<T>());
        items
    }
}

/// How many bytes of the host's memory this thread has not got back.
pub(crate) fn memory_out() -> isize {
    OUT.get()
}

/// Frees what a typed call has failed with.
///
/// # Safety
///
/// `failure` is what it has given back, and is used no more.
pub(crate) unsafe fn free_failure(failure: *mut caraway_abi::Failure) {
    // SAFETY: the caller's promise.
    unsafe { free(failure.cast(), size_of::<caraway_abi::Failure>(), align_of::<caraway_abi::Failure>()) }
}
