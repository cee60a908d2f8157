//! What a guest can reach: WASI 0.2, with what both keys open and nothing else.
//!
//! Without a grant there are no files, no environment and no network; there are never any arguments, and standard
//! input is empty. Clocks, no finer than a millisecond, and random numbers are there. What a guest prints goes to
//! the plugin's [`Output`](caraway_loaders_core::output::Output), where it may print, and nowhere else.
//!
//! wasmtime's own implementation waits inside a runtime of its own, which knows no deadline and cannot be
//! entered from within another one. So the interfaces that wait are ours: [`wait`] drives wasmtime's futures on
//! the calling thread, [`clock`] makes timers that need no runtime, [`files`] uses files and [`network`] sockets on
//! the calling thread.

mod clock;
mod file_streams;
mod files;
mod folders;
mod network;
mod print;
mod reach;
mod streams;
mod wait;

use crate::memory::MemoryMeter;
use crate::services::{self, Services};
use files::Opened;
use folders::Folders;
use network::Network;
#[cfg(feature = "http")]
pub(crate) use network::Wire;
use print::Lines;
pub(crate) use reach::Reach;
pub(crate) use wait::Stopped;
use wasmtime::Engine;
use wasmtime::component::{HasData, Linker, ResourceTable};
use wasmtime_wasi::p2::bindings;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

/// How the names of what components may import of WASI begin.
const SERVED: &[&str] = &[
    "wasi:cli/",
    "wasi:clocks/",
    "wasi:filesystem/",
    #[cfg(feature = "http")]
    "wasi:http/outgoing-handler",
    #[cfg(feature = "http")]
    "wasi:http/types",
    "wasi:io/",
    "wasi:random/",
    "wasi:sockets/",
];

/// Whether this is of the part of WASI that components may import.
pub(crate) fn serves(import: &str) -> bool {
    SERVED.iter().any(|served| import.starts_with(served))
}

/// The state of a store.
pub(crate) struct Guest {
    pub(crate) memory: MemoryMeter,
    pub(crate) services: Services,
    context: WasiCtx,
    table: ResourceTable,
    folders: Folders,
    opened: Opened,
    network: Network,
    #[cfg(feature = "http")]
    client: network::Client,
    stdout: Lines,
    stderr: Lines,
}

impl Guest {
    /// A guest that may use `memory` and can reach no more than `reach`.
    pub(crate) fn new(memory: MemoryMeter, reach: &Reach) -> Self {
        let (stdout, stderr) = reach.printer.lines();
        let folders = reach.folders.clone();
        let services = reach.services.clone();
        let network = Network::new(reach.gate.clone());
        Self {
            memory,
            services,
            context: reach.context(),
            table: ResourceTable::new(),
            folders,
            opened: Opened::default(),
            #[cfg(feature = "http")]
            client: network::Client::new(&network, &reach.wire),
            network,
            stdout,
            stderr,
        }
    }

    /// Prints lines that were begun and not ended.
    pub(crate) fn print_begun(&self) {
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
    bindings::sync::filesystem::types::add_to_linker::<Guest, Guest>(l, |guest| guest)?;
    bindings::filesystem::preopens::add_to_linker::<Guest, Guest>(l, |guest| guest)?;
    network::add_to_linker(l)?;
    bindings::cli::stdout::add_to_linker::<Guest, Guest>(l, |guest| guest)?;
    bindings::cli::stderr::add_to_linker::<Guest, Guest>(l, |guest| guest)?;
    linker.allow_shadowing(false);
    services::add_to_linker(&mut linker)?;
    Ok(linker)
}
