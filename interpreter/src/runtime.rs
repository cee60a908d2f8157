//! The library's entrance.

use crate::check::{self, Checked};
use crate::config::Config;
use crate::lock::Locking;
use crate::notes::Notes;
use crate::program::{Outcome, Program};
use crate::registry;
use crate::search_path::SearchPaths;
use crate::security::Security;
use crate::session::Session;
use crate::traced;
use caraway_loaders_core::bind::conform;
use caraway_loaders_core::budget::Cancel;
use caraway_loaders_core::capability::Grants;
use caraway_loaders_core::config::Configuration;
use caraway_loaders_core::discover::{Catalog, Plugin};
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::loader::Loader;
use caraway_loaders_core::observe::{Observer, Watch};
use caraway_loaders_core::output::Output;
#[cfg(feature = "cli")]
use caraway_loaders_core::resolve::Requirement;
use caraway_loaders_core::{Code, Error, ErrorValue, StandardPackage, handle};
use caraway_loaders_script::ImportResolver;
use rhai::{Dynamic, Engine};
use semver::Version;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a [`Runtime`] was built with.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) loaders: Vec<Arc<dyn Loader>>,
    pub(crate) search: SearchPaths,
    pub(crate) grants: Grants,
    pub(crate) config: Configuration,
    pub(crate) program_limits: Limits,
    pub(crate) plugin_limits: Limits,
    pub(crate) output: Output,
    pub(crate) watch: Watch,
    pub(crate) standard: StandardPackage,
    pub(crate) cancel: Cancel,
    pub(crate) build: bool,
    pub(crate) strict: bool,
    /// `None`: what the user's own configuration says.
    pub(crate) security: Option<Security>,
    pub(crate) locking: Locking,
    /// The project as it will be, in the place of what its file says.
    pub(crate) project: Option<Config>,
    /// Folders of plugins that are taken for gone, without links.
    pub(crate) without: Vec<PathBuf>,
    pub(crate) notes: Notes,
    pub(crate) version: Version,
    pub(crate) folder: PathBuf,
    #[cfg(feature = "compile")]
    pub(crate) compile: bool,
    #[cfg(feature = "wasm-runtime")]
    pub(crate) wasm_cache: Option<caraway_loaders_wasm::Cache>,
    #[cfg(feature = "worker")]
    pub(crate) workers: Option<caraway_loaders_worker::Workers>,
    #[cfg(feature = "worker")]
    pub(crate) isolate: bool,
}

impl Settings {
    pub(crate) fn loader(&self, kind: &str) -> Option<&Arc<dyn Loader>> {
        self.loaders.iter().find(|loader| loader.kind() == kind)
    }

    /// The loader for a plugin.
    pub(crate) fn loader_of(&self, plugin: &Plugin) -> Result<&Arc<dyn Loader>, Error> {
        self.loader(&plugin.manifest.kind).ok_or_else(|| {
            Error::new(Code::UnknownKind, format!("no loader for type `{}`", plugin.manifest.kind))
                .at(plugin.manifest.locate("type"))
        })
    }
}

/// Runs Rhai programs with plugins. Cheap to clone, `Send` and `Sync`; clones share everything.
///
/// Programs run on a thread of their own with a large stack, so that deep values and recursion end in an error
/// and not in a crash. With [`install`](Runtime::install) they run on yours.
#[derive(Clone)]
pub struct Runtime(Arc<Settings>);

