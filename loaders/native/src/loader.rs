//! The loader of `type: "native"`.

use crate::agree::{Unlisted, agree, describe};
use crate::library::Library;
use crate::target::{binary_files, library_of};
use caraway_loaders_core::Error;
use caraway_loaders_core::bind::Bound;
use caraway_loaders_core::capability::Capability;
use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::loader::{Description, LoadRequest, Loader, PluginFile};
use caraway_loaders_core::manifest::{Function, Manifest, Unenforced};
use std::path::PathBuf;

/// Loads shared libraries into the host's process.
///
/// Their code can do all that the host can, so loading one needs the `native` grant. What a manifest could ask
/// to be enforced is refused: `sandbox` must be `false`, and `max_memory`, `max_cpu`, `timeout` and
/// `allowed_apis` must be absent, and so must every capability but `native`. It cannot import plugins, so there
/// are no `dependencies` either. Each load opens a copy of its own, with its own global variables, which stays
/// in memory as long as the process lives.
#[derive(Debug, Clone, Copy, Default)]
pub struct NativeLoader;

impl Loader for NativeLoader {
    fn kind(&self) -> &'static str {
        "native"
    }

    fn description(&self) -> &'static str {
        "shared libraries"
    }

    fn validate(&self, manifest: &Manifest) -> Vec<Error> {
        let mut unenforced = Unenforced::of(manifest);
        let security = &manifest.security;
        unenforced.refuse(
            security.sandbox,
            "security.sandbox",
            "a sandboxed native plugin needs a worker process, which this host has not",
            "let the host call `caraway::worker::maybe_run`, or set `security.sandbox` to false and grant `native`",
        );
        for (field, given) in [
            ("max_memory", security.max_memory.is_some()),
            ("max_cpu", security.max_cpu.is_some()),
            ("timeout", security.timeout.is_some()),
        ] {
            unenforced.refuse(
                given,
                &format!("security.{field}"),
                format!("`{field}` cannot be enforced on native code in the host's process"),
                "set `security.sandbox` to true, remove it, or use `wasm`",
            );
        }
        unenforced.refuse(
            security.allowed_apis.is_some(),
            "security.allowed_apis",
            "a library cannot import `std/...`, so `allowed_apis` says nothing",
            "remove it",
        );
        for (capability, _) in manifest.asks.iter() {
            unenforced.refuse(
                capability != Capability::Native,
                "capabilities",
                format!("`{capability}` cannot be enforced on native code in the host's process"),
                "remove it: what is granted `native` can do all that the host can; or set `security.sandbox` to true; or use `hybrid`, whose script is held to it",
            );
        }
        unenforced.refuse(
            !manifest.dependencies.is_empty(),
            "dependencies",
            "a library cannot import other plugins",
            "remove `dependencies`, or use `hybrid`, whose script can import them",
        );
        unenforced.refuse_fresh_instances();
        unenforced.refuse_native_functions(
            "`native` tells the two halves of a hybrid apart; all functions of a native plugin are native",
            "remove it",
        );
        let mut errors = unenforced.into_errors();
        errors.extend(library_of(manifest).err());
        errors
    }

    fn trusted(&self, _manifest: &Manifest) -> bool {
        true
    }

    fn sandboxes(&self) -> bool {
        false
    }

    fn binary(&self, plugin: &Plugin) -> Option<PathBuf> {
        library_of(&plugin.manifest).ok().map(|file| plugin.root.join(file))
    }

    fn files(&self, plugin: &Plugin) -> Result<Vec<PluginFile>, Error> {
        Ok(binary_files(&plugin.manifest, library_of(&plugin.manifest)?))
    }

    /// Opens the library, which runs its constructors.
    fn inspect(&self, plugin: &Plugin) -> Result<Vec<Function>, Error> {
        let manifest = &plugin.manifest;
        let library = open(plugin)?;
        let agreed = agree(manifest, &library, Unlisted::Refuse, |_| true)?;
        Ok(agreed.into_iter().map(|(signature, function)| function.shown(&signature, manifest)).collect())
    }

    fn describe(&self, plugin: &Plugin) -> Result<Option<Description>, Error> {
        Ok(Some(describe(&plugin.manifest, &open(plugin)?, false)))
    }

    fn load(&self, request: &LoadRequest) -> Result<Bound, Error> {
        let plugin = &request.plugin;
        let library = open(plugin)?;
        let agreed = agree(&plugin.manifest, &library, Unlisted::Refuse, |_| true)?;
        let mut instance = library.start(request)?;
        let mut binder = request.binder();
        instance.add_classes(&mut binder);
        for (declared, function) in agreed {
            instance.add_function(function, declared, &mut binder)?;
        }
        Ok(binder.finish())
    }
}

fn open(plugin: &Plugin) -> Result<Library, Error> {
    Library::open(plugin, library_of(&plugin.manifest)?)
}
