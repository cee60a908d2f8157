//! How long a plugin is in use.

use crate::fault::Fault;
use crate::host::Host;
use crate::memory::{Memory, Out};
use crate::opening::Opening;
use caraway_abi::{OUT_WORDS, Plugin, Status, UTF8};
use caraway_loaders_core::output::{Level, Output};
use caraway_loaders_core::{Error, Value};

type Shutdown = unsafe extern "C" fn(out: *mut u64) -> i32;

/// A plugin that has been attached and started. Whatever needs its code or its memory holds one; when the last of
/// them is gone, the plugin is shut down.
#[derive(Debug)]
pub(crate) struct Life {
    /// Whose the memory of results is.
    pub(crate) memory: Memory,
    /// Whether the plugin vouches for its strings being UTF-8.
    pub(crate) utf8: bool,
    shutdown: Option<Shutdown>,
    host: &'static Host,
}

impl Life {
    /// Attaches a plugin and gives it its settings.
    pub(crate) fn begin(
        opening: &Opening<'_>,
        table: &Plugin,
        config: &Value,
        output: &Output,
    ) -> Result<Self, Error> {
        let host = Host::new(&opening.plugin.manifest.name, output);
        // SAFETY: the host's table lives as long as the process.
        let status = unsafe { (table.attach)(host.table()) };
        if status != Status::Ok as i32 {
            host.close();
            return Err(opening.refused(&format!("refused to be attached, with status {status}")));
        }
        let memory = table.release.map_or(Memory::Host, Memory::Plugin);
        if let Some(init) = table.init {
            let config = config.encode();
            let mut out: Out = [0; OUT_WORDS];
            // SAFETY: the settings are there during the call, and `out` has its room.
            let status = unsafe { init(config.as_ptr(), config.len(), out.as_mut_ptr()) };
            if status != Status::Ok as i32 {
                // SAFETY: these are what `init` gave back.
                let fault = unsafe { Fault::read(memory, status, &out) };
                host.close();
                return Err(opening.refused(&format!("could not be started: it {}", fault.predicate())));
            }
        }
        Ok(Self { memory, utf8: table.flags & UTF8 != 0, shutdown: table.shutdown, host })
    }
}

#[cfg(any(test, fuzzing))]
impl Life {
    /// One of no plugin.
    pub(crate) fn without_plugin() -> Self {
        let host = Host::new("p", &Output::new(|_, _| {}));
        Self { memory: Memory::Host, utf8: false, shutdown: None, host }
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        if let Some(shutdown) = self.shutdown {
            let mut out: Out = [0; OUT_WORDS];
            // SAFETY: nothing of the plugin is in use any more, so this is the one call; `out` has its room.
            let status = unsafe { shutdown(out.as_mut_ptr()) };
            if status != Status::Ok as i32 {
                // SAFETY: these are what `shutdown` gave back.
                let fault = unsafe { Fault::read(self.memory, status, &out) };
                self.host.log(Level::Error, &format!("its shutdown {}", fault.predicate()));
            }
        }
        self.host.close();
    }
}
