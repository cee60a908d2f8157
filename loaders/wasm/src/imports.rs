//! What a component may import: WASI 0.2, the services of the host, and what its declared dependencies have.

use crate::dependency::Wanted;
use crate::reflect::interface_name;
use crate::shape::snake_case;
use crate::{services, wasi};
use caraway_loaders_core::manifest::Manifest;
use caraway_loaders_core::{Code, Error};
use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

/// What a component imports from other plugins.
///
/// # Errors
///
/// [`Code::LoadFailed`] for each import that nobody serves, by name.
pub(crate) fn from_plugins(
    engine: &Engine,
    component: &Component,
    manifest: &Manifest,
) -> Result<Vec<Wanted>, Error> {
    let mut wanted = Vec::new();
    let mut alone = Vec::new();
    let mut errors = Vec::new();
    let ty = component.component_type();
    for (name, item) in ty.imports(engine) {
        let ours = name.starts_with(services::PACKAGE);
        if ours || wasi::serves(name) {
            continue;
        }
        match item.ty {
            ComponentItem::ComponentInstance(instance) => {
                let mut functions = Vec::new();
                let mut others = false;
                for (function, item) in instance.exports(engine) {
                    match item.ty {
                        ComponentItem::ComponentFunc(ty) if !function.starts_with('[') => {
                            functions.push((function.to_owned(), ty));
                        }
                        ComponentItem::Type(_) => {}
                        _ => others = true,
                    }
                }
                match declared(manifest, name) {
                    _ if functions.is_empty() && !others => {}
                    Some(plugin) if !others => wanted.push(Wanted {
                        interface: Some(name.to_owned()),
                        submodule: name.contains('/').then(|| interface_name(name)),
                        plugins: vec![plugin],
                        functions,
                    }),
                    Some(_) => errors.push(only_functions(name)),
                    None => errors.push(not_there(name)),
                }
            }
            ComponentItem::ComponentFunc(_) if manifest.dependencies.is_empty() => {
                errors.push(not_there(name))
            }
            ComponentItem::ComponentFunc(ty) => alone.push((name.to_owned(), ty)),
            ComponentItem::Type(_) => {}
            _ => errors.push(only_functions(name)),
        }
    }
    if !alone.is_empty() {
        let plugins = manifest.dependencies.iter().map(|dependency| dependency.name.clone()).collect();
        wanted.push(Wanted { interface: None, submodule: None, plugins, functions: alone });
    }
    Error::from_many(errors).map_or(Ok(wanted), Err)
}

/// The declared dependency that an interface is of: `stats` for `acme:stats/api` and for a plain `stats`, `std/json`
/// for `std:json/api`. WIT has no `_`, so `-` will do.
fn declared(manifest: &Manifest, interface: &str) -> Option<String> {
    let path = interface.split(['/', '@']).next().unwrap_or(interface);
    let plugin = match path.split_once(':') {
        Some(("std", package)) => format!("std/{package}"),
        Some((_, package)) => package.to_owned(),
        None => path.to_owned(),
    };
    let names = manifest.dependencies.iter().map(|dependency| &dependency.name);
    names.into_iter().find(|name| snake_case(name) == snake_case(&plugin)).cloned()
}

fn not_there(name: &str) -> Error {
    let error = Error::new(Code::LoadFailed, format!("it imports `{name}`, which is not there for plugins"));
    if !cfg!(feature = "http") && name.starts_with("wasi:http/") {
        return error.hint("this build has no `wasi:http`: get or make one with the feature `wasm-http`");
    }
    if name.starts_with("wasi:") {
        return error.hint(
            "of WASI, components can import cli, clocks, filesystem, io, random, sockets, and of http \
             `outgoing-handler` and `types`",
        );
    }
    error.hint(
        "components can import WASI 0.2, `caraway:plugin`, and functions of plugins that their manifest declares \
         in `dependencies`: `acme:stats/api` is of `stats`",
    )
}

fn only_functions(name: &str) -> Error {
    let message = format!("it imports `{name}`, and of other plugins components can import functions alone");
    Error::new(Code::LoadFailed, message).hint("import no resources, modules or components")
}
