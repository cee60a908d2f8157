//! The trait that a plugin kind implements.

use crate::TARGET;
use crate::bind::{Binder, Bound};
use crate::capability::Access;
use crate::discover::Plugin;
use crate::error::{Error, Location};
use crate::limits::Limits;
use crate::manifest::{Function, Manifest};
use crate::observe::Watch;
use crate::output::Output;
use crate::rate::Rate;
use crate::standard::StandardPackage;
use crate::store::Store;
use caraway_plugin::{Signature, Type, Value};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A plugin kind: everything that the host does not share between kinds.
///
/// A kind is one crate with one implementation, and one line in the interpreter's list of loaders.
pub trait Loader: Send + Sync {
    /// What manifests call it in `type`.
    fn kind(&self) -> &'static str;

    /// What it is, in a few words, for listings and "known are ...".
    fn description(&self) -> &'static str;

    /// Checks the fields of a manifest that are this kind's own, and refuses those that it cannot enforce.
    /// Opens nothing.
    fn validate(&self, manifest: &Manifest) -> Vec<Error>;

    /// The plugins that are compiled in.
    fn provided(&self) -> Vec<Manifest> {
        Vec::new()
    }

    /// The manifest of a file, or of a folder with only that file, that is a plugin without saying so.
    fn adopt(&self, file: &Path) -> Option<Manifest> {
        let _ = file;
        None
    }

    /// Whether each importer gets a module of its own, because the functions act with its authority.
    fn per_importer(&self) -> bool {
        false
    }

    /// Whether the plugin's code runs in the host's process with all of the host's rights, so that loading
    /// needs the `native` grant.
    fn trusted(&self, manifest: &Manifest) -> bool {
        let _ = manifest;
        false
    }

    /// Whether the plugin's code runs in a process of its own.
    fn isolates(&self, manifest: &Manifest) -> bool {
        let _ = manifest;
        false
    }

    /// Whether this kind holds its plugins to `security.sandbox` in the host's process. Where it does not, those that are
    /// to be sandboxed need a process of their own.
    fn sandboxes(&self) -> bool {
        true
    }

    /// The file that `build_cmd` makes, present or not; `None` for kinds that are not built.
    fn binary(&self, plugin: &Plugin) -> Option<PathBuf> {
        let _ = plugin;
        None
    }

    /// The modules that the scripts of its plugins have without an import, by the names that they have there.
    fn own_modules(&self) -> &'static [&'static str] {
        &[]
    }

    /// The files below the plugin's folder that [`load`](Loader::load) may read, here and on other targets, apart from
    /// the manifest: what a lock file lists and an archive must hold. Those for other targets may be missing. The bytes of
    /// each go through [`Plugin::verify`] before they are used.
    ///
    /// # Errors
    ///
    /// A folder that cannot be read, or no file for this target.
    fn files(&self, plugin: &Plugin) -> Result<Vec<PluginFile>, Error>;

    /// The functions that the code offers and that match the manifest, with what the manifest or else the code says
    /// of each, without running any of it as far as the kind allows. What [`validate`](Loader::validate) checks is not checked again.
    ///
    /// # Errors
    ///
    /// Whatever would make [`load`](Loader::load) fail: a missing file, a signature mismatch.
    fn inspect(&self, plugin: &Plugin) -> Result<Vec<Function>, Error>;

    /// What the plugin's binary says of itself, whether or not the manifest agrees; `None` for kinds whose
    /// binaries do not say. Opens it as [`inspect`](Loader::inspect) does.
    ///
    /// # Errors
    ///
    /// A file that is missing, broken, or of another plugin or version.
    fn describe(&self, plugin: &Plugin) -> Result<Option<Description>, Error> {
        let _ = plugin;
        Ok(None)
    }

    /// Which of the plugin's functions are compiled and which Rhai runs; `None` for kinds that Rhai does not run.
    /// `imports` is the plugin's own view; what its functions call is loaded, and nothing of it is run itself.
    ///
    /// # Errors
    ///
    /// As [`inspect`](Loader::inspect).
    fn compilations(
        &self,
        plugin: &Plugin,
        imports: &dyn Imports,
    ) -> Result<Option<Vec<Compilation>>, Error> {
        let _ = (plugin, imports);
        Ok(None)
    }

    /// Loads the plugin as an ordinary Rhai module.
    ///
    /// # Errors
    ///
    /// A missing or broken file, signatures that do not match, an error of the plugin's own top level.
    fn load(&self, request: &LoadRequest) -> Result<Bound, Error>;
}

