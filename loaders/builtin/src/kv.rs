//! `std/kv`: what the importer keeps in memory until the program ends.
//!
//! The program has a store, and each plugin has one, which a component reaches as `caraway:plugin/store`, too. Nobody
//! sees another's, so it needs no capability.

use crate::module::{Function, Host, StdModule, text};
use caraway_loaders_core::bind::CallResult;
use caraway_loaders_core::store::Refusal;
use rhai::{Array, Dynamic, NativeCallContext};

pub(crate) const MODULE: StdModule = StdModule {
    name: "std/kv",
    description: "Values by key, kept in memory until the program ends",
    functions: &[
        Function {
            signature: "get(key: string) -> any",
            doc: "The value of a key, a copy; `()` where it has none.",
            body: get,
        },
        Function {
            signature: "has(key: string) -> bool",
            doc: "Whether a key has a value, be it `()`.",
            body: has,
        },
        Function {
            signature: "set(key: string, value: any)",
            doc: "Keeps a copy of a value. Keys have 1 to 256 bytes; at most 4096 of them, and 4 MiB in all.",
            body: set,
        },
        Function {
            signature: "delete(key: string) -> bool",
            doc: "Forgets a key, and says whether it had a value.",
            body: delete,
        },
        Function {
            signature: "keys() -> array<string>",
            doc: "All keys that have values, sorted.",
            body: keys,
        },
        Function { signature: "clear()", doc: "Forgets everything.", body: clear },
        Function {
            signature: "add(key: string, n: int) -> int",
            doc: "Adds to the int of a key, 0 if it has none, in one step, and gives the sum.",
            body: add,
        },
    ],
};

fn get(host: &Host, _: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    Ok(host.store.get(&text(args, 0)).unwrap_or(Dynamic::UNIT))
}

fn has(host: &Host, _: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    Ok(host.store.has(&text(args, 0)).into())
}

fn set(host: &Host, _: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    host.store.set(&text(args, 0), args[1]).map_err(Refusal::into_error)?;
    Ok(Dynamic::UNIT)
}

fn delete(host: &Host, _: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    Ok(host.store.delete(&text(args, 0)).into())
}

fn keys(host: &Host, _: &NativeCallContext<'_>, _: &mut [&mut Dynamic]) -> CallResult {
    Ok(host.store.keys().into_iter().map(Dynamic::from).collect::<Array>().into())
}

fn clear(host: &Host, _: &NativeCallContext<'_>, _: &mut [&mut Dynamic]) -> CallResult {
    host.store.clear();
    Ok(Dynamic::UNIT)
}

fn add(host: &Host, _: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    let n = args[1].as_int().unwrap_or_default();
    Ok(host.store.add(&text(args, 0), n).map_err(Refusal::into_error)?.into())
}
