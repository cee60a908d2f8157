//! The words of results.

use super::Input;
use crate::host::alloc;
use crate::life::Life;
use crate::memory::{Memory, Out};
use crate::outcome::{Named, Outcome};
use caraway_abi::{Failure, NO_MEMORY, OUT_WORDS};
use caraway_loaders_core::bind::{CallError, CallResult};
use caraway_loaders_core::{Code, Signature, Type};
use std::alloc::Layout;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

thread_local! {
    /// The memory that the plugin of [`check`] has given and not got back, by address.
    static GIVEN: RefCell<HashMap<usize, Layout>> = RefCell::default();
}

unsafe extern "C" fn release(ptr: *mut u8, size: usize, align: usize) {
    let layout = GIVEN.with_borrow_mut(|given| given.remove(&(ptr as usize)));
    assert_eq!(layout, Layout::from_size_align(size, align).ok(), "what is released was not given");
    if let Some(layout) = layout {
        // SAFETY: it was allocated with this layout, and is here for the first time.
        unsafe { std::alloc::dealloc(ptr, layout) }
    }
}

/// A result of these bytes, as numbers of `align` bytes each, in memory of its own.
fn given(memory: Memory, bytes: &[u8], spare: usize, align: usize) -> Out {
    let len = bytes.len() / align;
    let capacity = len + spare;
    let Ok(layout) = Layout::from_size_align(capacity * align, align) else { return [0; OUT_WORDS] };
    if capacity == 0 {
        return [0; OUT_WORDS];
    }
    // SAFETY: the size is not 0, and there is room for what is copied.
    unsafe {
        let start = match memory {
            Memory::Host => alloc(layout.size(), align),
            Memory::Plugin(_) => std::alloc::alloc(layout),
        };
        start.copy_from_nonoverlapping(bytes.as_ptr(), len * align);
        if let Memory::Plugin(_) = memory {
            GIVEN.with_borrow_mut(|given| given.insert(start as usize, layout));
        }
        [start as usize as u64, len as u64, capacity as u64]
    }
}

/// Words that describe no buffer of numbers of `align` bytes.
fn no_buffer(input: &mut Input<'_>, align: usize) -> Out {
    let somewhere = 1 << 20;
    match input.byte() % 4 {
        0 => [0, input.word(), input.word().max(1)],
        1 => [somewhere, input.word().max(1), 0],
        2 => [somewhere, 1, u64::MAX - input.word() / 2],
        _ if align > 1 => [somewhere + 1 + u64::from(input.byte()) % (align as u64 - 1), 1, 1],
        _ => [somewhere, u64::MAX, u64::MAX - 1],
    }
}

fn life(memory: Memory, utf8: bool) -> Arc<Life> {
    let mut life = Life::without_plugin();
    (life.memory, life.utf8) = (memory, utf8);
    Arc::new(life)
}

thread_local! {
    static LIVES: [Arc<Life>; 2] = [life(Memory::Host, false), life(Memory::Plugin(release), false)];
}

pub(super) fn check(input: &mut Input<'_>) {
    const TYPES: &[&str] = &[
        "int",
        "float",
        "bool",
        "char",
        "void",
        "string",
        "bytes",
        "array<int>",
        "array<float>",
        "ints",
        "floats",
        "any",
        "int?",
        "map<array<bool>>",
        "array<string>",
    ];
    let life = LIVES.with(|lives| lives[usize::from(input.byte() % 2)].clone());
    let (native, declared) = (input.choose(TYPES), input.choose(TYPES));
    let declared = if native == "any" && declared != "void" { declared } else { native };
    let (Ok(native), Ok(declared)) = (native.parse::<Type>(), declared.parse::<Type>()) else { return };
    let memory = life.memory;
    let function =
        Named { plugin: "p".into(), signature: Arc::new(Signature::new::<&str>("f", [], Type::Void)) };
    let outcome = Outcome::new(function, &native, &declared, None, life);

    let status = match input.byte() {
        0..=127 => 0,
        128..=199 => i32::from(input.byte() % 5),
        _ => input.word() as i32,
    };
    let numbers = matches!(native.to_string().as_str(), "array<int>" | "array<float>" | "ints" | "floats");
    let align = if numbers && status == 0 { 8 } else { 1 };
    let (sound, spare) = (input.byte() < 200, usize::from(input.byte() % 16));
    // Words are not memory where none is expected: whatever they are, they are not to be freed.
    let word = matches!(native, Type::Int | Type::Float | Type::Bool | Type::Char | Type::Void);
    let unread = if status == 0 { word } else { !matches!(status, 1 | 2) };
    let out = match (unread, sound) {
        (true, _) => [input.word(), input.word(), input.word()],
        (false, true) => given(memory, input.0, spare, align),
        (false, false) => no_buffer(input, align),
    };
    let result = if status != 0 && input.0.len() % 2 == 1 {
        // SAFETY: as a typed function fails: the failure is in memory of the host.
        unsafe {
            let failure: *mut Failure = alloc(size_of::<Failure>(), align_of::<Failure>()).cast();
            failure.write(Failure { status, out });
            Err(outcome.failed_typed(failure))
        }
    } else {
        // SAFETY: what looks like memory is memory of this kind, or cannot be.
        unsafe { outcome.read(status, &out) }
    };
    check_result(result, status, sound || unread);
    for failure in [NO_MEMORY, std::ptr::without_provenance_mut(1)] {
        // SAFETY: neither is followed.
        let failed = unsafe { outcome.failed_typed(failure) };
        check_result(Err(failed), 3, true);
    }
    drop(outcome);
    GIVEN.with_borrow(|given| assert!(given.is_empty(), "memory was kept: {given:?}"));
}

fn check_result(result: CallResult, status: i32, sound: bool) {
    match result {
        Ok(value) => {
            assert!(status == 0 && sound, "{status} gives {value:?}");
            drop(value);
        }
        Err(CallError::Error(error)) => assert!(
            matches!(
                (status, error.code()),
                (0, Code::ResultType)
                    | (1, Code::PluginFailed | Code::PluginCrashed)
                    | (2, Code::PluginCrashed)
                    | (4, Code::PluginCrashed | Code::CallbackExpired)
                    | (3, Code::Memory | Code::PluginCrashed)
                    | (5.. | ..0, Code::PluginCrashed)
            ),
            "{status}: {error:?}"
        ),
        Err(other) => assert!(matches!(other, CallError::Error(_)), "{other:?}"),
    }
}
