//! What a plugin's code offers, as far as looking is allowed.

use crate::session::Session;
use caraway_loaders_core::capability::{Capability, Request};
use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::loader::Loader;
use caraway_loaders_core::manifest::Function;
use caraway_loaders_core::{Code, Error};
use std::sync::Arc;

/// The outcome of a look at the code.
pub(crate) enum Inspection {
    /// It offers these functions, and they are the declared ones.
    Offers(Vec<Function>),
    /// Looking would run native code, which was not granted.
    NotChecked(Error),
    /// It cannot be loaded.
    Broken(Error),
}

impl Inspection {
    /// Looks at a plugin's code. A library's constructors run when it is opened: that takes the grant that
    /// loading it does.
    pub(crate) fn of(plugin: &Arc<Plugin>, session: &Session) -> Self {
        let loader = match loader_here(plugin, session) {
            Ok(loader) => loader,
            Err(error) => return Self::Broken(error),
        };
        if loader.trusted(&plugin.manifest)
            && let Err(refusal) = session.plugin_access(plugin).check(&Request::Native)
        {
            // What the manifest does not ask for, nobody can grant.
            return match plugin.manifest.asks.contains(Capability::Native) {
                true => Self::NotChecked(refusal),
                false => Self::Broken(refusal.at(plugin.manifest.locate("capabilities"))),
            };
        }
        match loader.inspect(plugin) {
            Ok(functions) => Self::Offers(functions),
            Err(error) => Self::Broken(error),
        }
    }
}

/// The loader of a plugin that this host would load.
///
/// # Errors
///
/// [`Code::Incompatible`] if the plugin needs another host.
pub(crate) fn loader_here(plugin: &Plugin, session: &Session) -> Result<Arc<dyn Loader>, Error> {
    let host = &session.settings().version;
    if let Some(needed) = plugin.manifest.unmet_host(host) {
        let found = format!("`{}` needs caraway {needed}, and this is {host}", plugin.manifest.name);
        return Err(Error::new(Code::Incompatible, found)
            .at(plugin.manifest.locate("caraway_version"))
            .hint("install a version of caraway that satisfies it, or change `caraway_version`"));
    }
    session.loader(plugin)
}
