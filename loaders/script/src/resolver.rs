//! Serves the imports of one script: files beside it, and other plugins.

use crate::source::{parse_text, read_source};
use caraway_loaders_core::loader::Imports;
use caraway_loaders_core::{Code, Error, Location};
use rhai::{Engine, EvalAltResult, Module, ModuleResolver, Position, Scope, Shared};
use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// How deep files may import files.
const MAX_FILE_DEPTH: usize = 32;

/// A module resolver for one program or plugin.
///
/// `import "./x"` is the file `x.rhai` beside the importing file, and never leaves `folder`; everything else is
/// asked of `imports`. Files are evaluated once.
pub struct ImportResolver {
    folder: PathBuf,
    imports: Arc<dyn Imports>,
    files: Mutex<HashMap<PathBuf, FileState>>,
}

enum FileState {
    Loading,
    Loaded(Shared<Module>),
}

impl ImportResolver {
    /// A resolver for the files of `folder`.
    pub fn new(folder: impl Into<PathBuf>, imports: Arc<dyn Imports>) -> Self {
        Self { folder: folder.into(), imports, files: Mutex::default() }
    }

    fn file(&self, engine: &Engine, source: Option<&str>, path: &str) -> Result<Shared<Module>, FileError> {
        let (shown, real) = self.locate(source, path)?;
        {
            let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
            match files.get(&real) {
                Some(FileState::Loaded(module)) => return Ok(module.clone()),
                Some(FileState::Loading) => {
                    return Err(Error::new(
                        Code::Cycle,
                        format!("{} imports itself, directly or not", shown.display()),
                    )
                    .hint("move what both need into a third file")
                    .into());
                }
                None => {}
            }
            let open = files.values().filter(|state| matches!(state, FileState::Loading)).count();
            if open >= MAX_FILE_DEPTH {
                return Err(Error::new(
                    Code::Limit,
                    format!("files import files deeper than {MAX_FILE_DEPTH}"),
                )
                .into());
            }
            files.insert(real.clone(), FileState::Loading);
        }
        let loaded = evaluate(engine, &shown, &real);
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        match &loaded {
            Ok(module) => files.insert(real, FileState::Loaded(module.clone())),
            Err(_) => files.remove(&real),
        };
        loaded
    }

    /// The file as the user would name it, and the same without links.
    fn locate(&self, source: Option<&str>, path: &str) -> Result<(PathBuf, PathBuf), Error> {
        let leaves = || {
            Error::new(Code::ImportFile, format!("the import {path:?} leaves the folder of its script"))
                .hint("import files below the script's folder, or make the other folder a plugin")
        };
        let relative = Path::new(path);
        if !relative.components().all(|part| matches!(part, Component::CurDir | Component::Normal(_))) {
            return Err(leaves());
        }
        let importer = source.map(Path::new).and_then(Path::parent).unwrap_or(&self.folder);
        let mut shown = importer
            .join(relative.components().filter(|part| *part != Component::CurDir).collect::<PathBuf>());
        if shown.extension().is_none_or(|extension| extension != "rhai") {
            shown.as_mut_os_string().push(".rhai");
        }
        let missing = |error: &std::io::Error| {
            Error::new(Code::ImportFile, format!("cannot import {path:?}: {}: {error}", shown.display()))
        };
        let real = shown.canonicalize().map_err(|error| missing(&error))?;
        let root = if self.folder.as_os_str().is_empty() { Path::new(".") } else { &self.folder };
        let root = root.canonicalize().map_err(|error| missing(&error))?;
        if !real.starts_with(&root) {
            return Err(leaves());
        }
        Ok((shown, real))
    }
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

fn evaluate(engine: &Engine, shown: &Path, real: &Path) -> Result<Shared<Module>, FileError> {
    let ast = parse_text(engine, &read_source(real, shown)?, &shown.to_string_lossy())?;
    Module::eval_ast_as_new(Scope::new(), &ast, engine).map(Shared::new).map_err(FileError::Script)
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