/// Whether a function is compiled, see [`Loader::compilations`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compilation {
    /// The function.
    pub signature: Signature,
    /// What stands in the way, and where; `None` if nothing does.
    pub obstacle: Option<(String, Location)>,
}

/// A file that a plugin is loaded from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PluginFile {
    /// Its path below the plugin's folder.
    pub path: PathBuf,
    /// The target triple that it is for; `None` for all.
    pub target: Option<String>,
}

impl PluginFile {
    /// A file that is the same everywhere.
    pub fn portable(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), target: None }
    }

    /// A file for one target triple.
    pub fn for_target(path: impl Into<PathBuf>, target: impl Into<String>) -> Self {
        Self { path: path.into(), target: Some(target.into()) }
    }

    /// Whether this host would read it.
    pub fn is_for_this_host(&self) -> bool {
        self.target.as_deref().is_none_or(|target| target == TARGET)
    }
}

/// What a plugin's binary says of itself.
///
/// ```
/// use caraway_loaders_core::loader::Description;
///
/// let mut description = Description::default();
/// description.add("mean(xs: array<float>) -> float".parse()?, " The mean\n of a sample.\n\n # Errors\n");
/// assert_eq!(description.functions[0].description.as_deref(), Some("The mean of a sample."));
/// # Ok::<(), caraway_plugin::ParseTypeError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Description {
    /// Its functions, in its own order. A type is the one that the manifest declares if that fits.
    pub functions: Vec<Function>,
    /// The structs, enums and handles that it defines itself.
    pub types: Vec<Type>,
    /// Whether the plugin has other functions too. Importers then see those of the binary that the manifest
    /// marks `native`.
    pub partial: bool,
}

impl Description {
    /// Adds a function. The first paragraph of its documentation describes it.
    pub fn add(&mut self, signature: Signature, doc: &str) {
        self.functions.push(Function { native: self.partial, ..Function::documented(signature, doc) });
    }
}

/// All that a loader may use to load one plugin.
#[derive(Clone)]
pub struct LoadRequest {
    /// The plugin.
    pub plugin: Arc<Plugin>,
    /// Its settings: always a [`Value::Map`], with every setting that the manifest's `config` declares a value
    /// for, and nothing else.
    pub config: Value,
    /// What it may do. For a kind that is [`per_importer`](Loader::per_importer): what its importer may do.
    pub access: Arc<Access>,
    /// Its own view of other plugins.
    pub imports: Arc<dyn Imports>,
    /// Its limits: the host's for plugins, tightened by the manifest's `security`.
    pub limits: Limits,
    /// How often it may call `std/...`, whatever modules; for a kind that is [`per_importer`](Loader::per_importer), how
    /// often its importer may.
    pub rate: Arc<Rate>,
    /// Who is told of calls.
    pub watch: Watch,
    /// What it keeps. For a kind that is [`per_importer`](Loader::per_importer): what its importer keeps.
    pub store: Store,
    /// Where it prints to.
    pub output: Output,
    /// Rhai's standard package, for kinds that run scripts.
    pub standard: StandardPackage,
}

impl LoadRequest {
    /// An empty module for the plugin, by its name, whose functions are watched and keep the host's secrets out of their
    /// errors.
    pub fn binder(&self) -> Binder {
        self.binder_called(&self.plugin.manifest.name)
    }

    /// The same, which messages call by another name.
    pub fn binder_called(&self, name: &str) -> Binder {
        let mut binder = Binder::new(name, &self.plugin.id());
        binder.hide(self.output.secrets());
        binder.watch(&self.watch);
        binder
    }
}

/// An importer's view of other plugins.
pub trait Imports: Send + Sync {
    /// What `import "path"` gives. Paths that begin with `./` never get here.
    ///
    /// # Errors
    ///
    /// No such plugin, not declared, not granted, or its load failed.
    fn import(&self, path: &str) -> Result<Arc<Bound>, Error>;
}
