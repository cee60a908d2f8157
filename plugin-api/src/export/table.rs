//! The plugin's table, and the host that it is attached to.

use crate::{Signature, Type};
use caraway_abi::{ABI_MAJOR, ABI_MINOR, Function, HostApi, Plugin, Status, Text};
use std::sync::atomic::{AtomicPtr, Ordering};

/// A plugin's library has one host.
static HOST: AtomicPtr<HostApi> = AtomicPtr::new(std::ptr::null_mut());

/// Remembers the host. For [`Plugin::attach`].
///
/// # Safety
///
/// `host` points at a table that is valid for good.
pub unsafe extern "C" fn attach(host: *const HostApi) -> i32 {
    HOST.store(host.cast_mut(), Ordering::Release);
    Status::Ok as i32
}

/// Memory of the host; null if there is none.
pub(super) fn alloc(size: usize, align: usize) -> *mut u8 {
    let host = HOST.load(Ordering::Acquire);
    if host.is_null() {
        return std::ptr::null_mut();
    }
    // SAFETY: `attach` was given a table that is valid for good, and all of 1.0 is in every table.
    unsafe { ((*host).alloc)(size, align) }
}

/// A function of the table. Its signature is kept for good: the table is made once.
pub fn function(
    name: &str,
    params: &[(&str, Type)],
    returns: Type,
    doc: &'static str,
    call: unsafe extern "C" fn(*const u64, *mut u64) -> i32,
) -> Function {
    let signature = Signature::new(name, params.iter().cloned(), returns).to_string();
    Function {
        signature: Text::new(signature.leak()),
        doc: Text::new(doc),
        call,
        typed: std::ptr::null(),
        kind: 0,
        writes: 0,
    }
}

/// The table. Its functions are kept for good: the table is made once.
pub fn plugin(name: &'static str, version: &'static str, unwind: bool, functions: Vec<Function>) -> Plugin {
    let functions: &'static [Function] = functions.leak();
    Plugin {
        abi_major: ABI_MAJOR,
        abi_minor: ABI_MINOR,
        size: size_of::<Plugin>(),
        name: Text::new(name),
        version: Text::new(version),
        unwind: u32::from(unwind),
        function_size: size_of::<Function>() as u32,
        function_count: functions.len(),
        functions: functions.as_ptr(),
        attach,
        flags: 0,
        class_size: 0,
        class_count: 0,
        classes: std::ptr::null(),
        type_list_count: 0,
        type_lists: std::ptr::null(),
        init: None,
        shutdown: None,
        release: None,
    }
}
