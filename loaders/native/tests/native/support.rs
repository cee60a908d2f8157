//! Built plugins, folders to load them from, and engines to call them with.

use crate::sample::{Memory, sample};
use crate::sink::sink;
use caraway_loaders_core::bind::{Binder, Bound};
use caraway_loaders_core::budget;
use caraway_loaders_core::capability::{Access, Asks, Grants};
use caraway_loaders_core::discover::{Origin, Plugin};
use caraway_loaders_core::handle;
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::loader::{Imports, LoadRequest, Loader};
use caraway_loaders_core::manifest::Manifest;
use caraway_loaders_core::output::Output;
use caraway_loaders_core::{Code, Error, StandardPackage};
use caraway_loaders_native::agree::{Unlisted, agree};
use caraway_loaders_native::{Library, NativeLoader};
use rhai::{Dynamic, Engine};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// The file that the manifests of these tests name.
pub(crate) const LIBRARY: &str = "libsink.so";

/// A plugin's folder that is gone with the value.
pub(crate) struct Folder {
    folder: TempDir,
    pub(crate) plugin: Plugin,
    config: BTreeMap<String, caraway_plugin::Value>,
    lines: Arc<Mutex<Vec<String>>>,
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
        let plugin = Plugin::new(manifest, root.clone(), Origin::SearchPath(root));
        Self { folder, plugin, config: BTreeMap::new(), lines: Arc::default() }
    }

    /// With this setting.
    pub(crate) fn set(mut self, name: &str, value: caraway_plugin::Value) -> Self {
        self.config.insert(name.to_owned(), value);
        self
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join(LIBRARY)
    }

    /// What is written to the log.
    pub(crate) fn lines(&self) -> Arc<Mutex<Vec<String>>> {
        self.lines.clone()
    }

    fn request(&self) -> LoadRequest {
        let lines = self.lines.clone();
        LoadRequest {
            plugin: Arc::new(self.plugin.clone()),
            config: caraway_plugin::Value::Map(self.config.clone()),
            access: Arc::new(Access::plugin("sink", &Asks::default(), &Grants::default(), "/")),
            imports: Arc::new(NoImports),
            limits: Limits::PLUGIN,
            watch: Default::default(),
            rate: Default::default(),
            standard: StandardPackage::default(),
            store: Default::default(),
            output: Output::new(move |_, line| lines.lock().unwrap().push(line.to_owned())),
        }
    }

    pub(crate) fn load(&self) -> Result<Bound, Error> {
        NativeLoader.load(&self.request())
    }

    /// The functions that the manifest declares, with the rest of the library private: as half of a hybrid.
    pub(crate) fn load_declared(&self) -> Bound {
        let library = Library::open(&self.plugin, Path::new(LIBRARY)).unwrap();
        let name = &self.plugin.manifest.name;
        let mut binder = Binder::new(name, name);
        let mut instance = library.start(&self.request()).unwrap();
        instance.add_classes(&mut binder);
        for (declared, function) in
            agree(&self.plugin.manifest, &library, Unlisted::Private, |_| true).unwrap()
        {
            instance.add_function(function, declared, &mut binder).unwrap();
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

/// Both kinds of memory.
pub(crate) const MEMORY: [Memory; 2] = [Memory::Host, Memory::Own];

/// The folder of the plugin in C, with these fields in the manifest beside the usual ones.
pub(crate) fn folder(memory: Memory, mut fields: Value) -> Folder {
    fields["name"] = json!("sample");
    fields["version"] = json!("1.0.0");
    Folder::new(sample(memory), fields)
}

/// An engine where the plugin in C is the module `sample`.
pub(crate) fn sample_engine(memory: Memory) -> Engine {
    engine(&folder(memory, json!({})).load().unwrap())
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

/// An engine where the plugin is the module of its name.
pub(crate) fn engine(bound: &Bound) -> Engine {
    let mut engine = Engine::new_raw();
    engine.register_global_module(StandardPackage::default().module());
    handle::find_methods(&mut engine);
    Limits::PROGRAM.apply(&mut engine);
    engine.on_progress(budget::tick);
    engine.register_static_module(&bound.name, bound.module.clone());
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

/// The script fails with this. Places in the plugin's source are `src/lib.rs:_`.
#[track_caller]
pub(crate) fn fails(engine: &Engine, script: &str, code: Code, message: &str) -> Error {
    let raised = engine.eval::<Dynamic>(script).unwrap_err();
    let error = Error::raised_in(&raised).unwrap_or_else(|| panic!("{script}: {raised:?}"));
    assert_eq!((error.code(), without_place(error.message())), (code, message.to_owned()), "{script}");
    error
}

fn without_place(message: &str) -> String {
    match message.split_once("src/lib.rs:") {
        Some((before, after)) => {
            let after = after.trim_start_matches(|c: char| c.is_ascii_digit() || c == ':');
            format!("{before}src/lib.rs:_:{after}")
        }
        None => message.to_owned(),
    }
}
