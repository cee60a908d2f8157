//! What the program and each plugin see of plugins.

use super::Session;
use caraway_loaders_core::bind::Bound;
use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::loader::Imports;
use caraway_loaders_core::{Code, Error};
use std::sync::{Arc, Weak};

/// Whether `security.allowed_apis` lets a plugin import this one.
pub(super) fn allowed_api(importer: &Plugin, imported: &Plugin) -> Result<(), Error> {
    let name = &imported.manifest.name;
    match &importer.manifest.security.allowed_apis {
        Some(allowed) if name.starts_with("std/") && !allowed.contains(name) => Err(Error::new(
            Code::Denied,
            format!("`{}` imports `{name}`, which its `allowed_apis` leaves out", importer.manifest.name),
        )
        .hint(format!(
            "add \"{name}\" to `security.allowed_apis` in {}",
            importer.manifest.file().display()
        ))),
        _ => Ok(()),
    }
}

/// The program's view: what it imports is planned as it comes.
pub(super) struct ProgramView(pub(super) Arc<Session>);

impl Imports for ProgramView {
    fn import(&self, path: &str) -> Result<Arc<Bound>, Error> {
        self.0.import(None, path)
    }
}

/// A plugin's view: what it declares. It does not keep the session alive: the session keeps the plugin.
pub(super) struct PluginView {
    pub(super) session: Weak<Session>,
    pub(super) plugin: Arc<Plugin>,
}

impl Imports for PluginView {
    fn import(&self, path: &str) -> Result<Arc<Bound>, Error> {
        let session = self.session.upgrade().ok_or_else(|| {
            Error::new(
                Code::Internal,
                format!("`{}` imports {path:?} after its program has ended", self.plugin.manifest.name),
            )
        })?;
        session.import(Some(&self.plugin), path)
    }
}
