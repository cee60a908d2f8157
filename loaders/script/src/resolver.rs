//! Serves the imports of one script: files beside it, and other plugins.

use crate::engine::parser;
use crate::source::{parse_text, read_source};
use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::loader::Imports;
use caraway_loaders_core::{Code, Error, Location};
use rhai::{Engine, EvalAltResult, Module, ModuleResolver, Position, Scope, Shared};
use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;

/// How deep files may import files.
const MAX_FILE_DEPTH: usize = 32;

/// A module resolver for one program or plugin.
///
/// `import "./x"` is the file `x.rhai` beside the importing file, and never leaves `folder`; everything else is
/// asked of `imports`. Files are evaluated once.
pub struct ImportResolver {
    folder: PathBuf,
    imports: Arc<dyn Imports>,
    /// Those that files are parsed under; without them it is the importer's engine that parses.
    limits: Option<Limits>,
    /// Whose files they are, if they are a plugin's.
    plugin: Option<Arc<Plugin>>,
    files: Mutex<HashMap<PathBuf, Shared<Module>>>,
    /// The files that are being evaluated, and by which thread.
    evaluating: Mutex<Vec<(ThreadId, PathBuf)>>,
}

/// A file that is being evaluated, until it is dropped.
struct Evaluating<'a> {
    list: &'a Mutex<Vec<(ThreadId, PathBuf)>>,
    thread: ThreadId,
}

impl Drop for Evaluating<'_> {
    fn drop(&mut self) {
        let mut list = locked(self.list);
        if let Some(last) = list.iter().rposition(|(thread, _)| *thread == self.thread) {
            list.remove(last);
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ImportResolver {
    /// A resolver for the files of `folder`.
    pub fn new(folder: impl Into<PathBuf>, imports: Arc<dyn Imports>) -> Self {
        Self {
            folder: folder.into(),
            imports,
            limits: None,
            plugin: None,
            files: Mutex::default(),
            evaluating: Mutex::default(),
        }
    }

    /// The same for an engine with these limits and nothing that matters to a parser; so its constants do not
    /// get in the way, see [`parse_text`].
    #[must_use]
    pub fn limited(mut self, limits: Limits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// The same for the files of a plugin, which must be what its
    /// [`checksums`](Plugin::checksums) say.
    #[must_use]
    pub fn of_plugin(mut self, plugin: Arc<Plugin>) -> Self {
        self.plugin = Some(plugin);
        self
    }

    fn file(&self, engine: &Engine, source: Option<&str>, path: &str) -> Result<Shared<Module>, FileError> {
        let (shown, real) = self.locate(source, path)?;
        if let Some(module) = locked(&self.files).get(&real) {
            return Ok(module.clone());
        }
        let evaluating = self.begin(&shown, &real)?;
        let module = self.evaluate(engine, &shown, &real)?;
        drop(evaluating);
        // Another thread may have been quicker: all see the same module.
        Ok(locked(&self.files).entry(real).or_insert(module).clone())
    }

    fn evaluate(&self, engine: &Engine, shown: &Path, real: &Path) -> Result<Shared<Module>, FileError> {
        let (text, name) = (read_source(real, shown)?, shown.to_string_lossy());
        if let Some(plugin) = &self.plugin {
            plugin.verify(real, text.as_bytes())?;
        }
        let ast = match &self.limits {
            Some(limits) => parse_text(&parser(limits), &text, &name)?,
            None => parse_text(engine, &text, &name)?,
        };
        Module::eval_ast_as_new(Scope::new(), &ast, engine).map(Shared::new).map_err(FileError::Script)
    }

    fn begin(&self, shown: &Path, real: &Path) -> Result<Evaluating<'_>, Error> {
        let thread = std::thread::current().id();
        let mut evaluating = locked(&self.evaluating);
        let mut own = evaluating.iter().filter(|(other, _)| *other == thread);
        if own.clone().any(|(_, file)| file == real) {
            let circle: Vec<String> = own
                .skip_while(|(_, file)| file != real)
                .filter_map(|(_, file)| Some(file.file_name()?.to_string_lossy().into_owned()))
                .collect();
            let name = shown.file_name().unwrap_or_default().to_string_lossy();
            let circle = circle.join(" -> ");
            return Err(Error::new(Code::Cycle, format!("files import each other: {circle} -> {name}"))
                .hint("move what both need into a third file"));
        }
        if own.nth(MAX_FILE_DEPTH - 1).is_some() {
            return Err(Error::new(Code::Limit, format!("files import files deeper than {MAX_FILE_DEPTH}")));
        }
        evaluating.push((thread, real.to_owned()));
        Ok(Evaluating { list: &self.evaluating, thread })
    }

    /// The file as the user would name it, and the same without links.
    fn locate(&self, source: Option<&str>, path: &str) -> Result<(PathBuf, PathBuf), Error> {
        locate(&self.folder, source, path)
    }
}

/// The file that an import of `path` means, as the user would name it, and the same without links; `source` is the
/// importing file, `folder` the one that nothing leaves.
///
/// # Errors
///
/// [`Code::ImportFile`] if there is none, or if it is outside `folder`.
pub fn locate(folder: &Path, source: Option<&str>, path: &str) -> Result<(PathBuf, PathBuf), Error> {
    let leaves = || {
        Error::new(Code::ImportFile, format!("the import {path:?} leaves the folder of its script"))
            .hint("import files below the script's folder, or make the other folder a plugin")
    };
    let relative = Path::new(path);
    if !relative.components().all(|part| matches!(part, Component::CurDir | Component::Normal(_))) {
        return Err(leaves());
    }
    let importer = source.map(Path::new).and_then(Path::parent).unwrap_or(folder);
    let mut shown =
        importer.join(relative.components().filter(|part| *part != Component::CurDir).collect::<PathBuf>());
    if shown.extension().is_none_or(|extension| extension != "rhai") {
        shown.as_mut_os_string().push(".rhai");
    }
    let missing = |error: &std::io::Error| {
        Error::new(Code::ImportFile, format!("cannot import {path:?}: {}: {error}", shown.display()))
    };
    let real = shown.canonicalize().map_err(|error| missing(&error))?;
    let root = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let root = root.canonicalize().map_err(|error| missing(&error))?;
    if !real.starts_with(&root) {
        return Err(leaves());
    }
    Ok((shown, real))
}

/// Whether an import is of a file beside the script, and not of a plugin.
pub fn is_file(path: &str) -> bool {
    path.starts_with('.') || path.starts_with('/') || path.contains('\\')
}

/// Why a file could not be imported: an error of ours, or one of the file's own code.
pub(crate) enum FileError {
    Ours(Error),
    Script(Box<EvalAltResult>),
}

impl From<Error> for FileError {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl ModuleResolver for ImportResolver {
    fn resolve(
        &self,
        engine: &Engine,
        source: Option<&str>,
        path: &str,
        position: Position,
    ) -> Result<Shared<Module>, Box<EvalAltResult>> {
        let raised = |error: Error| error.at(Location::of_position(source, position)).raise(position);
        if is_file(path) {
            return self.file(engine, source, path).map_err(|error| match error {
                FileError::Ours(error) => raised(error),
                FileError::Script(error) => Box::new(EvalAltResult::ErrorInModule(
                    self.locate(source, path)
                        .map_or_else(|_| path.to_owned(), |(shown, _)| shown.to_string_lossy().into_owned()),
                    error,
                    position,
                )),
            });
        }
        self.imports.import(path).map(|bound| bound.module.clone()).map_err(raised)
    }
}
