//! What one program has: its project, the plugins that it can see, the plan, and what is loaded.

mod integrity;
mod views;

use crate::authority::Authority;
use crate::build;
use crate::config::{Config, FILE_NAME, LimitsTable, shown};
use crate::loading::Loading;
use crate::lock::{self, Lockfile, Locking};
use crate::runtime::Settings;
use crate::secrets;
use crate::security::{Level, Security};
use crate::shadowing::shadowed;
use crate::traced;
use crate::trust::Trust;
use caraway_loaders_core::bind::Bound;
#[cfg(feature = "cli")]
use caraway_loaders_core::capability::Capability;
use caraway_loaders_core::capability::{Access, Request};
use caraway_loaders_core::config::Configuration;
#[cfg(feature = "cli")]
use caraway_loaders_core::discover::SearchPath;
use caraway_loaders_core::discover::{Catalog, Origin, Plugin, discover};
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::loader::{Imports, LoadRequest, Loader};
use caraway_loaders_core::rate::Rate;
use caraway_loaders_core::resolve::{Plan, Requester, Requirement, Universe, parse_import, resolve};
use caraway_loaders_core::store::Store;
use caraway_loaders_core::{Code, Error, Location};
use integrity::lock_of;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use views::{PluginView, ProgramView, allowed_api};

/// The state of one program, or of one engine that plugins were installed in.
pub(crate) struct Session {
    settings: Arc<Settings>,
    level: Level,
    locking: Locking,
    project: Config,
    #[cfg(feature = "cli")]
    search: Vec<SearchPath>,
    catalog: Catalog,
    universe: Universe,
    /// The project's lock file, if it is to be used.
    lock: Result<Option<Lockfile>, Error>,
    /// The configuration that switches plugins off.
    switched_off: Option<PathBuf>,
    authority: Authority,
    /// The settings of plugins: the host's over the project's over the user's.
    config: Configuration,
    access: Arc<Access>,
    base: PathBuf,
    program_limits: Limits,
    plugin_limits: Limits,
    plan: Mutex<Plan>,
    loaded: Mutex<HashMap<(String, Option<String>), Slot>>,
    /// How often the program (`None`) and each plugin may call `std/...`.
    rates: Mutex<HashMap<Option<String>, Arc<Rate>>>,
    /// What each plugin keeps, by its id; the program's is `None`.
    stores: Mutex<HashMap<Option<String>, Store>>,
}

/// A plugin that is being loaded, or has been.
type Slot = Arc<OnceLock<Result<Arc<Bound>, Error>>>;

impl Session {
    /// A session for a program in `folder`: reads the configuration and the manifests, opens nothing.
    pub(crate) fn open(settings: &Arc<Settings>, folder: &Path) -> Result<Arc<Self>, Error> {
        let project = match &settings.project {
            Some(project) => project.clone(),
            None => Config::project(folder)?,
        };
        let user = if settings.search.ambient { Config::user()? } else { Config::default() };
        let level = match (settings.security, &user.security) {
            (Some(security), _) => Level::Given(security),
            (None, Some((security, place))) => Level::Configured(*security, place.file.display().to_string()),
            (None, None) => Level::Given(Security::default()),
        };
        let security = level.security();
        let locking = match &settings.locking {
            Locking::Verify if security.is_locked() => Locking::Require,
            locking => locking.clone(),
        };
        let lock = lock_of(&project, &locking);
        let mut grants = settings.grants.clone();
        level.add_to(&mut grants)?;
        if security.remembers() {
            user.granted(&mut grants)?;
        }
        let enabled = project.enabled.unwrap_or(true) && user.enabled.unwrap_or(true);
        let search = if enabled { settings.search.list(folder, &project, &user) } else { Vec::new() };
        let switched_off = if enabled {
            None
        } else {
            [&project, &user]
                .into_iter()
                .find(|config| config.enabled == Some(false))
                .and_then(|config| config.file.clone())
        };
        let mut catalog = traced::step(
            || discover(&search, &settings.loaders),
            |catalog| {
                let (found, broken) = (catalog.plugins.len(), catalog.errors.len());
                format!("{} search paths, {found} plugins, {broken} problems", search.len())
            },
        );
        if !settings.without.is_empty() {
            let gone = |plugin: &Plugin| {
                plugin.root.canonicalize().is_ok_and(|root| settings.without.contains(&root))
            };
            catalog.plugins.retain(|plugin| !gone(plugin));
        }
        let disabled: BTreeSet<String> = project.disabled.union(&user.disabled).cloned().collect();
        let lock = lock.map(|lock| lock.map(|lock| lock.for_plugins(&catalog.plugins)));
        let universe = Universe::new(&catalog.plugins, &settings.version, &disabled)
            .searched(search.iter().map(|path| path.path.clone()));
        let locked = lock.iter().flatten().flat_map(Lockfile::entries);
        let locked = locked.filter(|entry| locking.prefers(&entry.name));
        let universe = universe.preferring(locked.map(|entry| (entry.name.as_str(), &entry.version)));
        // The user may raise what the host sets; a project, which may be a stranger's, only tightens it.
        let limits = |base: Limits, user: &LimitsTable, project: &LimitsTable| {
            let ours = user.apply(base)?;
            Ok(ours.tightest(project.apply(ours)?))
        };
        let wrong = |message: String| Error::new(Code::Config, message);
        let program_limits =
            limits(settings.program_limits, &user.program_limits, &project.program_limits).map_err(wrong)?;
        let program_limits = security.programs(program_limits);
        let plugin_limits =
            limits(settings.plugin_limits, &user.plugin_limits, &project.plugin_limits).map_err(wrong)?;
        let plugin_limits = security.plugins(plugin_limits);
        let config = settings.config.clone().over(&project.settings).over(&user.settings);
        let base = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        let trust =
            if settings.search.ambient && security.remembers() { Trust::read()? } else { Trust::default() };
        let authority = Authority::new(grants, trust, project.clone(), base.clone());
        let access = Arc::new(authority.program());
        Ok(Arc::new(Self {
            settings: settings.clone(),
            level,
            locking,
            project,
            #[cfg(feature = "cli")]
            search,
            catalog,
            universe,
            lock,
            switched_off,
            authority,
            config,
            access,
            base,
            program_limits,
            plugin_limits,
            plan: Mutex::default(),
            loaded: Mutex::default(),
            rates: Mutex::default(),
            stores: Mutex::default(),
        }))
    }

