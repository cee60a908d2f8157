//! What the host offers beside WASI: `caraway:plugin`, see `plugin-api/wit`.
//!
//! Nothing here needs a grant: it reaches nothing but the plugin's own settings and state, and the log and the host's
//! listener for events, where it signs with its name.

mod config;
mod events;
mod log;
mod store;

use crate::wasi::Guest;
use caraway_loaders_core::loader::LoadRequest;
use caraway_loaders_core::output::Output;
use caraway_loaders_core::store::Store;
use config::Settings;
use std::sync::Arc;
use wasmtime::component::Linker;

mod wit {
    //! What wasmtime makes of the interfaces.
    #![allow(missing_docs, unreachable_pub, reason = "generated")]
    wasmtime::component::bindgen!({ path: "wit", world: "imports", imports: { default: trappable } });
}

/// The package that components import this by.
pub(crate) const PACKAGE: &str = "caraway:plugin/";

/// What a plugin's guests share. Clones are the same.
#[derive(Clone)]
pub(crate) struct Services(Arc<Inner>);

struct Inner {
    plugin: String,
    output: Output,
    settings: Settings,
    store: Store,
}

impl Services {
    /// The services of one plugin.
    pub(crate) fn of(request: &LoadRequest) -> Self {
        Self(Arc::new(Inner {
            plugin: request.plugin.manifest.name.clone(),
            output: request.output.clone(),
            settings: Settings::new(&request.config),
            store: request.store.clone(),
        }))
    }
}

/// Lets components import it.
pub(crate) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    wit::Imports::add_to_linker::<Guest, Guest>(linker, |guest| guest)
}
