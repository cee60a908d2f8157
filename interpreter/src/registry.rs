//! The list of plugin kinds.

#[cfg(not(all(feature = "native", feature = "wasm-runtime")))]
use crate::absent::AbsentLoader;
use crate::runtime::Settings;
use caraway_loaders_builtin::BuiltinLoader;
use caraway_loaders_core::loader::Loader;
use caraway_loaders_script::ScriptLoader;
use std::sync::Arc;

/// The loaders of a runtime. A new kind is a crate and a line here. A kind that this build has not says so.
pub(crate) fn loaders(settings: &Settings) -> Vec<Arc<dyn Loader>> {
    let script = script(settings);
    vec![
        Arc::new(BuiltinLoader),
        Arc::new(script.clone()),
        #[cfg(feature = "native")]
        Arc::new(caraway_loaders_native::NativeLoader),
        #[cfg(not(feature = "native"))]
        Arc::new(AbsentLoader { kind: "native", feature: "native", extension: None }),
        #[cfg(feature = "native")]
        Arc::new(caraway_loaders_hybrid::HybridLoader::new(script)),
        #[cfg(not(feature = "native"))]
        Arc::new(AbsentLoader { kind: "hybrid", feature: "native", extension: None }),
        #[cfg(feature = "wasm-runtime")]
        Arc::new(wasm(settings)),
        #[cfg(not(feature = "wasm-runtime"))]
        Arc::new(AbsentLoader { kind: "wasm", feature: "wasm", extension: Some("wasm") }),
    ]
}

/// The same, with workers for the plugins that need one.
pub(crate) fn hosted(settings: &Settings) -> Vec<Arc<dyn Loader>> {
    let loaders = loaders(settings);
    #[cfg(feature = "worker")]
    if let Some(workers) = &settings.workers {
        use caraway_loaders_worker::IsolatedLoader;

        let isolated = |loader: Arc<dyn Loader>| -> Arc<dyn Loader> {
            // What is compiled in is the host itself.
            match loader.provided().is_empty() {
                true => Arc::new(IsolatedLoader::new(loader, workers.clone(), settings.isolate)),
                false => loader,
            }
        };
        return loaders.into_iter().map(isolated).collect();
    }
    loaders
}

/// The loader of scripts, with a compiler for their typed functions if this build has one.
fn script(settings: &Settings) -> ScriptLoader {
    let loader = ScriptLoader::default();
    #[cfg(feature = "compile")]
    if settings.compile {
        use caraway_loaders_compile::ScriptCompiler;

        let compiler =
            settings.wasm_cache.clone().map_or_else(ScriptCompiler::default, ScriptCompiler::cached);
        return loader.compiler(Arc::new(compiler));
    }
    #[cfg(not(feature = "compile"))]
    let _ = settings;
    loader
}

#[cfg(feature = "wasm-runtime")]
fn wasm(settings: &Settings) -> caraway_loaders_wasm::WasmLoader {
    use crate::notes::Notes;
    use caraway_loaders_core::output::Stream;
    use caraway_loaders_wasm::{Note, WasmLoader};

    let (output, notes) = (settings.output.clone(), settings.notes);
    let loader = WasmLoader::new().notes(move |note| match note {
        Note::Compiling { plugin } if notes >= Notes::Progress => {
            output.line(Stream::Stderr, &format!("compiling {plugin} ..."));
        }
        Note::CacheUnused { problem } => {
            tracing::debug!(target: "caraway", "the WebAssembly cache is not used: {problem}");
        }
        _ => {}
    });
    match &settings.wasm_cache {
        Some(cache) => loader.cache(cache.clone()),
        None => loader,
    }
}
