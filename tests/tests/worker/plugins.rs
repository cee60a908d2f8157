//! The plugins that go wrong, in workers.

use caraway::worker::Workers;
use caraway::{Builder, Error};
use caraway_tests::build;
use caraway_tests::native::{Lines, Native};
use rhai::{Dynamic, Engine};
use std::sync::OnceLock;

/// Why a plugin runs in a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Its manifest says so. It needs no grant.
    Sandboxed,
    /// The host says so, and the plugin does not want it.
    Isolated,
}

pub(crate) const MODES: [Mode; 2] = [Mode::Sandboxed, Mode::Isolated];

/// Whose code it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    C,
    Rust,
}

/// The program that workers are.
pub(crate) fn workers(builder: Builder) -> Builder {
    builder.workers(Workers::program(env!("CARGO_BIN_EXE_caraway-worker")))
}

impl Code {
    /// What the plugin is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::C => "faults",
            Self::Rust => "worker-faults",
        }
    }

    fn library(self) -> &'static [u8] {
        static C: OnceLock<Vec<u8>> = OnceLock::new();
        static RUST: OnceLock<Vec<u8>> = OnceLock::new();
        match self {
            Self::C => C.get_or_init(|| c(&[])),
            Self::Rust => RUST.get_or_init(|| build::cargo("worker-faults", "worker_faults", &[])),
        }
    }

    /// The plugin with these further lines for its `security`.
    pub(crate) fn plugin(self, mode: Mode, security: &str) -> Session {
        plugin(self.name(), self.library(), mode, security)
    }

    /// The plugin in a sandbox, asking for this and being granted and denied that.
    pub(crate) fn asking(self, asks: &str, allow: &[String], deny: &[String]) -> Session {
        self.set_up(&format!("capabilities = [{asks}]"), allow, deny)
    }

    /// The plugin in a sandbox, with this manifest and one grant.
    pub(crate) fn granted(self, manifest: &str, grant: &str) -> Session {
        self.set_up(manifest, &[grant.to_owned()], &[])
    }

    fn set_up(self, manifest: &str, allow: &[String], deny: &[String]) -> Session {
        let (allow, deny) = (allow.to_vec(), deny.to_vec());
        Session::new(self.name(), self.library(), manifest, move |builder| {
            let builder = allow.iter().fold(workers(builder), |builder, grant| builder.allow(grant));
            deny.iter().fold(builder, |builder, grant| builder.deny(grant))
        })
    }
}

/// A host's engine, for which a plugin is loaded once.
pub(crate) struct Session {
    engine: Engine,
    plugin: Native,
    import: String,
}

impl Session {
    fn new(
        name: &str,
        library: &[u8],
        manifest: &str,
        set_up: impl Fn(Builder) -> Builder + Send + Sync + 'static,
    ) -> Self {
        let plugin = Native::set_up(name, "1.0.0", library, manifest, set_up);
        Self { engine: engine(&plugin), plugin, import: format!("import \"{name}\" as m; ") }
    }

    /// Goes on with a runtime that has loaded nothing yet, and gives the old engine.
    pub(crate) fn restart(&mut self) -> Engine {
        self.plugin.restart();
        std::mem::replace(&mut self.engine, engine(&self.plugin))
    }

    /// Goes on with this engine.
    pub(crate) fn swap(&mut self, engine: Engine) {
        self.engine = engine;
    }

    /// Puts another library in the place of the plugin's.
    pub(crate) fn replace(&self, library: &[u8]) {
        let file = self.plugin.library();
        let aside = file.with_extension("aside");
        std::fs::write(&aside, library).unwrap();
        std::fs::rename(aside, file).unwrap();
    }

    /// What has been printed and logged, also after this is gone.
    pub(crate) fn lines(&self) -> Lines {
        self.plugin.lines()
    }

    /// Why its manifest is refused.
    #[track_caller]
    pub(crate) fn errors(&self) -> Vec<Error> {
        self.plugin.runtime().catalog().unwrap().errors
    }

    /// The value of a script, for which the plugin is `m`.
    #[track_caller]
    pub(crate) fn eval(&self, script: &str) -> Result<Dynamic, Error> {
        self.engine.eval(&format!("{}{script}", self.import)).map_err(|error| {
            Error::raised_in(&error).unwrap_or_else(|| panic!("{script}: no error of a plugin: {error}"))
        })
    }

    /// Both scripts give the same value.
    #[track_caller]
    pub(crate) fn same(&self, script: &str, expected: &str) {
        let value = |script| match self.eval(script) {
            Ok(value) => format!("{value:?}"),
            Err(error) => panic!("{script}: {}", told(&error)),
        };
        assert_eq!(value(script), value(expected), "{script}");
    }

    /// The script fails with this code and all of these texts in its message and hint.
    #[track_caller]
    pub(crate) fn fails(&self, script: &str, code: caraway::Code, texts: &[&str]) -> Error {
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
    pub(crate) fn refused(&self, code: caraway::Code, texts: &[&str]) -> Error {
        self.fails("1", code, texts)
    }
}

fn engine(plugin: &Native) -> Engine {
    let mut engine = Engine::new();
    plugin.runtime().install(&mut engine).unwrap();
    engine
}

/// Message and hint.
fn told(error: &Error) -> String {
    format!("{} ({})", error.message(), error.hint_text().unwrap_or("no hint"))
}

/// `plugins/c/worker_faults.c`, compiled so.
pub(crate) fn c(flags: &[&str]) -> Vec<u8> {
    build::cc("c/worker_faults.c", flags)
}

/// A plugin of this library in a worker.
pub(crate) fn plugin(name: &str, library: &[u8], mode: Mode, security: &str) -> Session {
    let sandbox = mode == Mode::Sandboxed;
    let manifest = format!("[security]\nsandbox = {sandbox}\n{security}\n");
    Session::new(name, library, &manifest, move |builder| workers(builder).isolate(!sandbox))
}

/// The process of a plugin's worker, which leads a group.
#[track_caller]
pub(crate) fn id(plugin: &Session) -> i64 {
    plugin.eval("m::id()").unwrap().as_int().unwrap()
}
