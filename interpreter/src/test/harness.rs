//! The tests of a plugin, found and run.

use super::filter::Filter;
use super::report::{Report, TestResult};
use super::runner::Runner;
use super::script::Script;
use super::suite::Suite;
use crate::home;
use crate::runtime::Runtime;
use caraway_loaders_core::discover::{Plugin, has_manifest};
use caraway_loaders_core::{Code, Error, Location};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The folder of a plugin's tests.
const FOLDER: &str = "tests";

/// What a test may take where nothing says so.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Runs the tests of one plugin: the files `*.json`, `*.toml` and `*.rhai` of its folder `tests`.
///
/// ```
/// use caraway::Runtime;
/// use caraway::test::Harness;
///
/// let folder = tempfile::tempdir()?;
/// std::fs::create_dir(folder.path().join("tests"))?;
/// std::fs::write(folder.path().join("plugin.toml"), "name = \"sums\"\nversion = \"1.0.0\"\ntype = \"module\"\n")?;
/// std::fs::write(folder.path().join("main.rhai"), "fn add(a, b) { a + b }")?;
/// std::fs::write(folder.path().join("tests/add.rhai"), r#"
///     import "sums" as sums;
///     fn test_ints_stay_ints() { assert_eq(sums::add(1, 2), 3); }
///     fn test_texts() { assert_throws(|| sums::add(1), "E0103"); }
/// "#)?;
///
/// let runtime = Runtime::builder().build()?;
/// let report = Harness::new(&runtime, folder.path())?.run()?;
/// report.assert_passed();
/// assert_eq!(report.tests[1].name, "add::test_texts");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Harness {
    runtime: Runtime,
    /// `name@version`, if the files are a plugin's.
    plugin: Option<Arc<Plugin>>,
    folder: PathBuf,
    files: Vec<PathBuf>,
    filter: Filter,
    jobs: usize,
    capture: bool,
    timeout: Duration,
}

/// What is run in one go, by one thread.
enum Unit<'f> {
    Suite { suite: &'f Suite, folder: &'f Path, selected: Vec<usize> },
    Function { script: &'f Script, index: usize },
}

/// A test file that has been read.
enum File {
    Suites(Vec<Suite>, PathBuf),
    Script(Script),
}

impl Harness {
    /// A harness for the plugin in `folder`, with what `runtime` grants and limits. The plugin is found there whatever the
    /// runtime's search paths are, and those that it uses beside it, too.
    ///
    /// # Errors
    ///
    /// The plugin's manifest is missing or wrong; [`Code::Io`] for a folder `tests` that cannot be read.
    pub fn new(runtime: &Runtime, folder: impl AsRef<Path>) -> Result<Self, Error> {
        let folder = folder.as_ref();
        let (runtime, plugin) = home::at_home(runtime, folder)?;
        Ok(Self::of(runtime, Some(plugin), folder, files_in(&folder.join(FOLDER))?))
    }

    /// A harness for the files in the folder `tests` of a project, whose suites say which `plugin` they test. Plugins are
    /// those that a program in the project's folder sees.
    ///
    /// # Errors
    ///
    /// [`Code::Io`] for a folder `tests` that cannot be read.
    pub fn project(runtime: &Runtime, folder: impl AsRef<Path>) -> Result<Self, Error> {
        let folder = folder.as_ref();
        let runtime = runtime.with(|settings| settings.search.given.extend(plugins_of(folder)));
        Ok(Self::of(runtime, None, folder, files_in(&folder.join(FOLDER))?))
    }

