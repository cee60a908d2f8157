//! The loader: what a manifest may say, and loading.

use crate::cache::Cache;
use crate::dependency;
use crate::docs;
use crate::imports;
use crate::instance;
use crate::machine::{Machine, one_line};
use crate::module;
use crate::note::{Note, Notes};
use crate::reflect::{self, Export};
use crate::shape::Resource;
use crate::wasi::{Guest, Reach};
use caraway_loaders_core::bind::{self, Bound};
use caraway_loaders_core::capability::Capability;
use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::loader::{Imports, LoadRequest, Loader, PluginFile};
use caraway_loaders_core::manifest::{Function, Manifest, Unenforced};
use caraway_loaders_core::{Code, Error, Location, Signature};
use parking_lot::Mutex;
use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wasmtime::component::{Component, InstancePre};

/// The largest component that is read, in bytes.
const MAX_SIZE: u64 = 256 << 20;

/// The loader of the kind `wasm`: WebAssembly components, and core modules.
///
/// wasmtime's engine and the thread that makes guests look at the clock are made at the first load, shared by
/// all components of the loader, and end with the last of them. Two loaders share nothing, unless they are given
/// the same [`Cache`].
///
/// A component is compiled on a thread of its own. Who waits for that can be stopped, by an interrupt or by a
/// deadline of theirs; the compiler then goes on to its end, and the next load gets what it made.
///
/// ```
/// use caraway_loaders_core::loader::Loader;
/// use caraway_loaders_wasm::WasmLoader;
///
/// let loader = WasmLoader::new();
/// let manifest = loader.adopt("shapes/area.wasm".as_ref()).ok_or("not adopted")?;
/// assert_eq!((loader.kind(), manifest.name.as_str()), ("wasm", "area"));
/// # Ok::<(), &str>(())
/// ```
#[derive(Default)]
pub struct WasmLoader {
    machine: Mutex<Option<Arc<Machine>>>,
    cache: Option<Cache>,
    notes: Notes,
}

impl WasmLoader {
    /// A loader that has made nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps compiled components. Without a cache each loader compiles what it loads.
    #[must_use]
    pub fn cache(mut self, cache: Cache) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Who is told that a component takes long to compile, or that the cache is not used. It may be called from
    /// any thread.
    #[must_use]
    pub fn notes(mut self, listener: impl Fn(Note<'_>) + Send + Sync + 'static) -> Self {
        self.notes = Notes::new(listener);
        self
    }

    fn machine(&self) -> Result<Arc<Machine>, Error> {
        let mut machine = self.machine.lock();
        if let Some(machine) = &*machine {
            return Ok(machine.clone());
        }
        let made = Arc::new(Machine::new(self.cache.clone(), self.notes.clone())?);
        *machine = Some(made.clone());
        Ok(made)
    }

    /// Compiles a plugin and checks all that can be checked without running it.
    ///
    /// With `imports`, what it imports from other plugins is loaded and compared, too.
    fn prepare(
        &self,
        plugin: &Plugin,
        imports: Option<&dyn Imports>,
        limits: &Limits,
    ) -> Result<Prepared, Error> {
        let path = plugin.binary(&entrypoint(&plugin.manifest))?;
        let here = |error: Error| error.at(Location::file(&path));
        let bytes = read(&path).map_err(here)?;
        plugin.verify(&path, &bytes)?;
        check_header(&bytes).map_err(here)?;
        let machine = self.machine()?;
        if module::is_core_module(&bytes) {
            let module = module::Prepared::new(&machine, bytes, &plugin.manifest)
                .map_err(|error| if error.location().is_some() { error } else { here(error) })?;
            return Ok(Prepared { path, machine, code: Compiled::Module(module), docs: Vec::new() });
        }
        let docs = docs::section(&bytes).to_vec();
        let component: Component = machine.artifact(&plugin.manifest.name, bytes).map_err(here)?;
        let wanted = imports::from_plugins(machine.engine(), &component, &plugin.manifest).map_err(here)?;
        let mut linker = Cow::Borrowed(machine.linker());
        if !wanted.is_empty() {
            dependency::link(linker.to_mut(), &wanted, imports, limits).map_err(here)?;
        }
        let pre = linker.instantiate_pre(&component).map_err(|error| {
            here(Error::new(Code::LoadFailed, format!("its imports do not fit: {}", one_line(&error))))
        })?;
        let exports = reflect::exports(machine.engine(), &component).map_err(here)?;
        let manifest = &plugin.manifest;
        let exports = reflect::matched(exports, manifest.functions.as_deref())
            .map_err(|errors| mismatches(manifest, errors))?;
        if exports.is_empty() {
            return Err(here(
                Error::new(Code::LoadFailed, "the component exports no functions that a script could call")
                    .hint("export functions from its world, or an interface with functions"),
            ));
        }
        for export in &exports {
            bind::callable(&export.signature).map_err(here)?;
        }
        Ok(Prepared { path, machine, code: Compiled::Component(pre, exports), docs })
    }
}

/// A plugin that is compiled and fits its manifest.
struct Prepared {
    /// Its file.
    path: PathBuf,
    machine: Arc<Machine>,
    code: Compiled,
    /// The section with the comments of its WIT, if it has one.
    docs: Vec<u8>,
}

/// The two kinds of WebAssembly.
enum Compiled {
    Component(InstancePre<Guest>, Vec<Export>),
    Module(module::Prepared),
}

impl Compiled {
    fn signatures(&self) -> Vec<Signature> {
        match self {
            Self::Component(_, exports) => exports.iter().map(|export| export.signature.clone()).collect(),
            Self::Module(module) => module.signatures(),
        }
    }
}

impl Loader for WasmLoader {
    fn kind(&self) -> &'static str {
        "wasm"
    }

