//! Plugin kinds that Caraway has and this build has not.

use caraway_loaders_core::bind::Bound;
use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::loader::{LoadRequest, Loader, PluginFile};
use caraway_loaders_core::manifest::{Function, Manifest};
use caraway_loaders_core::{Code, Error};
use std::path::Path;

/// Stands for a kind that was left out, and says so of each plugin.
pub(crate) struct AbsentLoader {
    /// What manifests call the kind.
    pub(crate) kind: &'static str,
    /// The cargo feature of this crate that has it.
    pub(crate) feature: &'static str,
    /// The extension of files that are plugins of this kind without a manifest.
    pub(crate) extension: Option<&'static str>,
}

impl AbsentLoader {
    fn error(&self) -> Error {
        let Self { kind, feature, .. } = self;
        Error::new(Code::UnknownKind, format!("this caraway was built without plugins of type `{kind}`"))
            .hint(format!("use one that was built with the feature `{feature}`"))
    }
}

impl Loader for AbsentLoader {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn description(&self) -> &'static str {
        "not in this build"
    }

    fn validate(&self, manifest: &Manifest) -> Vec<Error> {
        vec![self.error().at(manifest.locate("type"))]
    }

    fn adopt(&self, file: &Path) -> Option<Manifest> {
        let adopts = self.extension.is_some_and(|extension| file.extension().is_some_and(|e| e == extension));
        adopts.then(|| Manifest::of_file(file, self.kind))?
    }

    fn files(&self, _: &Plugin) -> Result<Vec<PluginFile>, Error> {
        Err(self.error())
    }

    fn inspect(&self, _: &Plugin) -> Result<Vec<Function>, Error> {
        Err(self.error())
    }

    fn load(&self, _: &LoadRequest) -> Result<Bound, Error> {
        Err(self.error())
    }
}
