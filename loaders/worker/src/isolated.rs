//! A loader whose plugins may be loaded in a worker.

use crate::confine::{Confinement, Ports};
use crate::supervisor::{Cell, Supervisor};
use crate::workers::Workers;
use caraway_loaders_core::bind::Bound;
use caraway_loaders_core::capability::{Access, Asks, Capability, Request};
use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::loader::{Compilation, Description, Imports, LoadRequest, Loader, PluginFile};
use caraway_loaders_core::manifest::{Function, Manifest, Security, Unenforced};
use caraway_loaders_core::{Code, Error};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What an interpreter and its compilers take in a worker, in bytes, beside what a plugin may use.
const INTERPRETER: u64 = 512 << 20;

/// A kind of plugins, those of which that need it run in workers: the ones that are to be sandboxed and that their kind
/// cannot sandbox in the host's process; or all of them.
pub struct IsolatedLoader {
    inner: Arc<dyn Loader>,
    workers: Workers,
    all: bool,
}

impl IsolatedLoader {
    /// The kind of `inner`. With `all`, every plugin of it runs in a worker.
    pub fn new(inner: Arc<dyn Loader>, workers: Workers, all: bool) -> Self {
        Self { inner, workers, all }
    }

    /// Whether the plugin's code asks the kernel itself for what it does, and not modules of the host.
    fn is_direct(&self) -> bool {
        !self.inner.sandboxes()
    }

    /// Whether to look at the plugin's code already runs some of it.
    fn opens_in_worker(&self, manifest: &Manifest) -> bool {
        self.isolates(manifest) && self.inner.trusted(manifest)
    }

    /// What the kernel and the environment are for a plugin with this access.
    fn cell(&self, request: &LoadRequest) -> Result<Cell, Error> {
        let (plugin, access) = (&request.plugin, &*request.access);
        let mut confinement = Confinement::default();
        confinement.read.push(real(&plugin.root));
        if self.is_direct() {
            confinement.memory = request.limits.memory;
            grant(&plugin.manifest, access, &mut confinement)?;
        } else {
            // What the plugin itself uses is counted in the worker.
            confinement.memory = request.limits.memory.map(|memory| memory.saturating_add(INTERPRETER));
            open(access, &mut confinement);
        }
        let cpu = request.limits.cpu.filter(|_| self.is_direct());
        Ok(Cell { confinement, environment: environment(access), access: access.rules(), cpu })
    }

    /// As a manifest whose plugin is trusted: without what is enforced by other means here.
    fn trusting(&self, manifest: &Manifest) -> Manifest {
        let mut trusting = manifest.clone();
        trusting.security = Security {
            sandbox: false,
            allowed_apis: manifest.security.allowed_apis.clone(),
            ..Security::default()
        };
        trusting.asks = Asks::default();
        trusting
    }
}

fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

fn environment(access: &Access) -> Vec<(OsString, OsString)> {
    std::env::vars_os()
        .filter(|(name, _)| {
            name.to_str().is_some_and(|name| access.check(&Request::Environment(name)).is_ok())
        })
        .collect()
}

fn not_enforced(manifest: &Manifest, message: impl AsRef<str>, hint: &str) -> Error {
    Error::new(Code::NotEnforced, message).at(manifest.locate("capabilities")).hint(hint)
}

/// Opens what is asked for and granted, and more than that where the kernel cannot tell it from the rest: the gate in the
/// worker does.
fn open(access: &Access, confinement: &mut Confinement) {
    for opening in access.openings() {
        if opening.path.exists() {
            if opening.write {
                confinement.write.push(opening.path.clone());
            }
            if opening.read {
                confinement.read.push(opening.path);
            }
        }
    }
    if access.has_any_of(Capability::Network) {
        confinement.connect = Ports::Any;
    }
}

