//! The `std/...` modules: plugins that are compiled into the host.
//!
//! | module | what it does | needs |
//! | --- | --- | --- |
//! | `std/fs` | files and folders | `filesystem` |
//! | `std/http` | requests; in builds with the feature `http` | `network` |
//! | `std/json` | JSON text to values and back | nothing |
//! | `std/path` | paths as text | nothing |
//! | `std/encoding` | base64, hexadecimal, percent and UTF-8 | nothing |
//! | `std/process` | other programs | `process` |
//! | `std/env` | environment variables | `env` |
//! | `std/regex` | regular expressions; in builds with the feature `regex` | nothing |
//! | `std/time` | clocks, sleep, RFC 3339 | nothing |
//! | `std/log` | messages on standard error, signed with the plugin's name | nothing |
//! | `std/kv` | values by key, kept in memory until the program ends | nothing |
//! | `std/events` | events for the program that embeds the scripts | nothing |
//!
//! Each importer has modules of its own, which act with the importer's authority: what the program may read,
//! a plugin that it imports may not. A module is one file, or one folder, with one table of functions.

mod encoding;
mod env;
mod events;
mod fs;
#[cfg(feature = "http")]
mod http;
mod json;
mod kv;
mod log;
mod module;
mod options;
mod path;
mod process;
#[cfg(feature = "regex")]
mod regex;
mod time;

use caraway_loaders_core::bind::Bound;
use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::loader::{LoadRequest, Loader, PluginFile};
use caraway_loaders_core::manifest::{Function, Manifest};
use caraway_loaders_core::{Code, Error};
use module::StdModule;

/// Every module, in the order in which they are listed.
const MODULES: &[&StdModule] = &[
    &fs::MODULE,
    #[cfg(feature = "http")]
    &http::MODULE,
    &process::MODULE,
    &env::MODULE,
    &json::MODULE,
    &encoding::MODULE,
    &path::MODULE,
    #[cfg(feature = "regex")]
    &regex::MODULE,
    &time::MODULE,
    &log::MODULE,
    &events::MODULE,
    &kv::MODULE,
];

/// The modules that this build leaves out, and the feature of the crate `caraway` that has them.
const ABSENT: &[(&str, &str)] = &[
    #[cfg(not(feature = "http"))]
    ("std/http", "std-http"),
    #[cfg(not(feature = "regex"))]
    ("std/regex", "std-regex"),
];

/// The loader of `type` `builtin`. A module that was left out of the build is listed even so, and cannot be loaded.
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
    /// Whether it is a module of this build, or of another one.
    fn names(name: &str) -> bool {
        MODULES
            .iter()
            .map(|module| module.name)
            .chain(ABSENT.iter().map(|(name, _)| *name))
            .any(|known| known == name)
    }

    fn module(name: &str) -> Result<&'static StdModule, Error> {
        if let Some(module) = MODULES.iter().copied().find(|module| module.name == name) {
            return Ok(module);
        }
        Err(match ABSENT.iter().find(|(absent, _)| *absent == name) {
            Some((_, feature)) => {
                Error::new(Code::UnknownPlugin, format!("this caraway was built without `{name}`"))
                    .hint(format!("use one that was built with the feature `{feature}`"))
            }
            None => Error::new(Code::UnknownPlugin, format!("no module `{name}` is compiled in")),
        })
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
        let compiled_in = manifest.file().as_os_str().is_empty() && Self::names(&manifest.name);
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
        let present = MODULES.iter().map(|module| module.manifest(self.kind()));
        let absent = ABSENT.iter().map(|(name, _)| module::absent(name, self.kind()));
        present.chain(absent).filter_map(Result::ok).collect()
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
        Self::module(&request.plugin.manifest.name)?.bind(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_sound() {
        let provided = BuiltinLoader.provided();
        assert_eq!(provided.len(), MODULES.len() + ABSENT.len());
        for manifest in provided.into_iter().take(MODULES.len()) {
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
    fn what_was_left_out_says_which_build_has_it() {
        for (name, feature) in ABSENT {
            let manifest =
                BuiltinLoader.provided().into_iter().find(|manifest| manifest.name == *name).unwrap();
            assert_eq!(manifest.description.as_deref(), Some("not in this build"));
            assert!(BuiltinLoader.validate(&manifest).is_empty());
            let error = BuiltinLoader::module(name).err().unwrap();
            assert_eq!(error.message(), format!("this caraway was built without `{name}`"));
            assert_eq!(
                error.hint_text().unwrap(),
                format!("use one that was built with the feature `{feature}`")
            );
        }
    }

    #[test]
    fn only_what_is_compiled_in_is_builtin() {
        let manifest = Manifest::new("mine", semver::Version::new(1, 0, 0), "builtin");
        let problems = BuiltinLoader.validate(&manifest);
        assert_eq!(problems.iter().map(Error::code).collect::<Vec<_>>(), [Code::ManifestValue]);
    }
}