/// Sets up a [`Runtime`].
///
/// | setting | default |
/// | --- | --- |
/// | [`plugin_path`](Builder::plugin_path) | none; `plugins` beside the program is always looked at |
/// | [`ambient`](Builder::ambient) | off: the environment, the user's and the system's folders are not looked at |
/// | [`allow`](Builder::allow), [`deny`](Builder::deny) | nothing is granted; the program may print |
/// | [`config`](Builder::config) | the settings of plugins are those of `caraway.toml` |
/// | [`secret`](Builder::secret) | the user's `caraway.toml` says where secrets are read |
/// | [`program_limits`](Builder::program_limits) | [`Limits::PROGRAM`] |
/// | [`plugin_limits`](Builder::plugin_limits) | [`Limits::PLUGIN`] |
/// | [`output`](Builder::output) | the process's standard output and error |
/// | [`observer`](Builder::observer) | none: nobody is told of calls |
/// | [`build_plugins`](Builder::build_plugins) | off: nothing is ever built |
/// | [`security`](Builder::security) | [`Security::Default`]; with [`ambient`](Builder::ambient) what the user's own file says |
/// | [`strict`](Builder::strict) | off: of plugins of the same name and version the first found is used |
/// | [`locked`](Builder::locked) | off: a `caraway.lock` that does not cover all plugins is used as far as it goes |
/// | [`notes`](Builder::notes) | that a plugin is built |
/// | [`folder`](Builder::folder) | the current directory |
/// | [`loader`](Builder::loader) | the kinds that this build has |
/// | `compile` (with the feature `compile`) | on: typed functions of scripts are compiled, see `docs/compiled-functions.md` |
/// | `wasm_cache` (with the feature `wasm-runtime`) | none: each runtime compiles the components that it loads |
/// | `workers` (with the feature `worker`) | none: native plugins that want to be sandboxed are refused |
/// | `isolate` (with the feature `worker`) | off: only native plugins that want to be sandboxed run in workers |
pub struct Builder {
    settings: Settings,
    loaders: Vec<Arc<dyn Loader>>,
    problem: Option<Error>,
}

impl Runtime {
    /// A builder with nothing granted.
    pub fn builder() -> Builder {
        Builder {
            settings: Settings {
                loaders: Vec::new(),
                search: SearchPaths::default(),
                // Hints name paths as the operator would write them.
                grants: current_dir().map_or_else(|_| Grants::default(), Grants::new),
                config: Configuration::default(),
                program_limits: Limits::PROGRAM,
                plugin_limits: Limits::PLUGIN,
                output: Output::inherit(),
                watch: Watch::default(),
                standard: StandardPackage::default(),
                cancel: Cancel::default(),
                build: false,
                strict: false,
                security: None,
                locking: Locking::default(),
                project: None,
                without: Vec::new(),
                notes: Notes::default(),
                version: Version::new(
                    env!("CARGO_PKG_VERSION_MAJOR").parse().unwrap_or(0),
                    env!("CARGO_PKG_VERSION_MINOR").parse().unwrap_or(0),
                    env!("CARGO_PKG_VERSION_PATCH").parse().unwrap_or(0),
                ),
                folder: PathBuf::from("."),
                #[cfg(feature = "compile")]
                compile: true,
                #[cfg(feature = "wasm-runtime")]
                wasm_cache: None,
                #[cfg(feature = "worker")]
                workers: None,
                #[cfg(feature = "worker")]
                isolate: false,
            },
            loaders: Vec::new(),
            problem: None,
        }
    }

    /// Reads a program, and plans for what it imports. Nothing is run or loaded yet.
    ///
    /// # Errors
    ///
    /// [`Code::Io`], [`Code::Syntax`], [`Code::Config`], and everything that resolution reports.
    pub fn load_file(&self, file: impl AsRef<Path>) -> Result<Program, Error> {
        Program::from_file(&self.0, file.as_ref())
    }

    /// The same for a program that is not in a file. `name` stands in its messages, and its relative paths
    /// are relative to the runtime's [`folder`](Builder::folder).
    ///
    /// # Errors
    ///
    /// As [`load_file`](Runtime::load_file).
    pub fn load_source(&self, name: &str, text: &str) -> Result<Program, Error> {
        Program::from_source(&self.0, name, text, &self.0.folder)
    }

    /// Runs a program file with arguments, which it sees as the constant `ARGS`.
    ///
    /// # Errors
    ///
    /// As [`load_file`](Runtime::load_file), and whatever the program fails with.
    pub fn run_file(&self, file: impl AsRef<Path>, args: &[String]) -> Result<Outcome, Error> {
        self.load_file(file)?.run(args)
    }