    pub(crate) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Where plugins were looked for, in order.
    #[cfg(feature = "cli")]
    pub(crate) fn search_paths(&self) -> &[SearchPath] {
        &self.search
    }

    pub(crate) fn access(&self) -> &Arc<Access> {
        &self.access
    }

    pub(crate) fn limits(&self) -> Limits {
        self.program_limits
    }

    pub(crate) fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    /// The program's own view of plugins.
    pub(crate) fn view(self: &Arc<Self>) -> Arc<dyn Imports> {
        Arc::new(ProgramView(self.clone()))
    }

    /// A plugin's own view of others.
    pub(crate) fn view_of(self: &Arc<Self>, plugin: &Arc<Plugin>) -> impl Imports + use<> {
        PluginView { session: Arc::downgrade(self), plugin: plugin.clone() }
    }

    /// Plans for what the program imports at its top level and what the project depends on, and gives all of
    /// these requirements. Nothing is loaded.
    pub(crate) fn plan_for(&self, mut roots: Vec<Requirement>) -> Result<Vec<Requirement>, Error> {
        for (name, range, location) in &self.project.dependencies {
            let from = Requester::Project { location: location.clone() };
            roots.push(Requirement { path: name.clone(), range: range.clone(), from });
        }
        if !roots.is_empty() {
            self.extend(&roots)?;
        }
        Ok(roots)
    }

    /// Plans, and loads the plugins that do not want to be lazy.
    pub(crate) fn require(self: &Arc<Self>, roots: Vec<Requirement>) -> Result<(), Error> {
        self.plan_for(roots)?;
        let eager: Vec<Arc<Plugin>> =
            self.plan().plugins().filter(|plugin| !plugin.manifest.runtime.lazy).cloned().collect();
        for plugin in eager {
            self.load(&plugin, None)?;
        }
        Ok(())
    }

    /// What has been planned so far.
    #[cfg(feature = "cli")]
    pub(crate) fn planned(&self) -> Plan {
        self.plan().clone()
    }

    /// The project's configuration file, as messages name it.
    #[cfg(feature = "cli")]
    pub(crate) fn project_file(&self) -> Option<PathBuf> {
        self.project.file.as_deref().map(shown)
    }

