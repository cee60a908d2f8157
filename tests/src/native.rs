//! A native plugin in a folder of its own, and a runtime that may load it.

use crate::build;
use caraway::worker::Workers;
use caraway::{Builder, Code, Error, Output, Runtime};
use rhai::Dynamic;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// What was printed and logged, line by line.
pub type Lines = Arc<Mutex<Vec<String>>>;

/// Folders with a native plugin each, and a runtime that has them in its search path.
pub struct Native {
    folders: Vec<TempDir>,
    imports: String,
    runtime: Runtime,
    lines: Lines,
    set_up: SetUp,
}

/// What a runtime is made with beside the search path.
type SetUp = Arc<dyn Fn(Builder) -> Builder + Send + Sync>;

impl Native {
    /// The plugin of this name and version, whose library has these bytes and whose manifest has these further
    /// lines of TOML. It is the module `m` of scripts.
    pub fn new(name: &str, version: &str, library: &[u8], manifest: &str) -> Self {
        let manifest = format!("capabilities = [\"native\"]\n{manifest}\n[security]\nsandbox = false\n");
        Self::set_up(name, version, library, &manifest, |builder| builder.allow("native"))
    }

    /// The same, with all of the manifest but what names the plugin and its file, in runtimes that this sets up.
    pub fn set_up(
        name: &str,
        version: &str,
        library: &[u8],
        manifest: &str,
        set_up: impl Fn(Builder) -> Builder + Send + Sync + 'static,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = build::file_name("plugin");
        std::fs::write(folder.path().join(&file), library).unwrap();
        let manifest = format!(
            "name = \"{name}\"\nversion = \"{version}\"\ntype = \"native\"\n\
             {manifest}\n[implementation]\nentrypoint = \"{file}\"\n"
        );
        std::fs::write(folder.path().join("plugin.toml"), manifest).unwrap();
        let (lines, set_up): (_, SetUp) = (Lines::default(), Arc::new(set_up));
        let (folders, imports) = (vec![folder], format!("import \"{name}\" as m;"));
        Self { runtime: runtime(&folders, lines.clone(), &set_up), folders, imports, lines, set_up }
    }

    /// Goes on in workers that are this program, if there is one, with a runtime that has loaded nothing yet.
    pub fn in_worker(mut self, program: Option<&str>) -> Self {
        if let Some(workers) = program.filter(|_| crate::workers_hold()).map(Workers::program) {
            let set_up = self.set_up.clone();
            self.set_up = Arc::new(move |builder| set_up(builder).workers(workers.clone()).isolate(true));
        }
        self.restart();
        self
    }

    /// Both plugins in one runtime; the other one is the module `other`.
    pub fn with(self, other: Self) -> Self {
        let folders: Vec<TempDir> = self.folders.into_iter().chain(other.folders).collect();
        let imports = format!("{} {}", self.imports, other.imports.replace(" as m;", " as other;"));
        let runtime = runtime(&folders, self.lines.clone(), &self.set_up);
        Self { runtime, folders, imports, lines: self.lines, set_up: self.set_up }
    }

    /// Goes on with a runtime that has loaded nothing yet.
    pub fn restart(&mut self) {
        self.runtime = runtime(&self.folders, self.lines.clone(), &self.set_up);
    }

    /// The file of the first plugin's library.
    pub fn library(&self) -> PathBuf {
        self.folders[0].path().join(build::file_name("plugin"))
    }

    /// The runtime.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// What has been printed and logged, also after this is gone.
    pub fn lines(&self) -> Lines {
        self.lines.clone()
    }

    /// The value of a script. Its first line is the program's second, after the imports.
    ///
    /// # Errors
    ///
    /// What fails.
    pub fn eval(&self, script: &str) -> Result<Dynamic, Error> {
        self.runtime.eval(&format!("{}\n{script}", self.imports))
    }

    /// Both scripts give the same value of the same type.
    #[track_caller]
    pub fn same(&self, script: &str, expected: &str) {
        let value = |script: &str| match self.eval(script) {
            Ok(value) => format!("{} {value:?}", value.type_name()),
            Err(error) => panic!("{script}: {}", told(&error)),
        };
        assert_eq!(value(script), value(expected), "{script}");
    }

    /// The script fails with this code and all of these texts in its message and hint.
    #[track_caller]
    pub fn fails(&self, script: &str, code: Code, texts: &[&str]) -> Error {
        let error = match self.eval(script) {
            Ok(value) => panic!("{script} gives {value:?}"),
            Err(error) => error,
        };
        let told = told(&error);
        assert_eq!(error.code(), code, "{script}: {told}");
        for text in texts {
            assert!(told.contains(text), "{script}: no {text:?} in: {told}");
        }
        error
    }

    /// The plugin is not loaded, for this reason.
    #[track_caller]
    pub fn refused(&self, code: Code, texts: &[&str]) -> Error {
        self.fails("1", code, texts)
    }
}

fn runtime(folders: &[TempDir], lines: Lines, set_up: &SetUp) -> Runtime {
    let output = Output::new(move |_, line| lines.lock().unwrap().push(line.to_owned()));
    let builder = Runtime::builder().folder(folders[0].path()).output(output);
    let builder = folders.iter().fold(builder, |builder, folder| builder.plugin_path(folder.path()));
    set_up(builder).build().unwrap()
}

/// Message and hint.
fn told(error: &Error) -> String {
    format!("{} ({})", error.message(), error.hint_text().unwrap_or("no hint"))
}
