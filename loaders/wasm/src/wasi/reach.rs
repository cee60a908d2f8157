//! What one plugin's guests can reach.

use super::clock::{Monotonic, Wall};
use super::folders::Folders;
use super::network::Gate;
#[cfg(feature = "http")]
use super::network::Wire;
use super::print::Printer;
use crate::machine::Machine;
use crate::services::Services;
use caraway_loaders_core::Error;
use caraway_loaders_core::capability::{Access, Request};
use caraway_loaders_core::loader::LoadRequest;
use caraway_loaders_core::output::Output;
use std::sync::Arc;
use wasmtime_wasi::WasiCtx;

/// What both keys open to a plugin, looked at once, when it is loaded.
pub(crate) struct Reach {
    /// Where the plugin's log goes.
    pub(crate) output: Output,
    pub(super) printer: Printer,
    pub(super) folders: Folders,
    pub(super) gate: Arc<Gate>,
    #[cfg(feature = "http")]
    pub(super) wire: Arc<Wire>,
    pub(super) services: Services,
    environment: Vec<(String, String)>,
}

impl Reach {
    /// Opens what is asked for and granted.
    ///
    /// # Errors
    ///
    /// Folders that cannot be opened as they are granted.
    pub(crate) fn of(
        request: &LoadRequest,
        #[cfg_attr(not(feature = "http"), expect(unused_variables, reason = "it has the runtime of `http`"))]
        machine: &Machine,
    ) -> Result<Self, Error> {
        let manifest = &request.plugin.manifest;
        let folders =
            Folders::open(&request.access).map_err(|error| error.at(manifest.locate("capabilities")))?;
        let printer = Printer::new(&request.output, &request.access);
        let services = Services::of(request);
        let environment = environment(&request.access);
        let gate = Arc::new(Gate::new(&manifest.name, &request.access, &request.output));
        Ok(Self {
            output: request.output.clone(),
            printer,
            folders,
            gate,
            #[cfg(feature = "http")]
            wire: machine.wire().clone(),
            services,
            environment,
        })
    }

    /// What wasmtime's own part of WASI is given: neither arguments nor files nor a network.
    pub(super) fn context(&self) -> WasiCtx {
        let mut builder = WasiCtx::builder();
        builder.allow_tcp(false).allow_udp(false).wall_clock(Wall).monotonic_clock(Monotonic::new());
        builder.envs(&self.environment).build()
    }
}

/// The variables that may be read and are text.
fn environment(access: &Access) -> Vec<(String, String)> {
    let text = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    text.filter(|(name, _)| access.check(&Request::Environment(name)).is_ok()).collect()
}
