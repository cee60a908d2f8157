//! What a plugin's code offers, as far as looking is allowed.

use crate::session::Session;
use caraway_loaders_core::capability::{Capability, Request};
use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::loader::Loader;
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
        let refusal = loader
            .trusted(&plugin.manifest)
            .then(|| session.plugin_access(plugin).check(&Request::Native).err())
            .flatten();
        let Missing { mut wrong, unbuilt } = Missing::of(plugin, &*loader);
        // What the manifest does not ask for, nobody can grant.
        if let Some(refusal) = &refusal
            && !plugin.manifest.asks.contains(Capability::Native)
        {
            wrong.insert(0, refusal.clone().at(plugin.manifest.locate("capabilities")));
        }
        match (wrong.is_empty(), unbuilt, refusal) {
            (true, Some(error), _) => return Self::NotBuilt(error),
            (true, None, Some(refusal)) => return Self::NotChecked(refusal),
            (_, unbuilt, _) => {
                if let Some(error) = Error::from_many(wrong.into_iter().chain(unbuilt)) {
                    return Self::Broken(error);
                }
            }
        }
        match loader.inspect(plugin) {
            Ok(functions) => Self::Offers(functions),
            Err(error) => Self::Broken(error),
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

/// What is wrong with the files that this host would load a plugin from.
struct Missing {
    wrong: Vec<Error>,
    /// The binary is not there.
    unbuilt: Option<Error>,
}

impl Missing {
    fn of(plugin: &Plugin, loader: &dyn Loader) -> Self {
        let binary = loader.binary(plugin);
        let mut wrong = Vec::new();
        match loader.files(plugin) {
            Err(error) => wrong.push(error),
            Ok(files) => {
                let others = files.iter().filter(|file| binary != Some(plugin.root.join(&file.path)));
                let here = others.filter(|file| file.is_for_this_host());
                wrong.extend(here.filter_map(|file| plugin.file(&file.path).err()));
            }
        }
        let refused = binary.as_ref().and_then(|path| {
            let relative = path.strip_prefix(&plugin.root).unwrap_or(path);
            plugin.binary(relative).err()
        });
        let is_there = binary.is_some_and(|path| path.exists());
        let (there, unbuilt) = if is_there { (refused, None) } else { (None, refused) };
        wrong.extend(there);
        Self { wrong, unbuilt }
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