    fn plan(&self) -> std::sync::MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn extend(&self, roots: &[Requirement]) -> Result<(), Error> {
        if let Some(file) = &self.switched_off {
            return Err(Error::new(Code::Unavailable, "plugins are switched off")
                .at(Location::file(shown(file)))
                .hint("remove `enabled = false`"));
        }
        if (self.settings.strict || self.level.security().is_strict())
            && let Some(error) = Error::from_many(shadowed(&self.catalog))
        {
            return Err(error);
        }
        let lock = self.lock.as_ref().map_err(Clone::clone)?;
        let mut plan = self.plan();
        let resolved = traced::step(
            || resolve(&self.universe, roots, &plan),
            |outcome| match outcome {
                Ok(plan) => {
                    let ids: Vec<String> = plan.plugins().map(|plugin| plugin.id()).collect();
                    format!("planned {}", ids.join(", "))
                }
                Err(error) => format!("no plan: {}", error.message()),
            },
        );
        let resolved = resolved.map_err(|error| self.with_broken(error, roots))?;
        if self.locking == Locking::Require {
            match lock {
                Some(lock) => lock.require(&resolved, |name| self.authority.requested(name))?,
                None if resolved.plugins().all(|plugin| plugin.origin == Origin::BuiltIn) => {}
                None => return Err(lock::absent(self.project.file.as_deref())),
            }
        }
        *plan = resolved;
        Ok(())
    }

    /// The preset that holds.
    #[cfg(feature = "cli")]
    pub(crate) fn level(&self) -> &Level {
        &self.level
    }

    #[cfg(feature = "cli")]
    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// A plugin that is missing may have been found and be broken: then that is the error.
    fn with_broken(&self, error: Error, roots: &[Requirement]) -> Error {
        if error.code() != Code::UnknownPlugin {
            return error;
        }
        let broken = self.catalog.errors.iter().find(|broken| {
            let folder = broken.location().and_then(|l| l.file.parent()).and_then(Path::file_name);
            roots.iter().any(|root| folder.is_some_and(|folder| folder == root.path.as_str()))
                || folder.is_some_and(|folder| {
                    error.message().contains(&format!("`{}`", folder.to_string_lossy()))
                })
        });
        match broken {
            Some(broken) => broken.clone(),
            None => {
                let error = self.with_locked(error, roots);
                let unreadable = self.catalog.errors.iter().filter(|error| error.code() == Code::Io).cloned();
                Error::from_many(std::iter::once(error.clone()).chain(unreadable)).unwrap_or(error)
            }
        }
    }

    /// Serves an import of the program (`None`) or of a plugin.
    fn import(self: &Arc<Self>, importer: Option<&Arc<Plugin>>, text: &str) -> Result<Arc<Bound>, Error> {
        let plugin = self.find(importer, text, Location::default())?;
        self.load(&plugin, importer)
    }

    /// What an import of the program (`None`) or of a plugin means. Extends the plan if need be; loads nothing.
    pub(crate) fn find(
        &self,
        importer: Option<&Arc<Plugin>>,
        text: &str,
        location: Location,
    ) -> Result<Arc<Plugin>, Error> {
        let (path, range) = parse_import(text)?;
        let id = importer.map(|plugin| plugin.id());
        let known = self.plan().lookup(id.as_deref(), text).cloned();
        let plugin = match known {
            Some(plugin) => plugin,
            None => {
                let from = match &id {
                    None => Requester::Program { location },
                    Some(id) => Requester::Plugin { id: id.clone(), location },
                };
                self.extend(&[Requirement { path, range, from }])?;
                self.plan().lookup(id.as_deref(), text).cloned().ok_or_else(|| {
                    Error::new(Code::Internal, format!("{text:?} was planned and is not in the plan"))
                })?
            }
        };
        if let Some(importer) = importer {
            allowed_api(importer, &plugin)?;
        }
        Ok(plugin)
    }

    /// Loads a plugin, once: for all importers, or for each where its kind acts with the importer's authority.
    fn load(
        self: &Arc<Self>,
        plugin: &Arc<Plugin>,
        importer: Option<&Arc<Plugin>>,
    ) -> Result<Arc<Bound>, Error> {
        let loader = self.loader(plugin)?;
        let id = plugin.id();
        let importer_id = importer.filter(|_| loader.per_importer()).map(|importer| importer.id());
        let key = (id.clone(), importer_id);
        let slot = {
            let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
            loaded.entry(key.clone()).or_default().clone()
        };
        if let Some(done) = slot.get() {
            return done.clone();
        }
        let loading = Loading::begin(Arc::as_ptr(self) as usize, &id)?;
        let outcome = slot.get_or_init(|| {
            let outcome = traced::step(
                || self.load_now(plugin, importer, &*loader),
                |outcome| {
                    let verb = if outcome.is_ok() { "loaded" } else { "failed to load" };
                    format!("{verb} {} ({})", plugin.id(), plugin.manifest.kind)
                },
            );
            outcome.map(Arc::new)
        });
        let outcome = outcome.clone();
        drop(loading);
        if outcome.is_err() {
            // What failed may work the next time: a deadline passes, a file is mended.
            self.loaded.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
        }
        outcome
    }

