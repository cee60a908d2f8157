//! Manifests that say what their binaries say: `functions` and `types`, and nothing else, are changed.
//!
//! What they must say is worked out once, as JSON ([`listing`]); two small writers bring it into the text, each
//! leaving alone what says it already ([`json`], [`toml`]).

mod file;
mod json;
mod listing;
#[cfg(test)]
mod tests;
mod toml;

use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::loader::Description;
use caraway_loaders_core::manifest::Manifest;
use caraway_loaders_core::{Code, Error};
use serde_json::Value;

const TYPES: &str = "types";
const FUNCTIONS: &str = "functions";

/// What is changed, in the order in which it is added.
const KEYS: [&str; 2] = [TYPES, FUNCTIONS];

/// A manifest's text that is worked on.
pub(super) struct Edit<'a> {
    plugin: &'a Plugin,
    old: String,
    new: String,
}

impl<'a> Edit<'a> {
    /// The plugin's manifest, made to list what its binary offers. Descriptions of functions are those of the
    /// binary where it has some; what else the manifest says of a function, a parameter or a type that is still
    /// there stays, and so do types that the binary does not define. Nothing is written yet.
    ///
    /// # Errors
    ///
    /// [`Code::Io`] if the file cannot be read, or is a link out of the plugin's folder; whatever is wrong with it
    /// by now.
    pub(super) fn new(plugin: &'a Plugin, description: &Description) -> Result<Self, Error> {
        let old = file::read(plugin)?;
        let manifest = Manifest::parse(plugin.manifest.file(), old.as_bytes())?;
        let new = listed(&manifest, &old, description)?;
        Ok(Self { plugin, old, new })
    }

    /// Whether there is anything to write.
    pub(super) fn changes(&self) -> bool {
        self.old != self.new
    }

    /// The plugin as the new manifest describes it.
    ///
    /// # Errors
    ///
    /// [`Code::SignatureMismatch`] if what the binary says of itself cannot stand in a manifest.
    pub(super) fn plugin(&self) -> Result<Plugin, Error> {
        let file = self.plugin.manifest.file();
        match Manifest::parse(file, self.new.as_bytes()) {
            Ok(manifest) => Ok(Plugin { manifest, ..self.plugin.clone() }),
            Err(error) => {
                let message =
                    format!("what the binary says of itself cannot stand in a manifest: {}", error.message());
                Err(Error::new(Code::SignatureMismatch, message)
                    .at(self.plugin.manifest.locate("functions"))
                    .hint("give it another name or type in the code"))
            }
        }
    }

    /// Puts the new text in the place of the old one.
    ///
    /// # Errors
    ///
    /// [`Code::Io`] if the file cannot be written, or is a link out of the plugin's folder.
    pub(super) fn write(&self) -> Result<(), Error> {
        file::replace(self.plugin, &self.new)
    }
}

/// The text of a manifest with what `description` says.
fn listed(manifest: &Manifest, text: &str, description: &Description) -> Result<String, Error> {
    let is_toml = manifest.file().extension().is_some_and(|extension| extension == "toml");
    let broken = |what: &dyn std::fmt::Display| {
        Error::new(Code::Internal, format!("a manifest that was decoded cannot be changed: {what}"))
    };
    let old = match is_toml {
        true => toml::lists(text, &KEYS).map_err(|error| broken(&error))?,
        false => json::lists(text, &KEYS).map_err(|error| broken(&error))?,
    };
    let new = [listing::types(manifest, &old, description), listing::functions(manifest, &old, description)];
    let mut text = text.to_owned();
    let lines_end_with_cr = text.contains("\r\n");
    for (key, entries) in KEYS.into_iter().zip(new) {
        let unchanged = match old.get(key) {
            Some(old) => *old == Value::Array(entries.clone()),
            None => entries.is_empty() && key == TYPES,
        };
        if !unchanged {
            text = match is_toml {
                true => toml::set(&text, key, old.get(key), &entries).map_err(|error| broken(&error))?,
                false => json::set(&text, key, &entries).map_err(|error| broken(&error))?,
            };
        }
    }
    Ok(match lines_end_with_cr {
        true => text.replace("\r\n", "\n").replace('\n', "\r\n"),
        false => text,
    })
}
