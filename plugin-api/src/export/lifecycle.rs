//! How a plugin begins and ends.

use super::call::{Failure, failed, panicked};
use super::context::{self, Context};
use super::host;
use super::out::Out;
use super::panic;
use crate::Value;
use caraway_abi::{HostApi, Status};
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What `#[init]` and `#[shutdown]` functions give back.
#[diagnostic::on_unimplemented(
    message = "`#[init]` and `#[shutdown]` functions cannot give back `{Self}`",
    label = "nobody looks at it",
    note = "supported are () and Result<(), E> where E: Display"
)]
pub trait Ending {
    /// The error, if it is one.
    fn ending(self) -> Result<(), Failure>;
}

impl Ending for () {
    fn ending(self) -> Result<(), Failure> {
        Ok(())
    }
}

impl<E: Display + 'static> Ending for Result<(), E> {
    fn ending(self) -> Result<(), Failure> {
        self.map_err(|error| Failure::of(&error))
    }
}

/// For [`Plugin::attach`](caraway_abi::Plugin::attach). A plugin that `needs_init` has no use for a host that
/// does not call it.
///
/// # Safety
///
/// `host` points at a table that is valid for good.
pub unsafe fn attach(
    host: *const HostApi,
    name: &'static str,
    version: &'static str,
    needs_init: bool,
) -> i32 {
    let attached = catch_unwind(|| {
        // SAFETY: the caller's promise.
        unsafe { host::set(host) }?;
        context::identify(name, version);
        panic::install();
        (!needs_init || !host::is_first()).then_some(())
    });
    match attached {
        Ok(Some(())) => Status::Ok as i32,
        _ => Status::Failed as i32,
    }
}

/// For [`Plugin::init`](caraway_abi::Plugin::init).
///
/// # Safety
///
/// `config` points at `len` bytes, `out` has room for a message.
pub unsafe fn init(
    config: *const u8,
    len: usize,
    out: *mut u64,
    body: impl FnOnce(&'static Context) -> Result<(), Failure>,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        end(out, || {
            let bytes = if len == 0 { &[] } else { std::slice::from_raw_parts(config, len) };
            let config = match bytes {
                [] => None,
                bytes => Some(Value::decode(bytes).map_err(|error| {
                    Failure::text(format_args!("the plugin's settings cannot be read: {error}"))
                })?),
            };
            body(context::with_settings(config))
        })
    }
}

/// For [`Plugin::shutdown`](caraway_abi::Plugin::shutdown).
///
/// # Safety
///
/// `out` has room for a message.
pub unsafe fn shutdown(out: *mut u64, body: impl FnOnce(&'static Context) -> Result<(), Failure>) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { end(out, || body(context::with_settings(None))) }
}

/// # Safety
///
/// `out` has room for a message.
unsafe fn end(out: *mut u64, body: impl FnOnce() -> Result<(), Failure>) -> i32 {
    // SAFETY: the caller's promise.
    let mut out = unsafe { Out::new(out) };
    let status = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => Status::Ok,
        Ok(Err(failure)) => failed(failure, &mut out),
        Err(payload) => panicked(payload, &mut out),
    };
    status as i32
}

type Init = unsafe extern "C" fn(config: *const u8, len: usize, out: *mut u64) -> i32;
type Shutdown = unsafe extern "C" fn(out: *mut u64) -> i32;

/// What a plugin does at the beginning and at the end: at most one function each.
pub struct Lifecycle {
    /// For [`Plugin::init`](caraway_abi::Plugin::init).
    pub init: &'static [Init],
    /// For [`Plugin::shutdown`](caraway_abi::Plugin::shutdown).
    pub shutdown: &'static [Shutdown],
}

impl Lifecycle {
    /// Whether the plugin has an `#[init]`.
    pub const fn needs_init(&self) -> bool {
        !self.init.is_empty()
    }

    /// What the table says. Where functions ask for settings, somebody has to take them.
    pub const fn init(&self, uses_context: bool) -> Option<Init> {
        assert!(self.init.len() <= 1, "a plugin has one `#[init]`");
        match self.init {
            [init, ..] => Some(*init),
            [] if uses_context => Some(settle),
            [] => None,
        }
    }

    /// What the table says.
    pub const fn shutdown(&self) -> Option<Shutdown> {
        assert!(self.shutdown.len() <= 1, "a plugin has one `#[shutdown]`");
        match self.shutdown {
            [shutdown, ..] => Some(*shutdown),
            [] => None,
        }
    }
}

unsafe extern "C" fn settle(config: *const u8, len: usize, out: *mut u64) -> i32 {
    // SAFETY: the host keeps the contract.
    unsafe { init(config, len, out, |_| Ok(())) }
}
