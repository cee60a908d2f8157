//! What the host offers to plugins.

use crate::calls;
use caraway_abi::HostApi;
use caraway_loaders_core::budget;
use caraway_loaders_core::output::{Level, Output};
use std::alloc::Layout;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{PoisonError, RwLock};

/// The host of one load of a plugin. It lives as long as the process, as the contract promises; what it holds is
/// let go when the plugin is shut down.
#[derive(Debug)]
pub(crate) struct Host {
    plugin: String,
    output: RwLock<Option<Output>>,
}

impl Host {
    /// The host of a plugin, which logs to `output`.
    pub(crate) fn new(plugin: &str, output: &Output) -> &'static Self {
        Box::leak(Box::new(Self { plugin: plugin.to_owned(), output: RwLock::new(Some(output.clone())) }))
    }

    /// The table to attach the plugin to.
    pub(crate) fn table(&'static self) -> &'static HostApi {
        Box::leak(Box::new(HostApi {
            size: size_of::<HostApi>(),
            alloc,
            free,
            context: std::ptr::from_ref(self).cast(),
            call: Some(call),
            log: Some(log),
            interrupted: Some(interrupted),
        }))
    }

    /// Writes to the log in the plugin's name.
    pub(crate) fn log(&self, level: Level, text: &str) {
        let output = self.output.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(output) = output {
            output.log(level, &self.plugin, text);
        }
    }

    /// Logs no more.
    pub(crate) fn close(&self) {
        self.output.write().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// Runs the host's part of a call from a plugin, into which a panic must not unwind.
fn guarded<R>(panicked: R, body: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| {
        // To drop it may panic again.
        std::mem::forget(payload);
        panicked
    })
}

pub(crate) unsafe extern "C" fn alloc(size: usize, align: usize) -> *mut u8 {
    match Layout::from_size_align(size, align) {
        // SAFETY: the size is not 0.
        Ok(layout) if size > 0 => unsafe { std::alloc::alloc(layout) },
        _ => std::ptr::null_mut(),
    }
}

pub(crate) unsafe extern "C" fn free(pointer: *mut u8, size: usize, align: usize) {
    if let Ok(layout) = Layout::from_size_align(size, align)
        && size > 0
        && !pointer.is_null()
    {
        // SAFETY: the contract asks for a pointer that `alloc` gave for this size and alignment.
        unsafe { std::alloc::dealloc(pointer, layout) }
    }
}

unsafe extern "C" fn call(function: u64, args: *const u64, out: *mut u64) -> i32 {
    // SAFETY: the contract asks for the words of the function's arguments and for room for its result.
    guarded(calls::PANICKED, || unsafe { calls::call(function, args, out) })
}

unsafe extern "C" fn log(context: *const c_void, level: u32, text: *const u8, len: usize) {
    guarded((), || {
        // SAFETY: the context is one of `table`, or null from who does not know better; hosts are never freed.
        let Some(host) = (unsafe { context.cast::<Host>().as_ref() }) else { return };
        if len > 0 && (text.is_null() || isize::try_from(len).is_err()) {
            return;
        }
        // SAFETY: the contract asks for this many bytes; of none, the pointer is not looked at.
        let text = if len == 0 { &[] } else { unsafe { std::slice::from_raw_parts(text, len) } };
        let level = match level {
            0 => Level::Error,
            1 => Level::Warn,
            2 => Level::Info,
            3 => Level::Debug,
            _ => Level::Trace,
        };
        host.log(level, &String::from_utf8_lossy(text));
    });
}

unsafe extern "C" fn interrupted(_context: *const c_void) -> i32 {
    guarded(1, || i32::from(calls::stopped() || budget::check().is_err()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[test]
    fn impossible_requests_get_null() {
        for (size, align) in [(0, 1), (8, 3), (8, 0), (usize::MAX, 8)] {
            // SAFETY: `alloc` takes every size and alignment.
            assert!(unsafe { alloc(size, align) }.is_null(), "{size} {align}");
        }
    }

    #[test]
    fn memory_comes_and_goes() {
        // SAFETY: what `alloc` gave is written within its size and freed once.
        unsafe {
            let pointer = alloc(24, 8);
            assert_eq!(pointer as usize % 8, 0);
            pointer.cast::<[u64; 3]>().write([1, 2, 3]);
            free(pointer, 24, 8);
        }
    }

    #[test]
    fn lines_are_logged_until_the_host_closes() {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = lines.clone();
        let host = Host::new("p", &Output::new(move |_, line| kept.lock().unwrap().push(line.to_owned())));
        let table = host.table();
        let write = |level, text: &[u8]| {
            // SAFETY: the bytes are there.
            unsafe { table.log.unwrap()(table.context, level, text.as_ptr(), text.len()) }
        };
        write(0, b"one");
        write(1, b"two\nthree");
        write(4, b"a\xff\x1b[2J");
        write(99, b"later");
        // SAFETY: these are told apart before they are followed.
        unsafe {
            table.log.unwrap()(table.context, 2, std::ptr::null(), 0);
            table.log.unwrap()(table.context, 2, std::ptr::null(), 7);
            table.log.unwrap()(table.context, 2, b"x".as_ptr(), usize::MAX);
            table.log.unwrap()(std::ptr::null(), 2, b"x".as_ptr(), 1);
        }
        host.close();
        write(0, b"late");
        assert_eq!(
            *lines.lock().unwrap(),
            [
                "[error] p: one",
                "[warn] p: two",
                "[warn] p: three",
                "[trace] p: a\u{fffd}\\u{1b}[2J",
                "[trace] p: later",
                "[info] p: ",
            ]
        );
    }
}
