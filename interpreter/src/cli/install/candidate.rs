//! A plugin that was fetched and is not yet installed.

use super::progress::Bar;
use crate::cli::Context;
use crate::runtime::Runtime;
use crate::trust::{TrustedPlugin, real};
use caraway_loaders_core::checksum::Checksums;
use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::{Code, Error, Location};
use caraway_package::plugin_in;
use caraway_package::source::{Fetched, Source};
use caraway_package::store::{Locked, Placed, Record, Staging, Store};
use std::path::Path;
use std::sync::Arc;

/// A plugin that was fetched into the staging folder of a store, with its manifest checked.
pub(in crate::cli) struct Candidate {
    pub(in crate::cli) plugin: Arc<Plugin>,
    staging: Staging,
    fetched: Fetched,
    record: Record,
}

impl Candidate {
    /// Fetches what a source has.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the source, or with the plugin in it. Places in the staging folder are told as places in
    /// the source.
    pub(in crate::cli) fn fetch(
        context: &Context,
        runtime: &Runtime,
        locked: &Locked,
        source: &dyn Source,
    ) -> Result<Self, Error> {
        let staging = locked.stage()?;
        let text = source.text();
        let bar = Bar::new(context, &text);
        let fetched = source.fetch(staging.path(), &bar);
        drop(bar);
        let fetched = fetched.map_err(|error| error.moved(staging.path(), Path::new(&text)))?;
        let plugin = plugin_in(&fetched.folder, runtime.loaders())
            .map_err(|error| error.moved(&fetched.folder, Path::new(&text)))?;
        if let Some(needed) = plugin.manifest.unmet_host(runtime.version()) {
            let message = format!(
                "`{}` needs caraway {needed}, and this is caraway {}",
                plugin.id(),
                runtime.version()
            );
            return Err(Error::new(Code::Incompatible, message)
                .at(Location::file(&text))
                .hint("install another version of the plugin, or a newer caraway"));
        }
        let record = Record {
            name: plugin.manifest.name.clone(),
            version: plugin.manifest.version.clone(),
            source: text,
            archive: fetched.archive,
        };
        let candidate = Self { plugin, staging, fetched, record };
        // All that it is loaded from is there.
        candidate.content(runtime)?;
        Ok(candidate)
    }

    /// Where it lies for now. As a search path it is this plugin.
    pub(in crate::cli) fn folder(&self) -> &Path {
        &self.fetched.folder
    }

    /// Whether a store has this version of it, with whatever contents.
    pub(in crate::cli) fn is_in(&self, store: &Store) -> bool {
        store.folder_of(&self.record).exists()
    }

    /// Where it comes from.
    pub(in crate::cli) fn source(&self) -> &str {
        &self.record.source
    }

    /// `NAME VERSION`, for people.
    pub(in crate::cli) fn title(&self) -> String {
        format!("{} {}", self.record.name, self.record.version)
    }

    /// The digests of its files.
    ///
    /// # Errors
    ///
    /// A file that is missing or cannot be read.
    pub(in crate::cli) fn content(&self, runtime: &Runtime) -> Result<Checksums, Error> {
        let checksums = self.plugin.checksums_now(&**runtime.loader_of(&self.plugin)?, self.source(), "");
        checksums.map_err(|error| error.moved(self.folder(), Path::new(self.source())))
    }

    /// What is remembered of it if it may do what `rules` say.
    ///
    /// # Errors
    ///
    /// As [`content`](Self::content).
    pub(in crate::cli) fn trusted(
        &self,
        runtime: &Runtime,
        store: &Store,
        rules: Vec<String>,
    ) -> Result<TrustedPlugin, Error> {
        Ok(TrustedPlugin {
            name: self.record.name.clone(),
            version: self.record.version.clone(),
            content: self.content(runtime)?.total(),
            folder: real(store.folder()),
            allow: rules,
        })
    }

    /// Shows it in the store.
    ///
    /// # Errors
    ///
    /// As [`Locked::place`].
    pub(in crate::cli) fn place(self, locked: &Locked, replace: bool) -> Result<Placed, Error> {
        locked.place(self.staging, &self.fetched, &self.record, replace)
    }
}

/// The highest version of a plugin that is installed in a store.
pub(in crate::cli) fn highest(store: &Store, runtime: &Runtime, name: &str) -> Option<Arc<Plugin>> {
    let inventory = store.installed();
    let of_name = inventory.plugins.iter().filter(|installed| installed.record.name == name);
    let highest = of_name.max_by(|a, b| a.record.version.cmp(&b.record.version))?;
    plugin_in(&highest.folder, runtime.loaders()).ok()
}
