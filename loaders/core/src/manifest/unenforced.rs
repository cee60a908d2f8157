//! What a kind of plugins cannot enforce.

use super::Manifest;
use crate::code::Code;
use crate::error::Error;

/// The fields of a manifest that its kind cannot enforce, each an error with its place. For
/// [`Loader::validate`](crate::loader::Loader::validate).
///
/// ```
/// use caraway_loaders_core::manifest::{Manifest, Unenforced};
///
/// let text = br#"{"name": "a", "version": "1.0.0", "type": "calculator", "dependencies": ["csv"]}"#;
/// let manifest = Manifest::parse("plugin.json".as_ref(), text)?;
/// let mut unenforced = Unenforced::of(&manifest);
/// let given = !manifest.dependencies.is_empty();
/// unenforced.refuse(given, "dependencies", "a calculator imports nothing", "remove `dependencies`");
/// unenforced.refuse(!manifest.config.is_empty(), "config", "a calculator has no settings", "remove `config`");
/// let errors = unenforced.into_errors();
/// assert_eq!(errors.len(), 1);
/// assert_eq!(errors[0].location().map(|place| (place.line, place.column)), Some((1, 73)));
/// # Ok::<(), caraway_loaders_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Unenforced<'a> {
    manifest: &'a Manifest,
    errors: Vec<Error>,
}

impl<'a> Unenforced<'a> {
    /// Of a manifest in which nothing was refused yet.
    pub fn of(manifest: &'a Manifest) -> Self {
        Self { manifest, errors: Vec::new() }
    }

    /// Refuses a field, named by its dotted path, if it is given.
    pub fn refuse(&mut self, given: bool, field: &str, message: impl AsRef<str>, hint: &str) {
        if given {
            // To find the place, the text is looked through again.
            let error = Error::new(Code::NotEnforced, message).at(self.manifest.locate(field)).hint(hint);
            self.errors.push(error);
        }
    }

    /// Refuses each function that is marked `native`.
    pub fn refuse_native_functions(&mut self, message: &str, hint: &str) {
        for (index, function) in self.manifest.functions.iter().flatten().enumerate() {
            self.refuse(function.native, &format!("functions.{index}.native"), message, hint);
        }
    }

    /// Refuses `runtime.persistent: false`, for kinds whose plugins keep their state until the program ends.
    pub fn refuse_fresh_instances(&mut self) {
        self.refuse(
            !self.manifest.runtime.persistent,
            "runtime.persistent",
            format!("a plugin of the type `{}` cannot be made anew for each call", self.manifest.kind),
            "remove `persistent: false`, or use `wasm`",
        );
    }

    /// The errors, in the order in which the fields were refused.
    pub fn into_errors(self) -> Vec<Error> {
        self.errors
    }
}
