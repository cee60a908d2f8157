//! `caraway:plugin/log`.

use super::wit::caraway::plugin::log::{Host, Level};
use crate::wasi::Guest;
use caraway_loaders_core::output;

/// How much of a message is written, in bytes.
const MAX_MESSAGE: usize = 64 << 10;

impl Host for &mut Guest {
    fn log(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        let level = match level {
            Level::Error => output::Level::Error,
            Level::Warn => output::Level::Warn,
            Level::Info => output::Level::Info,
            Level::Debug => output::Level::Debug,
            Level::Trace => output::Level::Trace,
        };
        let end = message.floor_char_boundary(MAX_MESSAGE);
        let services = &self.services.0;
        services.output.log(level, &services.plugin, &message[..end]);
        Ok(())
    }
}
