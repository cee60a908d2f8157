//! `std/events`: what happened, told to the program that runs the script.
//!
//! An event reaches the host's listener and nobody else, so telling it needs no capability.

use crate::module::{Function, Host, StdModule, text};
use caraway_loaders_core::bind::CallResult;
use caraway_loaders_core::event::Event;
use rhai::{Dynamic, NativeCallContext};

pub(crate) const MODULE: StdModule = StdModule {
    name: "std/events",
    description: "Events for the program that embeds the scripts",
    functions: &[Function {
        signature: "emit(name: string, payload: string)",
        doc: "Tells that something happened. A payload is JSON by custom, and has at most 65,536 bytes.",
        body: emit,
    }],
};

fn emit(host: &Host, _: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    let plugin = host.access.plugin_name().unwrap_or("program");
    host.output.event(&Event::new(plugin, &text(args, 0), &text(args, 1))?);
    Ok(Dynamic::UNIT)
}
