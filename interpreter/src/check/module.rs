//! What a plugin offers to those who import it.

use crate::inspection::Inspection;
use crate::session::Session;
use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::manifest::Function;
use caraway_loaders_core::{Error, Type};
use caraway_loaders_script::{engine, exported, parse_file, script_of_plugin};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A plugin as its importers see it.
pub(super) struct Module {
    /// The plugin's name.
    pub(super) name: Arc<str>,
    /// Its functions; `None` where that is not known without running it.
    pub(super) functions: Option<Vec<Function>>,
    /// Its constants; `None` where that is not known.
    pub(super) constants: Option<BTreeSet<String>>,
    /// Whether it can hand out what other plugins made.
    pub(super) passes_on: bool,
}

impl Module {
    /// Looks at a plugin, and gives why its code was not looked at, if it was not.
    ///
    /// # Errors
    ///
    /// What makes it impossible to load the plugin.
    pub(super) fn of(plugin: &Arc<Plugin>, session: &Session) -> Result<(Self, Option<Error>), Error> {
        let inspection = Inspection::of(plugin, session);
        let unseen = inspection.unseen().cloned();
        let functions = match inspection.functions(&plugin.manifest) {
            Ok(functions) => Some(functions),
            Err(_) if unseen.is_some() => None,
            Err(error) => return Err(error),
        };
        let constants = match script_of_plugin(plugin) {
            None => Some(BTreeSet::new()),
            Some(file) => parse_file(&engine::parser(&session.limits()), &file)
                .ok()
                .map(|ast| exported(&ast).into_iter().map(|(_, alias)| alias).collect()),
        };
        let passes_on = plugin.manifest.dependencies.iter().any(|other| !other.name.starts_with("std/"));
        Ok((Self { name: plugin.manifest.name.as_str().into(), functions, constants, passes_on }, unseen))
    }

    /// The functions of this name.
    pub(super) fn called<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Function> {
        self.functions.iter().flatten().filter(move |function| function.signature.name == name)
    }

    /// The methods and properties of a class of handles: the last part of each name, and the function.
    pub(super) fn members<'a>(&'a self, class: &'a str) -> impl Iterator<Item = (&'a str, &'a Function)> {
        self.functions.iter().flatten().filter_map(move |function| {
            let first = function.signature.params.first()?;
            let name = function.signature.name.as_str();
            matches!(&first.ty, Type::Handle(of) if **of == *class)
                .then(|| (name.rsplit("::").next().unwrap_or(name), function))
        })
    }

    /// The names of all methods of handles.
    pub(super) fn methods(&self) -> impl Iterator<Item = &str> {
        self.functions.iter().flatten().filter_map(|function| {
            let first = function.signature.params.first()?;
            let name = function.signature.name.as_str();
            matches!(first.ty, Type::Handle(_)).then(|| name.rsplit("::").next().unwrap_or(name))
        })
    }
}
