//! Tables made by hand.

use caraway_abi::{ABI_MAJOR, ABI_MINOR, Class, Function, HostApi, Plugin, Text};
use caraway_loaders_core::discover::{self, Origin};
use caraway_loaders_core::manifest::Manifest;
use semver::Version;

unsafe extern "C" fn attach(_host: *const HostApi) -> i32 {
    0
}

unsafe extern "C" fn call(_args: *const u64, _out: *mut u64) -> i32 {
    0
}

unsafe extern "C" fn drop_word(_handle: u64) {}

pub(crate) fn function(signature: &'static str) -> Function {
    Function {
        signature: Text::new(signature),
        doc: Text::new("A doc."),
        call,
        typed: std::ptr::null(),
        kind: 0,
        writes: 0,
    }
}

pub(crate) fn class(name: &'static str) -> Class {
    Class { name: Text::new(name), doc: Text::new(""), drop: drop_word }
}

/// The table of version 1.2.3 of the plugin `p`.
pub(crate) fn table(functions: &'static [Function]) -> Plugin {
    Plugin {
        abi_major: ABI_MAJOR,
        abi_minor: ABI_MINOR,
        size: size_of::<Plugin>(),
        name: Text::new("p"),
        version: Text::new("1.2.3"),
        unwind: 1,
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

/// The plugin that [`table`] is of, as it is found in `folder`.
pub(crate) fn plugin() -> discover::Plugin {
    let manifest = Manifest::new("p", Version::new(1, 2, 3), "native");
    discover::Plugin::new(manifest, "folder", Origin::BuiltIn)
}
