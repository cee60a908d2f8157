//! The host that the plugin is attached to.

use caraway_abi::{HostApi, Prefix};
use std::mem::offset_of;
use std::sync::atomic::{AtomicPtr, Ordering};

/// A plugin's library has one host.
static HOST: AtomicPtr<HostApi> = AtomicPtr::new(std::ptr::null_mut());

/// What a host of contract 1.1 has at least.
const SIZE_1_1: usize = offset_of!(HostApi, interrupted) + size_of::<usize>();

/// Remembers the host. `None` if its table is too short to be one.
///
/// # Safety
///
/// `host` points at a table of some 1.x.
pub(super) unsafe fn set(host: *const HostApi) -> Option<()> {
    // SAFETY: the caller's promise; a table begins with its size, and is that long.
    let host = unsafe { HostApi::read(host, *host.cast::<usize>()) }?;
    HOST.store(Box::into_raw(Box::new(host)), Ordering::Release);
    Some(())
}

/// The host; `None` in the plugin's own tests.
pub(super) fn get() -> Option<&'static HostApi> {
    // SAFETY: what is stored is never freed.
    unsafe { HOST.load(Ordering::Acquire).as_ref() }
}

/// Whether the host is of contract 1.0, which takes results only in its own memory.
pub(super) fn is_first() -> bool {
    get().is_some_and(|host| host.size < SIZE_1_1)
}

/// Memory of the host; null if there is none.
pub(super) fn alloc(size: usize, align: usize) -> *mut u8 {
    match get() {
        // SAFETY: any thread may call it, for any size.
        Some(host) => unsafe { (host.alloc)(size, align) },
        None => std::ptr::null_mut(),
    }
}

/// Whether the call on this thread has reached a limit of this host.
pub(super) fn interrupts(host: &HostApi) -> bool {
    // SAFETY: the context is the host's own.
    host.interrupted.is_some_and(|interrupted| unsafe { interrupted(host.context) } != 0)
}

/// Whether the call on this thread has reached a limit.
pub(super) fn interrupted() -> bool {
    get().is_some_and(interrupts)
}
