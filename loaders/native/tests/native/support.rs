//! A built plugin, folders to load it from, and an engine to call it with.

use crate::sink::sink;
use caraway_loaders_core::bind::{Binder, Bound};
use caraway_loaders_core::capability::{Access, Asks, Grants};
use caraway_loaders_core::discover::{Origin, Plugin};
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::loader::{Imports, LoadRequest, Loader};
use caraway_loaders_core::manifest::Manifest;
use caraway_loaders_core::output::Output;
use caraway_loaders_core::{Code, Error};
use caraway_loaders_native::agree::{Unlisted, agree};
use caraway_loaders_native::{Library, NativeLoader};
use rhai::{Dynamic, Engine};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// The file that the manifests of these tests name.
pub(crate) const LIBRARY: &str = "libsink.so";

/// A plugin's folder that is gone with the value.
pub(crate) struct Folder {
    folder: TempDir,
    pub(crate) plugin: Plugin,
}

impl Folder {
    /// With the library `bytes` and a manifest whose fields are the usual ones and these.
    pub(crate) fn new(bytes: &[u8], fields: Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(LIBRARY), bytes).unwrap();
        let mut manifest = json!({
            "name": "sink", "version": "0.3.1", "type": "native", "capabilities": ["native"],
            "implementation": {"entrypoint": LIBRARY}, "security": {"sandbox": false},
        });
        for (key, value) in fields.as_object().unwrap() {
            manifest[key] = value.clone();
        }
        let path = folder.path().join("plugin.json");
        let manifest = Manifest::parse(&path, manifest.to_string().as_bytes()).unwrap();
        let root = folder.path().to_owned();
        Self { folder, plugin: Plugin { manifest, origin: Origin::SearchPath(root.clone()), root } }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join(LIBRARY)
    }

    pub(crate) fn load(&self) -> Result<Bound, Error> {
        NativeLoader.load(&LoadRequest {
            plugin: Arc::new(self.plugin.clone()),
            config: caraway_loaders_core::Value::Map(Default::default()),
            access: Arc::new(Access::plugin("sink", &Asks::default(), &Grants::default(), "/")),
            imports: Arc::new(NoImports),
            limits: Limits::PLUGIN,
            standard: Default::default(),
            output: Output::inherit(),
        })
    }

    /// The functions that the manifest declares, with the rest of the library private: as half of a hybrid.
    pub(crate) fn load_declared(&self) -> Bound {
        let library = Library::open(&self.plugin, Path::new(LIBRARY)).unwrap();
        let mut binder = Binder::new("sink", "sink");
        for (declared, function) in
            agree(&self.plugin.manifest, &library, Unlisted::Private, |_| true).unwrap()
        {
            function.bind(&mut binder, "sink", &declared).unwrap();
        }
        binder.finish()
    }

    /// What loading it says, which must be an error.
    #[track_caller]
    pub(crate) fn refused(&self, code: Code, message: &str) -> Error {
        let error = self.load().unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.message().contains(message), "{error}");
        error
    }
}

/// The plugin with everything that it exports.
pub(crate) fn whole() -> Bound {
    Folder::new(sink(), json!({})).load().unwrap()
}

struct NoImports;

impl Imports for NoImports {
    fn import(&self, path: &str) -> Result<Arc<Bound>, Error> {
        Err(Error::new(Code::UnknownPlugin, format!("no plugin `{path}`")))
    }
}

/// An engine where the plugin is the module `sink`.
pub(crate) fn engine(bound: &Bound) -> Engine {
    let mut engine = Engine::new();
    engine.register_static_module("sink", bound.module.clone());
    engine
}

/// Both scripts give the same value of the same type.
#[track_caller]
pub(crate) fn same(engine: &Engine, script: &str, expected: &str) {
    let value = |text: &str| match engine.eval::<Dynamic>(text) {
        Ok(value) => format!("{value:?}"),
        Err(error) => panic!("{text}: {error:?}"),
    };
    assert_eq!(value(script), value(expected), "{script}");
}

/// The script fails with this.
#[track_caller]
pub(crate) fn fails(engine: &Engine, script: &str, code: Code, message: &str) -> Error {
    let raised = engine.eval::<Dynamic>(script).unwrap_err();
    let error = Error::raised_in(&raised).unwrap_or_else(|| panic!("{script}: {raised:?}"));
    assert_eq!((error.code(), error.message()), (code, message), "{script}");
    error
}
