//! The `std/...` modules: plugins that are compiled into the host.
//!
//! | module | what it does | needs |
//! | --- | --- | --- |
//! | `std/fs` | files and folders | `filesystem` |
//! | `std/json` | JSON text to values and back | nothing |
//! | `std/path` | paths as text | nothing |
//! | `std/encoding` | base64, hexadecimal, percent and UTF-8 | nothing |
//! | `std/process` | other programs | `process` |
//! | `std/env` | environment variables | `env` |
//! | `std/time` | clocks, sleep, RFC 3339 | nothing |
//! | `std/log` | messages on standard error, signed with the plugin's name | nothing |
//! | `std/events` | events for the program that embeds the scripts | nothing |
//!
//! Each importer has modules of its own, which act with the importer's authority: what the program may read,
//! a plugin that it imports may not. A module is one file, or one folder, with one table of functions.

mod encoding;
mod env;
mod events;
mod fs;
mod json;
mod log;
mod module;
mod path;
mod process;
mod time;

use caraway_loaders_core::bind::Bound;
use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::loader::{LoadRequest, Loader, PluginFile};
use caraway_loaders_core::manifest::{Function, Manifest};
use caraway_loaders_core::{Code, Error};
use module::{Host, StdModule};

/// Every module, in the order in which they are listed.
const MODULES: &[&StdModule] = &[
    &fs::MODULE,
    &process::MODULE,
    &env::MODULE,
    &json::MODULE,
    &encoding::MODULE,
    &path::MODULE,
    &time::MODULE,
    &log::MODULE,
    &events::MODULE,
];

/// The loader of `type` `builtin`.
///
/// ```
/// use caraway_loaders_builtin::BuiltinLoader;
/// use caraway_loaders_core::loader::Loader;
///
/// let names: Vec<String> = BuiltinLoader.provided().into_iter().map(|manifest| manifest.name).collect();
/// assert!(names.contains(&"std/fs".to_owned()) && names.contains(&"std/json".to_owned()));
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct BuiltinLoader;

impl BuiltinLoader {
    fn module(name: &str) -> Result<&'static StdModule, Error> {
        MODULES
            .iter()
            .copied()
            .find(|module| module.name == name)
            .ok_or_else(|| Error::new(Code::UnknownPlugin, format!("no module `{name}` is compiled in")))
    }
}

impl Loader for BuiltinLoader {
    fn kind(&self) -> &'static str {
        "builtin"
    }

    fn description(&self) -> &'static str {
        "a module that is compiled into the host"
    }

    fn validate(&self, manifest: &Manifest) -> Vec<Error> {
        let compiled_in = manifest.file().as_os_str().is_empty() && Self::module(&manifest.name).is_ok();
        if compiled_in {
            return Vec::new();
        }
        let error = Error::new(
            Code::ManifestValue,
            "`builtin` plugins are compiled into the host; no folder can hold one",
        )
        .at(manifest.locate("type"))
        .hint("for a plugin written in Rhai, use the type `module`");
        vec![error]
    }

    fn provided(&self) -> Vec<Manifest> {
        MODULES.iter().filter_map(|module| module.manifest(self.kind()).ok()).collect()
    }

    fn per_importer(&self) -> bool {
        true
    }

    fn files(&self, _: &Plugin) -> Result<Vec<PluginFile>, Error> {
        Ok(Vec::new())
    }

    fn inspect(&self, plugin: &Plugin) -> Result<Vec<Function>, Error> {
        Self::module(&plugin.manifest.name)?.declared()
    }

    fn load(&self, request: &LoadRequest) -> Result<Bound, Error> {
        let host = Host::new(request.access.clone(), request.output.clone());
        Self::module(&request.plugin.manifest.name)?.bind(&request.plugin.id(), host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_sound() {
        assert_eq!(BuiltinLoader.provided().len(), MODULES.len());
        for manifest in BuiltinLoader.provided() {
            assert!(BuiltinLoader.validate(&manifest).is_empty(), "{}", manifest.name);
            let functions = manifest.functions.unwrap();
            assert!(!functions.is_empty() && manifest.description.is_some(), "{}", manifest.name);
            for function in functions {
                caraway_loaders_core::bind::callable(&function.signature).unwrap();
                let doc = function.description.unwrap();
                assert!(doc.ends_with('.') && !doc.contains('\n'), "{}: {doc}", function.signature);
            }
        }
    }

    #[test]
    fn only_what_is_compiled_in_is_builtin() {
        let manifest = Manifest::new("mine", semver::Version::new(1, 0, 0), "builtin");
        let problems = BuiltinLoader.validate(&manifest);
        assert_eq!(problems.iter().map(Error::code).collect::<Vec<_>>(), [Code::ManifestValue]);
    }
}
