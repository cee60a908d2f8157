//! Runs scripts with the std modules, in a folder of their own.
#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

pub(crate) mod processes;

use caraway_loaders_builtin::BuiltinLoader;
use caraway_loaders_core::bind::{Bound, explain};
use caraway_loaders_core::capability::{Access, Asks, Grants};
use caraway_loaders_core::discover::{Origin, Plugin};
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::loader::{Imports, LoadRequest, Loader};
use caraway_loaders_core::output::Output;
use caraway_loaders_core::{Code, Error, ErrorValue};
use rhai::{Dynamic, Engine};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// A folder for a program, and what it may do. Flags and scripts name paths relative to `folder`.
pub(crate) struct Bench {
    _kept: TempDir,
    pub(crate) folder: PathBuf,
    pub(crate) grants: Grants,
    pub(crate) limits: Limits,
    plugin: Option<(String, Asks)>,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Bench {
    pub(crate) fn new(allow: &[&str]) -> Self {
        let kept = TempDir::new().unwrap();
        let folder = kept.path().canonicalize().unwrap();
        let mut bench = Self {
            _kept: kept,
            grants: Grants::new(&folder),
            folder,
            limits: Limits::PROGRAM,
            plugin: None,
            lines: Arc::default(),
        };
        allow.iter().for_each(|text| bench.grants.allow(text, &bench.folder).unwrap());
        bench
    }

    pub(crate) fn deny(mut self, text: &str) -> Self {
        self.grants.deny(text, &self.folder).unwrap();
        self
    }

    /// The scripts are those of a plugin that asks for this.
    pub(crate) fn plugin(mut self, name: &str, asks: Asks) -> Self {
        self.plugin = Some((name.to_owned(), asks));
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Makes a file and the folders above it.
    pub(crate) fn file(&self, name: &str, contents: impl AsRef<[u8]>) -> &Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, contents).unwrap();
        self
    }

    pub(crate) fn link(&self, to: impl AsRef<Path>, name: &str) -> &Self {
        std::os::unix::fs::symlink(to, self.path(name)).unwrap();
        self
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    pub(crate) fn engine(&self) -> Engine {
        let access = match &self.plugin {
            Some((name, asks)) => Access::plugin(name, asks, &self.grants, &self.folder),
            None => Access::program(&self.grants, &self.folder),
        };
        let access = Arc::new(access);
        let lines = self.lines.clone();
        let output =
            Output::new(move |stream, line| lines.lock().unwrap().push(format!("{stream:?}: {line}")));
        let lines = self.lines.clone();
        let output = output.on_event(move |event| {
            let heard = format!("event of {}: {} {}", event.plugin, event.name, event.payload);
            lines.lock().unwrap().push(heard);
        });
        let mut engine = Engine::new();
        ErrorValue::register(&mut engine);
        self.limits.apply(&mut engine);
        for manifest in BuiltinLoader.provided() {
            let alias = manifest.name.trim_start_matches("std/").to_owned();
            let plugin = Plugin::new(manifest, "", Origin::BuiltIn);
            let request = LoadRequest {
                plugin: Arc::new(plugin),
                config: caraway_loaders_core::Value::Map(Default::default()),
                access: access.clone(),
                imports: Arc::new(NoImports),
                limits: self.limits,
                watch: Default::default(),
                rate: Default::default(),
                standard: Default::default(),
                store: Default::default(),
                output: output.clone(),
            };
            engine.register_static_module(alias, BuiltinLoader.load(&request).unwrap().module);
        }
        engine
    }

    pub(crate) fn run(&self, script: &str) -> Result<Dynamic, Error> {
        self.engine().eval(script).map_err(|error| explain(&error, "test", &|_| None))
    }

    /// Runs a script that must give this, as Rhai writes it.
    #[track_caller]
    pub(crate) fn gives(&self, script: &str, expected: &str) {
        match self.run(&format!("to_debug({script})")) {
            Ok(value) => assert_eq!(value.into_string().unwrap(), expected, "{script}"),
            Err(error) => panic!("{script}: {} {error}", error.code()),
        }
    }

    /// Runs a script that must fail with this code, and this in its message.
    #[track_caller]
    pub(crate) fn fails(&self, script: &str, code: Code, message: &str) -> Error {
        match self.run(script) {
            Ok(value) => panic!("{script} gives {value:?}"),
            Err(error) => {
                assert_eq!(error.code(), code, "{script}: {error}");
                assert!(error.message().contains(message), "{script}: {error}");
                error
            }
        }
    }
}

struct NoImports;

impl Imports for NoImports {
    fn import(&self, path: &str) -> Result<Arc<Bound>, Error> {
        Err(Error::new(Code::UnknownPlugin, path))
    }
}
