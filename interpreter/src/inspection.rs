//! What a plugin's code offers, as far as looking is allowed.

use crate::session::Session;
use caraway_loaders_core::capability::{Capability, Request};
use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::loader::{Loader, PluginFile};
use caraway_loaders_core::manifest::{Function, Manifest};
use caraway_loaders_core::{Code, Error};
use std::sync::Arc;

/// The outcome of a look at the code.
pub(crate) enum Inspection {
    /// It offers these functions, and they are the declared ones.
    Offers(Vec<Function>),
    /// Looking would run native code, which was not granted.
    NotChecked(Error),
    /// Its binary is not there; all else is.
    NotBuilt(Error),
    /// It cannot be loaded.
    Broken(Error),
}

impl Inspection {
    /// Looks at a plugin's files, and at its code. A library's constructors run when it is opened: that takes the grant that
    /// loading it does.
    pub(crate) fn of(plugin: &Arc<Plugin>, session: &Session) -> Self {
        let loader = match loader_here(plugin, session) {
            Ok(loader) => loader,
            Err(error) => return Self::Broken(error),
        };
        if let Some(incomplete) = Self::of_files(plugin, &*loader) {
            return incomplete;
        }
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

    /// What comes of files that are missing; `None` where all are there that this host would load.
    fn of_files(plugin: &Plugin, loader: &dyn Loader) -> Option<Self> {
        let binary = loader.binary(plugin);
        let is_binary = |file: &PluginFile| binary.as_ref() == Some(&plugin.root.join(&file.path));
        let mut wrong = Vec::new();
        match loader.files(plugin) {
            Err(error) => wrong.push(error),
            Ok(files) => {
                let here = files.iter().filter(|file| file.is_for_this_host() && !is_binary(file));
                wrong.extend(here.filter_map(|file| plugin.file(&file.path).err()));
            }
        }
        let unbuilt = binary.as_ref().and_then(|path| {
            let relative = path.strip_prefix(&plugin.root).unwrap_or(path);
            plugin.binary(relative).err()
        });
        match (wrong.is_empty(), unbuilt) {
            (true, Some(error)) if binary.is_some_and(|path| !path.exists()) => Some(Self::NotBuilt(error)),
            (_, unbuilt) => Error::from_many(wrong.into_iter().chain(unbuilt)).map(Self::Broken),
        }
    }

    /// The functions that a plugin of this manifest offers, or else those that it declares.
    ///
    /// # Errors
    ///
    /// Why nobody could look, where it declares none; what is wrong with a plugin that is broken.
    pub(crate) fn functions(self, manifest: &Manifest) -> Result<Vec<Function>, Error> {
        match self {
            Self::Offers(functions) => Ok(functions),
            Self::NotChecked(error) | Self::NotBuilt(error) => manifest.functions.clone().ok_or(error),
            Self::Broken(error) => Err(error),
        }
    }

    /// Why its code was not looked at, though nothing is known to be wrong with it.
    pub(crate) fn unseen(&self) -> Option<&Error> {
        match self {
            Self::NotChecked(error) | Self::NotBuilt(error) => Some(error),
            Self::Offers(_) | Self::Broken(_) => None,
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
