//! Loads hybrids: plugins made of a Rhai half and a native half, which importers see as one module.
//!
//! The Rhai half is a script plugin like any other, on an engine of its own, where every function of the
//! library is `native::f`. The functions that the manifest marks `native: true` are exported as they are; the
//! others are the script's. Without `functions` in the manifest, the script's public functions are exported
//! and the library is the script's own.
//!
//! # What holds which half
//!
//! | field | the script | the library |
//! | --- | --- | --- |
//! | `security.sandbox` | as for a script plugin, default true | runs in the host's process all the same, which needs the `native` grant, unless all plugins run in workers |
//! | `timeout`, `max_cpu`, `max_memory` | enforced; what the library does counts, but cannot be interrupted while it runs | no limit of its own; functions marked `native` have none |
//! | `allowed_apis`, `dependencies`, other capabilities | enforced | imports nothing |

use caraway_loaders_core::bind::Bound;
use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::loader::{Compilation, Description, Imports, LoadRequest, Loader, PluginFile};
use caraway_loaders_core::manifest::{Function as Declared, Manifest};
use caraway_loaders_core::{Error, Signature};
use caraway_loaders_native::agree::{Unlisted, agree, describe};
use caraway_loaders_native::target::{binary_files, binary_of};
use caraway_loaders_native::{Function, Instance, Library};
use caraway_loaders_script::{ScriptLoader, bind_instance, script_files, validate_script};
use rhai::Module;
use std::path::PathBuf;
use std::sync::Arc;

/// The name that the script calls the library by.
const NATIVE: &str = "native";

/// Loads plugins with a Rhai half, the manifest's `entrypoint`, and a native half, one of its `binaries`.
#[derive(Debug, Clone, Default)]
pub struct HybridLoader {
    script: ScriptLoader,
}

impl HybridLoader {
    /// One that loads Rhai halves as `script` loads whole plugins.
    pub fn new(script: ScriptLoader) -> Self {
        Self { script }
    }
}

impl Loader for HybridLoader {
    fn kind(&self) -> &'static str {
        "hybrid"
    }

    fn description(&self) -> &'static str {
        "Rhai scripts with a native half"
    }

    fn validate(&self, manifest: &Manifest) -> Vec<Error> {
        let mut errors = validate_script(manifest);
        errors.extend(binary_of(manifest).err());
        errors
    }

    fn trusted(&self, _manifest: &Manifest) -> bool {
        true
    }

    fn binary(&self, plugin: &Plugin) -> Option<PathBuf> {
        binary_of(&plugin.manifest).ok().map(|file| plugin.root.join(file))
    }

    fn own_modules(&self) -> &'static [&'static str] {
        &[NATIVE]
    }

    fn files(&self, plugin: &Plugin) -> Result<Vec<PluginFile>, Error> {
        let mut files = script_files(plugin)?;
        files.extend(binary_files(&plugin.manifest, binary_of(&plugin.manifest)?));
        Ok(files)
    }

    /// Opens the library, which runs its constructors; runs nothing of the script.
    fn inspect(&self, plugin: &Plugin) -> Result<Vec<Declared>, Error> {
        let library = open(plugin)?;
        let mut functions = self.script.inspect(plugin)?;
        let exported = exported(plugin, &library)?.into_iter();
        functions.extend(exported.map(|(signature, function)| function.shown(&signature, &plugin.manifest)));
        Ok(functions)
    }

    fn describe(&self, plugin: &Plugin) -> Result<Option<Description>, Error> {
        Ok(Some(describe(&plugin.manifest, &open(plugin)?, true)))
    }

    fn compilations(
        &self,
        plugin: &Plugin,
        imports: &dyn Imports,
    ) -> Result<Option<Vec<Compilation>>, Error> {
        self.script.compilations(plugin, imports)
    }

    fn load(&self, request: &LoadRequest) -> Result<Bound, Error> {
        let plugin = &request.plugin;
        let library = open(plugin)?;
        let exported = exported(plugin, &library)?;
        let mut instance = library.start(request)?;
        let native = private(request, &library, &mut instance)?;
        let (script, signatures) = self.script.instantiate(request, &[(NATIVE, native)])?;

        let mut binder = request.binder();
        instance.add_classes(&mut binder);
        bind_instance(&mut binder, &script, signatures)?;
        for (declared, function) in exported {
            instance.add_function(function, declared, &mut binder)?;
        }
        Ok(binder.finish())
    }
}

fn open(plugin: &Plugin) -> Result<Library, Error> {
    Library::open(plugin, binary_of(&plugin.manifest)?)
}

/// The functions of the library that importers see.
fn exported<'a>(plugin: &Plugin, library: &'a Library) -> Result<Vec<(Arc<Signature>, &'a Function)>, Error> {
    agree(&plugin.manifest, library, Unlisted::Private, |function| function.native).map(|agreed| {
        // Without a list, the script is the module.
        if plugin.manifest.functions.is_some() { agreed } else { Vec::new() }
    })
}

/// The module that the script sees: the whole library.
fn private(request: &LoadRequest, library: &Library, instance: &mut Instance) -> Result<Arc<Module>, Error> {
    let name = format!("{}::{NATIVE}", request.plugin.manifest.name);
    let mut binder = request.binder_called(&name);
    instance.add_classes(&mut binder);
    for function in library.functions() {
        instance.add_function(function, function.signature().clone(), &mut binder)?;
    }
    Ok(binder.finish().module)
}