    /// A harness for one file: that of a plugin, if one of the folders above it is one, else of a project.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn file(runtime: &Runtime, file: impl AsRef<Path>) -> Result<Self, Error> {
        let file = file.as_ref();
        let here = Path::new(".");
        let above =
            || file.ancestors().skip(1).map(|folder| if folder == Path::new("") { here } else { folder });
        let harness = match above().find(|folder| has_manifest(folder)) {
            Some(folder) => Self::new(runtime, folder)?,
            None => {
                let found = above().find_map(plugins_of);
                let runtime = runtime.with(|settings| settings.search.given.extend(found));
                Self::of(runtime, None, above().next().unwrap_or(here), Vec::new())
            }
        };
        Ok(Self { files: vec![file.to_owned()], ..harness })
    }

    fn of(runtime: Runtime, plugin: Option<Arc<Plugin>>, folder: &Path, files: Vec<PathBuf>) -> Self {
        Self {
            runtime,
            plugin,
            folder: folder.to_owned(),
            files,
            filter: Filter::default(),
            jobs: std::thread::available_parallelism().map_or(1, NonZero::get),
            capture: true,
            timeout: TIMEOUT,
        }
    }

    /// Which tests are run; all by default.
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = filter;
        self
    }

    /// How many suites and functions are run at a time; as many as there are processors by default. The tests of one
    /// suite are run one after the other.
    #[must_use]
    pub fn jobs(mut self, jobs: usize) -> Self {
        self.jobs = jobs.max(1);
        self
    }

    /// Whether what tests print is kept for the report of those that fail; true by default.
    #[must_use]
    pub fn capture(mut self, capture: bool) -> Self {
        self.capture = capture;
        self
    }

    /// What a test may take that does not say so itself; a minute by default.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// What is tested: a plugin, as `name@version`, or a project's folder.
    pub fn subject(&self) -> String {
        self.plugin.as_ref().map_or_else(|| self.folder.display().to_string(), |plugin| plugin.id())
    }

    /// The test files, in order.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The names of the tests that would be run, and where they stand. Nothing is run or loaded.
    ///
    /// # Errors
    ///
    /// What is wrong with test files, all of it.
    pub fn list(&self) -> Result<Vec<(String, Location)>, Error> {
        let (files, problems) = self.read();
        if let Some(error) = Error::from_many(problems) {
            return Err(error);
        }
        let mut names = Vec::new();
        for unit in self.units(&files).0 {
            match unit {
                Unit::Suite { suite, selected, .. } => names.extend(selected.iter().map(|index| {
                    let test = &suite.tests[*index];
                    (format!("{}::{}", suite.name, test.name), test.location.clone())
                })),
                Unit::Function { script, index } => {
                    let location = script.location(index).cloned().unwrap_or_default();
                    names.extend(script.names().nth(index).map(|name| (name, location)));
                }
            }
        }
        Ok(names)
    }

    /// Runs the tests. Files that are wrong are in the report, beside the tests of the others.
    ///
    /// # Errors
    ///
    /// [`Code::Internal`] if no thread can be had.
    pub fn run(&self) -> Result<Report, Error> {
        self.run_telling(&|_| {}, &|_| {})
    }

    /// The same, telling how many tests there are, and each test's result as it comes.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn run_telling(
        &self,
        begins: &dyn Fn(usize),
        ended: &(dyn Fn(&TestResult) + Sync),
    ) -> Result<Report, Error> {
        let start = Instant::now();
        let (files, problems) = self.read();
        let (units, filtered_out) = self.units(&files);
        let warnings = files.iter().flat_map(|file| match file {
            File::Suites(suites, _) => suites.iter().flat_map(|suite| suite.warnings.clone()).collect(),
            File::Script(_) => Vec::new(),
        });
        begins(units.iter().map(Unit::len).sum());
        let results: Mutex<Vec<(usize, TestResult)>> = Mutex::default();
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some((index, unit)) = {
                let index = next.fetch_add(1, Ordering::Relaxed);
                units.get(index).map(|unit| (index, unit))
            } {
                if self.runtime.settings().cancel.is_cancelled() {
                    break;
                }
                self.run_unit(unit, &mut |result| {
                    let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
                    ended(&result);
                    results.push((index, result));
                });
            }
        };
        let threads = self.jobs.min(units.len());
        std::thread::scope(|scope| {
            let started = (1..threads).map(|_| std::thread::Builder::new().spawn_scoped(scope, work));
            let started: Vec<_> = started.collect();
            work();
            let ended = started.into_iter().flatten().all(|thread| thread.join().is_ok());
            if ended { Ok(()) } else { Err(Error::new(Code::Internal, "a thread that ran tests panicked")) }
        })?;
        let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
        results.sort_by_key(|(index, _)| *index);
        Ok(Report {
            tests: results.into_iter().map(|(_, result)| result).collect(),
            warnings: warnings.collect(),
            problems,
            filtered_out,
            duration: start.elapsed(),
            interrupted: self.runtime.settings().cancel.is_cancelled(),
        })
    }

    fn run_unit(&self, unit: &Unit<'_>, emit: &mut dyn FnMut(TestResult)) {
        match unit {
            Unit::Suite { suite, folder, selected } => Runner {
                runtime: &self.runtime,
                suite,
                plugin: self.import().as_deref(),
                folder,
                capture: self.capture,
                timeout: self.timeout,
            }
            .run(selected, emit),
            Unit::Function { script, index } => {
                if let Some(result) = script.run(*index, &self.runtime, self.capture, self.timeout) {
                    emit(result);
                }
            }
        }
    }

    /// How an import names the plugin and no other version of it.
    fn import(&self) -> Option<String> {
        self.plugin.as_deref().map(home::exactly)
    }

    fn read(&self) -> (Vec<File>, Vec<Error>) {
        let mut files = Vec::new();
        let mut problems = Vec::new();
        for file in &self.files {
            let read = match file.extension().is_some_and(|extension| extension == "rhai") {
                true => Script::load(file).map(File::Script),
                false => Suite::load(file).map(|suites| {
                    File::Suites(suites, file.parent().map(Path::to_owned).unwrap_or_default())
                }),
            };
            match read {
                Ok(read) => files.push(read),
                Err(error) => problems.push(error),
            }
        }
        (files, problems)
    }

    /// What is to be run, and how many tests are not.
    fn units<'f>(&self, files: &'f [File]) -> (Vec<Unit<'f>>, usize) {
        let mut units = Vec::new();
        let mut filtered_out = 0;
        for file in files {
            match file {
                File::Suites(suites, folder) => {
                    for suite in suites {
                        let selected: Vec<usize> = (0..suite.tests.len())
                            .filter(|index| {
                                let test = &suite.tests[*index];
                                self.filter
                                    .lets_through(&format!("{}::{}", suite.name, test.name), &test.tags)
                            })
                            .collect();
                        filtered_out += suite.tests.len() - selected.len();
                        if !selected.is_empty() {
                            units.push(Unit::Suite { suite, folder, selected });
                        }
                    }
                }
                File::Script(script) => {
                    for (index, name) in script.names().enumerate() {
                        match self.filter.lets_through(&name, &[]) {
                            true => units.push(Unit::Function { script, index }),
                            false => filtered_out += 1,
                        }
                    }
                }
            }
        }
        (units, filtered_out)
    }
}

impl Unit<'_> {
    fn len(&self) -> usize {
        match self {
            Unit::Suite { selected, .. } => selected.len(),
            Unit::Function { .. } => 1,
        }
    }
}

/// The folder of a project's plugins, if it is there.
fn plugins_of(folder: &Path) -> Option<PathBuf> {
    Some(folder.join("plugins")).filter(|plugins| plugins.is_dir())
}

/// The test files of a folder, by name; none if there is no folder.
fn files_in(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let failed = |error: std::io::Error| Error::io(folder, "read", &error);
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        let hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
        let fits = path
            .extension()
            .is_some_and(|extension| ["json", "toml", "rhai"].iter().any(|known| extension == *known));
        if fits && !hidden && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