    fn load_now(
        self: &Arc<Self>,
        plugin: &Arc<Plugin>,
        importer: Option<&Arc<Plugin>>,
        loader: &dyn Loader,
    ) -> Result<Bound, Error> {
        let plugin = &self.verified(plugin, loader)?;
        let subject = if loader.per_importer() { importer } else { Some(plugin) };
        let access = match subject {
            Some(subject) => Arc::new(self.plugin_access(subject)),
            None => self.access.clone(),
        };
        if loader.trusted(&plugin.manifest) {
            access.check(&Request::Native)?;
        }
        // Its name is for settings that are missing.
        let file = if plugin.manifest.config.is_empty() { PathBuf::new() } else { self.config_file() };
        let config = self.config.settle(&plugin.manifest, &file, &secrets::read)?;
        secrets::keep(&plugin.manifest, &config, self.settings.output.secrets());
        if self.settings.build {
            build::if_stale(plugin, loader, &self.settings.output, self.settings.notes)?;
        }
        loader.load(&LoadRequest {
            plugin: plugin.clone(),
            config,
            access,
            imports: Arc::new(self.view_of(plugin)),
            limits: self.plugin_limits(plugin),
            rate: self.rate(subject),
            watch: self.settings.watch.clone(),
            standard: self.settings.standard.clone(),
            store: self.store(subject),
            output: self.settings.output.clone(),
        })
    }

    /// How often the program (`None`) or a plugin may call `std/...`.
    fn rate(&self, caller: Option<&Arc<Plugin>>) -> Arc<Rate> {
        let level = self.level.security();
        let (rate, limit, of_level) = match caller {
            None => {
                let limit = self.program_limits.std_calls;
                (Rate::program(limit), limit, level.programs(Limits::PROGRAM).std_calls)
            }
            Some(plugin) => {
                let limit = self.plugin_limits.std_calls;
                (Rate::plugin(&plugin.manifest.name, limit), limit, level.plugins(Limits::PLUGIN).std_calls)
            }
        };
        let rate = if limit == of_level { rate.remedy(self.level.remedy()) } else { rate };
        let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        rates.entry(caller.map(|plugin| plugin.id())).or_insert_with(|| Arc::new(rate)).clone()
    }

    /// The error as it may be shown: without the secrets of plugins.
    pub(crate) fn shown(&self, error: Error) -> Error {
        self.settings.output.secrets().hide_in(error)
    }

    /// What a plugin keeps, or the program: the same for all that acts for it.
    fn store(&self, subject: Option<&Arc<Plugin>>) -> Store {
        let mut stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        stores.entry(subject.map(|plugin| plugin.id())).or_default().clone()
    }

    /// The configuration file of the project, or the one that would make it one, as messages name it.
    fn config_file(&self) -> PathBuf {
        shown(&self.project.file.clone().unwrap_or_else(|| self.base.join(FILE_NAME)))
    }

    /// The settings that were made for this program or its project, and not for all of the user's.
    #[cfg(feature = "cli")]
    pub(crate) fn own_config(&self) -> Configuration {
        self.settings.config.clone().over(&self.project.settings)
    }

    pub(crate) fn loader(&self, plugin: &Plugin) -> Result<Arc<dyn Loader>, Error> {
        self.settings.loader_of(plugin).cloned()
    }

    /// The limits of a plugin: those of all, tightened by its manifest.
    pub(crate) fn plugin_limits(&self, plugin: &Plugin) -> Limits {
        self.plugin_limits.declared(&plugin.manifest.security)
    }

    /// What a plugin may do; nothing, if nothing can load it.
    pub(crate) fn plugin_access(&self, plugin: &Plugin) -> Access {
        self.loader(plugin)
            .map_or_else(|_| Access::default(), |loader| self.authority.plugin(plugin, &*loader))
    }

    /// Whether a plugin has only with a grant what it asks for: `native` is of no matter where its code runs in a process
    /// of its own.
    #[cfg(feature = "cli")]
    pub(crate) fn needs_grant(&self, plugin: &Plugin, capability: Capability) -> bool {
        let may =
            |loader: Arc<dyn Loader>| capability != Capability::Native || loader.trusted(&plugin.manifest);
        self.loader(plugin).map_or(true, may)
    }
}
