//! `add`, `echo` and `sum` for Steel.

use steel::declare_module;
use steel::steel_vm::ffi::{FFIModule, RegisterFFIFn};

declare_module!(module);

fn module() -> FFIModule {
    let mut module = FFIModule::new("peer");
    module
        .register_fn("add", |a: isize, b: isize| a.wrapping_add(b))
        .register_fn("echo", |text: String| text)
        .register_fn("sum", |xs: Vec<isize>| xs.iter().sum::<isize>());
    module
}
