//! `std/env`: environment variables, as far as `env` is granted.

use crate::module::{Function, Host, StdModule, name};
use caraway_loaders_core::bind::CallResult;
use caraway_loaders_core::capability::Request;
use caraway_loaders_core::{Code, Error};
use rhai::{Array, Dynamic, NativeCallContext};

pub(crate) const MODULE: StdModule = StdModule {
    name: "std/env",
    description: "Environment variables, within what is granted",
    functions: &[
        Function {
            signature: "get(name: string) -> string?",
            doc: "The variable's value; `()` where it is not set. One that is not granted is an error, set or not.",
            body: get,
        },
        Function {
            signature: "names() -> array<string>",
            doc: "The names of the variables that are set and granted, sorted.",
            body: names,
        },
    ],
};

fn get(host: &Host, _: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    let name = name(args, 0)?;
    host.access.check(&Request::Environment(&name))?;
    // The system has no such variables, and Rust's library panics at some of them.
    if name.is_empty() || name.contains(['=', '\0']) {
        return Ok(Dynamic::UNIT);
    }
    match std::env::var_os(name.as_str()).map(|value| value.into_string()) {
        None => Ok(Dynamic::UNIT),
        Some(Ok(value)) => Ok(value.into()),
        Some(Err(_)) => {
            Err(Error::new(Code::PluginFailed, format!("the variable `{name}` is not UTF-8")).into())
        }
    }
}

fn names(host: &Host, _: &NativeCallContext<'_>, _: &mut [&mut Dynamic]) -> CallResult {
    let all = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut names: Vec<String> =
        all.filter(|name| host.access.check(&Request::Environment(name)).is_ok()).collect();
    names.sort();
    Ok(names.into_iter().map(Dynamic::from).collect::<Array>().into())
}