    /// Evaluates a script and gives its value.
    ///
    /// # Errors
    ///
    /// As [`run_file`](Runtime::run_file). Values that nest deeper than 128 levels and functions are refused.
    pub fn eval(&self, script: &str) -> Result<Dynamic, Error> {
        self.load_source("script", script)?.run(&[]).map(|outcome| outcome.value)
    }

    /// Calls one function of a plugin.
    ///
    /// ```no_run
    /// # let runtime = caraway::Runtime::builder().build()?;
    /// let mean = runtime.call("stats@^1.2", "mean", vec![rhai::Array::from([1.0.into(), 2.0.into()]).into()])?;
    /// # Ok::<(), caraway::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`eval`](Runtime::eval).
    pub fn call(&self, plugin: &str, function: &str, args: Vec<Dynamic>) -> Result<Dynamic, Error> {
        Program::call_plugin(&self.0, plugin, function, args)
    }

    /// Makes `import` find plugins in an engine of your own, and its scripts know buffers and handles. For the
    /// methods of handles it sets the engine's callback for missing functions, of which there is one.
    ///
    /// The engine keeps its limits; plugins have theirs. Plugins run on the thread that calls them, so it
    /// needs a stack for them: several MiB, more where scripts recurse. To hold the engine's own script to
    /// [`Builder::program_limits`] in time and memory, run it through [`run_file`](Runtime::run_file) instead.
    /// An error that a plugin raised is found in Rhai's with [`Error::raised_in`].
    ///
    /// # Errors
    ///
    /// [`Code::Config`] for a `caraway.toml` that is wrong.
    pub fn install(&self, engine: &mut Engine) -> Result<(), Error> {
        let session = Session::open(&self.0, &self.0.folder)?;
        ErrorValue::register(engine);
        engine.register_global_module(StandardPackage::additions().into());
        handle::find_methods(engine);
        engine.set_module_resolver(ImportResolver::new(self.0.folder.clone(), session.view()));
        Ok(())
    }

    /// Looks for mistakes in a program, and in the files that it imports, without running anything; or in a plugin, if
    /// `path` is a folder: that of a plugin, or of plugins, which the runtime's search paths must reach as well.
    ///
    /// Imports are resolved as running the program would. The calls of plugins' functions are compared with their
    /// signatures, as far as what the arguments are is evident; so are the names of variables and functions. What is not
    /// certain is not reported. Native code is looked at only where it is granted, or in a worker.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let file = folder.path().join("app.rhai");
    /// std::fs::write(&file, "import \"std/path\" as path;\nprint(path::join(\"a\", \"b\"));\n")?;
    /// let checked = caraway::Runtime::builder().build()?.check(&file)?;
    /// assert_eq!(checked.findings[0].message(), "`std/path::join` takes 1 argument, 2 given");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Code::Config`] for a `caraway.toml` that is wrong, [`Code::Io`] for a file that is not there. What is wrong in
    /// the program is no error of this function.
    pub fn check(&self, path: impl AsRef<Path>) -> Result<Checked, Error> {
        let path = path.as_ref();
        if path.is_dir() { check::plugins(&self.0, path) } else { check::program(&self.0, path) }
    }

    /// The same runtime with these settings changed. What is loaded is not shared.
    pub(crate) fn with(&self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::clone(&self.0);
        change(&mut settings);
        Self(Arc::new(settings))
    }

    pub(crate) fn settings(&self) -> &Arc<Settings> {
        &self.0
    }

    /// The plugins that a program in the runtime's [`folder`](Builder::folder) sees, and what is wrong with
    /// others.
    ///
    /// # Errors
    ///
    /// [`Code::Config`] for a `caraway.toml` that is wrong.
    pub fn catalog(&self) -> Result<Catalog, Error> {
        Session::open(&self.0, &self.0.folder).map(|session| session.catalog().clone())
    }

    /// What a program in `folder` has: configuration and plugins; nothing is opened.
    pub(crate) fn session_in(&self, folder: &Path) -> Result<Arc<Session>, Error> {
        Session::open(&self.0, folder)
    }

    /// The version of Caraway that manifests are compared with.
    #[cfg(feature = "install")]
    pub(crate) fn version(&self) -> &Version {
        &self.0.version
    }