/// Opens what is asked for and granted, where the kernel can tell it from what is not.
fn grant(manifest: &Manifest, access: &Access, confinement: &mut Confinement) -> Result<(), Error> {
    for opening in access.openings() {
        if let Some(denied) = opening.denied.iter().find(|denied| denied.starts_with(&opening.path)) {
            return Err(not_enforced(
                manifest,
                format!(
                    "the kernel cannot deny `{}` to what is granted `{}`",
                    denied.display(),
                    opening.name.display()
                ),
                "grant folders that hold nothing that is denied",
            ));
        }
        if opening.write {
            confinement.write.push(opening.path.clone());
        }
        if opening.read {
            confinement.read.push(opening.path);
        }
    }
    for (capability, what) in [(Capability::Network, "hosts"), (Capability::Process, "programs")] {
        if access.has_any_of(capability) && !access.has_all_of(capability) {
            return Err(not_enforced(
                manifest,
                format!("the kernel cannot hold `{}` to some {what}", manifest.name),
                "ask for all of it and grant that, or use `wasm`",
            ));
        }
    }
    if access.has_all_of(Capability::Network) {
        confinement.connect = Ports::Any;
    }
    confinement.programs = access.has_all_of(Capability::Process);
    Ok(())
}

impl Loader for IsolatedLoader {
    fn kind(&self) -> &'static str {
        self.inner.kind()
    }

    fn description(&self) -> &'static str {
        self.inner.description()
    }

    fn validate(&self, manifest: &Manifest) -> Vec<Error> {
        if !self.isolates(manifest) || !self.is_direct() {
            return self.inner.validate(manifest);
        }
        let mut unenforced = Unenforced::of(manifest);
        for (capability, reach) in manifest.asks.iter() {
            let partly = matches!(capability, Capability::Network | Capability::Process) && reach != "all";
            unenforced.refuse(
                partly,
                "capabilities",
                format!("the kernel cannot hold a plugin to a part of `{capability}`: {reach}"),
                "ask for all of it, or use `wasm` or a script, which ask the host for it",
            );
            unenforced.refuse(
                capability == Capability::Io,
                "capabilities",
                "what a native plugin prints is shown as its messages, and there is no standard input",
                "remove `io`",
            );
        }
        let mut errors = unenforced.into_errors();
        errors.extend(self.inner.validate(&self.trusting(manifest)));
        errors
    }

    fn provided(&self) -> Vec<Manifest> {
        self.inner.provided()
    }

    fn adopt(&self, file: &Path) -> Option<Manifest> {
        self.inner.adopt(file)
    }

    fn per_importer(&self) -> bool {
        self.inner.per_importer()
    }

    fn trusted(&self, manifest: &Manifest) -> bool {
        !self.isolates(manifest) && self.inner.trusted(manifest)
    }

    fn isolates(&self, manifest: &Manifest) -> bool {
        self.all || (manifest.security.sandbox && !self.inner.sandboxes())
    }

    fn sandboxes(&self) -> bool {
        true
    }

    fn binary(&self, plugin: &Plugin) -> Option<PathBuf> {
        self.inner.binary(plugin)
    }

    fn own_modules(&self) -> &'static [&'static str] {
        self.inner.own_modules()
    }

    fn files(&self, plugin: &Plugin) -> Result<Vec<PluginFile>, Error> {
        self.inner.files(plugin)
    }

    fn compilations(
        &self,
        plugin: &Plugin,
        imports: &dyn Imports,
    ) -> Result<Option<Vec<Compilation>>, Error> {
        self.inner.compilations(plugin, imports)
    }

    fn inspect(&self, plugin: &Plugin) -> Result<Vec<Function>, Error> {
        match self.opens_in_worker(&plugin.manifest) {
            true => Supervisor::inspect(&self.workers, plugin),
            false => self.inner.inspect(plugin),
        }
    }

    fn describe(&self, plugin: &Plugin) -> Result<Option<Description>, Error> {
        match self.opens_in_worker(&plugin.manifest) {
            true => Supervisor::describe(&self.workers, plugin),
            false => self.inner.describe(plugin),
        }
    }

    fn load(&self, request: &LoadRequest) -> Result<Bound, Error> {
        match self.isolates(&request.plugin.manifest) {
            true => Supervisor::load(&self.workers, request, self.cell(request)?),
            false => self.inner.load(request),
        }
    }
}
