//! The loader: what a manifest may say, and loading.

use crate::dependency;
use crate::imports;
use crate::instance;
use crate::machine::Machine;
use crate::reflect::{self, Export};
use crate::wasi::{Guest, Reach};
use caraway_loaders_core::bind::{self, Binder, Bound};
use caraway_loaders_core::capability::Capability;
use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::loader::{Imports, LoadRequest, Loader};
use caraway_loaders_core::manifest::{Manifest, Unenforced};
use caraway_loaders_core::{Code, Error, Location, Signature};
use parking_lot::Mutex;
use semver::Version;
use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wasmtime::component::InstancePre;

/// The largest component that is read, in bytes.
const MAX_SIZE: u64 = 256 << 20;

/// The loader of the kind `wasm`: WebAssembly components.
///
/// wasmtime's engine and the thread that makes guests look at the clock are made at the first load, shared by
/// all components of the loader, and end with the last of them. Two loaders share nothing.
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
}

impl WasmLoader {
    /// A loader that has made nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn machine(&self) -> Result<Arc<Machine>, Error> {
        let mut machine = self.machine.lock();
        if let Some(machine) = &*machine {
            return Ok(machine.clone());
        }
        let made = Arc::new(Machine::new()?);
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
        let path = plugin.file(&entrypoint(&plugin.manifest))?;
        let here = |error: Error| error.at(Location::file(&path));
        let bytes = read(&path).map_err(here)?;
        let machine = self.machine()?;
        let component = machine.compile(&bytes).map_err(|error| here(not_a_component(&bytes, &error)))?;
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
        Ok(Prepared { path, machine, pre, exports })
    }
}

/// A component that is compiled and fits its manifest.
struct Prepared {
    /// Its file.
    path: PathBuf,
    machine: Arc<Machine>,
    pre: InstancePre<Guest>,
    exports: Vec<Export>,
}

impl Loader for WasmLoader {
    fn kind(&self) -> &'static str {
        "wasm"
    }

    fn description(&self) -> &'static str {
        "WebAssembly component in a sandbox"
    }

    fn validate(&self, manifest: &Manifest) -> Vec<Error> {
        let mut unenforced = Unenforced::of(manifest);
        for capability in [Capability::Network, Capability::Process] {
            unenforced.refuse(
                manifest.asks.contains(capability),
                "capabilities",
                format!("a component cannot be given `{capability}` yet"),
                "take it out; pass data as arguments",
            );
        }
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
        if file.extension()? != "wasm" {
            return None;
        }
        let name = file.file_stem()?.to_str()?.to_ascii_lowercase();
        let valid = name.len() <= 64
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'));
        if !valid {
            return None;
        }
        let mut manifest = Manifest::new(name, Version::new(0, 0, 0), self.kind());
        manifest.implementation.entrypoint = file.file_name().map(PathBuf::from);
        Some(manifest)
    }

    fn binary(&self, plugin: &Plugin) -> Option<PathBuf> {
        Some(plugin.root.join(entrypoint(&plugin.manifest)))
    }

    fn inspect(&self, plugin: &Plugin) -> Result<Vec<Signature>, Error> {
        Ok(self
            .prepare(plugin, None, &Limits::PLUGIN)?
            .exports
            .into_iter()
            .map(|export| export.signature)
            .collect())
    }

    fn load(&self, request: &LoadRequest) -> Result<Bound, Error> {
        let plugin = &request.plugin;
        let Prepared { path, machine, pre, exports } =
            self.prepare(plugin, Some(&*request.imports), &request.limits)?;
        let name = &plugin.manifest.name;
        let signatures: Vec<Signature> = exports.iter().map(|export| export.signature.clone()).collect();
        let reach = Reach::of(request)?;
        let persistent = plugin.manifest.runtime.persistent;
        let component =
            instance::Plugin::new(name, machine, pre, exports, &request.limits, reach, persistent);
        component.start().map_err(|error| error.at(Location::file(path)))?;
        let component = Arc::new(component);
        let mut binder = Binder::new(name, &plugin.id());
        for (index, signature) in signatures.into_iter().enumerate() {
            let component = component.clone();
            binder.function(signature, move |_, args| component.call(index, args))?;
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
    let mut bytes = Vec::new();
    file.take(MAX_SIZE + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_SIZE {
        let message = format!("the component is larger than {} MiB", MAX_SIZE >> 20);
        return Err(Error::new(Code::LoadFailed, message));
    }
    Ok(bytes)
}

/// Why bytes do not compile.
fn not_a_component(bytes: &[u8], error: &wasmtime::Error) -> Error {
    match bytes {
        // The magic number and the version, whose upper half tells modules from components.
        [0, b'a', b's', b'm', _, _, 0, 0, ..] => {
            Error::new(Code::LoadFailed, "it is a core module, not a component; these are not supported yet")
                .hint("make a component of it with `wasm-tools component new`")
        }
        [0, b'a', b's', b'm', ..] => {
            Error::new(Code::LoadFailed, format!("the component is broken: {}", one_line(error)))
                .hint("build it again, or get another copy")
        }
        _ => Error::new(Code::LoadFailed, "it is not WebAssembly")
            .hint("name a component in `implementation.entrypoint`"),
    }
}

fn one_line(error: &wasmtime::Error) -> String {
    let text = error.root_cause().to_string();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn mismatches(manifest: &Manifest, errors: Vec<Error>) -> Error {
    let place = manifest.locate("functions");
    Error::from_many(errors.into_iter().map(|error| error.at(place.clone())))
        .unwrap_or_else(|| Error::new(Code::Internal, "a mismatch that is none"))
}
