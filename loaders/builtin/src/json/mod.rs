//! `std/json`: JSON text to values and back.
//!
//! Ints stay ints and floats stay floats, both ways. What has no equal on the other side is an error: ints
//! beyond 64 bits, NaN and infinities, bytes, functions, repeated keys.

mod read;
mod scan;
mod write;

use crate::module::{Function, Host, StdModule, text};
use caraway_loaders_core::bind::CallResult;
use caraway_loaders_core::bind::conform::MAX_DEPTH;
use rhai::{Dynamic, NativeCallContext};
use serde_json::ser::{CompactFormatter, PrettyFormatter};

pub(crate) const MODULE: StdModule = StdModule {
    name: "std/json",
    description: "JSON text to values and back",
    functions: &[
        Function {
            signature: "parse(text: string) -> any",
            doc: "The value of a JSON text. Nests 128 levels at most; repeated keys and ints beyond 64 bits are errors.",
            body: parse,
        },
        Function {
            signature: "stringify(value: any) -> string",
            doc: "The value as JSON on one line. NaN, infinities, bytes and functions are errors.",
            body: stringify,
        },
        Function {
            signature: "stringify_pretty(value: any) -> string",
            doc: "The value as JSON, indented by two spaces.",
            body: stringify_pretty,
        },
    ],
};

fn parse(_: &Host, context: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    read::parse(&text(args, 0), context.engine())
}

fn stringify(_: &Host, context: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    write::stringify(args[0], CompactFormatter, context.engine())
}

fn stringify_pretty(_: &Host, context: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    write::stringify(args[0], PrettyFormatter::new(), context.engine())
}
