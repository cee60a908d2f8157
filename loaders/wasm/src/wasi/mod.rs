//! What a guest can reach: WASI 0.2 with nothing granted.
//!
//! No files, no arguments, no environment, no network, an empty standard input. Clocks and random numbers are
//! there. What a guest prints goes to the plugin's [`Output`](caraway_loaders_core::output::Output), where it
//! may print, and nowhere else.
//!
//! wasmtime's own implementation waits inside a runtime of its own, which knows no deadline and cannot be
//! entered from within another one. So the interfaces that wait are ours: [`wait`] drives wasmtime's futures on
//! the calling thread, and [`clock`] makes timers that need no runtime.

mod clock;
mod print;
mod streams;
mod wait;

use crate::memory::MemoryMeter;
use caraway_loaders_core::{Code, Error};
use print::Lines;
pub(crate) use print::Printer;
pub(crate) use wait::Stopped;
use wasmtime::Engine;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, HasData, Linker, ResourceTable};
use wasmtime_wasi::p2::bindings;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

/// The WASI packages that components may import.
const PACKAGES: [&str; 6] =
    ["wasi:cli/", "wasi:clocks/", "wasi:filesystem/", "wasi:io/", "wasi:random/", "wasi:sockets/"];

/// The state of a store.
pub(crate) struct Guest {
    pub(crate) memory: MemoryMeter,
    context: WasiCtx,
    table: ResourceTable,
    stdout: Lines,
    stderr: Lines,
}

impl Guest {
    /// A guest that may use `memory` and prints to `printer`.
    pub(crate) fn new(memory: MemoryMeter, printer: &Printer) -> Self {
        let context = WasiCtx::builder().allow_tcp(false).allow_udp(false).build();
        let (stdout, stderr) = printer.lines();
        Self { memory, context, table: ResourceTable::new(), stdout, stderr }
    }

    /// Prints lines that were begun and not ended.
    pub(crate) fn flush(&self) {
        self.stdout.flush();
        self.stderr.flush();
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.context, table: &mut self.table }
    }
}

/// A guest's table of resources, whose waiting obeys deadlines.
pub(crate) struct Table<'a>(&'a mut ResourceTable);

impl HasData for Table<'static> {
    type Data<'a> = Table<'a>;
}

impl HasData for Guest {
    type Data<'a> = &'a mut Guest;
}

/// All that components may import.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::<Guest>::new(engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
    linker.allow_shadowing(true);
    let l = &mut linker;
    bindings::sync::io::poll::add_to_linker::<Guest, Table<'static>>(l, |guest| Table(&mut guest.table))?;
    bindings::sync::io::streams::add_to_linker::<Guest, Table<'static>>(l, |guest| Table(&mut guest.table))?;
    bindings::clocks::monotonic_clock::add_to_linker::<Guest, Guest>(l, |guest| guest)?;
    bindings::cli::stdout::add_to_linker::<Guest, Guest>(l, |guest| guest)?;
    bindings::cli::stderr::add_to_linker::<Guest, Guest>(l, |guest| guest)?;
    linker.allow_shadowing(false);
    Ok(linker)
}

/// Refuses components that import what is not here.
///
/// # Errors
///
/// [`Code::LoadFailed`] for each import, by name.
pub(crate) fn check_imports(engine: &Engine, component: &Component) -> Result<(), Error> {
    let ty = component.component_type();
    let refused = ty.imports(engine).filter(|(name, item)| {
        needs_something(engine, &item.ty) && !PACKAGES.iter().any(|package| name.starts_with(package))
    });
    let errors = refused.map(|(name, _)| {
        let error =
            Error::new(Code::LoadFailed, format!("it imports `{name}`, which is not there for plugins"));
        match name.starts_with("wasi:") {
            true => {
                error.hint("of WASI, components can import cli, clocks, filesystem, io, random and sockets")
            }
            false => error.hint("components can import WASI 0.2 only; pass data as arguments instead"),
        }
    });
    Error::from_many(errors).map_or(Ok(()), Err)
}

/// Whether an import is more than types.
fn needs_something(engine: &Engine, item: &ComponentItem) -> bool {
    match item {
        ComponentItem::ComponentInstance(instance) => {
            instance.exports(engine).any(|(_, item)| needs_something(engine, &item.ty))
        }
        ComponentItem::Type(_) => false,
        _ => true,
    }
}