    fn description(&self) -> &'static str {
        "WebAssembly in a sandbox: components and core modules"
    }

    fn validate(&self, manifest: &Manifest) -> Vec<Error> {
        let mut unenforced = Unenforced::of(manifest);
        unenforced.refuse(
            manifest.asks.contains(Capability::Process),
            "capabilities",
            "a component cannot be given `process` yet",
            "take it out; pass data as arguments",
        );
        let security = &manifest.security;
        for (given, field, message, hint) in [
            (
                manifest.asks.contains(Capability::Native),
                "capabilities",
                "a component has no native code",
                "take out `native`",
            ),
            (
                !security.sandbox,
                "security.sandbox",
                "a component always runs in a sandbox",
                "take out `sandbox = false`",
            ),
            (
                !manifest.implementation.binaries.is_empty(),
                "implementation.binaries",
                "a component is the same file for every target",
                "name it in `entrypoint`",
            ),
        ] {
            unenforced.refuse(given, field, message, hint);
        }
        unenforced.refuse_native_functions("`native` functions are for hybrid plugins", "take out `native`");
        unenforced.into_errors()
    }

    fn adopt(&self, file: &Path) -> Option<Manifest> {
        (file.extension()? == "wasm").then(|| Manifest::of_file(file, self.kind()))?
    }

    fn binary(&self, plugin: &Plugin) -> Option<PathBuf> {
        Some(plugin.root.join(entrypoint(&plugin.manifest)))
    }

    fn files(&self, plugin: &Plugin) -> Result<Vec<PluginFile>, Error> {
        Ok(vec![PluginFile::portable(entrypoint(&plugin.manifest))])
    }

    fn inspect(&self, plugin: &Plugin) -> Result<Vec<Function>, Error> {
        let prepared = self.prepare(plugin, None, &Limits::PLUGIN)?;
        let docs = docs::functions(&prepared.docs);
        let offered = prepared.code.signatures().into_iter().map(|signature| {
            let doc = docs.get(&signature.name).map_or("", String::as_str);
            let documented = Function::documented(signature, doc);
            match plugin.manifest.function(&documented.signature.name) {
                Some(declared) => documented.declared(declared),
                None => documented,
            }
        });
        Ok(offered.collect())
    }

    fn load(&self, request: &LoadRequest) -> Result<Bound, Error> {
        let plugin = &request.plugin;
        let Prepared { path, machine, code, .. } =
            self.prepare(plugin, Some(&*request.imports), &request.limits)?;
        let name = &plugin.manifest.name;
        let here = |error: Error| error.at(Location::file(&path));
        let signatures = code.signatures();
        let mut binder = request.binder();
        match code {
            Compiled::Component(pre, exports) => {
                let reach = Reach::of(request, &machine)?;
                let persistent = plugin.manifest.runtime.persistent;
                let aliases = reflect::aliases(&exports);
                let resources: Vec<Resource> = exports.iter().flat_map(Export::resources).collect();
                let component =
                    instance::Plugin::new(name, machine, pre, exports, &request.limits, reach, persistent);
                component.start().map_err(here)?;
                let component = Arc::new(component);
                let classes = resources.into_iter().map(|Resource { class }| {
                    let made = binder.class(&class);
                    (class, made)
                });
                component.set_classes(classes.collect());
                binder.accept_buffers();
                for (index, signature) in signatures.into_iter().enumerate() {
                    let component = component.clone();
                    binder.function(signature, move |_, args| component.call(index, args))?;
                }
                for (alias, function) in aliases {
                    binder.alias(&alias, &function)?;
                }
            }
            Compiled::Module(prepared) => {
                let started = module::Plugin::start(name, machine, prepared, &request.limits);
                let module = Arc::new(started.map_err(here)?);
                for (index, signature) in signatures.into_iter().enumerate() {
                    let module = module.clone();
                    binder.function(signature, move |_, args| module.call(index, args))?;
                }
            }
        }
        Ok(binder.finish())
    }
}

/// The component's file in the plugin's folder: what the manifest names, or the plugin's name with `.wasm`.
fn entrypoint(manifest: &Manifest) -> PathBuf {
    let named = manifest.implementation.entrypoint.clone();
    named.unwrap_or_else(|| PathBuf::from(format!("{}.wasm", manifest.name)))
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let unreadable = |error: std::io::Error| Error::io(path, "read", &error);
    let file = File::open(path).map_err(unreadable)?;
    let size = file.metadata().map_err(unreadable)?.len().min(MAX_SIZE);
    // One more, to see the end in the same call.
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 1);
    file.take(MAX_SIZE + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_SIZE {
        let message = format!("the component is larger than {} MiB", MAX_SIZE >> 20);
        return Err(Error::new(Code::LoadFailed, message));
    }
    Ok(bytes)
}

/// Refuses what is no component by its first bytes.
fn check_header(bytes: &[u8]) -> Result<(), Error> {
    match bytes {
        [0, b'a', b's', b'm', ..] => Ok(()),
        _ => Err(Error::new(Code::LoadFailed, "it is not WebAssembly")
            .hint("name a component or a core module in `implementation.entrypoint`")),
    }
}

fn mismatches(manifest: &Manifest, errors: Vec<Error>) -> Error {
    let place = manifest.locate("functions");
    Error::from_many(errors.into_iter().map(|error| error.at(place.clone())))
        .unwrap_or_else(|| Error::new(Code::Internal, "a mismatch that is none"))
}
