//! The list of plugin kinds.

use caraway_loaders_builtin::BuiltinLoader;
use caraway_loaders_core::loader::Loader;
use caraway_loaders_script::ScriptLoader;
use std::sync::Arc;

/// The loaders that this build has. A new kind is a crate and a line here.
pub(crate) fn loaders() -> Vec<Arc<dyn Loader>> {
    vec![
        Arc::new(BuiltinLoader),
        Arc::new(ScriptLoader),
        #[cfg(feature = "native")]
        Arc::new(caraway_loaders_native::NativeLoader),
        #[cfg(feature = "native")]
        Arc::new(caraway_loaders_hybrid::HybridLoader),
        #[cfg(feature = "wasm")]
        Arc::new(caraway_loaders_wasm::WasmLoader::default()),
    ]
}