    /// The loader for a plugin.
    #[cfg(feature = "install")]
    pub(crate) fn loader_of(&self, plugin: &Plugin) -> Result<&Arc<dyn Loader>, Error> {
        self.0.loader_of(plugin)
    }

    /// What a program asks for, or the project of a runtime's folder, with the plan for it; nothing is loaded.
    #[cfg(feature = "cli")]
    pub(crate) fn planned(&self, program: Option<&Path>) -> Result<(Arc<Session>, Vec<Requirement>), Error> {
        match program {
            Some(file) => Program::plan_only(&self.0, file),
            None => {
                let session = Session::open(&self.0, &self.0.folder)?;
                let requirements = session.plan_for(Vec::new())?;
                Ok((session, requirements))
            }
        }
    }

    /// The loaders, one for each plugin kind.
    pub fn loaders(&self) -> &[Arc<dyn Loader>] {
        &self.0.loaders
    }
}

impl Builder {
    /// Adds a search path, which holds plugin folders or is one. Those given first win.
    #[must_use]
    pub fn plugin_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.search.given.push(path.into());
        self
    }

    /// Whether to look at `CARAWAY_PLUGIN_PATH`, the user's configuration and data directories and the
    /// system's plugins, as the command line does.
    #[must_use]
    pub fn ambient(mut self, ambient: bool) -> Self {
        self.settings.search.ambient = ambient;
        self
    }

    /// Grants a capability, as `--allow` does: `[PLUGIN:]CAPABILITY[=ARG,...]`, for example
    /// `filesystem=read:data` or `native=numeric`. Paths are relative to the current directory. A text that
    /// is wrong is reported by [`build`](Builder::build).
    #[must_use]
    pub fn allow(mut self, grant: &str) -> Self {
        let outcome = current_dir().and_then(|base| self.settings.grants.allow(grant, &base));
        self.problem = self.problem.or(outcome.err());
        self
    }

    /// Denies a capability, whatever is allowed. The text is that of [`allow`](Builder::allow).
    #[must_use]
    pub fn deny(mut self, grant: &str) -> Self {
        let outcome = current_dir().and_then(|base| self.settings.grants.deny(grant, &base));
        self.problem = self.problem.or(outcome.err());
        self
    }

    /// Sets settings of a plugin, as `[config.NAME]` of `caraway.toml` does; one that both set is the one
    /// given here. A value that holds a function or a type of the host is reported by
    /// [`build`](Builder::build), one that the plugin's manifest does not declare when the plugin is loaded.
    ///
    /// ```
    /// use caraway::Runtime;
    /// use rhai::Dynamic;
    ///
    /// let plugins = tempfile::tempdir()?;
    /// let pager = plugins.path().join("pager");
    /// std::fs::create_dir(&pager)?;
    /// std::fs::write(pager.join("plugin.toml"), r#"
    ///     name = "pager"
    ///     version = "1.0.0"
    ///     type = "module"
    ///     [config]
    ///     lines = { type = "int", default = 25 }
    ///     title = { type = "string", required = true }
    /// "#)?;
    /// std::fs::write(pager.join("main.rhai"), "fn describe() { `${CONFIG.title}: ${CONFIG.lines}` }")?;
    ///
    /// let runtime = Runtime::builder()
    ///     .plugin_path(plugins.path())
    ///     .config("pager", [("title", "All")])
    ///     .config("pager", [("lines", Dynamic::from(50_i64))])
    ///     .build()?;
    /// let value = runtime.eval(r#"import "pager" as p; p::describe()"#)?;
    /// assert_eq!(value.into_string()?, "All: 50");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn config<K, V>(mut self, plugin: &str, settings: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: AsRef<str>,
        V: Into<Dynamic>,
    {
        for (name, value) in settings {
            let name = name.as_ref();
            match conform::to_value(&value.into()) {
                Ok(value) => self.settings.config.set(plugin, name, value, None),
                Err(error) => {
                    let error = error.said_of(&format!("the setting `{name}` of `{plugin}`"));
                    self.problem = self.problem.or(Some(error));
                }
            }
        }
        self
    }

    /// Sets a setting that the plugin's manifest declares as a secret. It is kept out of all messages and of what the
    /// runtime writes to standard error.
    ///
    /// Where a secret is to be read is said with [`config`](Builder::config): a map with `env`, the name of a
    /// variable, or `file`.
    #[must_use]
    pub fn secret(mut self, plugin: &str, setting: &str, secret: impl Into<String>) -> Self {
        self.settings.config.set_secret(plugin, setting, secret);
        self
    }

    /// The limits of programs.
    #[must_use]
    pub fn program_limits(mut self, limits: Limits) -> Self {
        self.settings.program_limits = limits;
        self
    }

    /// The limits of plugins. Their manifests can tighten them.
    #[must_use]
    pub fn plugin_limits(mut self, limits: Limits) -> Self {
        self.settings.plugin_limits = limits;
        self
    }

    /// Where programs and plugins print to.
    #[must_use]
    pub fn output(mut self, output: Output) -> Self {
        self.settings.output = output;
        self
    }

    /// Tells of each call into a plugin, when it has ended. Without an observer, calls cost nothing more.
    ///
    /// ```
    /// use caraway::Runtime;
    /// use caraway::observe::{Call, Observer};
    /// use std::sync::{Arc, Mutex};
    ///
    /// #[derive(Default)]
    /// struct Calls(Mutex<Vec<String>>);
    ///
    /// impl Observer for Calls {
    ///     fn called(&self, call: &Call<'_>) {
    ///         self.0.lock().unwrap().push(format!("{}::{}", call.plugin, call.function));
    ///     }
    /// }
    ///
    /// let calls = Arc::new(Calls::default());
    /// let runtime = Runtime::builder().observer(calls.clone()).build()?;
    /// runtime.eval(r#"import "std/path" as path; path::stem("a.txt")"#)?;
    /// assert_eq!(*calls.0.lock().unwrap(), ["std/path::stem"]);
    /// # Ok::<(), caraway::Error>(())
    /// ```
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.settings.watch = Watch::with(observer);
        self
    }

    /// A flag that stops running programs.
    #[must_use]
    pub fn cancel(mut self, cancel: Cancel) -> Self {
        self.settings.cancel = cancel;
        self
    }

    /// Whether a plugin whose binary is missing or older than its sources is built, with its own `build_cmd`.
    /// That runs commands that the plugin's author chose, with all of your rights.
    #[must_use]
    pub fn build_plugins(mut self, build: bool) -> Self {
        self.settings.build = build;
        self
    }

    /// A preset of grants, denials and limits, beside those that are given by name.
    #[must_use]
    pub fn security(mut self, security: Security) -> Self {
        self.settings.security = Some(security);
        self
    }

    /// Whether it is an error that a plugin hides another one of the same name and version, further back in the
    /// search paths. Programs that import no plugin do not notice.
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.settings.strict = strict;
        self
    }

    /// Whether it is an error that `caraway.lock` is missing, or is not what programs and their project require.
    /// Programs that import no plugin do not notice.
    #[must_use]
    pub fn locked(mut self, locked: bool) -> Self {
        self.settings.locking = if locked { Locking::Require } else { Locking::Verify };
        self
    }

    /// Takes a project for what it will be.
    #[cfg(feature = "install")]
    #[must_use]
    pub(crate) fn project(mut self, project: Config) -> Self {
        self.settings.project = Some(project);
        self
    }

    /// Takes the plugins of these folders for gone.
    #[cfg(feature = "install")]
    #[must_use]
    pub(crate) fn without(mut self, folders: &[PathBuf]) -> Self {
        self.settings.without.extend(folders.iter().filter_map(|folder| folder.canonicalize().ok()));
        self
    }

    /// How the project's lock file is treated.
    #[cfg(feature = "cli")]
    #[must_use]
    pub(crate) fn locking(mut self, locking: Locking) -> Self {
        self.settings.locking = locking;
        self
    }

    /// What the runtime says of itself on the standard error of its [`output`](Builder::output).
    #[must_use]
    pub fn notes(mut self, notes: Notes) -> Self {
        self.settings.notes = notes;
        self
    }

    /// The folder that scripts without a file live in, and where their project is looked for.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.settings.folder = folder.into();
        self
    }

    /// Adds a plugin kind, or replaces the one of the same name.
    #[must_use]
    pub fn loader(mut self, loader: Arc<dyn Loader>) -> Self {
        self.loaders.retain(|other| other.kind() != loader.kind());
        self.loaders.push(loader);
        self
    }

    /// Whether typed functions of script plugins are compiled, which is on by default. What they do is the same
    /// either way; off, nothing but Rhai runs them.
    ///
    /// ```
    /// let runtime = caraway::Runtime::builder().compile(false).build()?;
    /// # Ok::<(), caraway::Error>(())
    /// ```
    #[cfg(feature = "compile")]
    #[must_use]
    pub fn compile(mut self, compile: bool) -> Self {
        self.settings.compile = compile;
        self
    }

    /// Keeps compiled WebAssembly components, and functions of scripts, from one process to the next. The command line keeps them in
    /// `caraway` in the user's cache directory.
    ///
    /// ```
    /// use caraway::{Runtime, WasmCache};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let runtime = Runtime::builder().wasm_cache(WasmCache::new(folder.path()).limit(64 << 20)).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "wasm-runtime")]
    #[must_use]
    pub fn wasm_cache(mut self, cache: caraway_loaders_wasm::Cache) -> Self {
        self.settings.wasm_cache = Some(cache);
        self
    }

    /// Lets plugins run in processes of their own: native ones that want to be sandboxed, which are refused without.
    ///
    /// ```no_run
    /// let workers = caraway::worker::maybe_run()?;
    /// let runtime = caraway::Runtime::builder().workers(workers).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "worker")]
    #[must_use]
    pub fn workers(mut self, workers: caraway_loaders_worker::Workers) -> Self {
        self.settings.workers = Some(workers);
        self
    }

    /// Whether every plugin runs in a process of its own, whatever its kind: all but those that are compiled in, which
    /// are the host itself, and kinds that were added by [`loader`](Builder::loader). It needs
    /// [`workers`](Builder::workers).
    #[cfg(feature = "worker")]
    #[must_use]
    pub fn isolate(mut self, isolate: bool) -> Self {
        self.settings.isolate = isolate;
        self
    }

    /// The runtime.
    ///
    /// # Errors
    ///
    /// [`Code::Usage`] for a grant that is wrong; [`Code::ValueRefused`] for a setting that no plugin can be
    /// given; [`Code::NotEnforced`] for a memory limit in a process
    /// without the [`CountingAllocator`](crate::CountingAllocator), and for `isolate` without `workers`.
    pub fn build(mut self) -> Result<Runtime, Error> {
        if let Some(problem) = self.problem {
            return Err(problem);
        }
        let own =
            [(self.settings.program_limits, Limits::PROGRAM), (self.settings.plugin_limits, Limits::PLUGIN)];
        if own.iter().any(|(limits, default)| {
            limits.memory != default.memory && limits.memory.is_some() && !limits.memory_holds()
        }) {
            return Err(Error::new(Code::NotEnforced, "a memory limit needs the counting allocator")
                .hint("install `caraway::CountingAllocator` as the global allocator"));
        }
        #[cfg(feature = "worker")]
        if self.settings.isolate && self.settings.workers.is_none() {
            return Err(Error::new(Code::NotEnforced, "plugins cannot be isolated without workers")
                .hint("give the builder `workers`, from `caraway::worker::maybe_run`"));
        }
        let mut loaders = registry::hosted(&self.settings);
        loaders.retain(|loader| self.loaders.iter().all(|own| own.kind() != loader.kind()));
        loaders.extend(self.loaders);
        self.settings.loaders = loaders;
        self.settings.watch = traced::calls(self.settings.watch);
        Ok(Runtime(Arc::new(self.settings)))
    }
}

fn current_dir() -> Result<PathBuf, Error> {
    std::env::current_dir().map_err(|error| Error::io(Path::new("."), "find", &error))
}
