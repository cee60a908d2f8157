//! `std/log`: messages for whoever runs the program.
//!
//! A message goes to standard error, and each of its lines begins with the level and with who says it:
//! `[warn] stats: no data`. Since the host signs and escapes them, messages need no capability: they cannot
//! pass for the program's own or for another plugin's. What is longer than 64 KiB is cut. `print` needs `io`.

use crate::module::{Function, Host, StdModule, text};
use caraway_loaders_core::bind::CallResult;
use caraway_loaders_core::output::Level;
use caraway_loaders_core::text::message as message_text;
use rhai::{Dynamic, NativeCallContext};

pub(crate) const MODULE: StdModule = StdModule {
    name: "std/log",
    description: "Messages on standard error, signed with who sends them",
    functions: &[
        // `debug` is one of Rhai's reserved words and cannot follow `log::`.
        Function {
            signature: "trace(message: string)",
            doc: "What only somebody who looks for a mistake wants to know.",
            body: trace,
        },
        Function { signature: "info(message: string)", doc: "What happens.", body: info },
        Function {
            signature: "warn(message: string)",
            doc: "What may be wrong, though it goes on.",
            body: warn,
        },
        Function { signature: "error(message: string)", doc: "What went wrong.", body: error },
    ],
};

fn trace(host: &Host, _: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    write(host, Level::Trace, &text(args, 0))
}

fn info(host: &Host, _: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    write(host, Level::Info, &text(args, 0))
}

fn warn(host: &Host, _: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    write(host, Level::Warn, &text(args, 0))
}

fn error(host: &Host, _: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    write(host, Level::Error, &text(args, 0))
}

fn write(host: &Host, level: Level, message: &str) -> CallResult {
    host.output.log(level, host.access.plugin_name().unwrap_or("program"), &message_text(&message));
    Ok(Dynamic::UNIT)
}
