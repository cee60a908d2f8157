//! The plugins that go wrong, in workers.

use caraway::Builder;
use caraway::worker::Workers;
use caraway_tests::build;
use caraway_tests::native::Native;
use std::sync::OnceLock;

/// Why a plugin runs in a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Its manifest says so. It needs no grant.
    Sandboxed,
    /// The host says so, and the plugin does not want it.
    Isolated,
}

pub const MODES: [Mode; 2] = [Mode::Sandboxed, Mode::Isolated];

/// Whose code it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    C,
    Rust,
}

/// The program that workers are.
pub fn workers(builder: Builder) -> Builder {
    builder.workers(Workers::program(env!("CARGO_BIN_EXE_caraway-worker")))
}

impl Code {
    /// What the plugin is called.
    pub fn name(self) -> &'static str {
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
    pub fn plugin(self, mode: Mode, security: &str) -> Native {
        plugin(self.name(), self.library(), mode, security)
    }

    /// The plugin in a sandbox, asking for this and being granted and denied that.
    pub fn asking(self, asks: &str, allow: &[String], deny: &[String]) -> Native {
        let manifest = format!("capabilities = [{asks}]");
        let (allow, deny) = (allow.to_vec(), deny.to_vec());
        Native::set_up(self.name(), "1.0.0", self.library(), &manifest, move |builder| {
            let builder = allow.iter().fold(workers(builder), |builder, grant| builder.allow(grant));
            deny.iter().fold(builder, |builder, grant| builder.deny(grant))
        })
    }
}

/// `plugins/c/worker_faults.c`, compiled so.
pub fn c(flags: &[&str]) -> Vec<u8> {
    build::cc("c/worker_faults.c", flags)
}

/// A plugin of this library in a worker.
pub fn plugin(name: &str, library: &[u8], mode: Mode, security: &str) -> Native {
    let sandbox = mode == Mode::Sandboxed;
    let manifest = format!("[security]\nsandbox = {sandbox}\n{security}\n");
    Native::set_up(name, "1.0.0", library, &manifest, move |builder| workers(builder).isolate(!sandbox))
}

/// The process of a plugin's worker, which leads a group.
#[track_caller]
pub fn id(plugin: &Native) -> i64 {
    plugin.eval("m::id()").unwrap().as_int().unwrap()
}
